"""What a circuit is given tick by tick: from a text, or drawn by a seed; and every wire of the run that comes of it.

A stimulus is text, a tick to a line: a bit for each input, the first that of the first input, with or without spaces
between. A first line of names says which inputs are meant and in what order; the others stay 0. `*20` at the end of a
line stands for twenty ticks like it. Blank lines and what follows a # are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist, bits_of, started, values, words_of
from ontogeny.machine.swarm import swarm

Bits = NDArray[np.uint8]
MOST_TICKS = 100_000
TICKS = 16
"""How many ticks are run where nobody says."""
BLOCK = 1 << 12
"""Moments that are computed at a time, on all wires."""


def drawn(net: Netlist, ticks: int, seed: int = 0) -> Bits:
    """Inputs at random, uint8[ticks, inputs]."""
    return np.random.default_rng(seed).integers(0, 2, (_counted(ticks), net.inputs), np.uint8)


def stimulus(net: Netlist, text: str, ticks: int = 0, name: str = "the stimulus") -> Bits:
    """Inputs from a text, uint8[ticks, inputs]; so many `ticks`, its last line held where it has fewer, or all it has.

    Raises NetlistError with the line for what is no tick, and for names that are no inputs.
    """
    places: Sequence[int] = range(net.inputs)
    rows: list[Bits] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].replace(",", " ").split()
        if not words:
            continue
        at = f"{name}, line {number}"
        if not rows and places == range(net.inputs) and set(words[0]) - set("01*"):
            places = _places(net, words, at)
            continue
        times = _times(words.pop()[1:], at) if words[-1].startswith("*") else 1
        row = np.zeros(net.inputs, np.uint8)
        row[list(places)] = _bits("".join(words), len(places), at)
        rows += [row] * times
        _counted(len(rows))
    if not rows:
        raise NetlistError(f"{name} has no tick; expected a line of bits for each")
    wanted = _counted(ticks) if ticks else len(rows)
    return np.stack((rows + [rows[-1]] * (wanted - len(rows)))[:wanted])


def states(net: Netlist, inputs: Bits) -> Bits:
    """The registers before each tick and after the last, uint8[ticks + 1, registers], of uint8[ticks, inputs]."""
    found = np.empty((len(inputs) + 1, net.registers), np.uint8)
    found[0] = net.initial
    together, held, none = swarm([net], threads=1), started(net)[None], np.zeros((0, 1), np.uint64)
    for tick, given in enumerate(inputs):
        words = np.concatenate([given[None, :, None].astype(np.uint64), held], axis=1)
        held = together.outputs(words)[:, len(net.outputs) :] if net.registers else none[None]
        found[tick + 1] = held[0, :, 0] & np.uint64(1)
    return found


def wires(net: Netlist, inputs: Bits, held: Bits) -> Iterator[Bits]:
    """Every wire at each moment, uint8[wires, moments], a block of moments after the other.

    Of the inputs uint8[moments, inputs] and what the registers hold then, uint8[moments, registers].
    """
    for first in range(0, len(inputs), BLOCK):
        given = np.concatenate([inputs[first : first + BLOCK], held[first : first + BLOCK]], axis=1).T
        yield bits_of(values(net, words_of(given)), given.shape[1])


def _counted(ticks: int) -> int:
    if not 0 < ticks <= MOST_TICKS:
        raise NetlistError(f"{ticks:,} ticks; expected 1 to {MOST_TICKS:,}")
    return ticks


def _places(net: Netlist, words: Sequence[str], at: str) -> Sequence[int]:
    there = net.named.inputs
    if unknown := [word for word in words if word not in there]:
        told = f"the inputs are {', '.join(there) or 'none'}"
        raise NetlistError(f"{at}: {unknown[0]!r} is no input and no bits; {told}")
    if len(set(words)) < len(words):
        raise NetlistError(f"{at}: an input is named twice; expected each at most once")
    return [there.index(word) for word in words]


def _times(text: str, at: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MOST_TICKS:
        raise NetlistError(f"{at}: *{text} is no number of ticks; expected *1 to *{MOST_TICKS}")
    return int(text)


def _bits(text: str, count: int, at: str) -> Bits:
    if len(text) != count or set(text) - set("01"):
        raise NetlistError(f"{at}: {text!r} is no tick; expected {count} bit{'s' if count != 1 else ''} of 0 and 1")
    return np.frombuffer(text.encode(), np.uint8) - ord("0")
