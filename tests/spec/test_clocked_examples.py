"""The clocked examples: what they find is proved, small, and runs alike by NumPy, as a program and in iverilog."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from ontogeny.evolve import decomposed, equals
from ontogeny.evolve.circuits.clock import registered, stepped
from ontogeny.evolve.circuits.equivalent import equivalent
from ontogeny.evolve.circuits.files import read_circuit
from ontogeny.evolve.circuits.solver import INSTALLED
from ontogeny.evolve.circuits.traced import is_function
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import NAND, netlist, number

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module


def test_the_cpu_of_searched_parts_is_its_model(example: object, tmp_path: Path) -> None:
    assert callable(example)
    cpu, clocks = example("cpu4"), example("clocks")
    parts = {name: part.net for name, part in cpu.searched(1).items()}
    whole = cpu.smaller(cpu.composed(parts), seed=1, steps=2_000)
    assert whole.gates <= 133 and (whole.table == NAND).all()
    assert clocks.proved(whole, cpu.step) == "equal to the model on all 65,536 cases"
    run = clocks.Run(cpu.instruction, cpu.step, 40)
    _, states = run.followed(cpu.clocked_cpu(whole))
    assert states[-1] & 15 == 15 and states[-1] >> 5 == 10
    assert {state >> 5 for state in states} == {1, 2, 3, 4, 5, 6, 7, 9, 10}
    assert "as the model says by NumPy, on the reference machine" in clocks.left(cpu.clocked_cpu(whole), tmp_path, run)
    assert equivalent(read_circuit(tmp_path / "circuit.v"), cpu.clocked_cpu(whole))
    assert (tmp_path / "circuit.svg").read_text().startswith("<svg") and (tmp_path / "circuit.vcd").exists()


def test_the_cpu_with_memory_goes_with_its_model_and_runs_its_programs(example: object) -> None:
    """Its parts decomposed in the first order, which takes no search; put together as the example does."""
    assert callable(example)
    cpu = example("cpu8")
    parts = {part.function.__name__: decomposed(equals(part.function, part.inputs, part.outputs), orders=1)
             for part in cpu.PARTS}  # fmt: skip
    parts["writes"] = decomposed(equals(cpu.writes, 7, 16), orders=1)
    whole = cpu.composed(parts)
    assert cpu.random_programs(cpu.clocked_cpu(whole), ticks=20, words=3, seed=1).startswith(
        "192 random programs, 3,840"
    )
    for name, state in cpu.PROGRAMS.items():
        for _ in range(160):
            state = cpu.step(state)
        assert state >> 13 + 8 * 15 == cpu.EXPECTED[name]
    assert "40 instructions" in cpu.stepped_through(cpu.clocked_cpu(whole, cpu.PROGRAMS["multiply"]), 40)
    broken = replace(whole, outputs=whole.outputs[[1, 0, *range(2, 141)]])
    if INSTALLED:
        assert is_function(whole, cpu.step).how == "by SAT, over 2^141 cases"
        assert is_function(broken, cpu.step).differs == "output o0"
    with pytest.raises(AssertionError, match="does not go with the model"):
        cpu.random_programs(cpu.clocked_cpu(broken), ticks=3, words=1, seed=1)


def test_what_is_wrong_is_told(example: object, tmp_path: Path) -> None:
    assert callable(example)
    clocks: ModuleType = example("clocks")
    inverter = netlist(1, [NAND], [[0, 0]], [1])
    with pytest.raises(AssertionError, match="2 of 2 cases are wrong"):
        clocks.proved(inverter, lambda bit: bit)
    toggle = registered(netlist(2, [0b0110], [[0, 1]], [2]), 1, shown=[0])
    with pytest.raises(AssertionError, match="by NumPy is not as the model says"):
        clocks.left(toggle, tmp_path, clocks.Run(lambda tick, state: 1, lambda given: given >> 1, 4))


def test_a_counter_and_a_detector(example: object) -> None:
    assert callable(example)
    counter = example("counter")
    assert [counter.counter(0b1111 << 2 | given) for given in (0, 1, 2, 3)] == [15, 0, 0, 0]
    seen, state = [], 0
    for bit in "1011011":
        now = counter.detector(int(bit) | state << 1)
        seen.append(now & 1)
        state = now >> 1
    assert seen == [0, 0, 0, 1, 0, 0, 1]


def test_a_step_is_clocked_and_a_clocked_circuit_a_step() -> None:
    step = netlist(3, [NAND, 0b0110], [[0, 1], [2, 3]], [3, 4])
    net = registered(step, 1, shown=[0], initial=[1])
    assert (net.inputs, net.registers, net.outputs.tolist(), net.next.tolist()) == (2, 1, [3, 2], [4])
    assert number(net.initial) == 1 and stepped(net).outputs.tolist() == [3, 2, 4]
    with pytest.raises(NetlistError, match="3 registers of a step with 3 inputs, 2 outputs"):
        registered(step, 3)
    with pytest.raises(NetlistError, match="expected no registers yet"):
        registered(net, 1)
