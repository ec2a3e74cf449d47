"""Many netlists at once: 64 cases to a word, words in blocks that stay in the first cache, threads over programs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist, Words
from ontogeny.machine.swarm import kernels
from ontogeny.machine.swarm.encoded import Encoded, encoded

CACHE = 192 << 10
"""Bytes of slots that are aimed at. Measured: a gate waits for the one before it, so wide slots in the second cache are
faster than narrow ones in the first (7.4e11 gate evaluations a second at 128 words, 2.9e11 at 16)."""
WIDTHS = (128, 64, 32, 16, 8, 1)
LINE = 64


@dataclass(frozen=True)
class Swarm:
    """Programs to be run together. `swarm` makes one."""

    programs: Encoded
    threads: int

    def outputs(self, words: Words) -> Words:
        """One step of each: uint64[programs, outputs + registers, n], last what the registers take.

        `words` is uint64[inputs + registers, n], the same cases for all, or uint64[programs, inputs + registers, n].
        Equal to `isa.netlist.truth` of each netlist. Raises NetlistError for words of another shape.
        """
        given, width = self._padded(words)
        of = self.programs
        found = np.empty((of.programs, of.wanted.shape[1], given.shape[2]), np.uint64)
        self._spread(width, lambda slots, begin, end: kernels.evaluate(
            slots, of.code, of.table, of.first, of.wanted, given, found, begin, end
        ))  # fmt: skip
        return found[:, :, : words.shape[-1]]

    def wrong(self, words: Words, target: Words, cared: Words | None = None, limit: int | None = None) -> NDArray[Any]:
        """Bits in which each program's step differs from `target` uint64[outputs + registers, n], int64[programs].

        Where `cared`, of the same shape, has zeros nothing counts. A count above `limit` is only a lower bound.
        """
        given, width = self._padded(words)
        of, count = self.programs, words.shape[-1]
        if target.shape != (of.wanted.shape[1], count) or given.shape[0] != 1:
            raise NetlistError(f"target of shape {target.shape}; expected {(of.wanted.shape[1], count)}, cases for all")
        mask = np.full_like(target, ~np.uint64(0)) if cared is None else cared
        goal, mask = (_pad(array, given.shape[2]) for array in (target, mask))
        found = np.empty(of.programs, np.int64)
        most = np.iinfo(np.int64).max if limit is None else limit
        self._spread(width, lambda slots, begin, end: kernels.wrong(
            slots, of.code, of.table, of.first, of.wanted, given, goal, mask, most, found, begin, end
        ))  # fmt: skip
        return found

    def clocked(self, inputs: Words, state: Words) -> tuple[Words, Words]:
        """Ticks: outputs uint64[ticks, programs, outputs, n] before each edge, and the registers after the last one.

        `inputs` is uint64[ticks, inputs, n]; `state` uint64[programs, registers, n] is what the registers begin with.
        """
        of, held = self.programs, state
        count = of.wanted.shape[1] - of.registers
        found = np.empty((len(inputs), of.programs, count, inputs.shape[2]), np.uint64)
        for tick, given in enumerate(inputs):
            all_given = np.broadcast_to(given, (of.programs, *given.shape))
            after = self.outputs(np.concatenate([all_given, held], axis=1))
            found[tick], held = after[:, :count], after[:, count:]
        return found, np.ascontiguousarray(held)

    def _padded(self, words: Words) -> tuple[Words, int]:
        of = self.programs
        shaped = words[None] if words.ndim == 2 else words
        if shaped.ndim != 3 or shaped.shape[0] not in (1, of.programs) or shaped.shape[1] != of.sources:
            raise NetlistError(
                f"words of shape {words.shape}; expected [{of.sources}, n] or [{of.programs}, {of.sources}, n]"
            )
        if words.dtype != np.uint64:
            raise NetlistError(f"words are {words.dtype}; expected uint64, 64 cases to a word")
        width = _width(of.slots, words.shape[-1])
        return _pad(shaped, -(-words.shape[-1] // width) * width), width

    def _spread(self, width: int, part: Callable[[Any, int, int], None]) -> None:
        """The part of each thread, on slots of its own."""
        count = self.programs.programs
        threads = max(1, min(self.threads, count))
        cuts = [count * i // threads for i in range(threads + 1)]
        scratch = [_slots(self.programs.slots, width) for _ in range(threads)]
        if threads == 1:
            return part(scratch[0], 0, count)
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(part, scratch, cuts[:-1], cuts[1:]))


def swarm(nets: Sequence[Netlist], threads: int | None = None) -> Swarm:
    """A swarm of netlists with equal numbers of inputs, registers and outputs; by default a thread for each core.

    Raises NetlistError where the numbers differ.
    """
    return Swarm(encoded(nets), threads or os.cpu_count() or 1)


def _width(slots: int, words: int) -> int:
    """Words to a slot: the most with which all slots stay in the cache, and no more than there are."""
    return next(width for width in WIDTHS if width <= max(1, words) and (width <= 32 or slots * width * 8 <= CACHE))


def _pad(words: Words, length: int) -> Words:
    if words.shape[-1] == length:
        return np.ascontiguousarray(words)
    wider = np.zeros((*words.shape[:-1], length), np.uint64)
    wider[..., : words.shape[-1]] = words
    return wider


def _slots(count: int, width: int) -> NDArray[np.bytes_]:
    """Scratch that begins at a cache line."""
    room = np.zeros(count * width * 8 + LINE, np.uint8)
    start = -room.ctypes.data % LINE
    return room[start : start + count * width * 8].view(f"S{width * 8}")
