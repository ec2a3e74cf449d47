"""What an edit gives: another program, and what it needs and means, in words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ontogeny.front.update import UPDATE
from ontogeny.isa.program import Program
from ontogeny.isa.text.lines import InstrLine, print_line
from ontogeny.machine.learner import Array

LEARN = "learn"


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
    """A sentence for each register that came, went or became another."""
    old, new = ({decl.name: decl for decl in program.decls} for program in (before, after))
    for name, decl in new.items():
        start = f" = {decl.default:g}" if decl.default is not None else ""
        if name not in old:
            yield f"new {decl.kind} {name}: {decl.type}{start}"
        elif old[name].type != decl.type or old[name].kind != decl.kind:
            yield f"{decl.kind} {name} is {decl.type}, no longer {old[name].type}"
    for name, decl in old.items():
        if name not in new:
            yield f"{decl.kind} {name} is gone"
