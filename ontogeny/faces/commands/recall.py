"""ontogeny recall"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from ontogeny.ask.left_out import in_all
from ontogeny.ask.recall import CONTINUED, MOST
from ontogeny.ask.remembered import remembered
from ontogeny.ask.subsets import SHARE
from ontogeny.faces.numbers import step_of
from ontogeny.faces.progress import Busy
from ontogeny.faces.recall_words import say, say_estimated, say_left_out
from ontogeny.faces.sources import DataFile, RunName, opened
from ontogeny.faces.terminal import AsJson, answer


def command(
    name: RunName,
    at: Annotated[str, typer.Option("--at", help="At which state: a number, or -10.")] = "last",
    examples: Annotated[str, typer.Option("--examples", help="Of these alone, such as 3,17,40:60.")] = "",
    most: Annotated[int, typer.Option("--most", min=1, help="Look at so many examples, evenly spaced.")] = MOST,
    count: Annotated[int, typer.Option("--top", min=0, help="Show so many items, the best known first.")] = 10,
    prefix: Annotated[int, typer.Option("--prefix", min=0, help="Continue sequences after so many tokens.")] = 0,
    length: Annotated[int, typer.Option("--length", min=0, help="For so many tokens; 0 to a window's end.")] = 0,
    continued: Annotated[int, typer.Option("--continued", min=1, help="So many sequences of them.")] = CONTINUED,
    left_out: Annotated[str, typer.Option("--left-out", help="Train again without each of these examples.")] = "",
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that share these replays.")] = 1,
    subsets: Annotated[int, typer.Option("--subsets", min=0, help="Estimate it for all, by so many retrainings.")] = 0,
    share: Annotated[float, typer.Option("--share", help="Of the examples, how many each of them keeps.")] = SHARE,
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
        found = remembered(
            run, examples, step, most, (prefix, length, continued), (left_out, workers), (subsets, share)
        )

    def words(console: Console) -> None:
        say(console, found.recall, count)
        if found.exact:
            say_left_out(console, found.exact, in_all(found.exact), count)
        if found.estimated is not None:
            say_estimated(console, found.estimated, found.compared, count)

    answer({"run": run.folder.name, **found.as_json()}, as_json, words)
