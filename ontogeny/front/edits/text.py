"""The routine `learn`, or the whole program, replaced by a text in the language, which must keep the parameters."""

from __future__ import annotations

from dataclasses import replace

from ontogeny.front.edits.edit import Edit, Kind, Parameter
from ontogeny.front.edits.edited import LEARN
from ontogeny.front.edits.rewrite import Rewrite
from ontogeny.isa.errors import EditError, TextError
from ontogeny.isa.program import Program
from ontogeny.isa.text import from_text, to_text


def make(rewrite: Rewrite, text: str) -> str:
    """The text in place of what it begins with: `program` all, `routine learn` that one, registers before it added."""
    before = rewrite.program
    whole = any(line.startswith("program ") for line in text.splitlines())
    after = from_text(text) if whole else _with_learn(before, text)
    _check(before, after)
    new = Rewrite.of(after)
    rewrite.declared = frozenset(decl.name for decl in after.decls) if whole else frozenset()
    rewrite.program, rewrite.returns = after, new.returns
    rewrite.become(new.body)
    rewrite.types, rewrite.number = new.types, new.number
    return "the whole program is another text" if whole else "learn is another text"


def _with_learn(before: Program, text: str) -> Program:
    """The program with the routine of a text and the registers that it declares beside those there are."""
    lines = text.splitlines()
    heads = [at for at, line in enumerate(lines) if line.startswith("routine ")]
    if not heads or any(not lines[at].startswith(f"routine {LEARN}(") for at in heads):
        raise EditError(
            f"the text must be a whole program, or 'routine {LEARN}() ->...' with any new registers before it"
        )
    shell = replace(before, routines=tuple(r for r in before.routines if r.name != LEARN))
    above = to_text(replace(shell, routines=())).splitlines()
    rest = to_text(shell).splitlines()[len(above) :]
    try:
        found = from_text("\n".join([*above, *lines, *rest]) + "\n")
    except TextError as error:
        moved = str(error).partition(": ")[2]
        raise EditError(f"line {error.line - len(above)}, column {error.column} of the text: {moved}") from error
    order = {routine.name: at for at, routine in enumerate(before.routines)}
    return replace(found, routines=tuple(sorted(found.routines, key=lambda r: order.get(r.name, 0))))


def _check(before: Program, after: Program) -> None:
    """Raises EditError unless parameters, inputs and what `learn` returns are those of before."""
    for kind, what in (("param", "parameter"), ("input", "input")):
        there = {decl.name: decl for decl in after.of(kind)}
        for decl in before.named_params() if kind == "param" else before.of(kind):
            if decl.name not in there or there[decl.name].type != decl.type:
                raise EditError(f"the text must keep the {what} {decl.name}: {decl.type}")
    missing = {routine.name for routine in before.routines if not routine.params} - {r.name for r in after.routines}
    if missing:
        raise EditError(f"the text must keep the routine {min(missing)!r}")
    for name, _ in before.routine(LEARN).returns:
        if name not in dict(after.routine(LEARN).returns):
            raise EditError(f"'{LEARN}' must go on returning {name!r}, which is recorded at every step")


EDIT = Edit(
    "text",
    "learn, or the whole program, replaced by a text in the language",
    (Parameter("text", Kind.TEXT, "a routine learn, with new registers before it, or a whole program"),),
    make,
)
