"""Waveforms of a clocked run as a Value Change Dump (IEEE 1364-2005, section 18), which GTKWave and others show.

A tick is ten units of time: inputs change at its beginning, while the clock falls; the clock rises five units later,
and registers take their next value then. So the values that count for a tick are those just before its rising edge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.circuits.naming import named
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist, Words, clocked, values

PERIOD = 10
FIRST, LAST = 33, 126  # the printable characters that short names are made of
Signals = dict[str, int]


def to_vcd(net: Netlist, inputs: Words, case: int = 0, name: str = "circuit", gates: bool = False) -> str:
    """One case of a run on inputs uint64[ticks, inputs, n]: clock, inputs, registers, outputs; all wires with `gates`.

    Raises NetlistError where there is no such case among the words.
    """
    if inputs.ndim != 3 or not 0 <= case < 64 * inputs.shape[2]:
        told = f"case {case} of words {list(inputs.shape)}"
        raise NetlistError(f"{told}; expected [ticks, inputs, n] and a case below 64 n")
    word, bit = divmod(case, 64)
    signals = _signals(net, gates)
    codes = {signal: _code(place) for place, signal in enumerate(["clk", *signals])}
    lines = ["$version Ontogeny $end", "$timescale 1ns $end", f"$scope module {_plain(name)} $end"]
    lines += [f"$var wire 1 {code} {signal} $end" for signal, code in codes.items()]
    lines += ["$upscope $end", "$enddefinitions $end"]
    before: dict[str, int] = {}
    for time, clock, wires in _moments(net, inputs[:, :, word : word + 1]):
        bits = (wires >> np.uint64(bit) & np.uint64(1)).tolist()
        now = {"clk": clock, **{signal: bits[wire] for signal, wire in signals.items()}}
        lines.append(f"#{time}")
        lines += [f"{value}{codes[signal]}" for signal, value in now.items() if before.get(signal) != value]
        before = now
    return "\n".join([*lines, f"#{PERIOD * len(inputs)}", ""])


def _signals(net: Netlist, gates: bool) -> Signals:
    """What is shown, by name; the clock's is taken."""
    names = named(net, _plain)
    wires = range(net.wires if gates else net.sources)
    shown = {names.wires[wire]: wire for wire in wires}
    shown.update({name: int(wire) for name, wire in zip(names.outputs, net.outputs, strict=True)})
    if "clk" in shown:
        shown[names.apart("clk")] = shown.pop("clk")
    return shown


def _plain(name: str) -> str:
    return re.sub(r"[^!-~]|\$", "_", name) or "_"


def _code(place: int) -> str:
    base = LAST - FIRST + 1
    code = ""
    while True:
        code += chr(FIRST + place % base)
        place = place // base - 1
        if place < 0:
            return code


def _moments(net: Netlist, inputs: Words) -> Iterator[tuple[int, int, NDArray[np.uint64]]]:
    """When something may change: the time, the clock and all wires then, uint64[wires]."""
    for tick, wires in enumerate(clocked(net, inputs)):
        yield PERIOD * tick, 0, wires[:, 0]
        after = values(net, np.concatenate([inputs[tick], wires[net.next]]))
        yield PERIOD * tick + PERIOD // 2, 1, after[:, 0]
