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
from ontogeny.evolve.circuits.equivalent import equivalent
from ontogeny.evolve.circuits.files import BY_NAME, read_circuit
from ontogeny.evolve.circuits.simplify import simplified
from ontogeny.faces.outputs import SPELT, place, replaceable
from ontogeny.faces.programs import read_bytes
from ontogeny.faces.terminal import AsJson, answer
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
    as_json: AsJson = False,
) -> None:
    """Read, simplify, convert and draw a gate network; prove it equal to another."""
    given = read_circuit(file, read_bytes(file))
    net = GATES[gates](given)
    if gates is not Gates.SAME and not equivalent(given, net):
        raise NetlistError(
            f"{file}: the circuit of {gates} gates is not equal; nothing was written, please report this"
        )
    written = _write(net, file, to, output) if to else ""
    found = equivalent(net, read_circuit(like, read_bytes(like))) if like else None
    counts = {"inputs": net.inputs, "outputs": len(net.outputs), "registers": net.registers}
    facts: dict[str, object] = {**counts, "gates": net.gates, "before": given.gates, "depth": depth(net)}
    if written:
        facts["file"] = written
    if found is not None:
        facts |= {"equal": found.equal, "how": found.how, "differs": found.differs, "case": list(found.case)}

    def say(console: Console) -> None:
        said = f"{net.gates} gates, depth {depth(net)}, " + ", ".join(f"{n} {what}" for what, n in counts.items())
        console.print(said + (f"; before, {given.gates} gates" if gates is not Gates.SAME else ""))
        if found is not None:
            case = "".join(map(str, found.case))
            unlike = f"not equal: {found.differs} differs" + (f", for inputs and registers {case}" if case else "")
            console.print(f"equal, {found.how}" if found else escape(unlike))
        if written:
            console.print(f"written: {escape(written)}")

    answer(facts, as_json, say)
    if found is not None and not found:
        raise typer.Exit(1)


def _write(net: Netlist, file: str, to: To, output: str) -> str:
    chosen = BY_NAME[to.value]
    target = replaceable(place(output, Path(file).with_suffix(chosen.endings[0]).name))
    target.write_bytes(chosen.write(net))
    return str(target)
