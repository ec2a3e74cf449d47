"""AIGER in its binary form (.aig): inputs unsaid, ands in order as differences of literals, seven bits to a byte."""

from __future__ import annotations

from collections.abc import Iterator

from ontogeny.evolve.circuits.aiger import Lines, Rows, graph, header, read_symbols, symbol_lines
from ontogeny.evolve.circuits.draft import CircuitFileError
from ontogeny.isa.netlist import Netlist

LONGEST = 6  # bytes of a difference: 42 bits, more than any literal has


def to_aig(net: Netlist) -> bytes:
    """The netlist as binary AIGER."""
    made = graph(net)
    counts = made.variables, made.inputs, len(made.latches), len(made.outputs), len(made.ands)
    lines = ["aig " + " ".join(map(str, counts))]
    lines += [f"{next}" + (" 1" if initial else "") for next, initial in made.latches]
    lines += map(str, made.outputs)
    body = bytearray()
    for place, (a, b) in enumerate(made.ands, made.inputs + len(made.latches) + 1):
        body += bytes(_coded(2 * place - a)) + bytes(_coded(a - b))
    text = "".join(f"{line}\n" for line in symbol_lines(made))
    return "".join(f"{line}\n" for line in lines).encode("ascii") + bytes(body) + text.encode("utf-8")


def _coded(number: int) -> Iterator[int]:
    while number >= 128:
        yield number & 127 | 128
        number >>= 7
    yield number


def from_aig(data: bytes) -> Netlist:
    """The netlist of binary AIGER. Raises CircuitFileError with the line, or among the ands the byte."""
    first = data.split(b"\n", 1)[0].decode("latin-1")
    variables, inputs, latches, outputs, ands = header(first, "aig")
    if variables != inputs + latches + ands:
        told = f"{inputs} inputs, {latches} latches and {ands} ands"
        raise CircuitFileError(f"{variables} variables for {told}; expected their sum", 1)
    heads = data.split(b"\n", 1 + latches + outputs)
    reader, rows = Lines([line.decode("latin-1") for line in heads[: 1 + latches + outputs]]), Rows(variables)
    for place in range(inputs):
        rows.input(2 * (place + 1), 1)
    for place in range(inputs + 1, inputs + latches + 1):
        next, *reset = reader.numbers("a latch: the next literal, and perhaps a reset", 1, 2)
        rows.latch(2 * place, next, reset[0] if len(reset) == 2 else 0, reader.at)
    for place in range(outputs):
        rows.output(place, *reader.numbers("an output's literal", 1))
    if len(heads) < 2 + latches + outputs:
        raise CircuitFileError("the file ends; expected the line's end", reader.at)
    at = _ands(rows, data, sum(len(line) + 1 for line in heads[:-1]), range(inputs + latches + 1, variables + 1))
    return rows.netlist(_symbols(data[at:], reader.at, {"i": inputs, "l": latches, "o": outputs}))


def _ands(rows: Rows, data: bytes, at: int, places: range) -> int:
    """Reads the ands; the byte after them."""
    for place in places:
        begun = at
        less, at = _difference(data, at)
        lesser, at = _difference(data, at)
        a = 2 * place - less
        if less == 0 or a < 0 or lesser > a:
            told = f"the and {2 * place} takes {a} and {a - lesser}; expected smaller literals, the larger first"
            raise CircuitFileError(f"byte {begun}: {told}")
        rows.both(2 * place, a, a - lesser, 0)
    return at


def _difference(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for count in range(LONGEST):
        if at + count >= len(data):
            raise CircuitFileError(
                f"byte {at + count}: the file ends among the ands; expected as many as the header says"
            )
        byte = data[at + count]
        number |= (byte & 127) << 7 * count
        if byte < 128:
            return number, at + count + 1
    raise CircuitFileError(f"byte {at}: a difference of more than {LONGEST} bytes; expected a literal's")


def _symbols(data: bytes, line: int, counts: dict[str, int]) -> dict[str, dict[int, str]]:
    return read_symbols(data.decode("utf-8", "replace").split("\n"), line + 1, counts)
