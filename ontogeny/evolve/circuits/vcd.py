"""Waveforms of a clocked run as a Value Change Dump (IEEE 1364-2005, section 18), which GTKWave and others show.

A tick is ten units of time: inputs change at its beginning, while the clock falls; the clock rises five units later,
and registers take their next value then. So the values that count for a tick are those just before its rising edge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from ontogeny.evolve.circuits.naming import named
from ontogeny.evolve.circuits.stimulus import Bits, states, wires
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist, Words

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
    return of_bits(net, (inputs[:, :, word] >> np.uint64(bit) & np.uint64(1)).astype(np.uint8), name, gates)


def of_bits(net: Netlist, inputs: Bits, name: str = "circuit", gates: bool = False) -> str:
    """The run on inputs uint8[ticks, inputs]."""
    signals = _signals(net, gates)
    codes = [_code(place) for place in range(1 + len(signals))]
    lines = ["$version Ontogeny $end", "$timescale 1ns $end", f"$scope module {_scope(name)} $end"]
    lines += [f"$var wire 1 {code} {signal} $end" for code, signal in zip(codes, ["clk", *signals], strict=True)]
    lines += ["$upscope $end", "$enddefinitions $end"]
    lines += _changes(net, inputs, list(signals.values()), codes)
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


def _scope(name: str) -> str:
    """A module's name without dots, which readers take for a hierarchy."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name) or "_"


def _code(place: int) -> str:
    base = LAST - FIRST + 1
    code = ""
    while True:
        code += chr(FIRST + place % base)
        place = place // base - 1
        if place < 0:
            return code


def _changes(net: Netlist, inputs: Bits, shown: list[int], codes: list[str]) -> Iterator[str]:
    """What changes when: two moments to a tick, the clock low, then high with the registers' next values."""
    held, moment = states(net, inputs), 0
    before = np.full(1 + len(shown), 2, np.uint8)  # neither 0 nor 1, so that everything is told at first
    for block in wires(
        net, inputs.repeat(2, axis=0), np.stack([held[:-1], held[1:]], axis=1).reshape(2 * len(inputs), net.registers)
    ):
        clock = np.arange(block.shape[1], dtype=np.uint8) & 1
        for now in np.concatenate([clock[None], block[shown]]).T:
            yield f"#{PERIOD * moment // 2}"
            yield from (f"{now[place]}{codes[place]}" for place in np.flatnonzero(now != before))
            before, moment = now, moment + 1
