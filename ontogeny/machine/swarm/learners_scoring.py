"""What a tape is worth, for numba: trained and validated on all tasks of a group at once, group after group.

The error of a task is 2 / pi * arctan of its root mean squared error where it was not trained, 1 where it failed: 1
less AutoML-Zero's fitness. The error of a tape is the mean over tasks. What is known already is not worked out again:
a tape whose live rows were seen, or one that makes the very errors of another on the first examples (functional
equivalence). The second could differ on a later example; that 64 bits of hash agree by accident is not reckoned with.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ontogeny.machine.swarm.kernels import loop
from ontogeny.machine.swarm.learners_codes import HASH, JUDGE, LOSS, MIX, ONE, SCORE
from ontogeny.machine.swarm.learners_encode import encode, mark, slot
from ontogeny.machine.swarm.learners_kernels import run

MIXER, SEED = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x243F6A8885A308D3)
SETTING_UP, PROBING, TRAINING, VALIDATING = range(4)
EVALUATED, SAME_CODE, SAME_ERRORS, STOPPED, STORED = range(5)
"""What is counted: tapes judged, known by their code, known by their errors, stopped at the hurdle; entries stored."""


class Ground(NamedTuple):
    """What tapes are judged on: arrays for the loops.

    `features` f64[groups, examples * n * lanes] and `labels` f64[groups, examples * lanes]; `real` int64[groups] says
    how many lanes are tasks; `numbers` int64[4] are training examples, all examples, probed examples and the groups
    before the hurdle; `bounds` f64[2] the error at which a task fails and the mean error at which the hurdle stops.
    """

    features: Any
    labels: Any
    real: Any
    numbers: Any
    bounds: Any
    table: Any
    sizes: Any


class Desk(NamedTuple):
    """Room to work in: slots, a tape's code and constants, which rows live, and the errors of its tasks.

    `flat` f64 and `words` uint64 are the memory of the slots, `bits` uint64 that of the constants.
    """

    slots: Any
    flat: Any
    words: Any
    code: Any
    constants: Any
    bits: Any
    kept: Any
    errors: Any


class Memory(NamedTuple):
    """Errors by hash: keys uint64[2^k], 0 where free, or no items for no memory; values f64; counts int64[5]."""

    keys: Any
    values: Any
    counts: Any


@loop
def mixed(key: Any, word: Any) -> Any:
    """The hash with a further word."""
    key = (key ^ word) * MIXER
    return key ^ key >> np.uint64(29)


@loop
def found(memory: Any, key: Any) -> Any:
    """The place of a key, or of the free place for it."""
    mask = np.uint64(memory.keys.size - 1)
    place = key >> np.uint64(20) & mask
    while memory.keys[place] != 0 and memory.keys[place] != key:
        place = place + np.uint64(1) & mask
    return place


@loop
def store(memory: Any, key: Any, error: float) -> None:
    """Keeps an error; when half the places are taken, all is forgotten first."""
    if memory.counts[STORED] * 2 >= memory.keys.size:
        memory.keys[:] = 0
        memory.counts[STORED] = 0
    place = found(memory, key)
    memory.counts[STORED] += memory.keys[place] == 0
    memory.keys[place], memory.values[place] = key, error


@loop
def code_key(desk: Any, at: Any) -> Any:
    """A hash of the code: the same for tapes that differ only in what no prediction depends on."""
    bits, code = desk.bits, desk.code
    key = mixed(mixed(SEED, np.uint64(at[0])), np.uint64(at[1]))
    for row in range(at[2]):
        key = mixed(key, bits[row])
        for column in range(0, 4, 2):
            key = mixed(key, np.uint64(code[row, column]) << np.uint64(32) | np.uint64(code[row, column + 1]))
    return key | np.uint64(1)


@loop
def assess(desk: Any, ground: Any, memory: Any, rows: Any, constants: Any, lengths: Any) -> Any:
    """The error of a tape: what the memory has of it, or worked out now, and kept."""
    mark(rows, lengths, ground.table, ground.sizes, desk.kept)
    at = encode(rows, constants, lengths, ground.table, ground.sizes, desk.kept, desk.code, desk.constants)
    if memory.keys.size == 0:
        return judge(desk, ground, memory, at, np.uint64(0))
    key = code_key(desk, at)
    place = found(memory, key)
    if memory.keys[place] == key:
        memory.counts[SAME_CODE] += 1
        return memory.values[place]
    error = judge(desk, ground, memory, at, key)
    store(memory, key, error)
    return error


@loop
def judge(desk: Any, ground: Any, memory: Any, at: Any, key: Any) -> Any:
    """Trains and validates on all groups; with a key other than 0, looks the errors of the first examples up."""
    train, examples, hurdle = ground.numbers[0], ground.numbers[1], ground.numbers[3]
    total, count, behaviour = 0.0, 0, np.uint64(0)
    for group in range(ground.real.size):
        looks = key != 0 and group == 0
        clear(desk, ground.real[group])
        left = True
        for phase in range(SETTING_UP, VALIDATING + 1):
            if left:
                left = go(desk, ground, group, phase, at, looks)
            if phase == PROBING and looks:
                behaviour = errors_key(desk)
                place = found(memory, behaviour)
                if memory.keys[place] == behaviour:
                    memory.counts[SAME_ERRORS] += 1
                    return memory.values[place]
        total += task_errors(desk, count, ground.real[group], examples - train, left)
        count += ground.real[group]
        if group + 1 == hurdle and total > ground.bounds[1] * count:
            memory.counts[STOPPED] += 1
            break
    memory.counts[EVALUATED] += 1
    if key != 0:
        store(memory, behaviour, total / count)
    return total / count


@loop
def clear(desk: Any, real: int) -> None:
    """All registers at 0."""
    flat, lanes = desk.flat, desk.slots.itemsize // 8
    flat[:] = 0.0
    for lane in range(lanes):
        flat[ONE * lanes + lane] = 1.0
        flat[LOSS * lanes + lane] = 0.0 if lane < real else math.inf


@loop
def go(desk: Any, ground: Any, group: int, phase: int, at: Any, looks: bool) -> bool:
    """One phase of judging a group of tasks; False once all have failed."""
    train, examples, probed, n = ground.numbers[0], ground.numbers[1], ground.numbers[2], ground.sizes[3]
    begin, end, first, last, v0 = at[0], at[2], 0, probed, slot(1, 0, ground.sizes, 0)
    desk.code[at[1], 0] = MIX if looks and phase == PROBING else (SCORE if phase == VALIDATING else JUDGE)
    if phase == SETTING_UP:
        begin, end, last, v0 = 0, at[0], 1, 0
    elif phase == TRAINING:
        first, last = probed, train
    elif phase == VALIDATING:
        end, first, last = at[1] + 1, train, examples
    return run(desk.slots, desk.flat, desk.code, desk.constants, begin, end, ground.features[group],
               ground.labels[group], first, last, n, v0, ground.bounds[0])  # fmt: skip


@loop
def task_errors(desk: Any, first: int, real: int, scored: int, left: bool) -> float:
    """Writes the errors of a group's tasks, and gives their sum."""
    total, lanes = 0.0, desk.slots.itemsize // 8
    for lane in range(real):
        loss = desk.flat[LOSS * lanes + lane] if left else math.inf
        error = 1.0 if loss == math.inf else math.atan(math.sqrt(loss / scored)) * 2 / math.pi
        desk.errors[first + lane] = error
        total += error
    return total


@loop
def errors_key(desk: Any) -> Any:
    """A hash of the errors that were mixed in every lane."""
    words, lanes = desk.words, desk.slots.itemsize // 8
    key = SEED
    for lane in range(lanes):
        key = mixed(key, words[HASH * lanes + lane])
    return key | np.uint64(1)


@loop
def assess_all(
    desk: Any, ground: Any, memory: Any, rows: Any, constants: Any, lengths: Any, firsts: Any, errors: Any, begin: int,
    end: int,
) -> None:  # fmt: skip
    """errors[tape, 0] and the errors of its tasks after it, of the tapes from `begin` to `end`, one after another."""
    for tape in range(begin, end):
        first, last = firsts[tape], firsts[tape + 1]
        errors[tape, 0] = assess(desk, ground, memory, rows[first:last], constants[first:last], lengths[tape])
        for task in range(desk.errors.size):
            errors[tape, 1 + task] = desk.errors[task]
