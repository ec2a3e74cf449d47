"""ontogeny circuit"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.evolve.circuits.by_abc import by_abc
from ontogeny.evolve.circuits.convert import nand_only, two_input
from ontogeny.evolve.circuits.equivalent import Equivalence, equivalent
from ontogeny.evolve.circuits.files import BY_NAME, read_circuit
from ontogeny.evolve.circuits.simplify import simplified
from ontogeny.evolve.circuits.vcd import of_bits
from ontogeny.faces.outputs import SPELT, place, replaceable
from ontogeny.faces.programs import read_bytes
from ontogeny.faces.terminal import AsJson, answer
from ontogeny.faces.waves import Waves, waves
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist, depth


class To(StrEnum):
    """What is written."""

    BLIF = "blif"
    AAG = "aag"
    AIG = "aig"
    VERILOG = "verilog"
    ONTO = "onto"
    SVG = "svg"
    VCD = "vcd"


class Gates(StrEnum):
    """What gates the circuit is put into."""

    SAME = "same"
    SIMPLER = "simpler"
    TWO = "two-input"
    NAND = "nand"
    ABC = "abc"


GATES: dict[Gates, Callable[[Netlist], Netlist]] = {
    Gates.SAME: lambda net: net,
    Gates.SIMPLER: simplified,
    Gates.TWO: two_input,
    Gates.NAND: nand_only,
    Gates.ABC: by_abc,
}


def command(
    file: Annotated[str, typer.Argument(help="A circuit: .blif, .aag, .aig, .v, or .onto of bit operations.")],
    to: Annotated[To | None, typer.Option("--to", help="The format to write.")] = None,
    output: Annotated[str, typer.Option(*SPELT, help="The file; else the circuit's with the format's ending.")] = "",
    gates: Annotated[Gates, typer.Option("--gates", help="Simplify it (or by abc), or other gates.")] = Gates.SAME,
    like: Annotated[str, typer.Option("--like", help="Another circuit: say whether both are equal, else exit 1.")] = "",
    ticks: Annotated[int, typer.Option("--ticks", min=0, help="Run it for so many; shown, or written as VCD.")] = 0,
    given_by: Annotated[str, typer.Option("--stimulus", help="A file with inputs, a tick to a line: 0110.")] = "",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Without a stimulus: draw the inputs by it.")] = 0,
    wires: Annotated[bool, typer.Option("--wires", help="In a VCD: the wires of all gates too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read, simplify, convert, draw and run a gate network; prove it equal to another.

    `ontogeny circuit counter.v --ticks 20` shows a run on inputs drawn by a seed; `--to vcd` writes its waveforms, for
    GTKWave. `--stimulus FILE` has the inputs: a bit for each to a line; `*20` after it repeats it, a first line of
    names says which are meant.
    """
    given = read_circuit(file, read_bytes(file))
    net = GATES[gates](given)
    if gates is not Gates.SAME and not equivalent(given, net):
        raise NetlistError(
            f"{file}: the circuit of {gates} gates is not equal; nothing was written, please report this"
        )
    ran = waves(net, ticks, given_by, seed) if ticks or given_by or to is To.VCD else None
    written = _write(net, file, to, output, _writer(to, ran, file, wires)) if to else ""
    found = equivalent(net, read_circuit(like, read_bytes(like))) if like else None
    _told(net, given.gates, found, ran, written, as_json)
    if found is not None and not found:
        raise typer.Exit(1)


def _told(net: Netlist, before: int, found: Equivalence | None, ran: Waves | None, written: str, as_json: bool) -> None:
    """Says what the circuit is now, and what was done with it."""
    counts = {"inputs": net.inputs, "outputs": len(net.outputs), "registers": net.registers}
    facts: dict[str, object] = {**counts, "gates": net.gates, "before": before, "depth": depth(net)}
    if ran is not None:
        facts["run"] = ran.document()
    if written:
        facts["file"] = written
    if found is not None:
        facts |= {"equal": found.equal, "how": found.how, "differs": found.differs, "case": list(found.case)}

    def say(console: Console) -> None:
        said = f"{net.gates} gates, depth {depth(net)}, " + ", ".join(f"{n} {what}" for what, n in counts.items())
        console.print(said + (f"; before, {before} gates" if before != net.gates else ""))
        if found is not None:
            case = "".join(map(str, found.case))
            unlike = f"not equal: {found.differs} differs" + (f", for inputs and registers {case}" if case else "")
            console.print(f"equal, {found.how}" if found else escape(unlike))
        if ran is not None:
            ran.say(console)
        if written:
            console.print(f"written: {escape(written)}")

    answer(facts, as_json, say)


def _writer(to: To, ran: Waves | None, file: str, wires: bool) -> Callable[[Netlist], bytes]:
    if ran is not None and to is To.VCD:
        return lambda net: of_bits(net, ran.given, Path(file).stem, gates=wires).encode()
    return BY_NAME[to.value].write


def _write(net: Netlist, file: str, to: To, output: str, write: Callable[[Netlist], bytes]) -> str:
    ending = ".vcd" if to is To.VCD else BY_NAME[to.value].endings[0]
    target = replaceable(place(output, Path(file).with_suffix(ending).name))
    target.write_bytes(write(net))
    return str(target)
