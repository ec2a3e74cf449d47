"""Gate networks as frozen arrays: combinational or clocked, of gates with up to six inputs, each a truth table.

Wires are numbered: the inputs, then the registers' outputs, then the gates in order. A gate takes only wires before its
own, so the order is that of evaluation, and what goes round in a circle passes a register. A word holds 64 cases.
`isa.netlist_program` makes a program of a netlist and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ontogeny.isa.errors import NetlistError

Words = NDArray[np.uint64]
Wires = NDArray[np.int32]

WIDEST = 6
ONES = 0xFFFF_FFFF_FFFF_FFFF
NAND = 0b0111
# Bit i of pattern j is bit j of i: the six inputs of a table, as the words of the first 64 cases.
PATTERNS = tuple(sum(1 << i for i in range(64) if i >> j & 1) for j in range(WIDEST))


@dataclass(frozen=True, slots=True)
class Names:
    """What a person calls the inputs, outputs and registers, in their order; no two inputs or registers alike."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    registers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Netlist:
    """Gates and how they are wired. Nothing here is checked; `checked` does, and `netlist` makes a checked one.

    `table` uint64[gates]: bit i is the gate's output for the input number i, whose lowest bit is the first fanin.
    `fanin` int32[gates, k]: the wires that a gate takes, -1 after the last where there are fewer; none: a constant.
    `outputs` int32[...] and `next` int32[registers]: the wire of each output, and that each register takes at a tick.
    `initial` uint8[registers]: 0 or 1. The arrays are not to be written to.
    """

    inputs: int
    registers: int
    table: Words
    fanin: Wires
    outputs: Wires
    next: Wires
    initial: NDArray[np.uint8]
    names: Names | None = None

    @property
    def gates(self) -> int:
        """Number of gates."""
        return len(self.table)

    @property
    def sources(self) -> int:
        """Wires that no gate drives, inputs and registers: the number of the first gate's wire."""
        return self.inputs + self.registers

    @property
    def wires(self) -> int:
        """Number of all wires."""
        return self.sources + self.gates

    @property
    def arity(self) -> NDArray[np.int64]:
        """How many wires each gate takes, int64[gates]."""
        return np.asarray((self.fanin >= 0).sum(axis=1), np.int64)

    def takes(self, gate: int) -> tuple[int, ...]:
        """The wires that a gate takes, gates counted from 0."""
        return tuple(int(wire) for wire in self.fanin[gate] if wire >= 0)

    @property
    def named(self) -> Names:
        """The names, or i0, o0, r0 and so on where there are none."""
        counts = self.inputs, len(self.outputs), self.registers
        return self.names or Names(*(tuple(f"{k}{i}" for i in range(n)) for k, n in zip("ior", counts, strict=True)))

    @property
    def key(self) -> tuple[Any, ...]:
        """All that equality goes by, hashable."""
        arrays = (self.table, self.outputs, self.next, self.initial)
        wired = tuple(map(self.takes, range(self.gates)))
        return self.inputs, self.registers, wired, *(array.tobytes() for array in arrays), self.named

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Netlist) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def netlist(
    inputs: int,
    table: ArrayLike,
    fanin: ArrayLike,
    outputs: ArrayLike,
    *,
    next: ArrayLike = (),
    initial: ArrayLike | None = None,
    names: Names | None = None,
) -> Netlist:
    """A checked netlist of anything that is like its arrays; registers begin at 0 unless `initial` says otherwise.

    Raises NetlistError as `checked` does.
    """
    tables = np.asarray(table, np.uint64).reshape(-1)
    into = np.asarray(next, np.int32).reshape(-1)
    begins = np.zeros(len(into), np.uint8) if initial is None else np.asarray(initial, np.uint8).reshape(-1)
    wired = np.asarray(fanin, np.int32)
    wired = wired if wired.ndim == 2 else wired.reshape(len(tables), -1 if len(tables) else 0)
    made = Netlist(inputs, len(into), tables, wired, np.asarray(outputs, np.int32).reshape(-1), into, begins, names)
    return checked(made)


def checked(net: Netlist) -> Netlist:
    """The netlist itself. Raises NetlistError: a wire not driven, a loop without a register, a table too long."""
    _check_shapes(net)
    _check_gates(net)
    for what, wires in (("output", net.outputs), ("the next value of register", net.next)):
        for place in np.flatnonzero((wires < 0) | (wires >= net.wires))[:1]:
            raise NetlistError(f"{what} {place} is wire {wires[place]}, which nothing drives; {_there(net)}")
    for place in np.flatnonzero(net.initial > 1)[:1]:
        raise NetlistError(f"register {place} begins at {net.initial[place]}; expected 0 or 1")
    _check_names(net)
    return net


def _there(net: Netlist) -> str:
    return f"wires are 0 to {net.wires - 1}" if net.wires else "there are no wires"


def _check_shapes(net: Netlist) -> None:
    if net.inputs < 0 or net.registers < 0:
        raise NetlistError(f"{net.inputs} inputs and {net.registers} registers; expected no fewer than 0 of each")
    if net.fanin.ndim != 2 or len(net.fanin) != net.gates or net.fanin.shape[1] > WIDEST:
        shape = list(net.fanin.shape)
        raise NetlistError(
            f"fanin of shape {shape} for {net.gates} tables; expected [{net.gates}, k], k at most {WIDEST}"
        )
    if not len(net.next) == len(net.initial) == net.registers:
        counts = f"{len(net.next)} next wires and {len(net.initial)} initial values"
        raise NetlistError(f"{counts} for {net.registers} registers; expected as many of each")


def _check_gates(net: Netlist) -> None:
    own = net.sources + np.arange(net.gates)[:, None]
    gone = (net.fanin[:, 1:] >= 0) & (net.fanin[:, :-1] < 0)
    for gate, place in np.argwhere((net.fanin < -1) | (net.fanin >= net.wires))[:1]:
        raise NetlistError(f"gate {gate} takes wire {net.fanin[gate, place]}, which nothing drives; {_there(net)}")
    for gate, place in np.argwhere(gone)[:1]:
        raise NetlistError(f"gate {gate} has no fanin {place} and one after it; expected -1 only after the last")
    for gate, place in np.argwhere(net.fanin >= own)[:1]:
        raise NetlistError(_why_later(net, int(gate), int(net.fanin[gate, place])))
    width = np.left_shift(1, net.arity).astype(np.uint64)
    over = np.where(width < 64, net.table >> np.minimum(width, np.uint64(63)), np.uint64(0))
    for gate in np.flatnonzero(over)[:1]:
        takes = len(net.takes(int(gate)))
        raise NetlistError(
            f"gate {gate} of {takes} fanins has the table {net.table[gate]:#x}; expected {1 << takes} bits"
        )


def _why_later(net: Netlist, gate: int, wire: int) -> str:
    wires = {net.sources + g: net.takes(g) for g in range(net.gates)}
    loop = find_loop(wires)
    if loop:
        return f"a loop without a register: wire {' takes '.join(map(str, loop))}; put a register into it"
    return f"gate {gate} takes wire {wire}, a later gate; expected gates in the order of evaluation"


def find_loop(takes: dict[Any, tuple[Any, ...]]) -> list[Any]:
    """A loop among what takes what, its first repeated at its end; empty where there is none. Nothing is recursive."""
    done: set[Any] = set()
    for root in takes:
        path: dict[Any, list[Any]] = {} if root in done else {root: list(takes[root])}
        while path:
            last = next(reversed(path))
            if not path[last]:
                done.add(last)
                del path[last]
                continue
            wire = path[last].pop()
            if wire in path:
                way = list(path)
                return [*way[way.index(wire) :], wire]
            if wire in takes and wire not in done:
                path[wire] = list(takes[wire])
    return []


def _check_names(net: Netlist) -> None:
    names = net.named
    counts = (len(names.inputs), len(names.outputs), len(names.registers))
    if counts != (net.inputs, len(net.outputs), net.registers):
        raise NetlistError(
            f"names for {counts[0]} inputs, {counts[1]} outputs and {counts[2]} registers; "
            f"expected {net.inputs}, {len(net.outputs)} and {net.registers}"
        )
    for group in (names.inputs + names.registers, names.outputs):
        twice = next((name for i, name in enumerate(group) if name in group[:i]), None)
        if twice is not None:
            raise NetlistError(f"the name {twice!r} is given twice; expected another for each")


def apply(table: int, operands: list[Words], like: Words) -> Words:
    """A gate on words of cases: each fanin, the first one first, chooses between neighbours in what is left of it."""
    leaves = [np.full_like(like, ONES if table >> i & 1 else 0) for i in range(1 << len(operands))]
    for operand in operands:
        leaves = [np.bitwise_xor(a, (a ^ b) & operand) for a, b in zip(leaves[::2], leaves[1::2], strict=True)]
    return leaves[0]


def values(net: Netlist, words: Words) -> Words:
    """Every wire, uint64[wires, n], of the inputs and registers uint64[inputs + registers, n]. The plain reference."""
    if words.ndim != 2 or len(words) != net.sources or words.dtype != np.uint64:
        wanted = f"uint64[{net.sources}, n]: {net.inputs} inputs, then {net.registers} registers"
        raise NetlistError(f"words are {words.dtype}{list(words.shape)}; expected {wanted}")
    wires = np.empty((net.wires, words.shape[1]), np.uint64)
    wires[: net.sources] = words
    like = np.zeros(words.shape[1], np.uint64)
    for gate in range(net.gates):
        operands = [wires[wire] for wire in net.takes(gate)]
        wires[net.sources + gate] = apply(int(net.table[gate]), operands, like)
    return wires


def truth(net: Netlist, words: Words) -> Words:
    """One step: uint64[inputs + registers, n] -> uint64[outputs + registers, n], last what registers take."""
    return np.asarray(values(net, words)[np.concatenate([net.outputs, net.next])], np.uint64)


def cases(inputs: int) -> Words:
    """All 2^inputs cases, uint64[inputs, max(1, 2^inputs / 64)]: input j of case i is bit j of i.

    Below six inputs the cases repeat to fill the word. Raises NetlistError above 30 inputs.
    """
    if inputs > 30:
        raise NetlistError(f"all cases of {inputs} inputs; expected at most 30, so give some of the cases instead")
    count = max(1, 1 << max(0, inputs - WIDEST))
    words = np.empty((inputs, count), np.uint64)
    for j in range(inputs):
        high = np.uint64(ONES) * (np.arange(count, dtype=np.uint64) >> np.uint64(max(0, j - WIDEST)) & np.uint64(1))
        words[j] = PATTERNS[j] if j < WIDEST else high
    return words


def words_of(bits: ArrayLike) -> Words:
    """uint64[..., words] of 0 and 1 [..., cases], case i being bit i; the last word is filled with zeros."""
    given = np.asarray(bits, np.uint8)
    padded = np.zeros((*given.shape[:-1], -(-given.shape[-1] // 64) * 64), np.uint8)
    padded[..., : given.shape[-1]] = given
    words: Words = np.packbits(padded, axis=-1, bitorder="little").view(np.uint64)
    return words


def bits_of(words: Words, cases: int) -> NDArray[np.uint8]:
    """The first so many cases of uint64[..., words], uint8[..., cases] of 0 and 1."""
    return np.unpackbits(np.ascontiguousarray(words).view(np.uint8), axis=-1, bitorder="little")[..., :cases]


def numbers_of(words: Words, cases: int) -> NDArray[np.int64]:
    """The number in each of the first so many cases, int64[cases], whose bits are uint64[at most 63, words]."""
    bits = bits_of(words, cases).astype(np.int64)
    return np.asarray((bits << np.arange(len(bits))[:, None]).sum(axis=0), np.int64)


def clocked(net: Netlist, inputs: Words, state: Words | None = None) -> Words:
    """Every wire at every tick, uint64[ticks, wires, n], of inputs uint64[ticks, inputs, n], before the clock's edge.

    Registers begin as `state` uint64[registers, n], or at their initial values.
    """
    if inputs.ndim != 3 or inputs.shape[1] != net.inputs or inputs.dtype != np.uint64:
        raise NetlistError(f"inputs are {inputs.dtype}{list(inputs.shape)}; expected uint64[ticks, {net.inputs}, n]")
    ticks = np.empty((len(inputs), net.wires, inputs.shape[2]), np.uint64)
    held = started(net, inputs.shape[2]) if state is None else state
    for tick, given in enumerate(inputs):
        ticks[tick] = values(net, np.concatenate([given, held]))
        held = ticks[tick, net.next]
    return ticks


def started(net: Netlist, n: int = 1) -> Words:
    """The registers before the first tick, uint64[registers, n], the same in all cases."""
    return np.where(net.initial[:, None] != 0, np.uint64(ONES), np.uint64(0)).repeat(n, axis=1).astype(np.uint64)


def depth(net: Netlist) -> int:
    """The most gates that a signal passes from an input or register to an output or register."""
    levels = [0] * net.wires
    for gate in range(net.gates):
        levels[net.sources + gate] = 1 + max((levels[wire] for wire in net.takes(gate)), default=-1)
    return max((levels[wire] for wire in (*net.outputs, *net.next)), default=0)


def used(net: Netlist) -> NDArray[np.bool_]:
    """Which wires an output depends on by wiring, through registers too, bool[wires]; the other gates are dead."""
    marked = np.zeros(net.wires, bool)
    waiting = [int(wire) for wire in net.outputs]
    while waiting:
        wire = waiting.pop()
        if marked[wire]:
            continue
        marked[wire] = True
        if wire >= net.sources:
            waiting += net.takes(wire - net.sources)
        elif wire >= net.inputs:
            waiting.append(int(net.next[wire - net.inputs]))
    return marked


def number(bits: ArrayLike) -> int:
    """The number whose bits these are, lowest first."""
    return reduce(lambda value, bit: value << 1 | int(bit), reversed(np.asarray(bits).tolist()), 0)
