"""Where the parts of a circuit's picture lie: columns by depth, an order of few crossings, wires in channels between.

A wire that passes columns has a place of its own in each of them. Columns are ordered by the mean of what they take
(Sugiyama's way), and parts stand as near to that as their order lets them. Lengths are in points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ontogeny.isa.netlist import Netlist, find_loop

PIN, GAP, TRACK, MARGIN, GATE = 12, 8, 7, 14, 46
ASIDE = 3.5
SWEEPS = 6
SYMMETRIC = {0b0111, 0b1000, 0b1110, 0b0001, 0b0110, 0b1001}


@dataclass(slots=True)
class Part:
    """A source, gate, end, or a wire passing by: what it takes (wires, top to bottom), and where its middle lies."""

    kind: str
    wire: int
    column: int
    takes: list[int]
    y: float = 0.0
    pins: list[float] = field(default_factory=list)

    @property
    def height(self) -> float:
        """Points from top to bottom, space around it included."""
        return GAP + (2 if self.kind == "passing" else PIN * max(2, len(self.takes)))


@dataclass(frozen=True, slots=True)
class Wire:
    """A wire between two columns: where it begins, the track it turns on, the heights it goes to, who takes it."""

    wire: int
    column: int
    y: float
    track: int
    targets: tuple[float, ...]
    takers: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The parts, the wires between them, and of each channel after a column how many tracks it has."""

    parts: tuple[Part, ...]
    wires: tuple[Wire, ...]
    tracks: tuple[int, ...]
    height: float


def layout(net: Netlist) -> Layout:
    """The picture's parts, placed."""
    columns = _columns(net)
    heights: dict[tuple[int, int], float] = {}
    for _ in range(SWEEPS):
        for forward in (True, False):
            _sweep(columns, heights, forward)
    top = min(part.y - part.height / 2 for column in columns for part in column)
    for part in (part for column in columns for part in column):
        part.y = PIN / 2 * round((part.y - top) / (PIN / 2))  # so heights are equal, or far enough apart to be told
        heights[part.column, part.wire] = part.y
    for column in columns[1:]:
        for part in column:
            _pins(net, part, heights)
    wires, tracks = [], []
    for before, after in pairwise(columns):
        routed = _routed(before, after)
        wires += routed
        tracks.append(1 + max((wire.track for wire in routed), default=-1))
    bottom = max(part.y + part.height / 2 for column in columns for part in column)
    return Layout(tuple(part for column in columns for part in column), tuple(wires), tuple(tracks), bottom)


def _columns(net: Netlist) -> list[list[Part]]:
    """Sources, then gates by depth, then ends: outputs and what registers take; and what passes by, in each."""
    level = [0] * net.wires
    for gate in range(net.gates):
        level[net.sources + gate] = 1 + max((level[wire] for wire in net.takes(gate)), default=0)
    last = 1 + max(level, default=0)
    columns: list[list[Part]] = [[] for _ in range(last + 1)]
    for wire in range(net.wires):
        takes = list(net.takes(wire - net.sources)) if wire >= net.sources else []
        kind = "gate" if wire >= net.sources else "input" if wire < net.inputs else "register"
        columns[level[wire]].append(Part(kind, wire, level[wire], takes))
    for kind, ends in (("output", net.outputs), ("next", net.next)):
        columns[last] += [Part(kind, -1 - place, last, [int(wire)]) for place, wire in enumerate(ends)]
    furthest = list(level)
    for part in (part for column in columns for part in column):
        for wire in part.takes:
            furthest[wire] = max(furthest[wire], part.column)
    for wire, far in enumerate(furthest):
        for column in range(level[wire] + 1, far):
            columns[column].append(Part("passing", wire, column, [wire]))
    return columns


def _sweep(columns: list[list[Part]], heights: dict[tuple[int, int], float], forward: bool) -> None:
    """Orders each column by the mean height of its neighbours before it, or after, and places it."""
    for column in columns if forward else reversed(columns):
        wanted = {id(part): _wanted(part, columns, heights, forward) for part in column}
        column.sort(key=lambda part: wanted[id(part)])
        _placed(column, [wanted[id(part)] for part in column])
        for part in column:
            heights[part.column, part.wire] = part.y


def _wanted(part: Part, columns: list[list[Part]], heights: dict[tuple[int, int], float], forward: bool) -> float:
    if forward:
        near = [heights[part.column - 1, wire] for wire in part.takes if (part.column - 1, wire) in heights]
    elif part.wire >= 0 and part.column + 1 < len(columns):
        near = [after.y for after in columns[part.column + 1] if part.wire in after.takes]
    else:
        near = []
    return sum(near) / len(near) if near else part.y


def _placed(column: Sequence[Part], wanted: Sequence[float]) -> None:
    """In this order, none over another, as near to where they are wanted as can be: pooled where they would overlap."""
    offsets, total = [], 0.0
    for part in column:
        offsets.append(total + part.height / 2)
        total += part.height
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        mean, count = want - offset, 1
        while pools and pools[-1][0] > mean:
            other, many = pools.pop()
            mean, count = (mean * count + other * many) / (count + many), count + many
        pools.append((mean, count))
    bases = [mean for mean, count in pools for _ in range(count)]
    for part, base, offset in zip(column, bases, offsets, strict=True):
        part.y = base + offset


def _pins(net: Netlist, part: Part, heights: dict[tuple[int, int], float]) -> None:
    """The height of each wire that a part takes; where its function allows, in the order that these come in."""
    symmetric = part.kind == "gate" and len(part.takes) == 2 and int(net.table[part.wire - net.sources]) in SYMMETRIC
    if symmetric:
        part.takes.sort(key=lambda wire: heights.get((part.column - 1, wire), 0.0))
    middle = (len(part.takes) - 1) / 2
    part.pins = [part.y + PIN * (place - middle) for place in range(len(part.takes))]


def _routed(before: list[Part], after: list[Part]) -> list[Wire]:
    """The wires of a channel, each on a track where no other one turns at the same height.

    A wire that begins at the height where another one ends turns before that one does, so that they do not lie in line.
    """
    begins = {part.wire: part.y for part in before if part.wire >= 0}
    sooner = _untangled(begins, after)
    takers = _takers(after)
    later = {wire: other for other, wire in sooner.items()}
    taken: list[list[tuple[float, float]]] = []
    tracks: dict[int, int] = {}
    for wire in _before(list(takers), later):
        heights = [begins[wire], *(y for y, _ in takers[wire])]
        least = 1 + max(tracks.get(later.get(wire, wire), -1), -1)
        straight = min(heights) == max(heights)
        tracks[wire] = -1 if straight else _track(taken, least, min(heights), max(heights))
    column = after[0].column - 1
    return [
        Wire(wire, column, begins[wire], tracks[wire], tuple(y for y, _ in ends), tuple(part for _, part in ends))
        for wire, ends in takers.items()
    ]


def _takers(after: list[Part]) -> dict[int, list[tuple[float, Part]]]:
    """Who takes each wire, at which heights."""
    takers: dict[int, list[tuple[float, Part]]] = {}
    for part in after:
        for wire, y in zip(part.takes, part.pins, strict=True):
            takers.setdefault(wire, []).append((y, part))
    return takers


def _untangled(begins: dict[int, float], after: list[Part]) -> dict[int, int]:
    """Which wire each wire has to turn before. Where that goes round in a circle, a part moves a little out of line."""
    for _ in range(len(after) + 1):
        ends = {y: (wire, part) for wire, several in _takers(after).items() for y, part in several}
        met = {wire: ends[y] for wire, y in begins.items() if y in ends and ends[y][0] != wire}
        sooner = {wire: other for wire, (other, _) in met.items()}
        loop = find_loop({wire: (other,) for wire, other in sooner.items()})
        if not loop:
            return sooner
        part = met[loop[0]][1]
        part.y += ASIDE
        part.pins = [y + ASIDE for y in part.pins]
    return {}


def _before(wires: list[int], later: dict[int, int]) -> list[int]:
    """The wires, each after the one that turns before it."""
    order: dict[int, None] = {}
    for wire in wires:
        way = [wire]
        while way[-1] in later and later[way[-1]] not in order and later[way[-1]] in wires:
            way.append(later[way[-1]])
        order.update(dict.fromkeys(reversed(way)))
    return list(order)


def _track(taken: list[list[tuple[float, float]]], least: int, low: float, high: float) -> int:
    track = least
    while True:
        while track >= len(taken):
            taken.append([])
        if all(high + 3 < a or b + 3 < low for a, b in taken[track]):
            taken[track].append((low, high))
            return track
        track += 1
