"""What an edit gives: another program, and what it needs and means, in words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ontogeny.front.update import UPDATE
from ontogeny.isa.program import KINDS, Decl, Program
from ontogeny.isa.text.lines import InstrLine, print_line
from ontogeny.machine.learner import Array

LEARN = "learn"
MANY = 6
"""So many names are listed one by one."""


@dataclass(frozen=True, slots=True)
class Edited:
    """A program that was edited.

    `values` are the starting values of new registers, by name, where they do not start at zero; registers of the same
    name and type keep theirs (`record/changing.py`). `dials` are to be set where the new program begins;
    the other dials of the same name keep their value, new ones have their declared default. `changes` are sentences.
    """

    before: Program
    program: Program
    values: Mapping[str, Array]
    dials: Mapping[str, float]
    description: str
    changes: tuple[str, ...]

    def diff(self) -> str:
        """What changed, as a unified diff of the registers and of the update part of `learn`; empty for no change."""
        before, after = list(_lines(self.before)), list(_lines(self.program))
        return "\n".join(difflib.unified_diff(before, after, "before", "after", lineterm="", n=2))


def _lines(program: Program) -> Iterator[str]:
    """The declarations, and what `learn` notes as its update; all of `learn` where it notes none."""
    yield from map(print_line, program.decls)
    body = program.routine(LEARN).body if program.has(LEARN) else ()
    update = [instr for instr in body if instr.note.phase == UPDATE]
    for instr in update or body:
        yield print_line(InstrLine(instr, (None,) * len(instr.out)))


def changed_registers(before: Program, after: Program) -> Iterator[str]:
    """A sentence for each register that came, went or became another; for many of a kind one."""
    old, new = _leaves(before), _leaves(after)
    for kind in KINDS:
        come = [decl for name, decl in new.items() if decl.kind == kind and name not in old]
        yield from (
            [f"{len(come)} new {kind}s: {listed([d.name for d in come])}"] if len(come) > MANY else map(_new, come)
        )
        for decl in (decl for name, decl in new.items() if decl.kind == kind and name in old):
            if old[decl.name].type != decl.type:
                yield f"{kind} {decl.name} is {decl.type}, no longer {old[decl.name].type}"
        gone = [name for name, decl in old.items() if decl.kind == kind and name not in new]
        many = [f"{len(gone)} {kind}s are gone: {listed(gone)}"]
        yield from many if len(gone) > MANY else (f"{kind} {name} is gone" for name in gone)


def _leaves(program: Program) -> dict[str, Decl]:
    """The declarations by name, without the arenas, which only say where parameters lie."""
    arenas = {decl.arena for decl in program.decls}
    return {decl.name: decl for decl in program.decls if decl.name not in arenas}


def _new(decl: Decl) -> str:
    start = f" = {decl.default:g}" if decl.default is not None else ""
    return f"new {decl.kind} {decl.name}: {decl.type}{start}"


def listed(names: Sequence[str]) -> str:
    """Names for a sentence: the first few, and how many more."""
    return ", ".join(names[:MANY]) + (f" and {len(names) - MANY} more" if len(names) > MANY else "")
