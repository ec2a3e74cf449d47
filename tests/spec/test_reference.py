"""The reference machine: its meanings where words could be read two ways, its steps, its registers, its errors."""

from __future__ import annotations

from collections import Counter
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from ontogeny.isa.errors import MachineError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Attribute
from ontogeny.isa.text import from_text
from ontogeny.isa.types import DType
from ontogeny.machine.base import Machine
from ontogeny.machine.conformance import CASES, NonConforming, cases, check
from ontogeny.machine.conformance.case import MAIN, edges, single
from ontogeny.machine.conformance.control import ARENA, CALLS, COMMITS, LOOPS
from ontogeny.machine.learner import Array
from ontogeny.machine.reference import MEANING, ReferenceMachine

STOPS = {"read": 4, "commit": 1, "assert": 3, "gather": 3, "scatter_set": 3, "scatter_add": 3}
STOPS |= {"nll_loss": 2, "nll_loss_backward": 2}


def result(op: Op, *operands: Array, **attrs: Attribute) -> Array:
    case = single(op, operands, "here", **attrs)
    return next(iter(ReferenceMachine(case.program).call(MAIN, case.inputs, {}).values()))


def ints(*values: int, dtype: Any = np.int64) -> Array:
    return np.array(values, dtype=dtype)


@pytest.mark.parametrize(
    "op, a, b, expected",
    [
        (Op.ADD, ints(127, dtype=np.int8), ints(1, dtype=np.int8), [-128]),
        (Op.DIV, ints(-7, 7, 5, -128, dtype=np.int8), ints(2, -2, 0, -1, dtype=np.int8), [-4, -4, 0, -128]),
        (Op.REM, ints(-7, 7, 5), ints(3, -3, 0), [2, -2, 0]),
        (Op.SHL, ints(1, 1, 1, dtype=np.int32), ints(31, 32, 100, dtype=np.int32), [-(1 << 31), 0, 0]),
        (Op.SHR, ints(-8, -8, 8), ints(1, 64, 64), [-4, -1, 0]),
        (Op.POW, np.array([-np.inf, 4.0]), np.array(0.5), [np.inf, 2.0]),
        (Op.MAX, np.array([np.nan, 1.0]), np.array([1.0, np.nan]), [np.nan, np.nan]),
    ],
)
def test_edges_of_arithmetic(op: Op, a: Array, b: Array, expected: list[float]) -> None:
    np.testing.assert_array_equal(result(op, a, b), np.array(expected, dtype=a.dtype))


def test_popcount_counts_the_bits_of_negative_numbers() -> None:
    assert result(Op.POPCOUNT, ints(-1, -128, 3, dtype=np.int8)).tolist() == [8, 1, 2]


def test_bf16_sums_are_rounded_once() -> None:
    ones = np.ones(300, dtype=ml_dtypes.bfloat16)
    assert float(result(Op.SUM, ones, dims=(0,), keep=False)) == 300.0


def test_sorting_down_keeps_equal_elements_in_order() -> None:
    a = np.array([1.0, 2.0, 2.0, np.nan, 1.0])
    case = single(Op.SORT, [a], "down", dim=0, descending=True)
    assert ReferenceMachine(case.program).call(MAIN, case.inputs, {})["y1"].tolist() == [3, 1, 2, 0, 4]


def test_the_last_write_to_a_place_wins() -> None:
    found = result(Op.SCATTER_SET, ints(0, 0), ints(5, 6, 7), ints(1, 1, 1))
    assert found.tolist() == [0, 7]


def test_floats_are_cut_towards_zero_and_held_in_range() -> None:
    found = result(Op.CAST, np.array([-1.9, 1.9, 1e9, -np.inf, np.nan]), dtype=DType.I8)
    assert found.tolist() == [-1, 1, 127, -128, 0]


def test_every_base_operation_has_a_meaning_and_every_operation_a_case() -> None:
    assert set(MEANING) == {op for op in Op if not op.is_macro}
    assert set(CASES) == set(Op)


def test_cases_are_told_apart_and_always_the_same() -> None:
    first, second = list(cases()), list(cases())
    names = Counter(case.name for case in first)
    assert [name for name, count in names.items() if count > 1] == []
    for one, two in zip(first, second, strict=True):
        assert one.name == two.name and repr(one.program) == repr(two.program)  # NaN equals itself in print
        assert all(one.inputs[key].tobytes() == two.inputs[key].tobytes() for key in one.inputs)


@pytest.mark.parametrize("op", list(CASES), ids=lambda op: op.text)
def test_cases_run_and_stop_only_where_they_are_meant_to(op: Op) -> None:
    stopped = 0
    for case in cases([op]):
        check(ReferenceMachine, case)
        machine = ReferenceMachine(case.program)
        machine.load(case.state)
        try:
            machine.call(MAIN, case.inputs, case.dials)
        except MachineError:
            stopped += 1
    assert stopped == STOPS.get(op.text, 0)


class Wrong(ReferenceMachine):
    """Adds a little to every float that it returns, and one to every integer."""

    def call(self, routine: str, inputs: Any, dials: Any) -> dict[str, Array]:
        found = super().call(routine, inputs, dials)
        return {name: ~a if a.dtype == bool else (a + a.dtype.type(1)).astype(a.dtype) for name, a in found.items()}


@pytest.mark.parametrize("op", [Op.ADD, Op.EXP, Op.LT, Op.DOT, Op.GATHER, Op.SOFTMAX], ids=lambda op: op.text)
def test_the_suite_finds_a_wrong_machine(op: Op) -> None:
    with pytest.raises(NonConforming, match=op.text):
        for case in cases([op]):
            check(Wrong, case)


def test_a_call_goes_one_instruction_at_a_time() -> None:
    machine: Machine = ReferenceMachine(from_text(CALLS))
    assert isinstance(machine, ReferenceMachine)
    machine.load({"seen": np.zeros(2, np.float32)})
    execution = machine.begin(MAIN, {"x": np.array([1.5, -2.0], np.float32)}, {})
    depths = []
    while not execution.finished:
        depths.append([frame.routine.name for frame in execution.stack])
        assert execution.frame.instruction is not None
        assert not machine.state()["seen"].any(), "nothing is kept before the end"
        execution.step()
    assert depths[0] == ["main"] and ["main", "twice", "add_mul"] in depths
    assert machine.state()["seen"].tolist() == [1.5, -2.0]
    with pytest.raises(MachineError, match="has finished"):
        execution.step()


def test_a_loop_tells_its_round_and_a_macro_can_be_stepped_into() -> None:
    execution = ReferenceMachine(from_text(LOOPS)).begin(MAIN, {"n": np.array(2), "x": np.zeros(2)}, {})
    turns = set()
    while not execution.finished:
        turns.add(tuple(frame.turn for frame in execution.stack))
        execution.step()
    assert {(None,), (None, 0), (None, 1), (None, 1, 0)} <= turns
    case = single(Op.SILU, [np.ones(3)], "here")
    inside = ReferenceMachine(case.program).begin(MAIN, case.inputs, {})
    inside.step()
    inside.step()
    assert inside.frame.routine.name == "silu" and inside.frame.values["x0"].tolist() == [1, 1, 1]


def test_a_call_given_up_changes_nothing_and_state_is_copied() -> None:
    machine = ReferenceMachine(from_text(COMMITS))
    kept = {"a": np.ones(3, np.float32), "b": np.zeros(3, np.float32), "n": np.array(1)}
    kept |= {"all": edges(DType.BF16)[:4], "none": np.zeros((0, 2))}
    machine.load(kept)
    kept["a"][:] = 9
    machine.begin(MAIN, {}, {}).step()
    machine.state()["a"][:] = 9
    assert machine.state()["a"].tolist() == [1, 1, 1]
    machine.call(MAIN, {}, {})
    assert machine.state()["a"].tolist() == [0, 0, 0] and machine.state()["n"] == 2


def test_errors_name_what_is_wrong() -> None:
    machine = ReferenceMachine(from_text(ARENA))
    with pytest.raises(MachineError, match="load a state first"):
        machine.call(MAIN, {"x": np.zeros(2, np.float32)}, {})
    with pytest.raises(MachineError, match="no value for 'n'"):
        machine.load({"all": np.zeros(8, np.float32)})
    with pytest.raises(MachineError, match="'all' is f64"):
        machine.load({"all": np.zeros(8), "n": np.array(0)})
    with pytest.raises(MachineError, match="keeps no 'w'"):
        machine.load({"all": np.zeros(8, np.float32), "n": np.array(0), "w": np.zeros(1)})
    with pytest.raises(MachineError, match="no routine 'learn'"):
        machine.call("learn", {}, {})
    case = single(Op.GATHER, [np.zeros(5), np.array([7])], "here")
    with pytest.raises(MachineError, match=r"routine 'main', instruction 3 .*index 7 in %x1 is out of range"):
        ReferenceMachine(case.program).call(MAIN, case.inputs, {})


def test_probes_are_shown() -> None:
    seen: list[tuple[str, list[float]]] = []
    case = single(Op.PROBE, [np.array([1.0, 2.0])], "here", name="p")
    ReferenceMachine(case.program, watch=lambda name, a: seen.append((name, a.tolist()))).call(MAIN, case.inputs, {})
    assert seen == [("p", [1.0, 2.0])]
