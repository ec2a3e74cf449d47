"""AIGER in its ASCII form (.aag): a line for each input, latch, output and and, in any order of variables."""

from __future__ import annotations

from ontogeny.evolve.circuits.aiger import Lines, Rows, graph, header, read_symbols, symbol_lines
from ontogeny.isa.netlist import Netlist


def to_aag(net: Netlist) -> str:
    """The netlist as ASCII AIGER."""
    made = graph(net)
    counts = made.variables, made.inputs, len(made.latches), len(made.outputs), len(made.ands)
    lines = ["aag " + " ".join(map(str, counts)), *(str(2 * (place + 1)) for place in range(made.inputs))]
    for place, (next, initial) in enumerate(made.latches, made.inputs + 1):
        lines.append(f"{2 * place} {next}" + (" 1" if initial else ""))
    lines += map(str, made.outputs)
    first = made.inputs + len(made.latches) + 1
    lines += [f"{2 * place} {a} {b}" for place, (a, b) in enumerate(made.ands, first)]
    return "\n".join([*lines, *symbol_lines(made), ""])


def from_aag(text: str) -> Netlist:
    """The netlist of ASCII AIGER. Raises CircuitFileError with the line and what was expected."""
    lines = text.split("\n")
    variables, inputs, latches, outputs, ands = header(lines[0], "aag")
    reader, rows = Lines(lines), Rows(variables)
    for _ in range(inputs):
        rows.input(*reader.numbers("an input's literal", 1))
    for _ in range(latches):
        literal, next, *reset = reader.numbers("a latch: its literal, the next one, and perhaps a reset", 2, 3)
        rows.latch(literal, next, reset[0] if len(reset) == 2 else 0, reader.at)
    for place in range(outputs):
        rows.output(place, *reader.numbers("an output's literal", 1))
    for _ in range(ands):
        rows.both(*reader.numbers("an and: its literal and the two it takes", 3))
    return rows.netlist(read_symbols(lines[reader.at :], reader.at + 1, {"i": inputs, "l": latches, "o": outputs}))
