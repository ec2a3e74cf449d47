"""What a search is after, from files: a truth table, a circuit, a function of a Python file.

A truth table is text, a row to a line: the inputs' bits, a space, the outputs' bits, the first bit that of the first
input or output. A - among the inputs stands for both, among the outputs for either being right; cases in no row do not
count. Blank lines and what follows a # are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ontogeny.evolve.circuits.files import FORMATS, read_circuit
from ontogeny.evolve.fitness.tables import MOST_INPUTS, Table, of_arrays
from ontogeny.evolve.recording.store import loaded
from ontogeny.isa.errors import NetlistError, SearchError
from ontogeny.isa.netlist import Netlist, Words, cases, truth

CIRCUITS = {ending for one in FORMATS if one.read for ending in one.endings}
Row = tuple[str, str]


def from_circuit(path: Path) -> Table:
    """Equals a circuit of a file; where it is clocked, its one step over inputs and registers."""
    net = read_circuit(path)
    if net.sources > MOST_INPUTS:
        raise NetlistError(f"{path} has {net.sources} inputs and registers; expected at most {MOST_INPUTS}")
    return _whole(net)


def from_table(text: str, name: str = "the table") -> Table:
    """Equals a truth table. Raises NetlistError with the line for what is no row, or contradicts another one."""
    rows: dict[tuple[int, ...], str] = {}
    given = list(_rows(text, name))
    width = (len(given[0][1][0]), len(given[0][1][1])) if given else (0, 0)
    if not 0 < width[0] <= MOST_INPUTS:
        raise NetlistError(f"{name} has {width[0] or 'no'} inputs; expected rows of 1 to {MOST_INPUTS}")
    for number, (inputs, outputs) in given:
        if (len(inputs), len(outputs)) != width:
            raise NetlistError(
                f"{name}, line {number}: {len(inputs)} inputs and {len(outputs)} outputs; expected {width[0]} and "
                f"{width[1]} as before"
            )
        for case in product(*((0, 1) if bit == "-" else (int(bit),) for bit in inputs)):
            if rows.setdefault(case, outputs) != outputs:
                raise NetlistError(f"{name}, line {number}: {inputs} is given other outputs by an earlier line")
    return _of_rows(rows, *width)


def function_of(path: Path, name: str) -> Callable[..., Any]:
    """A function of a Python file. Raises SearchError with those that there are."""
    if not path.is_file():
        raise SearchError(f"there is no file {path}")
    module = loaded(path.resolve(), path.resolve().parent, path.name)
    found = getattr(module, name, None)
    if not callable(found):
        own = [key for key, one in vars(module).items() if getattr(one, "__module__", "") == module.__name__]
        there = ", ".join(key for key in own if callable(vars(module)[key]) and not key.startswith("_"))
        raise SearchError(f"{path} has no function {name!r}; it has {there or 'none'}")
    made: Callable[..., Any] = found
    return made


def _whole(net: Netlist) -> Table:
    words = cases(net.sources)
    target = truth(net, words)
    meant = _packed([1] * (1 << net.sources), words.shape[1])
    return _weighed(words, target, np.broadcast_to(meant, (1, *target.shape)).copy())


def _rows(text: str, name: str) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.partition("#")[0].split()
        if not parts:
            continue
        if len(parts) != 2 or set("".join(parts)) - set("01-"):
            raise NetlistError(
                f"{name}, line {number}: {line.strip()!r} is no row; expected bits, a space, bits: 011 10"
            )
        yield number, (parts[0], parts[1])


def _of_rows(rows: dict[tuple[int, ...], str], inputs: int, outputs: int) -> Table:
    words = cases(inputs)
    bits, cares = np.zeros((2, outputs, 1 << inputs), np.uint8)
    for case, wanted in rows.items():
        at = sum(bit << place for place, bit in enumerate(case))
        for place, bit in enumerate(wanted):
            bits[place, at], cares[place, at] = bit == "1", bit != "-"
    target = np.stack([_packed(row.tolist(), words.shape[1]) for row in bits])
    planes = np.stack([_packed(row.tolist(), words.shape[1]) for row in cares])[None]
    return _weighed(words, target, planes)


def _weighed(words: Words, target: Words, planes: Words) -> Table:
    return of_arrays(words, target, planes, np.ones(1, np.int64), (1,) * len(target))


def _packed(bits: list[int], words: int) -> Words:
    padded = np.zeros(64 * words, np.uint8)
    padded[: len(bits)] = bits
    packed: Words = np.packbits(padded, bitorder="little").view(np.uint64)
    return packed
