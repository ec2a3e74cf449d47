"""The inner loops of resynthesis for numba: what a gate must be, given all others, and another way to make it.

A circuit is `row` int32[slots, 3] (truth table and two wires of each gate), wires being the inputs and then the slots;
`order` has the slots that outputs depend on, each after what it takes. `values` uint64[wires, words] are right for
these. What is wanted of a wire is `on` and `off` uint64[levels, words]: the cases in which it must be one, and zero; in
the rest it is free.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ontogeny.evolve.methods.cgp_kernels import below
from ontogeny.machine.swarm.kernels import loop

LEVELS = 3
CHANCE = 1 << 30
TRIES = 8


class Circuit(NamedTuple):
    """A circuit under change, and room for what is found about it; arrays for the loops."""

    row: Any
    outputs: Any
    values: Any
    order: Any
    seen: Any
    after: Any
    pile: Any


class Room(NamedTuple):
    """Scratch: what other values a change leads to, what is wanted level by level, the wires that may be taken."""

    changed: Any
    on: Any
    off: Any
    wires: Any
    first: Any
    second: Any
    chain: Any


@loop
def circuit(row: Any, outputs: Any, words: Any, order: Any) -> Any:
    """The circuit on these cases, uint64[inputs, words]; nothing is sorted or evaluated yet."""
    wires = words.shape[0] + row.shape[0]
    values = np.zeros((wires, words.shape[1]), np.uint64)
    values[: words.shape[0]] = words
    marks = np.zeros((2, wires), np.uint8)
    return Circuit(row, outputs, values, order, marks[0], marks[1], np.empty(2 * wires + 2, np.int32))


@loop
def room(wires: int, words: int) -> Any:
    """Scratch for so many wires and words."""
    wanted = np.zeros((2, LEVELS, words), np.uint64)
    lists = np.empty((3, wires), np.int32)
    changed, chain = np.empty((wires, words), np.uint64), np.empty((LEVELS, 3), np.int32)
    return Room(changed, wanted[0], wanted[1], lists[0], lists[1], lists[2], chain)


@loop
def sort(inputs: int, at: Any) -> Any:
    """Puts into `order` what outputs depend on; how many gates that are. seen[wire] = 1 for them, 0 for the others."""
    row, order, seen, pile, count = at.row, at.order, at.seen, at.pile, 0
    seen[inputs:] = 0
    for output in at.outputs:
        pile[0], top = output, 1
        while top:
            wire = pile[top - 1]
            if wire < inputs or seen[wire]:
                top -= 1
                continue
            before = top
            for place in (1, 2):
                operand = row[wire - inputs, place]
                if operand >= inputs and not seen[operand]:
                    pile[top] = operand
                    top += 1
            if top == before:
                seen[wire] = 1
                order[count] = wire - inputs
                count += 1
                top -= 1
    return count


@loop
def gate(bits: Any, x: Any, y: Any, found: Any) -> None:
    """found = the gate of a truth table on the words x and y, by its polynomial."""
    none = np.uint64(-(bits & 1))
    one = np.uint64(-((bits >> 1 ^ bits) & 1))
    two = np.uint64(-((bits >> 2 ^ bits) & 1))
    both = np.uint64(-((bits ^ bits >> 1 ^ bits >> 2 ^ bits >> 3) & 1))
    for at in range(found.size):
        found[at] = none ^ (x[at] & (one ^ (both & y[at]))) ^ (two & y[at])


@loop
def evaluate(inputs: int, at: Any, gates: int, only: bool) -> None:
    """The values of all gates in order; of those after the changed gate alone, if `only`."""
    row, values, order, after = at.row, at.values, at.order, at.after
    for place in range(gates):
        slot = order[place]
        if not only or after[inputs + slot]:
            gate(np.int64(row[slot, 0]), values[row[slot, 1]], values[row[slot, 2]], values[inputs + slot])


@loop
def wanted(inputs: int, at: Any, gates: int, target: int, scratch: Any) -> None:
    """What is wanted of the wire `target`, into the first level; after[wire] = 1 for it and all that depends on it.

    A case in which no output changes with the wire leaves it free.
    """
    row, values, order, after, changed = at.row, at.values, at.order, at.after, scratch.changed
    on, off = scratch.on[0], scratch.off[0]
    after[:] = 0
    after[target] = 1
    changed[target] = ~values[target]
    for place in range(gates):
        slot, wire = order[place], inputs + order[place]
        left, right = row[slot, 1], row[slot, 2]
        if wire != target and (after[left] or after[right]):
            after[wire] = 1
            x = changed[left] if after[left] else values[left]
            y = changed[right] if after[right] else values[right]
            gate(np.int64(row[slot, 0]), x, y, changed[wire])
    on[:] = 0
    for output in range(at.outputs.size):
        wire = at.outputs[output]
        if after[wire]:
            on |= changed[wire] ^ values[wire]
    off[:] = on & ~values[target]
    on &= values[target]


@loop
def known(bits: Any, place: Any) -> Any:
    """What a gate is where its fanin `place` is 0, and where it is 1: 0, 1, 2 for the other one, 3 for its inverse."""
    step = np.int64(1 + place)
    other = np.int64(2 - place)
    zero = (bits & 1) + 2 * (bits >> other & 1)
    one = (bits >> step & 1) + 2 * (bits >> (step + other) & 1)
    kinds = (0, 3, 2, 1)
    return kinds[zero], kinds[one]


@loop
def possible(bits: Any, place: Any, values: Any, wire: Any, on: Any, off: Any) -> Any:
    """Whether a gate with this wire as a fanin can be what is wanted, by whatever other fanin."""
    zero, one = known(bits, place)
    if zero > 1 and one > 1:
        return True
    ones_low, ones_high = np.uint64(-(zero == 0)), np.uint64(-(one == 0))
    zeros_low, zeros_high = np.uint64(-(zero == 1)), np.uint64(-(one == 1))
    for at in range(on.size):
        value = values[wire, at]
        low = (on[at] & ones_low) | (off[at] & zeros_low)
        high = (on[at] & ones_high) | (off[at] & zeros_high)
        if (low & ~value) | (high & value):
            return False
    return True


@loop
def left_to_do(bits: Any, place: Any, value: Any, scratch: Any, level: int) -> None:
    """What is wanted of the other fanin, into the next level."""
    zero, one = known(bits, place)
    on, off = scratch.on[level], scratch.off[level]
    into_on, into_off = scratch.on[level + 1], scratch.off[level + 1]
    for at in range(value.size):
        plain = np.uint64(0)
        inverted = np.uint64(0)
        if zero == 2:
            plain |= ~value[at]
        elif zero == 3:
            inverted |= ~value[at]
        if one == 2:
            plain |= value[at]
        elif one == 3:
            inverted |= value[at]
        into_on[at] = (plain & on[at]) | (inverted & off[at])
        into_off[at] = (plain & off[at]) | (inverted & on[at])


@loop
def agrees(values: Any, wire: Any, on: Any, off: Any) -> Any:
    """Whether a wire is what is wanted."""
    for at in range(on.size):  # noqa: SIM110  (numba knows no all() of a generator)
        if (on[at] & ~values[wire, at]) | (off[at] & values[wire, at]):
            return False
    return True


@loop
def joins(bits: Any, values: Any, left: Any, right: Any, on: Any, off: Any) -> Any:
    """Whether a gate of two wires is what is wanted."""
    none = np.uint64(-(bits & 1))
    one = np.uint64(-((bits >> 1 ^ bits) & 1))
    two = np.uint64(-((bits >> 2 ^ bits) & 1))
    both = np.uint64(-((bits ^ bits >> 1 ^ bits >> 2 ^ bits >> 3) & 1))
    for at in range(on.size):
        x, y = values[left, at], values[right, at]
        value = none ^ (x & (one ^ (both & y))) ^ (two & y)
        if (on[at] & ~value) | (off[at] & value):
            return False
    return True


@loop
def symmetric(bits: Any) -> Any:
    """Whether a gate's fanins may change places."""
    return (bits >> 1 & 1) == (bits >> 2 & 1)


@loop
def there(at: Any, gates: int, bits: Any, left: Any, right: Any) -> Any:
    """Whether there is such a gate already."""
    row, order, alike = at.row, at.order, symmetric(bits)
    for place in range(gates):
        slot = order[place]
        if row[slot, 0] == bits:
            one, other = row[slot, 1], row[slot, 2]
            if (one == left and other == right) or (alike and one == right and other == left):
                return True
    return False


@loop
def one_gate(at: Any, gates: int, count: int, functions: Any, start: int, scratch: Any, level: int) -> Any:
    """Finds a new gate of two of the `count` wires that is what is wanted at this level; chain[level] is then it."""
    on, off, values, wires = scratch.on[level], scratch.off[level], at.values, scratch.wires
    first, second = scratch.first, scratch.second
    for turn in range(functions.size):
        bits, ones, twos = np.int64(functions[(start + turn) % functions.size]), 0, 0
        for place in range(count):
            if possible(bits, 0, values, wires[place], on, off):
                first[ones] = wires[place]
                ones += 1
            if possible(bits, 1, values, wires[place], on, off):
                second[twos] = wires[place]
                twos += 1
        alike = symmetric(bits)
        for a in range(ones):
            for b in range(a if alike else 0, twos):
                left, right = first[a], second[b]
                if joins(bits, values, left, right, on, off) and not there(at, gates, bits, left, right):
                    chain = scratch.chain[level]
                    chain[0], chain[1], chain[2] = bits, left, right
                    return True
    return False


@loop
def some_fanin(at: Any, count: int, functions: Any, scratch: Any, level: int, rng: Any) -> Any:
    """Draws a gate and a wire for one of its fanins that may be what is wanted; the other fanin is the next level's."""
    start, values, on, off = below(rng, count), at.values, scratch.on[level], scratch.off[level]
    bits, place = np.int64(functions[below(rng, functions.size)]), below(rng, 2)
    for turn in range(count):
        wire = scratch.wires[(start + turn) % count]
        if possible(bits, place, values, wire, on, off):
            left_to_do(bits, place, values[wire], scratch, level)
            chain = scratch.chain[level]
            chain[0], chain[1 + place], chain[2 - place] = bits, wire, -1
            return True
    return False


@loop
def chained(at: Any, gates: int, count: int, functions: Any, depth: int, scratch: Any, rng: Any) -> Any:
    """Finds a chain of `depth` new gates that is what is wanted."""
    for _ in range(TRIES if depth > 1 else 1):
        level = 0
        while level < depth - 1 and some_fanin(at, count, functions, scratch, level, rng):
            level += 1
        start = below(rng, functions.size)
        if level == depth - 1 and one_gate(at, gates, count, functions, start, scratch, level):
            return True
    return False


@loop
def takeable(inputs: int, at: Any, gates: int, scratch: Any, rng: Any) -> Any:
    """The wires that the target may take without a loop, shuffled, in scratch.wires; how many."""
    wires, count = scratch.wires, 0
    for wire in range(inputs + gates):
        name = wire if wire < inputs else inputs + at.order[wire - inputs]
        if not at.after[name]:
            other = below(rng, count + 1)
            wires[count] = wires[other]
            wires[other] = name
            count += 1
    return count


@loop
def passed_by(inputs: int, at: Any, gates: int, target: int, wire: int) -> None:
    """Whatever takes the target takes the wire."""
    row = at.row
    for place in range(gates):
        for fanin in (1, 2):
            if row[at.order[place], fanin] == target:
                row[at.order[place], fanin] = wire
    for output in range(at.outputs.size):
        if at.outputs[output] == target:
            at.outputs[output] = wire


@loop
def rebuilt(inputs: int, at: Any, target: int, depth: int, scratch: Any) -> None:
    """The target as the chain, its further gates in slots that are free."""
    slot, free = target - inputs, 0
    for level in range(depth):
        for column in range(3):
            at.row[slot, column] = scratch.chain[level, column]
        if level < depth - 1:
            while at.seen[inputs + free]:
                free += 1
            fanin = 1 if scratch.chain[level, 1] == -1 else 2
            at.row[slot, fanin] = inputs + free
            at.after[inputs + free] = 1
            slot, free = free, free + 1


@loop
def made_anew(
    inputs: int, at: Any, gates: int, functions: Any, chances: Any, depths: Any, rng: Any, scratch: Any
) -> Any:
    """One step; how many gates there are then."""
    target = inputs + at.order[below(rng, gates)]
    wanted(inputs, at, gates, target, scratch)
    count = takeable(inputs, at, gates, scratch, rng)
    values, wires, on, off = at.values, scratch.wires, scratch.on[0], scratch.off[0]
    for place in range(count):
        wire = wires[place]
        if agrees(values, wire, on, off):
            passed_by(inputs, at, gates, target, wire)
            gates = sort(inputs, at)
            evaluate(inputs, at, gates, True)
            return gates
    depth = depths[below(rng, depths.size)]
    if gates + depth - 1 > at.row.shape[0] or not chained(at, gates, count, functions, depth, scratch, rng):
        return gates
    kept = (at.row[target - inputs, 0], at.row[target - inputs, 1], at.row[target - inputs, 2])
    rebuilt(inputs, at, target, depth, scratch)
    more = sort(inputs, at) - gates
    if more > 0 and (more > chances.size or below(rng, CHANCE) >= chances[more - 1]):
        at.row[target - inputs, 0], at.row[target - inputs, 1], at.row[target - inputs, 2] = kept
        return sort(inputs, at)
    evaluate(inputs, at, gates + more, True)
    return gates + more


@loop
def resynthesised(
    row: Any, outputs: Any, words: Any, functions: Any, chances: Any, depths: Any, steps: int, rng: Any, order: Any
) -> Any:
    """Steps of a walk over circuits that are all equal, ending with the smallest; how many gates, which are in `order`.

    A step takes a gate and makes it anew: by a wire, or by a chain of as many new gates as `depths` int64[any] has at a
    place that is drawn. What gets larger by d gates is taken with a chance of chances[d - 1] / 2^30, int64[any]. The
    slots of `row` that are not needed are to spare. `row` and `outputs` are changed in place.
    """
    inputs = words.shape[0]
    at, scratch = circuit(row, outputs, words, order), room(words.shape[0] + row.shape[0], words.shape[1])
    gates = sort(inputs, at)
    evaluate(inputs, at, gates, False)
    best, best_outputs, fewest = row.copy(), outputs.copy(), gates
    for _ in range(steps):
        if gates == 0:
            break
        gates = made_anew(inputs, at, gates, functions, chances, depths, rng, scratch)
        if gates < fewest:
            best[:], best_outputs[:], fewest = row, outputs, gates
    row[:], outputs[:] = best, best_outputs
    return sort(inputs, at)
