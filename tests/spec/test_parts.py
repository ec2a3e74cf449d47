"""Every operation's parts sum to its result, whichever operands are divided: over the conformance suite's cases."""

from __future__ import annotations

import numpy as np
import pytest

from ontogeny.ask.carry import CARRY, NOWHERE, carried, wide
from ontogeny.ask.parts import CARRIED, GRADIENT, OTHER, Source, Value, mapped
from ontogeny.isa.op import Group, Op
from ontogeny.isa.types import DType
from ontogeny.machine.conformance import Case, cases
from ontogeny.machine.formats import DTYPES
from ontogeny.machine.reference import MEANING

FRESH, OLD = Source(GRADIENT, "g"), Source(CARRIED, "m")
PLAIN = [op for op in Op if not op.is_macro and op.group not in (Group.MEMORY, Group.CONTROL, Group.DEBUG)]
FEW = 40


def divided(array: np.ndarray, seed: int) -> Value:
    """The array in two parts."""
    total = wide(array)
    share = np.random.default_rng(seed).random(total.shape)
    parts = {FRESH: share * total, OLD: total - share * total}
    return Value(total, frozenset(parts), make=lambda: parts)


def plain_cases(op: Op) -> list[Case]:
    """Those of one instruction on finite inputs, floats wherever it takes any."""
    found = [case for case in cases([op]) if len(case.program.routine("main").body) == len(case.inputs) + 1]
    finite = [case for case in found if all(np.isfinite(wide(array)).all() for array in case.inputs.values())]
    return finite[:FEW]


@pytest.mark.parametrize("op", PLAIN, ids=lambda op: op.text)
def test_parts_sum_to_the_result(op: Op) -> None:
    tried = 0
    for case in plain_cases(op):
        instr = case.program.routine("main").body[-1]
        arrays = [case.inputs[arg] for arg in instr.args]
        floats = [place for place, array in enumerate(arrays) if DTYPES[array.dtype].is_float]
        for chosen in {(), tuple(floats), *((place,) for place in floats)}:
            operands = tuple(divided(a, i) if i in chosen else Value(wide(a)) for i, a in enumerate(arrays))
            if op is Op.BITCAST:
                operands = tuple(Value(a, v.sources, False) for a, v in zip(arrays, operands, strict=True))
            with np.errstate(all="ignore"):
                for result in carried(instr, operands, lambda: None):
                    whole = np.asarray(sum((wide(p) for p in result.parts().values()), np.zeros(result.total.shape)))
            expected = wide(result.total)
            fine = np.isfinite(expected)
            assert np.allclose(whole[fine], expected[fine], rtol=1e-9, atol=1e-9), (case.name, chosen)
            tried += 1
    assert tried


@pytest.mark.parametrize(
    "op", [Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.DOT, Op.SQRT, Op.SUM, Op.WHERE], ids=lambda op: op.text
)
def test_the_result_is_the_reference_machines(op: Op) -> None:
    for case in plain_cases(op):
        instr = case.program.routine("main").body[-1]
        arrays = [case.inputs[arg] for arg in instr.args]
        if DTYPES[arrays[-1].dtype] is not DType.F64:
            continue
        (expected,) = MEANING[op](NOWHERE, instr, tuple(arrays)) or ()
        (found,) = carried(instr, tuple(Value(wide(array)) for array in arrays), lambda: None)
        assert np.array_equal(found.total, expected, equal_nan=True)


def test_what_is_linear_stays_linear_in_its_coefficient() -> None:
    """m / (sqrt(v) + eps) by hand: the parts of m, each over the same denominator, and no sharing."""
    random = np.random.default_rng(0)
    shared: list[int] = []
    m, v = divided(random.standard_normal(5), 1), divided(random.random(5) + 0.5, 2)
    case = next(case for case in plain_cases(Op.SQRT))
    (root,) = carried(case.program.routine("main").body[-1], (v,), lambda: shared.append(1))
    division = next(case for case in plain_cases(Op.DIV)).program.routine("main").body[-1]
    (found,) = carried(division, (m, root), lambda: shared.append(1))
    for source, part in found.parts().items():
        assert part == pytest.approx(m.parts()[source] / np.sqrt(v.total))
    assert not shared
    root.parts()
    assert shared


def test_a_constant_is_a_part_of_its_own_where_it_is_added() -> None:
    add = next(case for case in plain_cases(Op.ADD)).program.routine("main").body[-1]
    (found,) = carried(add, (divided(np.ones(3), 0), Value(np.full(3, 2.0))), lambda: None)
    assert found.parts()[Source(OTHER)] == pytest.approx(np.full(3, 2.0))
    doubled = mapped(found.total * 2, found, lambda part: part * 2)
    assert sum(doubled.parts().values()) == pytest.approx(doubled.total)


def test_every_operation_of_the_table_is_tried() -> None:
    assert CARRY.keys() <= {*PLAIN, Op.PROBE}
