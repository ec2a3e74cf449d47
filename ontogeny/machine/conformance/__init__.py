"""What a machine is: every operation, over sampled formats and shapes, against the reference machine.

    for case in cases():
        check(MyMachine, case)

Every case is a program with one operation (or one use of control) and inputs that depend on nothing but the case's
name. `check` raises NonConforming, an AssertionError, where a machine differs; where the reference stops, a machine
must stop too, and keep its registers as they were.

case.py         cases, and how operands are sampled
compare.py      tolerances by operation and format, and the check
elementwise.py  arithmetic, comparison, selection, conversion, bits
movement.py     constants, and moving elements about
reduce.py       contraction, windows, reduction, scan, sorting, indexing, random bits
control.py      registers, calls, loops, branches, debugging
macros.py       the macros
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from ontogeny.isa.op import Op
from ontogeny.machine.conformance import control, elementwise, macros, movement, reduce
from ontogeny.machine.conformance.case import Case
from ontogeny.machine.conformance.compare import NonConforming, check, tolerance

__all__ = ["CASES", "Case", "NonConforming", "cases", "check", "tolerance"]

CASES: dict[Op, Callable[[Op], Iterator[Case]]] = {
    **control.CASES,
    **movement.CASES,
    **elementwise.CASES,
    **reduce.CASES,
    **macros.CASES,
}


def cases(ops: Collection[Op] = tuple(CASES)) -> Iterator[Case]:
    """All cases of the operations, in a fixed order."""
    for op in ops:
        yield from CASES[op](op)
