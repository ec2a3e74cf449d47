"""A picture of a circuit as SVG: the usual shapes of gates, a box with its table for any other, wires at right angles.

Grey is what never changes an output (`idle.py`). Registers stand with the inputs as what they are, and with the outputs
as what they take next.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.circuits.idle import idle
from ontogeny.evolve.circuits.layout import GATE, MARGIN, PIN, TRACK, Layout, Part, Wire, layout
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist, depth

INK, GREY, PAPER, FILL, KEPT = "#1d1f23", "#c4c9d1", "#ffffff", "#eef3fb", "#fbf1e3"
LETTER, FOOT, MOST = 6.2, 34, 4000
SHAPES = {  # of two inputs: which shape, and whether its output, its first and its second input are inverted
    0b1000: ("and", 0, 0, 0),
    0b0111: ("and", 1, 0, 0),
    0b0010: ("and", 0, 0, 1),
    0b0100: ("and", 0, 1, 0),
    0b1110: ("or", 0, 0, 0),
    0b0001: ("or", 1, 0, 0),
    0b1011: ("or", 0, 0, 1),
    0b1101: ("or", 0, 1, 0),
    0b0110: ("xor", 0, 0, 0),
    0b1001: ("xor", 1, 0, 0),
}
OUTLINES = {
    "and": "M{l},{t} h{half} a{r},{r} 0 0 1 0,{d} h-{half} z",
    "or": "M{l},{t} q{d3},0 {w},{r} q-{w3},{r} -{w},{r} q{r2},-{r} 0,-{d} z",
    "not": "M{l},{t} l{w},{r} l-{w},{r} z",
}


def to_svg(net: Netlist, title: str = "circuit") -> str:
    """The picture. Raises NetlistError above 4,000 gates, which nobody could read."""
    if net.gates > MOST:
        raise NetlistError(
            f"a picture of {net.gates} gates; expected at most {MOST}, so draw a part or simplify it first"
        )
    placed, still = layout(net), idle(net)
    drawing = _Drawing(net, placed, still.wires)
    greys = int(still.wires[net.sources :].sum())
    said = f"{net.gates} gates, depth {depth(net)}"
    said += (
        f"; {greys} grey: changing no output in {still.how}" if greys else f"; each changes an output in {still.how}"
    )
    width, height = max(drawing.width, LETTER * len(said) + 2 * MARGIN), placed.height + 2 * MARGIN + FOOT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" font-family="sans-serif" font-size="11">',
        f"<title>{escape(title)}</title>",
        f'<rect width="100%" height="100%" fill="{PAPER}"/>',
        f'<g transform="translate(0,{MARGIN})" fill="none" stroke-width="1.2" stroke-linejoin="round">',
        *drawing.lines(),
        "</g>",
        f'<text x="{MARGIN}" y="{height - 12:g}" fill="{INK}">{escape(said)}</text>',
        "</svg>",
        "",
    ]
    return "\n".join(lines)


class _Drawing:
    """Lays columns beside each other by the width of their channels, and draws."""

    def __init__(self, net: Netlist, placed: Layout, still: NDArray[np.bool_]) -> None:
        self.net, self.placed, self.still = net, placed, still
        self.onward = self._onward()
        named = net.named
        sources, ends = (*named.inputs, *named.registers), (*named.outputs, *(f"{n} next" for n in named.registers))
        self.margins = [MARGIN + 12 + LETTER * max(map(len, names), default=1) for names in (sources, ends)]
        self.x = [self.margins[0]]
        for tracks in placed.tracks:
            self.x.append(self.x[-1] + GATE + 2 * MARGIN + TRACK * max(0, tracks - 1))
        self.x[1:] = [x - GATE for x in self.x[1:]]  # sources have no width
        self.width = self.x[-1] + self.margins[1]

    def colour(self, wire: int) -> str:
        return GREY if self.still[wire] else INK

    def needed(self, part: Part) -> bool:
        """Whether a part, or anything that a wire which passes by still goes to, changes an output."""
        if part.kind == "gate":
            return not self.still[part.wire]
        if part.kind == "next":
            return not self.still[self.net.inputs - 1 - part.wire]
        return part.kind != "passing" or (part.wire, part.column) in self.onward

    def _onward(self) -> set[tuple[int, int]]:
        """Which wires go on from which column to something that is not grey."""
        found: set[tuple[int, int]] = set()
        for part in reversed(self.placed.parts):
            passing = part.kind == "passing"
            if (part.wire, part.column) in found if passing else self.needed(part):
                found |= {(wire, part.column - 1) for wire in part.takes}
        return found

    def lines(self) -> Iterator[str]:
        """What is grey first, so that what counts lies over it."""
        for wire in sorted(self.placed.wires, key=lambda one: any(map(self.needed, one.takers))):
            yield self._wire(wire)
        for part in sorted(self.placed.parts, key=lambda one: one.kind == "gate"):
            yield from self._part(part)

    def _right(self, column: int) -> float:
        return self.x[column] + (GATE if column else 0)

    def _wire(self, wire: Wire) -> str:
        begin, end = self._right(wire.column), self.x[wire.column + 1]
        turn = begin + MARGIN + TRACK * max(wire.track, 0)
        ys = sorted({*wire.targets, wire.y})
        live = [y for y, part in zip(wire.targets, wire.takers, strict=True) if self.needed(part)]
        colour = INK if live else GREY
        if wire.track < 0:
            return f'<path d="M{begin:g},{wire.y:g} H{end:g}" stroke="{colour}"/>'
        grey = f"M{turn:g},{ys[0]:g} V{ys[-1]:g}" + "".join(f" M{turn:g},{y:g} H{end:g}" for y in wire.targets)
        ends = sorted({*live, wire.y})
        path = f"M{begin:g},{wire.y:g} H{turn:g} M{turn:g},{ends[0]:g} V{ends[-1]:g}"
        path += "".join(f" M{turn:g},{y:g} H{end:g}" for y in live)
        joins = [y for y in ys if self._meet(wire, y, ys) > 2]
        dots = "".join(f'<circle cx="{turn:g}" cy="{y:g}" r="2.2" fill="{colour}"/>' for y in joins)
        under = f'<path d="{grey}" stroke="{GREY}" stroke-linecap="round"/>' if len(live) < len(wire.targets) else ""
        return f'{under}<path d="{path}" stroke="{colour}" stroke-linecap="round"/>{dots}'

    def _meet(self, wire: Wire, y: float, ys: list[float]) -> int:
        return (y == wire.y) + (y in wire.targets) + (y > ys[0]) + (y < ys[-1])

    def _part(self, part: Part) -> Iterator[str]:
        left = self.x[part.column]
        if part.kind == "passing":
            colour = INK if self.needed(part) else GREY
            yield f'<path d="M{left:g},{part.y:g} h{GATE}" stroke="{colour}"/>'
        elif part.kind == "gate":
            yield from self._gate(part, left)
        else:
            yield self._named(part, left)

    def _named(self, part: Part, x: float) -> str:
        names, place = self.net.named, part.wire if part.wire >= 0 else -1 - part.wire
        end = part.wire < 0
        colour = self.colour(part.takes[0] if end else part.wire)
        if part.kind == "next":
            name, colour = f"{names.registers[place]} next", self.colour(self.net.inputs + place)
        else:
            name = {"input": names.inputs, "register": (*names.inputs, *names.registers), "output": names.outputs}[
                part.kind
            ][place]
        box = ""
        if part.kind in ("register", "next"):
            wide = 8 + LETTER * len(name)
            left = x if end else x - wide
            box = (
                f'<rect x="{left:g}" y="{part.y - 9:g}" width="{wide:g}" height="18" fill="{KEPT}" stroke="{colour}"/>'
            )
        anchor, at = ("start", x + 4) if end else ("end", x - 4)
        text = f'<text x="{at:g}" y="{part.y + 4:g}" text-anchor="{anchor}" fill="{colour}" stroke="none">'
        return f"{box}{text}{escape(name)}</text>"

    def _gate(self, part: Part, left: float) -> Iterator[str]:
        gate = part.wire - self.net.sources
        table, colour = int(self.net.table[gate]), self.colour(part.wire)
        takes = " ".join(map(str, self.net.takes(gate)))
        yield f'<g stroke="{colour}" fill="{FILL if colour == INK else PAPER}">'
        yield f"<title>wire {part.wire}: table {table:#x} of {takes or 'nothing'}</title>"
        if len(part.takes) == 2 and table in SHAPES:
            yield from self._shape(part, left, table, self.net.takes(gate))
        elif len(part.takes) == 1 and table in (0b01, 0b10):
            yield from self._outlined("not", part, left, inverted=table == 0b01, deep=2 * PIN - 6)
        else:
            yield self._box(part, left, table, colour)
        yield "</g>"

    def _shape(self, part: Part, left: float, table: int, takes: tuple[int, ...]) -> Iterator[str]:
        shape, inverted, *inputs = SHAPES[table]
        yield from self._outlined(
            "or" if shape == "xor" else shape, part, left, inverted=bool(inverted), deep=2 * PIN + 2
        )
        if shape == "xor":
            yield f'<path d="M{left + 5:g},{part.y - PIN - 1:g} q{PIN + 1},{PIN + 1} 0,{2 * PIN + 2}" fill="none"/>'
        for y, off in zip(part.pins, inputs, strict=True):
            if off:
                yield f'<circle cx="{left + 8:g}" cy="{y:g}" r="3"/>'

    def _outlined(self, shape: str, part: Part, left: float, inverted: bool, deep: int) -> Iterator[str]:
        """The shape between short lines to its inputs and from its output, with a bubble where it inverts."""
        begin, r = left + 11, deep / 2
        wide = {"and": 10 + r, "or": 24.0, "not": 20.0}[shape]
        path = OUTLINES[shape].format(
            l=begin, t=part.y - r, half=10, r=r, d=deep, w=wide, d3=wide * 0.6, w3=wide * 0.4, r2=r * 0.8
        )
        leads = "".join(f"M{left:g},{y:g} H{begin + (3 if shape == 'or' else 0):g} " for y in part.pins)
        tip = begin + wide + (6 if inverted else 0)
        yield f'<path d="{leads}M{tip:g},{part.y:g} H{left + GATE:g}" fill="none"/><path d="{path}"/>'
        if inverted:
            yield f'<circle cx="{tip - 3:g}" cy="{part.y:g}" r="3"/>'

    def _box(self, part: Part, left: float, table: int, colour: str) -> str:
        """Any other gate: its table in hexadecimal, or a constant."""
        tall = part.height - 10
        text = f"{table:X}" if part.takes else f"{table}"
        text = text if len(text) <= 5 else f"{text[:4]}…"
        box = f'<rect x="{left:g}" y="{part.y - tall / 2:g}" width="{GATE}" height="{tall:g}" rx="3"/>'
        label = f'<text x="{left + GATE / 2:g}" y="{part.y + 4:g}" text-anchor="middle" fill="{colour}" stroke="none">'
        return f"{box}{label}{text}</text>"
