"""What the instructions of a routine cost, as lines for a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ontogeny.isa.cost import RoutineCost, Row, routine_cost
from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.program import Program
from ontogeny.isa.rules import value_types
from ontogeny.isa.types import Type

SORTS = ("operations", "bytes", "order")


@dataclass(frozen=True, slots=True)
class Line:
    """One instruction and its cost. `where` is the user's own source line."""

    number: int
    text: str
    phase: str
    where: str
    operations: int
    bytes_read: int
    bytes_written: int
    remark: str = ""

    @property
    def bytes(self) -> int:
        """Bytes read and written."""
        return self.bytes_read + self.bytes_written


@dataclass(frozen=True, slots=True)
class Total:
    """The cost of one call of a routine; `uses` says how often each parameter's elements are used per example."""

    operations: int
    bytes: int
    instructions: int
    batch: int
    uses: dict[str, float]
    remark: str


def top(program: Program, routine: str, count: int = 0, sort: str = "operations") -> tuple[list[Line], Total]:
    """The instructions that cost the most (all, where `count` is 0), and the total."""
    if sort not in SORTS:
        raise OntogenyError(f"cannot sort by {sort!r}; choose {', '.join(SORTS)}")
    if not program.has(routine):
        names = ", ".join(one.name for one in program.routines) or "none"
        raise OntogenyError(f"program {program.name!r} has no routine {routine!r}; there are {names}")
    cost = routine_cost(program, routine)
    types = value_types(program, program.routine(routine))
    lines = [_line(row, types) for row in cost.rows]
    if sort != "order":
        lines.sort(key=lambda line: (-getattr(line, sort), line.number))
    return lines[: count or None], _total(cost)


def turned(program: Program, dials: Mapping[str, float]) -> Program:
    """The program with other defaults for some dials. Raises OntogenyError for one that it does not have."""
    known = [decl.name for decl in program.of("dial")]
    if unknown := [name for name in dials if name not in known]:
        there = ", ".join(known) or "none"
        raise OntogenyError(f"program {program.name!r} has no dial {unknown[0]!r}; there are {there}")
    decls = (replace(decl, default=dials[decl.name]) if decl.name in dials else decl for decl in program.decls)
    return replace(program, decls=tuple(decls))


def _total(cost: RoutineCost) -> Total:
    moved = cost.total.bytes_read + cost.total.bytes_written
    return Total(cost.total.operations, moved, len(cost.rows), cost.batch, dict(cost.uses), cost.remark)


def _line(row: Row, types: dict[str, Type]) -> Line:
    operands = " ".join(f"%{name}: {types[name]}" for name in row.instr.args)
    results = ", ".join(f"%{name}: {types[name]}" for name in row.instr.out)
    names = " ".join(str(value) for _, value in row.instr.attrs if isinstance(value, str))
    text = " ".join(filter(None, (results and f"{results} =", row.instr.op.text, names, operands)))
    note, cost = row.instr.note, row.cost
    return Line(
        row.number, text, note.phase, note.where, cost.operations, cost.bytes_read, cost.bytes_written, row.remark
    )
