"""How many bits the held-out characters of `text` cost: by compressors, and by networks that read on or do not.

A compressor adapts: what it is charged for the held-out text is what both texts take together less what the first one
takes alone. A network is held to the same where it goes on learning: one pass over both texts in their order, each
batch paid for before it is learned from (the prequential code, Dawid 1984). A static network learns nothing of the
held-out text. All are given the same: places in one alphabet, a byte each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from ontogeny.ask.capacity import read_once
from ontogeny.ask.compressors import bits_of
from ontogeny.ask.streams.stream import Stream
from ontogeny.ask.streams.texts import mixture
from ontogeny.claims.tasks.losses import bits
from ontogeny.claims.tasks.text import HELD_OUT, LEARNT, alphabet, codes
from ontogeny.data.arrays import Arrays
from ontogeny.data.base import Array
from ontogeny.front.capture import capture
from ontogeny.front.rules import Rule
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.record.run import Run
from ontogeny.record.temporary import temporary
from ontogeny.train.neurons.mixing import Mixing, reading_loss
from ontogeny.train.reading import BATCH, FADING, ROWS, SPANS, WORDS, reader, stretches


def compressed(name: str, learnt: Array, held_out: Array) -> float:
    """Bits a held-out character that a compressor takes once it has read the other text; both are codes below 256."""
    first, both = (given.astype(np.uint8).tobytes() for given in (learnt, np.concatenate([learnt, held_out])))
    return (bits_of(name, both) - bits_of(name, first)) / len(held_out)


def mixed(learnt: Array, held_out: Array) -> float:
    """The same by the strongest code of `ask.streams`: contexts mixed bit by bit, of bytes in Latin 1.

    The two texts are codes; a letter that Latin 1 lacks is a question mark.
    """
    letters = np.frombuffer(alphabet().encode("latin-1", "replace"), np.uint8)
    first, both = (letters[given].astype(np.int64) for given in (learnt, np.concatenate([learnt, held_out])))
    alone, after = (mixture(Stream("text", "text", symbols, 8, 1.0, "codes")).bits for symbols in (first, both))
    return (after - alone) / len(held_out)


def network(
    spans: Sequence[int] = SPANS, words: Sequence[int] = WORDS, fading: Sequence[int] = FADING, rows: int = ROWS,
    seed: int = 0,
) -> Mixing:  # fmt: skip
    """A `reader` of the alphabet, whose mixing begins as a seed draws it."""
    return reader([letter.isalnum() or letter == "_" for letter in alphabet()], spans, words, fading, rows, seed)


@contextmanager
def reading(model: Mixing, text: Array, rule: Rule, *, seed: int = 0, mode: str = "fast") -> Iterator[Run]:
    """A run at step 0 that reads a text once, in order, `BATCH` characters a step. It is gone when the block ends."""
    given = stretches(text, len(alphabet()))
    example = {name: values[:BATCH] for name, values in given.items()}
    learner = capture(model, reading_loss, rule, example, predict=lambda m, batch: m(batch["x"]))
    data = Arrays(given, batch_size=BATCH, shuffle=False, drop_last=False)
    with temporary(learner, data, seed=seed, options={"mode": mode}) as run:
        yield run


def adaptive(run: Run, first: int) -> float:
    """Bits a character from number `first` to where the run stands, each as the network stood when it met it."""
    return read_once(run, first) / (run.step * BATCH - first)


def static(run: Run, text: Array, at: int, first: int, stretch: int = 250) -> float:
    """Bits a character of a text from number `first` on, by a run as it was at a step; it learns nothing from them."""
    machine = CompiledMachine(run.program)
    machine.load(run.state(at))
    given, cost = stretches(text, len(alphabet())), 0.0
    for begin in range(first, len(text), stretch):
        x, y = (given[name][begin : begin + stretch] for name in ("x", "y"))
        (scores,) = machine.call("predict", {"x": x, "y": y}, run.dials(at)).values()
        cost += bits(scores, y)
    return cost / (len(text) - first)


def whole() -> Array:
    """Both texts one after another, as codes: i64[`LEARNT` + `HELD_OUT`]."""
    text = np.concatenate(codes())
    assert len(text) == LEARNT + HELD_OUT
    return text
