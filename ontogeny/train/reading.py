"""A network that reads a text once: detectors of contexts by Hebb's rule, and a mixing that learns by gradients.

The settings were found on the last tenth of the training part of Python's own English (LOG.md says how many were
tried); they are those of `benches/text_bits.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ontogeny.data.base import Array
from ontogeny.front.rules import Rule, adamw
from ontogeny.train.neurons.contexts import Contexts
from ontogeny.train.neurons.mixing import Mixing, reading_loss
from ontogeny.train.online import Ints, Task

BATCH, REACH = 32, 32
SPANS, WORDS, FADING = (1, 2, 3, 4, 5, 6, 7, 8, 12, 18), (0, 1, 2), (1, 2, 3, 4, 5, 6)
RATE, COOLING = 8e-3, 5000
"""The rate of the mixing, which falls as 1 / sqrt(1 + letters read / `COOLING`)."""
ROWS = 1 << 22
ASCII = 128


def reader(
    wordly: Sequence[bool], spans: Sequence[int] = SPANS, words: Sequence[int] = WORDS,
    fading: Sequence[int] = FADING, rows: int = ROWS, seed: int = 0,
) -> Mixing:  # fmt: skip
    """A network of detectors of these contexts, and a mixing that has learned nothing; arguments as of `Contexts`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Mixing(Contexts(wordly, spans, words, fading, reach=REACH, rows=rows))


def stretches(given: Array, letters: int, reach: int = REACH) -> dict[str, Array]:
    """Every letter as an example: y i64[n], after x i64[n, reach]; before the first one there is no letter."""
    padded = np.concatenate([np.full(reach, letters), given])
    return {"x": np.lib.stride_tricks.sliding_window_view(padded, reach)[: len(given)].copy(), "y": given}


def cooled(rate: float = RATE) -> Rule:
    """AdamW without decay whose rate falls with what was read."""
    return adamw(lr=rate, weight_decay=0.0).with_schedule(lambda step: (step * (BATCH / COOLING) + 1.0) ** -0.5)


def of_read_text(symbols: Ints, bits: int, seed: int = 0) -> tuple[Task, float]:
    """Bytes [n] of a text, each by all contexts that it follows, and the bits that tell which of 2^`bits` occur.

    There is a row of the table for every synapse that the text can need, up to `ROWS`.
    """
    occurring, letters = np.unique(symbols, return_inverse=True)
    needed = letters.size * len((*SPANS, *WORDS, *FADING))
    model = reader([_wordly(byte) for byte in occurring.tolist()], rows=min(ROWS, 1 << needed.bit_length()), seed=seed)
    examples = stretches(letters.astype(np.int64), len(occurring))
    return Task(examples, model, reading_loss, BATCH, cooled()), float(1 << bits)


def _wordly(byte: int) -> bool:
    """Whether words are made of a byte of UTF-8: of letters, digits, underscores, and all parts of other letters."""
    return byte >= ASCII or chr(byte).isalnum() or chr(byte) == "_"
