"""All that is asked at once of what a run remembers, in figures and in sentences: its items (`recall.py`), examples
left out one by one (`left_out.py`), an estimate for all (`subsets.py`), and how exact and estimated answers compare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ontogeny.ask.extraction import Continued
from ontogeny.ask.items import WITHIN
from ontogeny.ask.left_out import InAll, LeftOut, in_all, left_out
from ontogeny.ask.memorised import Side
from ontogeny.ask.recall import CONTINUED, MOST, Group, Recall, recall
from ontogeny.ask.subsets import SHARE, Agreement, Estimated, agreement, by_subsets, enough
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.recorded import Recorded

NAMED = 5
"""Items that the sentences name."""


@dataclass(frozen=True)
class Remembered:
    """What a run recalls at a step; and, where that was asked, examples left out exactly, and an estimate."""

    recall: Recall
    exact: tuple[LeftOut, ...] = ()
    estimated: Estimated | None = None

    @property
    def compared(self) -> Agreement | None:
        """How the estimate compares with the exact answers, where there are both."""
        return agreement(self.estimated, self.exact) if self.estimated is not None else None

    def as_json(self) -> dict[str, Any]:
        """Everything as plain values, without what was not asked."""
        document = self.recall.as_json()
        if self.exact:
            document["left_out"] = {**asdict(in_all(self.exact)), "items": [one.as_json() for one in self.exact]}
        if self.estimated is not None:
            rows, both = self.estimated.as_json(), self.compared
            about = {"retrainings": self.estimated.retrainings, "against_exact": asdict(both) if both else None}
            document["estimated"] = {**about, "items": rows}
        return document

    @property
    def lines(self) -> list[str]:
        """What is found, without the table of all items."""
        found = [*_sides(self.recall), *target_words(self.recall), *index_words(self.recall), *_grouped(self.recall)]
        found += [*continued_words(self.recall), *_known_best(self.recall)]
        found += left_out_words(in_all(self.exact)) if self.exact else []
        return [*found, *(estimated_words(self.estimated, self.compared) if self.estimated is not None else [])]


def remembered(
    run: Recorded,
    examples: str = "",
    at: int | None = None,
    most: int = MOST,
    sequences: tuple[int, int, int] = (0, 0, CONTINUED),
    without: tuple[str, int] = ("", 1),
    subsets: tuple[int, float] = (0, SHARE),
) -> Remembered:
    """What is asked of a run at a state (default: the present one).

    `sequences` are the prefix and the length of those that are continued, and how many of them; `without` the examples
    to leave out, and how many processes share that; `subsets` how many retrainings estimate it for all, and the share
    of the examples that each keeps. Raises RecordError or DataError for what the run has not.
    """
    step, (prefix, length, continued), (gone, workers) = run.step if at is None else at, sequences, without
    if workers > 1 and not gone:
        raise OntogenyError("several workers share the replays of --left-out; name some examples with it")
    found = recall(run, examples, step, prefix, length, most, continued)
    exact = left_out(run, gone, (step,), workers) if gone else ()
    return Remembered(found, exact, by_subsets(run, *subsets, at=step) if subsets[0] else None)


def index_words(found: Recall) -> list[str]:
    """The memorisation index, where there are canaries."""
    index = found.memorised.index
    if index is None:
        return []
    return [
        f"memorisation index {index.value:.3f} ({index.low:.3f} to {index.high:.3f}): {index.known:.1%} of "
        f"{index.canaries} canaries are known, {index.by_chance:.1%} of {index.controls} that were in no batch"
    ]


def target_words(found: Recall) -> list[str]:
    """What loss and right mean where targets are no classes."""
    if found.classes:
        return []
    return [
        "targets are real numbers: the loss is how far off an example is (root mean square), and right is what is "
        f"within {WITHIN:.0%} of their standard deviation"
    ]


def continued_words(found: Recall) -> list[str]:
    """How sequences are continued, or why none is."""
    both = (("training items", found.continued), ("held-out windows", found.baseline))
    said = [_continued(what, one) for what, one in both if one is not None]
    return said or ([f"not continued: {found.silent}"] if found.silent else [])


def left_out_words(whole: InAll) -> list[str]:
    """Examples that were left out one by one, together."""
    share = f"{whole.memorised:.1%} ({whole.low:.1%} to {whole.high:.1%}) of {whole.right} that are right, among"
    return [
        f"{share if whole.right else 'none is right, so none of'} {whole.examples} examples left out are right only "
        f"where they were trained on; {whole.by_chance:.1%} are lost by chance, where another one was left out",
        f"an example costs {whole.needed:.4g} more without itself, {whole.needed_by_chance:.4g} more without another",
    ]


def estimated_words(found: Estimated, both: Agreement | None) -> list[str]:
    """An estimate for all examples, how far it can be off, and how it compares with exact answers."""
    known = np.isfinite(found.memorised)
    share = f"{float(found.memorised[known].mean()):.1%} memorised in the mean over" if known.any() else "nothing of"
    said = [f"estimated by {found.retrainings} retrainings: {share} {int(known.sum())} examples{_error(found)}"]
    if short := int((~np.isfinite(found.memorised_error)).sum()):
        said.append(
            f"no error is told of {short} of {len(found.numbers)} examples, which too few retrainings had or lacked; "
            f"{enough(found.share)} retrainings or more (--subsets {enough(found.share)}) give nearly all one"
        )
    if both is not None:
        said.append(
            f"against {both.examples} left out exactly: correlation {both.correlation:.2f}, off by {both.bias:.4g} in "
            f"the mean and {both.error:.4g} root mean square"
        )
    return said


def _error(found: Estimated) -> str:
    errors = found.memorised_error[np.isfinite(found.memorised_error)]
    return f"; the standard error of one example is {float(errors.mean()):.1%}" if len(errors) else ""


def _sides(found: Recall) -> Iterator[str]:
    sides: Sequence[tuple[str, Side | None]] = (
        ("trained on", found.memorised.train),
        ("held out", found.memorised.valid),
    )
    for name, side in sides:
        if side is not None:
            shares = f"{side.right:.1%} of the targets right, {side.exact:.1%} reproduced exactly"
            yield f"{name}: {side.examples} examples, loss {side.loss:.4g}, {shares}"


def _grouped(found: Recall) -> Iterator[str]:
    seen = ", ".join(f"{_span(one, 'time')} {one.exact:.1%} of {one.items}" for one in found.by_seen)
    ago = ", ".join(f"{_span(one, 'step')} ago {one.exact:.1%} of {one.items}" for one in found.by_recency)
    yield f"reproduced exactly, by how often seen: {seen}"
    if ago:
        yield f"and by when seen last: {ago}"


def _span(one: Group, noun: str) -> str:
    count = str(one.low) if one.low == one.high else f"{one.low} to {one.high}"
    return f"{count} {noun}{'s' * (one.high != 1)}"


def _continued(what: str, one: Continued) -> str:
    told = one.as_json()
    return (
        f"{told['exact']:.1%} of {told['windows']} {what} continued exactly, {one.length} tokens after {one.prefix}; "
        f"{told['tokens']:.1%} of the tokens right, the first error after {told['until_first_error']:.1%} of them"
    )


def _known_best(found: Recall) -> list[str]:
    order = np.argsort(found.items.loss, kind="stable")[:NAMED]
    named = (f"{int(found.numbers[at])} (loss {found.items.loss[at]:.3g}, seen {int(found.seen[at])})" for at in order)
    return [f"known best: examples {', '.join(named)}"] if len(order) else []
