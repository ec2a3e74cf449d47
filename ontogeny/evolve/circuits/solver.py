"""Gates as clauses for a SAT solver, through python-sat, which the extra `sat` installs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec

from ontogeny.evolve.circuits.grower import Grower
from ontogeny.isa.errors import NetlistError

INSTALLED = find_spec("pysat") is not None
if INSTALLED:
    from pysat.solvers import Cadical153 as Solver


def solved(grown: Grower, pairs: Sequence[tuple[int, int]]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The pairs of wires that differ in some case: the pair's place, and the case as a bit for each source.

    Raises NetlistError where python-sat is not installed.
    """
    unlike = [(place, a, b) for place, (a, b) in enumerate(pairs) if a != b]
    if not unlike:
        return
    if not INSTALLED:
        raise NetlistError("this many cases are compared by a SAT solver; install it by `pip install 'ontogeny[sat]'`")
    with Solver() as solver:
        for clause in _clauses(grown):
            solver.add_clause(clause)
        for count, (place, a, b) in enumerate(unlike):
            differ = grown.sources + len(grown.table) + count + 1
            for clause in _exclusive(differ, a + 1, b + 1):
                solver.add_clause(clause)
            if solver.solve(assumptions=[differ]):
                true = {literal for literal in solver.get_model() if literal > 0}
                yield place, tuple(int(wire + 1 in true) for wire in range(grown.sources))
            else:
                solver.add_clause([-differ])


def _clauses(grown: Grower) -> Iterator[list[int]]:
    """Variable w + 1 is wire w; for every row of a gate's table, that the wire has the row's value."""
    for gate, (table, takes) in enumerate(zip(grown.table, grown.fanin, strict=True)):
        out = grown.sources + gate + 1
        for row in range(1 << len(takes)):
            unless = [-(wire + 1) if row >> place & 1 else wire + 1 for place, wire in enumerate(takes)]
            yield [*unless, out if table >> row & 1 else -out]


def _exclusive(out: int, a: int, b: int) -> Iterator[list[int]]:
    yield from ([-out, a, b], [-out, -a, -b], [out, -a, b], [out, a, -b])
