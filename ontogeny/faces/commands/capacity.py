"""ontogeny capacity"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from ontogeny.ask.capacity import Capacity, capacity
from ontogeny.faces.progress import Busy
from ontogeny.faces.sources import DataFile, RunName, opened
from ontogeny.faces.terminal import AsJson, amount, answer, number, table


def command(
    name: RunName,
    at: Annotated[int | None, typer.Option("--at", min=0, help="At this step; else where it stands.")] = None,
    against: Annotated[
        str, typer.Option("--against", help="A run that has not seen the examples, for real data.")
    ] = "",
    every: Annotated[
        int, typer.Option("--every", min=1, help="Of the examples every so many, where they overlap.")
    ] = 1,
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Say how many bits of its data a run holds, and how many per parameter; and how short it makes the data.

    On uniformly random targets what the run saves over the raw code is what it memorised: that is a model's capacity.
    On real ones part of that is understood; --against tells it apart, by what it saves over a run that never saw them.
    """
    with Busy(f"weighing what {name} holds", as_json):
        found = capacity(opened(name, file), at, opened(against, "") if against else None, every)
    answer(found.as_json(), as_json, lambda console: say(console, found))


def say(console: Console, found: Capacity) -> None:
    """The codes, what is memorised, and the whole descriptions."""
    shown = table(f"{amount(found.targets)} targets of {found.classes} classes, at step {found.step}",
                  code="left", bits="right", a_target="right")  # fmt: skip
    rows = [
        ("all classes alike", found.uniform),
        ("by how frequent they are", found.frequencies),
        ("by the run", found.model),
    ]
    if found.against is not None:
        rows.append(("by the other run", found.against))
    for words, bits in rows:
        shown.add_row(words, amount(bits), number(bits / found.targets))
    console.print(shown)
    held = f"[bold]{number(found.per_parameter)}[/] bits a parameter over the raw code ({amount(found.memorised)} bits"
    console.print(f"{held}, {amount(found.parameters)} parameters of {found.parameter_bits} bits)", soft_wrap=True)
    if found.unintended is not None:
        share = number(found.unintended / found.parameters)
        console.print(
            f"[bold]{share}[/] bits a parameter are memorised beyond what the other run knows", soft_wrap=True
        )
    sent = table("whole descriptions of the targets", way="left", bits="right", of_raw="right")
    for one in sorted(found.descriptions, key=lambda one: one.bits):
        sent.add_row(one.name.replace("_", " "), amount(one.bits), f"{one.bits / found.uniform:.1%}")
    console.print(sent)
