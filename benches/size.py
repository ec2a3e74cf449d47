"""NANDs of what is searched and resynthesised, against abc's best script: four circuits, each proved its model's equal.

abc is given each circuit twice: as Yosys makes it of Verilog that says what it does, and as our own parts put together,
unpruned; then every script is run, mapped to NANDs and inverters for area, read back and proved equal, and the smallest
counts. Ours are from seed 0. A part's cut is drawn by hand, as in `examples/cpu4.py`.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from common import ROOT, Figures, Targets, arguments, close

from ontogeny.evolve import CGP, equals, resynthesised, smallest
from ontogeny.evolve.circuits.blif import to_blif
from ontogeny.evolve.circuits.by_abc import MAPS, abc, mapped
from ontogeny.evolve.circuits.convert import nand_only
from ontogeny.evolve.circuits.equivalent import equivalent
from ontogeny.evolve.circuits.grower import Grower
from ontogeny.isa.netlist import Names, Netlist

sys.path.insert(0, str(ROOT / "examples"))
import cpu4
from clocks import proved

ABC = abc()
YOSYS = shutil.which("yosys")
SCRIPTS = {
    "resyn2": "resyn2",
    "resyn2 x4": "resyn2; " * 4,
    "compress2rs x4": "compress2rs; " * 4,
    "dc2 x8": "dc2; " * 8,
    "resyn2, compress2rs, dc2": "resyn2; compress2rs; dc2; " * 3,
    "collapse, dc2": "collapse; strash; " + "dc2; " * 4 + "compress2rs; " * 2,
    "if, mfs2": "if -K 6; mfs2; strash; dc2; compress2rs; " * 3,
    "&deepsyn": "&get -n; &deepsyn -T 3; &put",
    "&deepsyn, compress2rs": "&get -n; &deepsyn -T 3; &put; compress2rs; dc2",
}


def parity(number: int) -> int:
    """1 for an odd number of ones."""
    return number.bit_count() & 1


def adder(number: int) -> int:
    """The sum of the lower and the upper three bits."""
    return (number & 7) + (number >> 3)


def accumulator(number: int) -> int:
    """An operation, operand 4, accumulator 4 bits -> the next accumulator: their sum, or their NAND."""
    nand, operand, held = cpu4.fields(number, 1, 4, 4)
    return 15 - (held & operand) if nand else (held + operand) % 16


def accumulator_bit(number: int) -> int:
    """A bit of it, and the carry out: the operation, two bits, carry in."""
    nand, a, b, carry = cpu4.fields(number, 1, 1, 1, 1)
    return (1 - (a & b) if nand else (a + b + carry) & 1) | (a + b + carry) >> 1 << 1


def whole(function: Callable[[int], int], inputs: int, outputs: int, tries: int, steps: int) -> tuple[Netlist, Netlist]:
    """Searched without a cut: as it was first right, and the smallest."""
    fitness = equals(function, inputs, outputs)
    first = smallest(CGP(70, "nand", 1), fitness, steps=0, tries=1).net
    return first, smallest(CGP(70, "nand", 1), fitness, tries=tries, steps=steps).net


def accumulators() -> tuple[Netlist, Netlist]:
    """Four slices put together, and made smaller."""
    part = smallest(CGP(100, "nand", 1), equals(accumulator_bit, 4, 2)).net
    grown, bits = Grower(9), []
    carry = grown.made(0, [])
    for place in range(4):
        bit, carry = grown.placed(part, [0, 5 + place, 1 + place, carry])
        bits.append(bit)
    rough = nand_only(grown.finished(bits))
    return rough, resynthesised(rough, steps=60_000)


def cpu() -> tuple[Netlist, Netlist]:
    """The CPU of `examples/cpu4.py`."""
    rough = cpu4.composed({name: part.net for name, part in cpu4.searched(0).items()})
    return rough, cpu4.smaller(rough, 0)


@dataclass(frozen=True)
class Circuit:
    """A model from number to number, its bits, Verilog for outputs y of inputs x or none, ours: first and smallest."""

    model: Callable[[int], int]
    inputs: int
    outputs: int
    verilog: str
    ours: Callable[[], tuple[Netlist, Netlist]]


CPU_VERILOG = """
  wire [2:0] op = x[2:0]; wire [3:0] d = x[6:3]; wire [3:0] a = x[10:7]; wire c = x[11]; wire [3:0] p = x[15:12];
  reg [3:0] na; reg nc; reg [3:0] np;
  always @* begin
    na = a; nc = c; np = p + 4'd1;
    case (op)
      3'd0: na = d;
      3'd1: {nc, na} = a + d + c;
      3'd2: na = ~(a & d);
      3'd3: na = a ^ d;
      3'd4: {nc, na} = {a, c};
      3'd5: np = d;
      3'd6: if (a == 0) np = d;
      3'd7: if (c) np = d;
    endcase
  end
  assign y = {np, nc, na};"""
CIRCUITS = {
    "parity5": Circuit(parity, 5, 1, "assign y = ^x;", lambda: whole(parity, 5, 1, 4, 10_000)),
    "adder3": Circuit(adder, 6, 4, "assign y = x[2:0] + x[5:3];", lambda: whole(adder, 6, 4, 2, 30_000)),
    "accumulator": Circuit(
        accumulator, 9, 4, "assign y = x[0] ? ~(x[4:1] & x[8:5]) : x[4:1] + x[8:5];", accumulators
    ),
    "cpu": Circuit(cpu4.step, 16, 9, CPU_VERILOG, cpu),
}  # fmt: skip


def names(circuit: Circuit) -> Names:
    """As Yosys calls bits of vectors."""
    one = circuit.outputs == 1
    return Names(
        tuple(f"x[{i}]" for i in range(circuit.inputs)),
        ("y",) if one else tuple(f"y[{i}]" for i in range(circuit.outputs)),
    )


def told(*command: str, at: Path) -> None:
    """Runs a tool; its complaint where it fails."""
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with {done.returncode}: {(done.stdout + done.stderr)[-500:]}")


def starts(circuit: Circuit, rough: Netlist, at: Path) -> Iterator[str]:
    """Files that abc begins with."""
    (at / "parts.blif").write_text(to_blif(rough), encoding="utf-8")
    yield "parts.blif"
    if YOSYS is not None and circuit.verilog:
        width = f"input [{circuit.inputs - 1}:0] x, output [{circuit.outputs - 1}:0] y"
        (at / "a.v").write_text(f"module top({width});\n{circuit.verilog}\nendmodule\n", encoding="utf-8")
        told(YOSYS, "-q", "-p", "read_verilog a.v; synth -flatten -noabc; aigmap; write_blif yosys.blif", at=at)
        yield "yosys.blif"


def of_abc(circuit: Circuit, rough: Netlist, model: Netlist, at: Path) -> dict[str, int]:
    """NANDs by start, script and mapping, each proved equal."""
    found = {}
    for start in starts(circuit, rough, at):
        for script, text in SCRIPTS.items():
            for name, net in zip(MAPS, mapped(start, text, model, at, 300.0), strict=True):
                assert equivalent(net, model), f"abc's {script} from {start} is not equal"
                found[f"{start}, {script}, {name}"] = net.gates
    return found


def measured(name: str, circuit: Circuit, figures: Figures) -> None:
    """Ours and abc's of one circuit."""
    started = time.process_time()
    rough, ours = circuit.ours()
    figures[f"seconds.{name}"] = round(time.process_time() - started, 2)
    figures[f"ours.{name}"] = ours.gates
    print(f"  {name}: {rough.gates} NANDs, {ours.gates} resynthesised; {proved(ours, circuit.model)}")
    if ABC is not None:
        named = [replace(net, names=names(circuit)) for net in (rough, ours)]
        with tempfile.TemporaryDirectory() as folder:
            theirs = of_abc(circuit, named[0], named[1], Path(folder))
        best = min(theirs, key=lambda way: theirs[way])
        figures[f"abc.{name}"] = theirs[best]
        figures[f"over_abc.{name}"] = round(ours.gates / theirs[best], 3)
        print(f"    abc {theirs[best]} to {max(theirs.values())} in {len(theirs)} ways; the best: {best}")


def main() -> None:
    """Every circuit, then the mean."""
    arguments(__doc__ or "")
    for tool, found in (("berkeley-abc", ABC), ("yosys", YOSYS)):
        if found is None:
            print(f"  {tool} is not installed: skipped")
    figures: Figures = {}
    smallest(CGP(9, "nand"), equals(parity, 2, 1), steps=10)  # the loops are compiled, or read from the cache
    for name, circuit in CIRCUITS.items():
        measured(name, circuit, figures)
    targets: Targets = {"seconds.cpu": ("<=", 60), "ours.cpu": ("<=", 133)}
    if ABC is not None:
        ratios = [float(figures[f"over_abc.{name}"] or 0) for name in CIRCUITS]
        figures["over_abc"] = round(math.prod(ratios) ** (1 / len(ratios)), 3)
        targets["over_abc"] = ("<=", 0.78)
    tools = {"berkeley-abc": ABC, "yosys": YOSYS}
    close("size", figures, targets, {tool: None if found is None else "installed" for tool, found in tools.items()})


if __name__ == "__main__":
    main()
