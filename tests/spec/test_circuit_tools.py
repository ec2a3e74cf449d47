"""Other tools agree: abc proves what is written equal, iverilog runs it, and the files of yosys and abc are read."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ontogeny.evolve.circuits.aiger_binary import from_aig, to_aig
from ontogeny.evolve.circuits.blif import from_blif, to_blif
from ontogeny.evolve.circuits.by_abc import by_abc
from ontogeny.evolve.circuits.convert import nand_only
from ontogeny.evolve.circuits.equivalent import equivalent, matched
from ontogeny.evolve.circuits.vcd import to_vcd
from ontogeny.evolve.circuits.verilog import to_verilog
from ontogeny.evolve.circuits.verilog_read import from_verilog
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import NAND, Names, Netlist, clocked, netlist

ABC = shutil.which("berkeley-abc") or shutil.which("abc")


def needs(tool: str | None, name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(tool is None, reason=f"{name} is not installed")


def told(*command: str, at: Path) -> str:
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


TABLES = {2: (0b0111, 0b0110, 0b1101), 3: (0x96, 0xE8, 0xCA), 4: (0x6996, 0x8EF1), 1: (0b01,)}


def circuit(seed: int, inputs: int = 5, registers: int = 3, gates: int = 18, named: bool = True) -> Netlist:
    """A random netlist of gates of up to four inputs, with odd names, whose outputs and registers are lively."""
    rng, sources = np.random.default_rng(seed), inputs + registers
    fanin, table = [], []
    for gate in range(gates):
        takes = int(rng.integers(1, 5))
        fanin.append([*rng.permutation(sources + gate)[::-1][:takes].tolist(), *[-1] * (4 - takes)])
        table.append(int(rng.choice(TABLES[takes])))
    for register in range(registers):
        fanin.append([inputs + register, int(rng.integers(0, inputs)), sources + gates - 1 - register, -1])
        table.append(0x96)
    wires = sources + len(table)
    fanin.append([wires - 1, inputs, sources + 2, sources + gates - 1])
    table.append(0x6996)
    names = Names(
        tuple(f"in[{i}]" for i in range(inputs)), ("y", "always", "z.1"), tuple(f"state{i}" for i in range(registers))
    )
    after, begins = [sources + gates + register for register in range(registers)], rng.integers(0, 2, registers)
    names = names if named else None
    return netlist(inputs, table, fanin, [wires, wires - 2, 0], next=after, initial=begins, names=names)


@needs(ABC, "abc")
@pytest.mark.parametrize("seed", range(3))
def test_abc_proves_blif_aiger_and_nands_equal(seed: int, tmp_path: Path) -> None:
    net = circuit(seed, registers=0, inputs=7)
    (tmp_path / "a.blif").write_text(to_blif(net))
    (tmp_path / "b.aig").write_bytes(to_aig(net))
    (tmp_path / "c.blif").write_text(to_blif(nand_only(net)))
    for other in ("b.aig", "c.blif"):
        assert "Networks are equivalent" in told(str(ABC), "-q", f"cec -n a.blif {other}", at=tmp_path)
    inverted = np.where(np.arange(net.gates) == net.gates - 1, 0xFFFF, 0).astype(np.uint64)  # the last gate, an output
    wrong = netlist(7, net.table ^ inverted, net.fanin, net.outputs, names=net.names)
    (tmp_path / "d.blif").write_text(to_blif(wrong))
    assert not equivalent(net, wrong)
    assert "Networks are NOT EQUIVALENT" in told(str(ABC), "-q", "cec -n a.blif d.blif", at=tmp_path)


@needs(ABC, "abc")
@pytest.mark.parametrize("seed", range(3))
def test_what_abc_writes_is_read(seed: int, tmp_path: Path) -> None:
    net = circuit(seed)
    (tmp_path / "a.blif").write_text(to_blif(net))
    told(str(ABC), "-q", "read a.blif; strash; write b.aig; write_blif b.blif; write_verilog b.v", at=tmp_path)
    for read in (from_aig((tmp_path / "b.aig").read_bytes()), from_blif((tmp_path / "b.blif").read_text())):
        assert read.named.registers and equivalent(matched(read, net.named), net)


@needs(shutil.which("yosys"), "yosys")
@pytest.mark.parametrize("seed", range(2))
def test_yosys_reads_and_writes_the_same_circuit(seed: int, tmp_path: Path) -> None:
    net = circuit(seed)
    (tmp_path / "a.v").write_text(to_verilog(net))
    script = "read_verilog a.v; prep -top circuit; techmap; opt; write_verilog -noattr b.v"
    told("yosys", "-q", "-p", script, at=tmp_path)
    assert equivalent(matched(from_verilog((tmp_path / "b.v").read_text()), net.named), net)


@needs(shutil.which("yosys"), "yosys")
def test_yosys_proves_verilog_equal_to_blif(tmp_path: Path) -> None:
    net = circuit(7, registers=0)
    (tmp_path / "a.v").write_text(to_verilog(net))
    (tmp_path / "a.blif").write_text(to_blif(net))
    prove = "read_blif a.blif; rename circuit gold; read_verilog a.v; rename circuit gate; proc; "
    prove += "miter -equiv -flatten gold gate both; sat -verify -prove trigger 0 both"
    told("yosys", "-q", "-p", prove, at=tmp_path)


BENCH = """`timescale 1ns/1ns
module bench; reg clk = 0; {inputs}; wire y0, y1, y2;
  circuit u({ports}, y0, y1, y2);
  initial begin $dumpfile("out.vcd"); $dumpvars(1, u); {steps} $finish; end
endmodule
"""


def changes(text: str) -> dict[str, list[tuple[int, str]]]:
    """Each signal's changes in a VCD: when, and to what; changes to what it is already left out."""
    names, found, time = {}, {}, 0
    for line in text.splitlines():
        words = line.split()
        if line.startswith("$var"):
            names[words[3]] = words[4].lstrip("\\")
        elif line.startswith("#"):
            time = int(line[1:])
        elif line[:1] in ("0", "1") and line[1:] in names:
            series = found.setdefault(names[line[1:]], [])
            if series and series[-1][0] == time:
                series.pop()
            if not series or series[-1][1] != line[0]:
                series.append((time, line[0]))
    return found


@needs(shutil.which("iverilog"), "iverilog")
@pytest.mark.parametrize("seed", range(3))
def test_iverilog_runs_the_same_waveforms(seed: int, tmp_path: Path) -> None:
    net = circuit(seed, named=False)
    rng = np.random.default_rng(seed)
    inputs = rng.integers(0, 2**64, (12, net.inputs, 1), np.uint64)
    bits = [[int(word) & 1 for word in row[:, 0]] for row in inputs]
    steps = "".join(
        f"clk = 0; {''.join(f'i{i} = {bit}; ' for i, bit in enumerate(row))} #5 clk = 1; #5 " for row in bits
    )
    declared = ", ".join(f"i{i} = 0" for i in range(net.inputs))
    ports = ", ".join(["clk", *(f"i{i}" for i in range(net.inputs))])
    (tmp_path / "bench.v").write_text(BENCH.format(inputs=f"reg {declared}", ports=ports, steps=steps))
    (tmp_path / "a.v").write_text(to_verilog(net))
    told("iverilog", "-g2005-sv", "-o", "run", "bench.v", "a.v", at=tmp_path)
    told("vvp", "-n", "run", at=tmp_path)
    theirs, ours = changes((tmp_path / "out.vcd").read_text()), changes(to_vcd(net, inputs))
    assert set(ours) <= set(theirs) and len(ours) == 1 + net.sources + 3
    assert {name: theirs[name] for name in ours} == ours
    wires = clocked(net, inputs)
    assert sum(len(series) for series in ours.values()) > 20 and wires.any()


@needs(ABC, "abc")
@pytest.mark.parametrize("registers", [0, 3])
def test_abc_makes_it_smaller_and_it_stays_equal(registers: int) -> None:
    net = circuit(4, registers=registers)
    found = by_abc(net)
    assert equivalent(found, net) and found.names == net.names
    assert found.gates < nand_only(net).gates and {int(table) for table in found.table} <= {NAND}


@needs(ABC, "abc")
def test_what_abc_cannot_do_is_said() -> None:
    with pytest.raises(NetlistError, match="no_such_command"):
        by_abc(circuit(4), ["no_such_command"])
    with pytest.raises(NetlistError, match="took longer"):
        by_abc(circuit(4), seconds=1e-4)


def test_without_abc_what_to_install_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NetlistError, match="berkeley-abc"):
        by_abc(circuit(4))
