"""The swarm machine: every program's results are those of the netlist's own evaluation, whatever shares the swarm."""

from __future__ import annotations

import numpy as np
import pytest

from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import NAND, Netlist, cases, clocked, netlist, started, truth
from ontogeny.isa.netlist_program import from_program
from ontogeny.isa.op import Op
from ontogeny.machine.conformance import cases as conformance_cases
from ontogeny.machine.conformance.case import Case
from ontogeny.machine.reference import ReferenceMachine
from ontogeny.machine.swarm import Swarm, swarm


def drawn(rng: np.random.Generator, inputs: int, registers: int, gates: int, widest: int, outputs: int) -> Netlist:
    """A random netlist with gates of any width up to the widest."""
    fanin, sources = np.full((gates, widest), -1, np.int32), inputs + registers
    table = np.zeros(gates, np.uint64)
    for gate in range(gates):
        takes = int(rng.integers(0, widest + 1))
        fanin[gate, :takes] = rng.integers(0, sources + gate, takes)
        table[gate] = int.from_bytes(rng.bytes(8), "little") & (1 << (1 << takes)) - 1
    wires = sources + gates
    initial = rng.integers(0, 2, registers)
    after = rng.integers(0, wires, registers)
    return netlist(inputs, table, fanin, rng.integers(0, wires, outputs), next=after, initial=initial)


SHAPES = [(4, 0, 10, 2, 3, 1), (6, 2, 30, 2, 3, 17), (7, 1, 20, 6, 4, 40), (3, 0, 0, 2, 2, 5), (5, 0, 60, 3, 2, 300)]


@pytest.mark.parametrize("inputs, registers, gates, widest, outputs, words", SHAPES)
@pytest.mark.parametrize("threads", [1, 3])
def test_each_program_gives_what_it_gives_alone(
    inputs: int, registers: int, gates: int, widest: int, outputs: int, words: int, threads: int
) -> None:
    rng = np.random.default_rng(words)
    nets = [drawn(rng, inputs, registers, gates, widest, outputs) for _ in range(7)]
    given = rng.integers(0, 2**64, (inputs + registers, words), np.uint64)
    expected = np.stack([truth(net, given) for net in nets])
    together = swarm(nets, threads)
    assert (together.outputs(given) == expected).all()
    own = rng.integers(0, 2**64, (7, inputs + registers, words), np.uint64)
    assert (together.outputs(own) == np.stack([truth(*pair) for pair in zip(nets, own, strict=True)])).all()
    cared = rng.integers(0, 2**64, expected[0].shape, np.uint64)
    bits = np.bitwise_count((expected ^ expected[0]) & cared).sum((1, 2))
    assert (together.wrong(given, expected[0], cared) == bits).all()


@pytest.mark.parametrize("bits", range(16))
def test_every_gate_of_two_inputs_at_every_width(bits: int) -> None:
    for words in (1, 9, 16, 33, 64, 129):
        given = np.random.default_rng(words).integers(0, 2**64, (2, words), np.uint64)
        net = netlist(2, [bits], [[0, 1]], [2])
        assert (swarm([net], 1).outputs(given)[0] == truth(net, given)).all()


def test_dead_gates_are_left_out_and_slots_are_used_again() -> None:
    chain = [[0, 1]] + [[g + 1, 0] for g in range(1, 50)]
    net = netlist(2, [NAND] * 51, [*chain, [0, 0]], [51])
    programs = swarm([net]).programs
    assert len(programs.code) == 50
    assert programs.slots == 3
    assert (swarm([net]).outputs(cases(2))[0] == truth(net, cases(2))).all()


def test_registers_are_carried_from_tick_to_tick() -> None:
    rng = np.random.default_rng(3)
    nets = [drawn(rng, 3, 4, 25, 2, 2) for _ in range(5)]
    given = rng.integers(0, 2**64, (6, 3, 2), np.uint64)
    outputs, held = swarm(nets).clocked(given, np.stack([started(net, 2) for net in nets]))
    for place, net in enumerate(nets):
        wires = clocked(net, given)
        assert (outputs[:, place] == wires[:, net.outputs]).all()
        assert (held[place] == wires[-1, net.next]).all()


def test_a_count_above_the_limit_is_a_lower_bound_found_sooner() -> None:
    net = netlist(8, [NAND], [[0, 1]], [8])
    words = np.tile(cases(8), 200)
    target = ~truth(net, words)
    assert swarm([net]).wrong(words, target)[0] == 64 * words.shape[1]
    assert 10 < swarm([net]).wrong(words, target, limit=10)[0] < 64 * words.shape[1]


def test_what_does_not_fit_is_refused() -> None:
    one, other = netlist(2, [NAND], [[0, 1]], [2]), netlist(3, [NAND], [[0, 1]], [3])
    with pytest.raises(NetlistError, match="in one swarm"):
        swarm([one, other])
    with pytest.raises(NetlistError, match="at least one"):
        swarm([])
    together: Swarm = swarm([one])
    with pytest.raises(NetlistError, match=r"expected \[2, n\]"):
        together.outputs(np.zeros((3, 1), np.uint64))
    with pytest.raises(NetlistError, match="expected uint64"):
        together.outputs(np.zeros((2, 1), np.int64))
    with pytest.raises(NetlistError, match="target of shape"):
        together.wrong(cases(2), np.zeros((2, 1), np.uint64))


def carried(op: Op) -> list[tuple[Case, Netlist]]:
    """The conformance suite's cases of an operation that are netlists: any format, elementwise."""
    found = []
    for case in conformance_cases([op]):
        try:
            found.append((case, from_program(case.program, "main")))
        except NetlistError:
            continue
    return found


def as_words(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The bytes of an operand in the shape of the result, as words."""
    held = np.ascontiguousarray(np.broadcast_to(array, shape)).tobytes()
    return np.frombuffer(held.ljust(-(-max(1, len(held)) // 8) * 8, b"\0"), np.uint64)


@pytest.mark.parametrize("op", [Op.AND, Op.OR, Op.XOR, Op.NOT, Op.NAND])
def test_the_operations_that_it_carries_conform_to_the_reference(op: Op) -> None:
    checked = carried(op)
    assert len(checked) >= 70
    for case, net in checked:
        reference = ReferenceMachine(case.program)
        reference.load(case.state)
        (expected,) = reference.call("main", case.inputs, {}).values()
        given = np.stack([as_words(case.inputs[name], expected.shape) for name in net.named.inputs])
        found = swarm([net], 1).outputs(given)[0, 0].tobytes()[: expected.nbytes]
        bits = np.frombuffer(found, np.uint8) & (1 if expected.dtype == bool else 255)
        assert bits.tobytes() == expected.tobytes(), case.name
