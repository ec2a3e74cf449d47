"""Tapes on the swarm: they give what their programs give on the reference machine, whatever shares the swarm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ontogeny.isa.cost import routine_cost
from ontogeny.isa.errors import ProgramError
from ontogeny.isa.op import Op
from ontogeny.isa.text import from_text, to_text
from ontogeny.isa.types import DType
from ontogeny.machine.conformance import cases, tolerance
from ontogeny.machine.conformance.case import Case
from ontogeny.machine.formats import type_of
from ontogeny.machine.reference import ReferenceMachine
from ontogeny.machine.swarm import learners_codes as codes
from ontogeny.machine.swarm import learners_encode as encoding
from ontogeny.machine.swarm import learners_kernels as kernels
from ontogeny.machine.swarm.learners import LANES, Tasks, desk, learners, predictions, task_errors
from ontogeny.machine.swarm.learners_operations import OPERATIONS
from ontogeny.machine.swarm.learners_program import from_program, to_learner, to_program
from ontogeny.machine.swarm.learners_tape import TABLE, Banks, Tape, tape

DESCENT = {"setup": [(56, 2, 0, 0, 0.2)], "predict": [(27, 1, 1, 0)]}
LEARN = [(2, 3, 0, 1), (3, 3, 3, 2), (18, 2, 3, 0), (23, 1, 1, 2)]
ROUNDED = {7, 8, 9, 13, 14, 43}
"""Operations that the reference machine rounds otherwise: sine, cosine, tangent, exp, log, products of matrices."""


def linear(count: int = 10, train: int = 100, valid: int = 100, n: int = 4, seed: int = 0) -> Tasks:
    rng = np.random.default_rng(seed)
    features, weights = rng.standard_normal((count, train + valid, n)), rng.standard_normal((count, 1, n))
    return Tasks(features, np.ascontiguousarray((features * weights).sum(-1)), train)


def drawn(banks: Banks, rng: np.random.Generator, rows: int, numbers: list[int]) -> Tape:
    def row() -> tuple[int | float, ...]:
        operation = OPERATIONS[numbers[rng.integers(len(numbers))]]
        into = int(rng.integers(banks.first(operation.gives), banks.count(operation.gives)))
        if operation.constant:
            return (operation.number, into, *map(int, rng.integers(0, banks.features, 2)), float(rng.standard_normal()))
        return (operation.number, into, *(int(rng.integers(banks.count(bank))) for bank in operation.takes))

    return tape(banks, *([row() for _ in range(rows)] for _ in range(3)))


def on_reference(given: Tape, tasks: Tasks, task: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    learner = to_learner(given)
    machine = ReferenceMachine(learner.program)
    machine.load(learner.values)
    machine.call("setup", {}, {})
    found = []
    for example in range(tasks.features.shape[1]):
        inputs = {"features": tasks.features[task, example], "label": tasks.labels[task, example]}
        found.append(machine.call("predict", inputs, {})["prediction"])
        if example < tasks.train:
            machine.call("learn", inputs, {})
    return np.array(found), machine.state()


def bits(values: np.ndarray) -> list[int]:
    """The bits of numbers, NaN being one number, and a zero without its sign, which NumPy's own min and max lose."""
    return (np.where(np.isnan(values), np.nan, values) + 0.0).reshape(-1).view(np.uint64).tolist()


@pytest.mark.parametrize("n", [3, 4, 9, 16])
def test_what_is_exact_has_the_bits_of_the_reference_machine(n: int) -> None:
    rng, banks = np.random.default_rng(n), Banks(4, 3, 2, n)
    tasks = Tasks(rng.standard_normal((3, 5, n)), rng.standard_normal((3, 5)), 3)
    for _ in range(25):
        given = drawn(banks, rng, 5, [number for number in OPERATIONS if number not in ROUNDED])
        found, registers = predictions(given, tasks)
        expected, state = on_reference(given, tasks, 2)
        assert bits(found[2]) == bits(expected), str(given)
        for name, value in state.items():
            assert bits(registers[name][2]) == bits(value), f"{name} of\n{given}"


@pytest.mark.parametrize("number", OPERATIONS)
def test_every_operation_gives_what_its_program_gives(number: int) -> None:
    rng, banks = np.random.default_rng(number), Banks(3, 3, 2, 5)
    operation = OPERATIONS[number]
    fill = [(56, 1, 0, 0, 0.7), (56, 2, 0, 0, 1.3), (18, 1, 1, 0), (23, 2, 1, 0), (28, 0, 1, 0), (28, 1, 2, 1)]
    take = [banks.count(bank) - 1 for bank in operation.takes] or [2, 4, 0.3][-3:]
    into = banks.count(operation.gives) - 1
    row = (number, into, 2, 4, 0.3) if operation.constant else (number, into, *take)
    show = {"s": [(47, 1, into, into)], "v": [(27, 1, into, 0)], "m": [(31, 1, into, 0), (50, 1, 1)]}[operation.gives]
    given = tape(banks, [], [*fill, row, *show])
    tasks = Tasks(rng.standard_normal((2, 3, 5)), rng.standard_normal((2, 3)), 2)
    found, registers = predictions(given, tasks)
    expected, state = on_reference(given, tasks, 1)
    assert np.allclose(found[1], expected, rtol=1e-14, atol=1e-15, equal_nan=True)
    name = f"{operation.gives}{into}"
    assert np.allclose(registers[name][1], state[name], rtol=1e-14, atol=1e-15, equal_nan=True)


def test_rows_that_never_reach_a_prediction_are_left_out_and_nothing_changes() -> None:
    rng, tasks = np.random.default_rng(1), linear(3, 6, 4)
    shorter = 0
    for _ in range(60):
        given = drawn(Banks(), rng, 6, [1, 2, 3, 18, 23, 27, 56, 57])
        stripped = given.stripped()
        shorter += len(stripped) < len(given)
        assert (predictions(given, tasks)[0].view(np.uint64) == predictions(stripped, tasks)[0].view(np.uint64)).all()
        assert stripped.alive().all()
    assert shorter > 50


def test_what_a_later_example_needs_is_kept() -> None:
    delayed = tape(Banks(), [], [(1, 1, 2, 2)], [(1, 2, 3, 3), (1, 3, 0, 0), (1, 1, 0, 0)])
    assert delayed.alive().tolist() == [True, True, True, False]
    partly = tape(Banks(), [(57, 1, 0, 0, 1.0), (57, 1, 1, 0, 2.0)], [(27, 1, 1, 0)])
    assert partly.alive().all()


def test_a_tape_is_judged_as_numpy_judges_it_with_any_number_of_threads() -> None:
    tasks, one = linear(37), tape(Banks(), **DESCENT, learn=LEARN)
    weights, x, y = np.zeros((37, 4)), tasks.features, tasks.labels
    for example in range(100):
        off = y[:, example] - (weights * x[:, example]).sum(-1)
        weights += (off * 0.2)[:, None] * x[:, example]
    off = y[:, 100:] - (weights[:, None] * x[:, 100:]).sum(-1)
    expected = np.arctan(np.sqrt((off * off).mean(1))) * 2 / np.pi
    assert np.allclose(task_errors([one], tasks, 1)[0], expected, rtol=1e-9)
    rng = np.random.default_rng(0)
    many = [drawn(Banks(), rng, 5, list(OPERATIONS)) for _ in range(41)] + [one]
    alone = [learners([given], tasks, 1)[0] for given in many]
    for threads in (1, 2, 5):
        assert learners(many, tasks, threads).tolist() == alone


def test_what_goes_too_far_fails_its_task_and_the_hurdle_stops_early() -> None:
    tasks = linear(40)
    wild = tape(Banks(), [(56, 2, 0, 0, 1e6)], [(3, 1, 2, 2)])
    nothing = tape(Banks(), [(56, 2, 0, 0, -1.0)], [(14, 1, 2)])
    assert learners([wild, nothing], tasks, 1).tolist() == [1.0, 1.0]
    still = tape(Banks())
    full = task_errors([still], tasks, 1)[0]
    short = Tasks(tasks.features, tasks.labels, 100, before=1, hurdle=0.1)
    assert learners([still], short, 1)[0] == pytest.approx(full[:16].mean(), rel=1e-12) != full.mean()
    one = tape(Banks(), **DESCENT, learn=LEARN)
    assert learners([one], short, 1) == learners([one], tasks, 1)


def test_a_tape_is_a_program_and_back_in_text_too() -> None:
    rng = np.random.default_rng(5)
    for banks in (Banks(), Banks(2, 1, 0, 3), Banks(5, 4, 3, 8)):
        numbers = [n for n, o in OPERATIONS.items() if all(banks.count(b) > 0 for b in (*o.takes, o.gives))]
        numbers = [n for n in numbers if banks.count(OPERATIONS[n].gives) > banks.first(OPERATIONS[n].gives)]
        given = drawn(banks, rng, 30, numbers)
        again = from_program(from_text(to_text(to_program(given))))
        assert again.rows.tolist() == given.rows.tolist() and again.banks == banks
        assert again.constants.tolist() == given.constants.tolist()
        assert again.lengths.tolist() == given.lengths.tolist()
    assert routine_cost(to_program(tape(Banks(), **DESCENT, learn=LEARN)), "predict", 1).total.operations == 8
    assert "s3 = sub s0 s1" in str(tape(Banks(), learn=LEARN))


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda: tape(Banks(), [(99, 1)]), "operation 99; a tape has 1, 2"),
        (lambda: tape(Banks(), [(1, 0, 1, 1)]), "s0 cannot be written"),
        (lambda: tape(Banks(), [(1, 1, 9, 1)]), "there is no s9"),
        (lambda: Banks(features=17), "1 to 16 features"),
        (lambda: Tasks(np.zeros((2, 3, 4)), np.zeros((2, 4)), 1), "expected f64"),
        (lambda: Tasks(np.zeros((2, 3, 4)), np.zeros((2, 3)), 3), "not all"),
        (lambda: learners([tape(Banks(features=5))], linear(), 1), "tapes of 5 features"),
        (lambda: learners([tape(Banks()), tape(Banks(5))], linear(), 1), "2 kinds of banks"),
        (lambda: from_program(from_text("program p\n\nroutine predict():\n  return\n")), "is no tape"),
    ],
)
def test_what_does_not_fit_is_refused(make: Callable[[], object], said: str) -> None:
    with pytest.raises(ProgramError, match=said):
        make()


ELEMENTWISE = {
    Op.ADD: 1, Op.SUB: 2, Op.MUL: 3, Op.DIV: 4, Op.ABS: 5, Op.RECIPROCAL: 6, Op.SIN: 7, Op.COS: 8, Op.EXP: 13,
    Op.LOG: 14, Op.MIN: 44, Op.MAX: 47,
}  # fmt: skip


def operands(case: Case) -> list[np.ndarray] | None:
    """The operands of a case of one instruction on f64 inputs; None for any other."""
    body = case.program.routine("main").body
    arrays = [case.inputs.get(arg) for arg in body[-1].args]
    if any(array is None or type_of(array).dtype is not DType.F64 for array in arrays):
        return None
    return [np.asarray(array) for array in arrays]


def by_lanes(number: int, n: int, given: list[np.ndarray]) -> np.ndarray:
    """The operation on operands [cases, elements of a register]; each case is a lane."""
    banks, operation, found = Banks(5, 5, 3, n), OPERATIONS[number], []
    room, kept = desk(banks, 1, LANES), np.ones(1, np.uint8)
    one = tape(banks, [(number, banks.first(operation.gives), 1, 2)])
    encoding.encode(one.rows, one.constants, one.lengths, TABLE, banks.sizes, kept, room.code, room.constants)
    memory, none = room.flat.reshape(-1, LANES), np.zeros(n * LANES)
    for first in range(0, len(given[0]), LANES):
        memory[codes.ONE] = 1.0
        for bank, index, values in zip(operation.takes, (1, 2), given, strict=False):
            part = values[first : first + LANES]
            at = encoding.slot("svm".index(bank), index, banks.sizes, 0)
            memory[at : at + part.shape[1], : len(part)] = part.T
        kernels.run(room.slots, room.flat, room.code, room.constants, 0, 1, none, none, 0, 1, n, 0, np.inf)
        size = int(np.prod(banks.shape(operation.gives)))
        at = encoding.slot("svm".index(operation.gives), banks.first(operation.gives), banks.sizes, 0)
        found.append(memory[at : at + size, : len(given[0][first : first + LANES])].T.copy())
    return np.concatenate(found)


def near(op: Op, expected: np.ndarray, found: np.ndarray) -> bool:
    """Whether results are within the suite's tolerance."""
    units, least = tolerance(op, DType.F64)
    with np.errstate(all="ignore"):
        allowed = units * 2.0**-52 * np.maximum(np.abs(expected), least)
        close = (expected == found) | (np.isfinite(expected) & (np.abs(expected - found) <= allowed))
    return bool((close | (np.isnan(expected) & np.isnan(found))).all())


def expected_of(case: Case) -> np.ndarray:
    reference = ReferenceMachine(case.program)
    reference.load(case.state)
    (value,) = reference.call("main", case.inputs, {}).values()
    return value


@pytest.mark.parametrize("op", ELEMENTWISE)
def test_elementwise_operations_conform_to_the_suite(op: Op) -> None:
    checked = 0
    for case in cases([op]):
        given = operands(case)
        if given is None:
            continue
        expected = expected_of(case)
        columns = [np.broadcast_to(array, expected.shape).reshape(-1, 1) for array in given]
        if expected.size:
            assert near(op, expected.reshape(-1, 1), by_lanes(ELEMENTWISE[op], 4, columns)), case.name
            checked += 1
    assert checked >= (2 if op is Op.RECIPROCAL else 5)


def test_products_transposes_and_averages_conform_to_the_suite() -> None:
    checked = dict.fromkeys((Op.DOT, Op.PERMUTE, Op.MEAN), 0)
    for case in cases(list(checked)):
        given, attrs = operands(case), dict(case.program.routine("main").body[-1].attrs)
        if given is None or not all(array.size for array in given):
            continue
        expected = expected_of(case)
        if case.op is Op.MEAN and attrs["dims"] == (0,):
            columns = given[0].reshape(len(given[0]), -1).T
            assert near(case.op, expected.reshape(-1, 1), by_lanes(50, len(given[0]), [columns])), case.name
        elif all(array.ndim == 2 and max(array.shape) <= 16 for array in given) and case.op is not Op.MEAN:
            n = max(max(array.shape) for array in given)
            squares = [np.pad(a, [(0, n - a.shape[0]), (0, n - a.shape[1])]).reshape(1, -1) for a in given]
            found = by_lanes(43 if case.op is Op.DOT else 37, n, squares).reshape(n, n)
            if attrs.get("dims") == (0, 1):
                continue
            assert near(case.op, expected, found[: expected.shape[0], : expected.shape[1]]), case.name
        else:
            continue
        checked[case.op] += 1
    assert min(checked.values()) >= 1, checked
