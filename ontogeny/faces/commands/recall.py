"""ontogeny recall"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer
from rich.console import Console

from ontogeny.ask.left_out import LeftOut, in_all, left_out
from ontogeny.ask.recall import CONTINUED, MOST, recall
from ontogeny.ask.subsets import Agreement, Estimated, agreement, by_subsets
from ontogeny.faces.numbers import step_of
from ontogeny.faces.progress import Busy
from ontogeny.faces.recall_words import say, say_estimated, say_left_out
from ontogeny.faces.sources import DataFile, RunName, opened
from ontogeny.faces.terminal import AsJson, answer
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.run import Run


def command(
    name: RunName,
    at: Annotated[str, typer.Option("--at", help="At which state: a number, or -10.")] = "last",
    examples: Annotated[str, typer.Option("--examples", help="Of these alone, such as 3,17,40:60.")] = "",
    most: Annotated[int, typer.Option("--most", min=1, help="Look at so many examples, evenly spaced.")] = MOST,
    count: Annotated[int, typer.Option("--top", min=0, help="Show so many items, the best known first.")] = 10,
    prefix: Annotated[int, typer.Option("--prefix", min=0, help="Continue sequences after so many tokens.")] = 0,
    length: Annotated[int, typer.Option("--length", min=0, help="For so many tokens; 0 to a window's end.")] = 0,
    continued: Annotated[int, typer.Option("--continued", min=1, help="So many sequences of them.")] = CONTINUED,
    gone: Annotated[str, typer.Option("--left-out", help="Train again without each of these examples.")] = "",
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that share these replays.")] = 1,
    subsets: Annotated[int, typer.Option("--subsets", min=0, help="Estimate it for all, by so many retrainings.")] = 0,
    share: Annotated[float, typer.Option("--share", help="Of the examples, how many each of them keeps.")] = 0.7,
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Say how exactly a run reproduces what it was trained on, and what it memorised.

    Item by item, against how often it was seen and when last, beside held-out examples; canaries where some were
    planted; and what of sequences can be had from their beginnings. --left-out says which examples are right only
    because they were trained on, by exact replay.
    """
    run = opened(name, file)
    step = step_of(at, run.step)
    with Busy(f"asking {name} what it recalls", as_json):
        found = recall(run, examples, step, prefix, length, most, continued)
        memorised = Asked.of(run, step, (gone, workers), (subsets, share))
    document: dict[str, Any] = {"run": run.folder.name, **found.as_json(), **memorised.as_json()}

    def words(console: Console) -> None:
        say(console, found, count)
        memorised.say(console, count)

    answer(document, as_json, words)


@dataclass(frozen=True)
class Asked:
    """What was asked beside: examples left out exactly, an estimate for all, and how the two compare."""

    exact: tuple[LeftOut, ...]
    estimated: Estimated | None

    @staticmethod
    def of(run: Run, step: int, gone: tuple[str, int], subsets: tuple[int, float]) -> Asked:
        """The examples to leave out and how many processes share that; retrainings, and the share each keeps."""
        if gone[1] > 1 and not gone[0]:
            raise OntogenyError("--workers share the replays of --left-out; name some examples with it")
        exact = left_out(run, gone[0], (step,), gone[1]) if gone[0] else ()
        return Asked(exact, by_subsets(run, *subsets, at=step) if subsets[0] else None)

    @property
    def compared(self) -> Agreement | None:
        """How the estimate compares with the exact answers, where there are both."""
        return agreement(self.estimated, self.exact) if self.estimated is not None else None

    def as_json(self) -> dict[str, Any]:
        """The same as a document, without what was not asked."""
        document: dict[str, Any] = {}
        if self.exact:
            document["left_out"] = {**asdict(in_all(self.exact)), "items": [one.as_json() for one in self.exact]}
        if self.estimated is not None:
            rows, both = self.estimated.as_json(), self.compared
            about = {"retrainings": self.estimated.retrainings, "against_exact": asdict(both) if both else None}
            document["estimated"] = {**about, "items": rows}
        return document

    def say(self, console: Console, count: int) -> None:
        """The tables for a person."""
        if self.exact:
            say_left_out(console, self.exact, in_all(self.exact), count)
        if self.estimated is not None:
            say_estimated(console, self.estimated, self.compared, count)
