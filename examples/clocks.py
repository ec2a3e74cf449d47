"""What the clocked examples share: a step proved on every case, a circuit left in a folder, run in three ways."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ontogeny.evolve.circuits.files import write_circuit
from ontogeny.evolve.circuits.vcd import to_vcd
from ontogeny.evolve.circuits.verilog import to_verilog
from ontogeny.isa.netlist import Netlist, Words, cases, clocked, number, numbers_of, truth
from ontogeny.isa.netlist_program import program
from ontogeny.machine.reference.machine import ReferenceMachine

ONES = 2**64 - 1


@dataclass(frozen=True)
class Run:
    """A run from the first state on: the inputs by tick and state, the model, how many ticks, outputs before the state.

    The model takes a number, inputs and then state, to one, outputs and then next state, the lowest bits first.
    """

    given: Callable[[int, int], int]
    model: Callable[[int], int]
    ticks: int
    outputs: int = 0

    def followed(self, net: Netlist) -> tuple[list[int], list[int]]:
        """What the model says: the inputs at each tick, and the state after it."""
        state, inputs, states = number(net.initial), [], []
        for tick in range(self.ticks):
            inputs.append(self.given(tick, state))
            state = self.model(inputs[-1] | state << net.inputs) >> self.outputs
            states.append(state)
        return inputs, states


def proved(net: Netlist, function: Callable[[int], int]) -> str:
    """That the netlist is the function on every input, by NumPy's plain evaluation; AssertionError where it is not."""
    numbers = numbers_of(truth(net, cases(net.inputs)), 1 << net.inputs)
    wrong = sum(int(given) != function(case) for case, given in enumerate(numbers))
    assert wrong == 0, f"{wrong} of {len(numbers)} cases are wrong"
    return f"equal to the model on all {len(numbers):,} cases"


def left(net: Netlist, folder: Path, run: Run, endings: tuple[str, ...] = ("blif", "v", "svg", "onto")) -> str:
    """Files of the circuit and of its run in the folder; the run on each machine is as the model says."""
    folder.mkdir(parents=True, exist_ok=True)
    for ending in endings:
        write_circuit(net, folder / f"circuit.{ending}")
    inputs, states = run.followed(net)
    words = np.array([[[ONES * (given >> i & 1)] for i in range(net.inputs)] for given in inputs], np.uint64)
    words = words.reshape(run.ticks, net.inputs, 1)
    (folder / "circuit.vcd").write_text(to_vcd(net, words), encoding="utf-8")
    ways = {"by NumPy": _by_arrays, "on the reference machine": _by_machine}
    if shutil.which("iverilog"):
        ways["in iverilog"] = lambda net, words: _by_iverilog(net, words, folder)
    for how, way in ways.items():
        assert way(net, words) == states, f"the run {how} is not as the model says"
    told = ", ".join(ways) + ("" if "in iverilog" in ways else " (iverilog is not installed)")
    return f"{run.ticks} ticks as the model says {told}; left in {folder}/"


def _by_arrays(net: Netlist, words: Words) -> list[int]:
    return [number(tick[net.next, 0] & np.uint64(1)) for tick in clocked(net, words)]


def _by_machine(net: Netlist, words: Words) -> list[int]:
    machine, states = ReferenceMachine(program(net)), []
    machine.load({name: np.uint64(0) for name in net.named.registers})
    machine.call("init", {}, {})
    for tick in words:
        machine.call("tick", dict(zip(net.named.inputs, tick[:, 0], strict=True)), {})
        held = machine.state()
        states.append(number([int(held[name]) & 1 for name in net.named.registers]))
    return states


def _by_iverilog(net: Netlist, words: Words, folder: Path) -> list[int]:
    """The Verilog that was written, ticked in a bench that is left beside it."""
    names = net.named
    sets = ["".join(f"{n} = {int(w[0]) & 1}; " for n, w in zip(names.inputs, tick, strict=True)) for tick in words]
    shown = ", ".join(f"u.{name}" for name in reversed(names.registers))
    ticks = "\n    ".join(f'clk = 0; {given}#5 clk = 1; #4 $display("%b", {{{shown}}}); #1' for given in sets)
    inputs = "".join(f" reg {name} = 0;" for name in names.inputs)
    ports = ", ".join(f".{name}({name})" for name in ("clk", *names.inputs))
    bench = f"module bench; reg clk = 0;{inputs}\n  circuit u({ports});\n  initial begin\n    {ticks} $finish;\n  end\n"
    (folder / "bench.v").write_text(bench + "endmodule\n", encoding="utf-8")
    (folder / "circuit.v").write_text(to_verilog(net), encoding="utf-8")
    subprocess.run(["iverilog", "-g2005-sv", "-o", "run", "bench.v", "circuit.v"], cwd=folder, check=True)
    done = subprocess.run(["vvp", "-n", "run"], cwd=folder, check=True, capture_output=True, text=True)
    return [int(line, 2) for line in done.stdout.split()[: len(words)]]
