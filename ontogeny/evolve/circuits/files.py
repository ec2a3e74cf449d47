"""Circuits' files by their formats: which ending is what, what is read, what is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ontogeny.evolve.circuits.aiger_ascii import from_aag, to_aag
from ontogeny.evolve.circuits.aiger_binary import from_aig, to_aig
from ontogeny.evolve.circuits.blif import from_blif, to_blif
from ontogeny.evolve.circuits.draft import CircuitFileError
from ontogeny.evolve.circuits.svg import to_svg
from ontogeny.evolve.circuits.verilog import to_verilog
from ontogeny.evolve.circuits.verilog_read import from_verilog
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist
from ontogeny.isa.netlist_program import from_program, program
from ontogeny.isa.text import from_text, to_text


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name, its files' endings, how it is written, and how it is read where it is."""

    name: str
    endings: tuple[str, ...]
    write: Callable[[Netlist], bytes]
    read: Callable[[bytes], Netlist] | None


def _written(write: Callable[[Netlist], str]) -> Callable[[Netlist], bytes]:
    return lambda net: write(net).encode("utf-8")


def _read(read: Callable[[str], Netlist]) -> Callable[[bytes], Netlist]:
    return lambda data: read(_text(data))


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise CircuitFileError(f"byte {error.start} is no UTF-8; expected text", line) from error


FORMATS: tuple[Format, ...] = (
    Format("blif", (".blif",), _written(to_blif), _read(from_blif)),
    Format("aag", (".aag",), _written(to_aag), _read(from_aag)),
    Format("aig", (".aig",), to_aig, from_aig),
    Format("verilog", (".v", ".sv"), _written(to_verilog), _read(from_verilog)),
    Format(
        "onto",
        (".onto",),
        lambda net: to_text(program(net)).encode("utf-8"),
        lambda data: from_program(from_text(_text(data))),
    ),
    Format("svg", (".svg",), _written(to_svg), None),
)
BY_NAME = {one.name: one for one in FORMATS}


def format_of(path: str | Path) -> Format:
    """The format that a file's ending says. Raises NetlistError with the endings there are."""
    ending = Path(path).suffix.lower()
    for one in FORMATS:
        if ending in one.endings:
            return one
    there = ", ".join(ending for one in FORMATS for ending in one.endings)
    raise NetlistError(f"{path} ends in {ending or 'nothing'}; expected one of {there}")


def read_circuit(path: str | Path, data: bytes | None = None) -> Netlist:
    """The netlist of a file, or of `data` that it holds. Raises NetlistError that begins with the file's name."""
    chosen = format_of(path)
    if chosen.read is None:
        there = ", ".join(one.name for one in FORMATS if one.read)
        raise NetlistError(f"{path}: {chosen.name} is only written; what is read is {there}")
    try:
        return chosen.read(Path(path).read_bytes() if data is None else data)
    except NetlistError as error:
        raise NetlistError(f"{path}: {error}") from error


def write_circuit(net: Netlist, path: str | Path) -> None:
    """Writes a file in the format that its ending says."""
    data = format_of(path).write(net)
    Path(path).write_bytes(data)
