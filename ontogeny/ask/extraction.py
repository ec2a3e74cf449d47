"""What of its training sequences a model says by itself: given the beginning of one, does it go on with the rest.

The continuation is greedy, the likeliest token each time, from the run's own `predict` (Carlini et al. 2023, arXiv
2202.07646, call a sequence extractable whose continuation is then exact). Held-out windows are asked in the same way:
what is right there was not learnt by heart, so they are the baseline. A window's text may stand elsewhere in the
training data too; that is not looked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.ask.carry import wide
from ontogeny.ask.items import Floats, Named, parts_of
from ontogeny.ask.what_if import PREDICT
from ontogeny.data.base import Array
from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Program
from ontogeny.isa.rules import routine_results
from ontogeny.isa.sizes import Size
from ontogeny.machine.reads import reads
from ontogeny.record.recorded import Recorded

TOLERANCE = 1e-3
"""By how much scores may differ when only later tokens do, for the model to count as causal."""


@dataclass(frozen=True)
class Continued:
    """Windows continued for `length` tokens after `prefix`: how many of these were right before the first that was not,
    i64[windows], and the share of all that were, f64[windows]."""

    prefix: int
    length: int
    until: npt.NDArray[np.int64]
    matched: Floats

    @property
    def exact(self) -> npt.NDArray[np.bool_]:
        """Which were continued exactly."""
        return np.asarray(self.until == self.length)

    def as_json(self) -> dict[str, Any]:
        """In sum: how many, the share continued exactly, and the mean shares of tokens that are right."""
        shares = {"exact": self.exact.astype(np.float64), "tokens": self.matched}
        shares["until_first_error"] = self.until / self.length
        about = {"windows": len(self.until), "prefix": self.prefix, "length": self.length}
        return {**about, **{name: float(one.mean()) for name, one in shares.items()}}


class Continuing:
    """Continues sequences by a run's `predict`. Raises RecordError for a run whose examples are no such sequences."""

    def __init__(self, run: Recorded, label: str) -> None:
        self.run, self.label = run, label
        self.tokens = tokens_of(run.program, label)
        if not self.tokens:
            raise RecordError(
                f"no example can be continued: that takes a routine {PREDICT!r} that gives scores for the token after "
                f"each place of an input of whole numbers, such as predict=lambda model, batch: model(batch['x'])"
            )
        shape = run.program.decl(self.tokens).type.shape
        self._rows = 0 if isinstance(shape[0], Size) else int(shape[0])
        self.context = int(shape[1])
        self._machine = run._seat.another()

    def load(self, registers: Named) -> None:
        """The registers to continue by."""
        self._machine.load(registers)

    def __call__(self, arrays: Named, dials: dict[str, float], prefix: int = 0, length: int = 0) -> Continued:
        """Windows (by input name, as the run is trained on) after `prefix` of their tokens, for `length` tokens.

        By default after half of a window, to its end. Raises RecordError for lengths that do not fit a window, for
        windows whose labels are not their tokens one place on, and for a model that looks ahead.
        """
        context = self.context
        prefix = prefix or context // 2
        length = length or context + 1 - prefix
        if prefix < 1 or length < 1 or prefix + length > context + 1:
            raise RecordError(f"{length} tokens after {prefix} do not fit a window of {context}; choose at most "
                              f"{context + 1} in all")  # fmt: skip
        given = np.asarray(arrays[self.tokens])
        whole = np.concatenate([given, np.asarray(arrays[self.label])[:, -1:]], axis=1)
        if not np.array_equal(whole[:, 1:], arrays[self.label]):
            raise RecordError(
                f"{self.label!r} is not {self.tokens!r} one place on, so how a window goes on is not known"
            )
        self._check_causal({name: a[:2] for name, a in arrays.items()}, dials, prefix)
        said = given.copy()
        said[:, prefix:] = 0
        last = np.zeros(len(said), said.dtype)
        for place in range(prefix, prefix + length):
            last = self._scores({**arrays, self.tokens: said}, dials, place - 1).argmax(axis=-1)
            if place < context:
                said[:, place] = last
        said = np.concatenate([said, last[:, None]], axis=1)[:, prefix : prefix + length]
        right = said == whole[:, prefix : prefix + length]
        return Continued(prefix, length, np.cumprod(right, axis=1).sum(axis=1), right.mean(axis=1))

    def _scores(self, arrays: Named, dials: dict[str, float], place: int) -> Array:
        """Scores for the token after a place, [windows, tokens]."""
        found = []
        for part, count in parts_of(arrays, self._rows):
            results = self._machine.call(PREDICT, part, dials)
            rank = next(one for one in results.values() if one.ndim == 3 and one.shape[1] == self.context)
            found.append(wide(rank[:count, place]))
        return np.concatenate(found)

    def _check_causal(self, arrays: Named, dials: dict[str, float], prefix: int) -> None:
        if prefix >= self.context:
            return
        tokens = np.asarray(arrays[self.tokens])
        other = tokens.copy()
        other[:, prefix:] = np.where(tokens[:, prefix:] == 0, 1, 0)
        one, two = (self._scores({**arrays, self.tokens: t}, dials, prefix - 1) for t in (tokens, other))
        if not np.allclose(one, two, atol=TOLERANCE):
            raise RecordError(
                "the model looks ahead (scores at a place depend on later tokens), so it continues nothing"
            )


def tokens_of(program: Program, label: str) -> str:
    """The input of tokens [batch, context] that `predict` turns into scores [batch, context, tokens], where labels
    have the same shape; empty where there is none."""
    if not program.has(PREDICT):
        return ""
    wanted = reads(program, program.routine(PREDICT))
    shapes = [type_.shape for type_ in routine_results(program, program.routine(PREDICT))]
    labels = next((decl.type.shape for decl in program.of("input") if decl.name == label), ())
    for decl in program.of("input"):
        shape = decl.type.shape
        whole = len(shape) == 2 and decl.name in wanted and decl.type.dtype.name.lower().startswith(("i", "u"))
        if whole and shape == labels and any(len(one) == 3 and one[:2] == shape for one in shapes):
            return decl.name
    return ""
