"""ontogeny fork"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer
from rich.markup import escape

from ontogeny.faces.foretelling import tell
from ontogeny.faces.numbers import numbers
from ontogeny.faces.programs import load_program
from ontogeny.faces.running import check_steps, document, go_on
from ontogeny.faces.sources import DataFile, Dry, RunName, fresh, opened
from ontogeny.faces.terminal import AsJson, answer
from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.hints import typed
from ontogeny.isa.program import Program
from ontogeny.record.creating import check_dial
from ontogeny.record.forking import change_of
from ontogeny.record.run import Run
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.command import Preview
from ontogeny.steer.commands.dials import check_bounds
from ontogeny.steer.commands.places import Fork
from ontogeny.steer.conditions import condition
from ontogeny.steer.costs import replayed, seconds
from ontogeny.steer.places import step_of
from ontogeny.steer.sentences import counted, settings
from ontogeny.steer.session import Session


def command(
    name: RunName,
    step: Annotated[
        str, typer.Argument(help="Where to branch: a step, last, -10 (ten before), a mark, 'before it generalised'.")
    ],
    dials: Annotated[list[str] | None, typer.Argument(metavar="[DIAL=VALUE]...", help="Dials from there on.")] = None,
    dial: Annotated[list[str] | None, typer.Option("--dial", metavar="NAME=VALUE", help="The same.")] = None,
    as_name: Annotated[str, typer.Option("--name", help="What to call the fork.")] = "",
    steps: Annotated[int, typer.Option("--steps", help="Let it go on for so many steps.")] = 0,
    until: Annotated[str, typer.Option("--until", help='With --steps: stop early, at "valid.accuracy >= 0.99".')] = "",
    program: Annotated[
        str, typer.Option("--program", metavar="FILE", help="Go by this program from there on: text, or encoded.")
    ] = "",
    author: Annotated[str, typer.Option("--author", help="Who forks, for the journal.")] = "you",
    file: DataFile = "",
    dry: Dry = False,
    as_json: AsJson = False,
) -> None:
    """Start a new run from any step of another. It copies nothing, and its parent stays as it is."""
    turned, parent = numbers([*(dials or []), *(dial or [])]), opened(name, file)
    check_bounds(turned)
    at, other = step_of(parent, step)[0], load_program(program) if program else None
    check_steps(steps)
    if until:
        check_until(parent, until, steps)
    if dry:
        check(parent, at, turned, other)
        further = further_words(turned, program, steps, until, at)
        return tell([foretold(parent, Fork(at=str(at), name=as_name), further, at, steps)], as_json)
    child = parent.fork(at, fresh(as_name or f"{parent.folder.name}-{at}"), turned, program=other, author=author)
    if steps:
        return go_on(child, steps, condition(child, until) if until else None, as_json)
    by = " and goes on by another program" if other else ""
    words = f"[bold]{escape(child.folder.name)}[/] branches from {escape(parent.folder.name)} at step {at}{by}"
    hint = f"[dim]{escape(typed('resume', child.folder.name, '--steps', 'N'))} lets it go on[/]"
    answer(document(child), as_json, lambda console: console.print(f"{words}\n{hint}", soft_wrap=True))


def check_until(parent: Run, until: str, steps: int) -> None:
    """Raises OntogenyError for what is no condition, or for one that nothing is taken until."""
    condition(parent, until)
    if not steps:
        raise OntogenyError(f"a fork that takes no steps does not wait until {until}; give --steps, how many at most")


def check(parent: Run, at: int, dials: Mapping[str, float], program: Program | None) -> None:
    """Raises OntogenyError where such a fork could not be made."""
    source = parent.as_of(at)
    for dial, value in dials.items():
        check_dial(program or source.program, dial, value)
    if program is not None:
        change_of(source, at, program, dials, {})


def further_words(dials: Mapping[str, float], program: str, steps: int, until: str, at: int) -> str:
    """What becomes of the fork beside being made."""
    said = [f"with {settings(dials)}"] if dials else []
    said += [f"by the program of {program}"] if program else []
    goal = f" until {until}, at most" if until else " for"
    said += [f"and take it on{goal} {counted(steps, 'step')}, to {at + steps:,}"] if steps else []
    return "".join(f", {one}" for one in said)


def foretold(parent: Run, fork: Fork, further: str, at: int, steps: int) -> Preview:
    """What making the fork and all that follows would do, and how long it takes."""
    made = fork.foretell(Session(RunsFolder(parent.folder.parent), parent.folder.name))
    computed = steps + replayed(parent, at) if steps else 0
    how_long = seconds(parent, computed) if steps else None
    return made.model_copy(update={"text": f"{made.text}{further}", "steps": computed, "seconds": how_long})
