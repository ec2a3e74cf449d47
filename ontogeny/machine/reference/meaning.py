"""The table of meanings: every base operation by its own, every macro by its definition.

Only the meanings in `control` look at the execution; the others take None for it as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr
from ontogeny.machine.reference import control, elementwise, index, movement, reduce
from ontogeny.machine.reference.execution import Execution, Meaning, Values


def plain(function: Callable[..., Any]) -> Meaning:
    """The meaning of a function of an instruction and its operands alone, with one result or a tuple of them."""

    def meaning(_: Execution, instr: Instr, operands: Values) -> Values:
        with np.errstate(all="ignore"):
            results = function(instr, *operands)
        return tuple(map(np.asarray, results if isinstance(results, tuple) else (results,)))

    return meaning


MEANING: dict[Op, Meaning] = {
    **{
        op: plain(function)
        for table in (movement.MEANINGS, elementwise.MEANINGS, reduce.MEANINGS, index.MEANINGS)
        for op, function in table.items()
    },
    Op.SORT: plain(reduce.sort),
    **control.MEANINGS,
}

ALL: dict[Op, Meaning] = {**{op: control.macro for op in Op if op.is_macro}, **MEANING}
