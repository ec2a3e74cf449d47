"""ontogeny capacity"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.ask.capacity import Capacity, capacity
from ontogeny.ask.held import Held, codes, held_words, most_words
from ontogeny.ask.target_bits import Reference
from ontogeny.faces.capacity_picture import draw, draw_sizes
from ontogeny.faces.outputs import SPELT, place
from ontogeny.faces.picture import save
from ontogeny.faces.progress import Busy
from ontogeny.faces.sources import DataFile, RunNames, opened, told_apart
from ontogeny.faces.terminal import AsJson, amount, answer, number, table, tell
from ontogeny.steer.sentences import counted


def command(
    names: RunNames,
    at: Annotated[int | None, typer.Option("--at", min=0, help="At this step; else where it stands.")] = None,
    against: Annotated[
        str, typer.Option("--against", help="A run that has not seen the examples, for real data.")
    ] = "",
    every: Annotated[
        int, typer.Option("--every", min=1, help="Of the examples every so many, where they overlap.")
    ] = 1,
    file: DataFile = "",
    output: Annotated[str, typer.Option(*SPELT, help="Draw it by step and by data; PNG and SVG are written.")] = "",
    points: Annotated[int, typer.Option("--points", min=2, help="Steps of each run in the picture.")] = 8,
    as_json: AsJson = False,
) -> None:
    """Say how many bits of its data a run holds, and how many per parameter; and how short it makes the data.

    On uniformly random targets what the run saves over the raw code is what it memorised. Of several runs on growing
    data the most that any holds is the capacity: `examples/strings.py` makes them, and --output draws the curve to its
    plateau. On real data part of that is understood; --against tells it apart, by what a run saves over another one
    that never saw them. Of several runs that is a curve over data for each number of parameters:
    `examples/passages.py` makes them.
    """
    target = place(output, "capacity.png") if output else None
    courses = dict[str, list[Capacity]]()
    with Busy(f"weighing what {', '.join(names)} {'holds' if len(names) == 1 else 'hold'}", as_json):
        other = Reference(opened(against, "")) if against else None
        runs = told_apart([opened(one, file) for one in names])
        whole = target is not None and (other is None or len(runs) == 1)
        for name, run in runs.items():
            last = run.step if at is None else at
            steps = sorted({last * one // (points - 1) for one in range(points)} if whole else {last})
            courses[name] = [capacity(run, step, other, every) for step in steps]
    found = Held({name: course[-1] for name, course in courses.items()})
    files = save(draw_sizes(found.sizes) if found.sizes else draw(courses), target) if target else []
    for written in files:
        tell(f"wrote {escape(str(written))}")
    answer(found.as_json(), as_json, lambda console: _words(found)(console, found))


def _words(found: Held) -> Callable[[Console, Held], None]:
    """How it is said: of one run, of several, or of several beside a reference."""
    if len(found.ends) == 1:
        return say
    return say_sizes if found.sizes else say_several


def say_several(console: Console, found: Held) -> None:
    """A row for each run, those with the least data first."""
    shown = table("bits for each parameter", run="left", parameters="right", step="right", data="right", held="right",
                  share="right")  # fmt: skip
    for name, one in found.least_data_first:
        data = number(one.uniform / one.parameters)
        held = number(one.per_parameter), f"{one.memorised / one.uniform:.1%}"
        shown.add_row(escape(name), amount(one.parameters), str(one.step), data, *held)
    console.print(shown)
    console.print(escape(most_words(found)), soft_wrap=True)


def say_sizes(console: Console, found: Held) -> None:
    """A row for each point of each curve, those with the fewest parameters first."""
    shown = table("bits for each parameter, beyond the reference", run="left", parameters="right", data="right",
                  held="right", share="right", by_luck="right")  # fmt: skip
    targets = table("bits a target", parameters="right", data="right", learned_from="right", held_out="right",
                    reference="right")  # fmt: skip
    for curve in found.sizes:
        for point in curve.points:
            size, data = amount(curve.parameters), number(point.data)
            between = f" ({number(point.least)} to {number(point.most)})" if len(point.runs) > 1 else ""
            held = number(point.held) + between
            run = escape(point.runs[0]) if len(point.runs) == 1 else counted(len(point.runs), "run")
            shown.add_row(run, size, data, held, f"{point.share:.1%}", _known(point.luck))
            targets.add_row(size, data, number(point.own), _known(point.unseen), number(point.theirs))
    console.print(shown)
    console.print(targets)
    for line in found.size_lines:
        console.print(escape(line), soft_wrap=True)


def _known(value: float | None) -> str:
    return "-" if value is None else number(value)


def say(console: Console, found: Held) -> None:
    """Of one run the codes, what is memorised, and the whole descriptions."""
    (one,) = found.ends.values()
    shown = table(f"{amount(one.targets)} targets of {one.classes} classes, at step {one.step}",
                  code="left", bits="right", a_target="right")  # fmt: skip
    for words, bits in codes(one):
        shown.add_row(words, amount(bits), number(bits / one.targets))
    console.print(shown)
    for sentence in held_words(one):
        console.print(escape(sentence), soft_wrap=True)
    sent = table("whole descriptions of the targets", way="left", bits="right", of_raw="right")
    for way in sorted(one.descriptions, key=lambda way: way.bits):
        sent.add_row(way.name.replace("_", " "), amount(way.bits), f"{way.bits / one.uniform:.1%}")
    console.print(sent)
