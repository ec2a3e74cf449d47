"""A circuit's ticks for a person: a column for each signal, bits that belong together as one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.markup import escape

from ontogeny.evolve.circuits.stimulus import TICKS, Bits, drawn, states, stimulus, wires
from ontogeny.faces.programs import read_text
from ontogeny.faces.terminal import table
from ontogeny.isa.netlist import Netlist

SHOWN = 64
"""How many ticks a person is shown."""
BINARY = 8
"""Bits of a column that are still shown one by one; more are hexadecimal."""
INDEXED = re.compile(r"(.*?)(\[)?(\d+)(?(2)\])")


@dataclass(frozen=True)
class Waves:
    """A run: what went in, uint8[ticks, inputs], and each signal before each tick's edge, uint8[signals, ticks]."""

    net: Netlist
    given: Bits
    inputs: Bits
    registers: Bits
    outputs: Bits

    def document(self) -> dict[str, object]:
        """Each signal's bits, the first that of the first tick."""
        named = self.net.named
        groups = {"inputs": (named.inputs, self.inputs), "registers": (named.registers, self.registers),
                  "outputs": (named.outputs, self.outputs)}  # fmt: skip
        told = {kind: {name: "".join(map(str, row)) for name, row in zip(names, rows, strict=True)}
                for kind, (names, rows) in groups.items()}  # fmt: skip
        return {"ticks": len(self.given), "signals": told}

    def say(self, console: Console) -> None:
        """A line for each tick: inputs, registers, then outputs, each before the edge."""
        named = self.net.named
        shown = table("", tick="right")
        columns: list[list[str]] = []
        sides = ((named.inputs, self.inputs), (named.registers, self.registers), (named.outputs, self.outputs))
        for names, rows in sides:
            if len(names) and columns:
                shown.add_column("|", style="dim")
                columns.append(["|"] * len(self.given))
            for places in together(names):
                shown.add_column(escape(called([names[place] for place in places])), justify="right", overflow="fold")
                columns.append(values_of(rows[list(places)]))
        for tick, cells in enumerate(zip(*columns, strict=True)):
            if tick < SHOWN:
                shown.add_row(str(tick), *cells)
        console.print(shown)
        if len(self.given) > SHOWN:
            console.print(f"and {len(self.given) - SHOWN:,} more ticks; --json has all, --to vcd writes them")


def waves(net: Netlist, ticks: int, file: str, seed: int) -> Waves:
    """The run on a stimulus of a file, or on inputs drawn by the seed. Raises NetlistError for what is no stimulus."""
    given = stimulus(net, read_text(file), ticks, file) if file else drawn(net, ticks or TICKS, seed)
    found = np.concatenate(list(wires(net, given, states(net, given)[:-1])), axis=1)
    return Waves(net, given, found[: net.inputs], found[net.inputs : net.sources], found[net.outputs])


def together(names: Sequence[str]) -> list[range]:
    """The places of names that differ in a number alone, which goes up or down by one, as `a[0]`, `a[1]` or `a0`, `a1`.

    Each group begins with its lowest.
    """
    groups: list[range] = []
    step = 0
    for place, name in enumerate(names):
        by = _step(names[place - 1], name) if place else 0
        if by and (step in (0, by)):
            groups[-1], step = range(groups[-1].start, place + 1), by
        else:
            groups.append(range(place, place + 1))
            step = 0
    return [group if _first_is_lowest(names, group) else group[::-1] for group in groups]


def called(names: Sequence[str]) -> str:
    """A name for several, the highest first: `a[3:0]`, or `a3:0`."""
    if len(names) == 1:
        return names[0]
    low, high = (INDEXED.fullmatch(name) for name in (names[0], names[-1]))
    assert low and high
    span = f"{high[3]}:{low[3]}"
    return f"{low[1]}[{span}]" if low[2] else f"{low[1]}{span}"


def values_of(rows: Bits) -> list[str]:
    """What bits [bits, ticks], the lowest first, are at each tick."""
    told = ["".join(map(str, column)) for column in rows[::-1].T]
    return told if len(rows) <= BINARY else [f"{int(bits, 2):0{-(-len(rows) // 4)}x}" for bits in told]


def _step(before: str, name: str) -> int:
    """By how much a name's number is higher than that of the one before, 1 or -1; 0 where they do not go together."""
    one, other = INDEXED.fullmatch(before), INDEXED.fullmatch(name)
    if not one or not other or one[1] != other[1] or one[2] != other[2]:
        return 0
    by = int(other[3]) - int(one[3])
    return by if by in (1, -1) else 0


def _first_is_lowest(names: Sequence[str], group: range) -> bool:
    return len(group) == 1 or _step(names[group[0]], names[group[1]]) > 0
