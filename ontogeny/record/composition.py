"""What journal entries make of the batches: which examples are left out, learned also, mixed in, and were added."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ontogeny.data.composed import Also, Mix, groups
from ontogeny.data.without import Ranges, members
from ontogeny.record.journal import Entry

WITHOUT = "without"
TAKE_BACK = "take_back"
LEARN_ALSO = "learn_also"
STOP_ALSO = "stop_also"
MIX = "mix"


@dataclass(frozen=True, slots=True)
class Added:
    """Examples that came with an entry: their numbers from `first` on, and by which hash their arrays are kept."""

    first: int
    count: int
    content: str
    bf16: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Composition:
    """What a step's batch is composed of, beside the data's own batch.

    Groups are told apart by their examples: the same ones again replace what was said of them before. What is left out
    is in no batch, whatever else is said of it, until it is taken back.
    """

    left_out: frozenset[int] = frozenset()
    mixed: tuple[Mix, ...] = ()
    also: tuple[Also, ...] = ()
    added: tuple[Added, ...] = ()

    def after(self, entry: Entry) -> Composition:
        """What it is from an entry's step on."""
        return MEANINGS[entry.kind](self, entry)

    def drawn(self) -> Iterator[Added]:
        """The added examples that some group draws from."""
        runs = [run for group in groups(self.mixed, self.also) for run in group.examples]
        for one in self.added:
            if any(first < one.first + one.count and one.first < stop for first, stop in runs):
                yield one

    def count(self, own: int) -> int:
        """How many numbers there are, of which the data itself has the first `own`."""
        return max([own, *(one.first + one.count for one in self.added)])


def runs_of(entry: Entry) -> Ranges:
    """The examples of an entry, as runs (first, one past the last)."""
    return as_ranges(entry["examples"])


def as_ranges(runs: Iterable[Sequence[int]]) -> Ranges:
    """Runs as JSON has them, as they are compared."""
    return tuple((int(first), int(stop)) for first, stop in runs)


def _without(before: Composition, entry: Entry) -> Composition:
    return replace(before, left_out=before.left_out | members(runs_of(entry)))


def _take_back(before: Composition, entry: Entry) -> Composition:
    return replace(before, left_out=before.left_out - members(runs_of(entry)))


def _learn_also(before: Composition, entry: Entry) -> Composition:
    examples = runs_of(entry)
    also = (*(one for one in before.also if one.examples != examples), Also(examples, entry["rows"], entry.at))
    if "content" not in entry.content:
        return replace(before, also=also)
    ((first, stop),) = examples
    added = Added(first, stop - first, entry["content"], tuple(entry["bf16"]))
    return replace(before, also=also, added=(*before.added, added))


def _stop_also(before: Composition, entry: Entry) -> Composition:
    if "examples" not in entry.content:
        return replace(before, also=())
    return replace(before, also=tuple(one for one in before.also if one.examples != runs_of(entry)))


def _mix(before: Composition, entry: Entry) -> Composition:
    examples, share = runs_of(entry), entry["share"]
    others = tuple(one for one in before.mixed if one.examples != examples)
    return replace(before, mixed=(*others, Mix(examples, share, entry.at)) if share else others)


MEANINGS: dict[str, Callable[[Composition, Entry], Composition]] = {
    WITHOUT: _without,
    TAKE_BACK: _take_back,
    LEARN_ALSO: _learn_also,
    STOP_ALSO: _stop_also,
    MIX: _mix,
}
"""The kinds of entries about examples, and what each makes of the composition before it."""
