"""ontogeny shrink"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.ask.laws.asked import quantity
from ontogeny.faces.experiments import arguments_of, load_experiment, pairs
from ontogeny.faces.outputs import SPELT
from ontogeny.faces.picture import save
from ontogeny.faces.progress import Live
from ontogeny.faces.shrink_picture import draw
from ontogeny.faces.shrink_words import planned, say
from ontogeny.faces.sources import Dry, RunName, fresh, opened
from ontogeny.faces.terminal import AsJson, answer, plain, tell
from ontogeny.isa.errors import SmallError
from ontogeny.machine.learner import Learner
from ontogeny.record.run import Run
from ontogeny.train.small.distil import Teaching
from ontogeny.train.small.shrink import shrink
from ontogeny.train.small.sizes import MILLISECONDS, OPERATIONS, PARAMETERS, Budget, parameters
from ontogeny.train.small.task import Task, task_of
from ontogeny.train.small.ways import DISTIL, MAGNITUDE, WAYS, Chosen, Plan, choose
from ontogeny.train.small.widths import Build, argument_of

BY = 10.0
LEAST = 300
"""Steps of a student at least, where nobody says how many; else so many times as many as the run has."""
TIMES = 3
OPTIONS_FILE = "The experiment's Python file: its width can be another. NAME=VALUE as the run was started with."


def command(
    name: RunName,
    options: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Of the --file.")] = None,
    by: Annotated[list[float] | None, typer.Option("--by", help="So many times fewer parameters; 10.")] = None,
    to: Annotated[str, typer.Option("--parameters", help="At most so many, such as 5k.")] = "",
    operations: Annotated[str, typer.Option("--operations", help="At most so many for an example.")] = "",
    milliseconds: Annotated[str, typer.Option("--milliseconds", help="At most so many for a batch, one thread.")] = "",
    file: Annotated[str, typer.Option("--file", help=OPTIONS_FILE)] = "",
    argument: Annotated[str, typer.Option("--argument", help="Which argument of the file is its width.")] = "",
    way: Annotated[list[str] | None, typer.Option("--way", help=f"Of {', '.join(WAYS)}; several may be given.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", min=0, help="That each small network learns for.")] = None,
    lr: Annotated[float, typer.Option("--lr", help="A student's or gradual pruning's, of AdamW.")] = 3e-3,
    temperature: Annotated[float, typer.Option("--temperature", help="That scores are softened by, both.")] = 4.0,
    hard: Annotated[float, typer.Option("--hard", help="The share of the loss that is of the true targets.")] = 0.1,
    features: Annotated[float, typer.Option("--features", help="The weight of the features' distance.")] = 0.0,
    teacher: Annotated[list[str] | None, typer.Option("--teacher", help="Further runs that teach with it.")] = None,
    written: Annotated[int, typer.Option("--written", min=0, help="Sequences that the teacher writes for it.")] = 0,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Of gradual pruning or a lottery.")] = 3,
    rewind: Annotated[int | None, typer.Option("--rewind", min=0, help="A lottery's step; a tenth.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the students' batches.")] = 0,
    output: Annotated[str, typer.Option(*SPELT, help="A folder for ONNX, report and picture; else RUN-small.")] = "",
    dry: Dry = False,
    as_json: AsJson = False,
) -> None:
    """Make a network smaller: distilled or pruned to a size, as ONNX and in 8 bits, and what was lost by that."""
    run = opened(name, file, options or ())
    teachers = [opened(other) for other in teacher or ()]
    task = task_of(run, teachers)
    budgets = _budgets(task, by or [], ((PARAMETERS, to), (OPERATIONS, operations), (MILLISECONDS, milliseconds)))
    count = max(LEAST, TIMES * run.step) if steps is None else steps
    teaching = Teaching(temperature, hard, features)
    plan = Plan(count, lr, teaching=teaching, seed=seed, rounds=rounds, rewind=rewind, written=written)
    build = _build(run, file, options or [], argument)
    chosen = [choose(task, each, budget, build) for budget in budgets for each in _ways(way or [], budget)]
    plan.check(run, {one.way for one in chosen})
    lines = planned(task, chosen, plan, teachers)
    if dry:
        return answer({"plan": lines}, as_json, lambda console: console.print(escape("\n".join(lines)), soft_wrap=True))
    tell(escape("\n".join(lines)))
    _carried_out(task, chosen, plan, Path(output or f"{run.folder.name}-small"), as_json)


def _carried_out(task: Task, chosen: Sequence[Chosen], plan: Plan, folder: Path, as_json: bool) -> None:
    """The networks made, and everything written and said."""

    def advance(one: Run, count: int) -> None:
        with Live(one.step + count, one.step, quiet=as_json, what=one.folder.name) as live:
            one.advance(count, on_step=live.step)

    name = task.run.folder.name
    if folder.exists() and not folder.is_dir():
        raise SmallError(f"{folder} is a file; -o names a folder for the networks, the report and the picture")
    report = shrink(task, chosen, plan, lambda way: fresh(f"{name}-{way}"), folder, advance)
    folder.mkdir(parents=True, exist_ok=True)
    drawn = save(draw(report), folder / "pareto.png")
    document = report.as_json() | {"files": [str(path) for path in (folder / "report.json", *drawn)]}
    (folder / "report.json").write_text(json.dumps(plain(document), indent=1) + "\n", encoding="utf-8")

    def words(console: Console) -> None:
        say(console, report)
        for path in document["files"]:
            console.print(escape(path), soft_wrap=True)

    answer(document, as_json, words)


def _budgets(task: Task, by: list[float], most: Sequence[tuple[str, str]]) -> list[Budget]:
    """What is asked for: sizes by a factor, or at most so much of a measure; else a tenth of the parameters."""
    if wrong := [one for one in by if not one > 1]:
        raise SmallError(f"--by {wrong[0]:g} makes nothing smaller; give more than 1, such as 10")
    bounds = [Budget(measure, quantity(text)) for measure, text in most if text]
    factors = by or ([] if bounds else [BY])
    whole = parameters(task.teacher.program)
    return [*(Budget(PARAMETERS, whole / one) for one in factors), *bounds]


def _ways(asked: list[str], budget: Budget) -> list[str]:
    """The ways asked for; else distilling, and beside it pruning alone where that can save what is to be saved."""
    usual = [DISTIL, MAGNITUDE] if budget.measure == PARAMETERS else [DISTIL]
    return asked or usual


def _build(run: Run, file: str, options: list[str], asked: str) -> tuple[str, int, Build] | None:
    """The experiment's width, or None without a file. SmallError where the file's network is not the run's."""
    if options and not file:
        raise SmallError(f"{' '.join(options)} is of the experiment's file; name it with --file FILE.py")
    if not file:
        return None
    known, given = arguments_of(file), pairs(options)
    name = argument_of(known, asked)
    width = int(given.get(name, known[name]))
    shapes = [(decl.name, decl.type.shape) for decl in run.program.named_params()]
    there = load_experiment(file, given).learner.program
    if shapes != [(decl.name, decl.type.shape) for decl in there.named_params()]:
        raise SmallError(
            f"the network of {file} with {name}={width} is not that of {run.folder.name}: give the options that it was "
            f"started with, as in `ontogeny shrink {run.folder.name} {name}={width} --file {file}`"
        )

    def build(to: int) -> Learner:
        return load_experiment(file, {**given, name: str(to)}).learner

    return name, width, build
