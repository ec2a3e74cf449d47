"""Fitness of clocked netlists: to follow a trace tick by tick, and to earn reward in a small environment.

Runs and episodes go side by side, 64 to a word, all candidates of a generation at once. Registers begin at 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ontogeny.evolve.fitness.judged import SECONDS, Judged
from ontogeny.evolve.fitness.recipe import Recipe, made_by
from ontogeny.evolve.spaces import Netlists
from ontogeny.isa.errors import SearchError
from ontogeny.isa.netlist import Netlist, Words, bits_of, words_of
from ontogeny.machine.swarm import swarm

Bits = NDArray[np.int8]


@dataclass(eq=False)
class Trace:
    """Follows a trace: the error is the number of output bits that are wrong, over all ticks of all runs."""

    given: Words
    wanted: Words
    cared: Words
    space: Netlists
    failures: Sequence[str] = ()
    objectives: tuple[str, ...] = ("wrong bits",)
    recipe: Recipe | None = field(default=None, repr=False)

    def errors(self, nets: Sequence[Netlist], /) -> list[float]:
        """Wrong bits of each, all at once."""
        together = swarm(list(nets), threads=1)
        begins = np.zeros((len(nets), self.space.registers, self.given.shape[2]), np.uint64)
        found, _ = together.clocked(self.given, begins)
        wrong = np.bitwise_count((found ^ self.wanted[:, None]) & self.cared[:, None])
        return [float(count) for count in wrong.sum(axis=(0, 2, 3), dtype=np.int64)]


@made_by("follows")
def follows(inputs: ArrayLike, outputs: ArrayLike, registers: int) -> Trace:
    """Follows a trace: inputs [runs, ticks, inputs] of 0 and 1, outputs [runs, ticks, outputs], -1 where none counts.

    One run may be given without its dimension. Raises SearchError where the shapes do not go together.
    """
    given, wanted = (np.asarray(bits, np.int8) for bits in (inputs, outputs))
    given, wanted = (bits[None] if bits.ndim == 2 else bits for bits in (given, wanted))
    if given.ndim != 3 or wanted.ndim != 3 or given.shape[:2] != wanted.shape[:2] or not given.size:
        raise SearchError(
            f"a trace of {given.shape} and {wanted.shape}; expected [runs, ticks, inputs], [runs, ticks, outputs]"
        )
    if ((given < 0) | (given > 1)).any() or (wanted < -1).any() or (wanted > 1).any():
        raise SearchError("a trace has other values than 0 and 1, and -1 for outputs that do not count")
    space = Netlists(given.shape[2], wanted.shape[2], registers)
    return Trace(packed(given), packed(wanted == 1), packed(wanted >= 0), space)


class Environment(Protocol):
    """A small world: bits to be seen, an action of bits, a reward."""

    def begin(self, episode: int) -> Sequence[int]:
        """Begins an episode by its number, which is all that chance may come from; what is seen first."""

    def step(self, action: Sequence[int]) -> tuple[Sequence[int], float, bool]:
        """Acts; what is seen then, the reward, and whether the episode is over."""


@made_by("reward", "ticks", "episodes", "seconds")
def reward(
    environment: Callable[[], Environment], inputs: int, outputs: int, registers: int = 0, *, ticks: int = 100,
    episodes: int = 16, seconds: float | None = SECONDS,
) -> Judged[Any]:  # fmt: skip
    """Reward in an environment: the error is minus the mean total reward over so many episodes of at most `ticks`.

    `seconds` is the limit for a generation, and for each candidate alone where that fails.
    """
    if ticks < 1 or episodes < 1:
        raise SearchError(f"{episodes} episodes of {ticks} ticks; expected 1 or more of each")

    def scores(nets: Sequence[Netlist]) -> Sequence[float]:
        return earned(nets, environment, ticks, episodes)

    return Judged(scores, Netlists(inputs, outputs, registers), seconds, together=True)


def earned(nets: Sequence[Netlist], environment: Callable[[], Environment], ticks: int, episodes: int) -> list[float]:
    """Minus the mean total reward of each."""
    together, space = swarm(list(nets), threads=1), nets[0]
    worlds = [[environment() for _ in range(episodes)] for _ in nets]
    seen = np.array([[world.begin(number) for number, world in enumerate(row)] for row in worlds], np.uint8)
    over, total = np.zeros((len(nets), episodes), bool), np.zeros((len(nets), episodes))
    held = np.zeros((len(nets), space.registers, -(-episodes // 64)), np.uint64)
    for _ in range(ticks):
        after = together.outputs(np.concatenate([_words(seen), held], axis=1))
        acts, held = (
            _bits(after[:, : len(space.outputs)], episodes),
            np.ascontiguousarray(after[:, len(space.outputs) :]),
        )
        for net, episode in np.argwhere(~over):
            bits, gained, ended = worlds[net][episode].step(acts[net, episode].tolist())
            seen[net, episode], over[net, episode] = bits, ended
            total[net, episode] += gained
        if over.all():
            break
    return [float(-mean) for mean in total.mean(axis=1)]


def packed(bits: NDArray[Any]) -> Words:
    """uint64[ticks, wires, words] of [runs, ticks, wires]: run r is bit r of the words."""
    return words_of(np.moveaxis(bits, 0, -1))


def _words(seen: NDArray[np.uint8]) -> Words:
    """uint64[programs, wires, words] of [programs, episodes, wires]."""
    return words_of(np.moveaxis(seen, 1, -1))


def _bits(words: Words, episodes: int) -> NDArray[np.uint8]:
    """[programs, episodes, wires] of uint64[programs, wires, words]."""
    return np.moveaxis(bits_of(words, episodes), -1, 1)
