"""Runs by name, and programs from a run or a file.

Runs lie side by side in one folder: `runs`, or the one that the environment variable ONTOGENY_RUNS names. A run is
named by its folder's name, by the beginning of it where only one begins so, or by a path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from ontogeny.faces import recorded
from ontogeny.faces.experiments import load_experiment, pairs
from ontogeny.faces.programs import load_program
from ontogeny.faces.terminal import tell
from ontogeny.faces.view import View
from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.program import Program
from ontogeny.record.attach import Attached, is_attached
from ontogeny.record.experiment import Experiment, Goal
from ontogeny.record.run import Run, create, open_run
from ontogeny.record.runs_folder import RunsFolder, plain_name
from ontogeny.record.trace import zarr_io
from ontogeny.record.trace.zarr_io import ZarrTraces

RunName = Annotated[str, typer.Argument(metavar="RUN", help="The name of a run, the beginning of it, or its folder.")]
RunNames = Annotated[list[str], typer.Argument(metavar="RUN...", help="Names of runs, or their folders.")]
DataFile = Annotated[
    str, typer.Option("--file", help="The Python file of the experiment, where its data was too large to be saved.")
]

Author = Annotated[str, typer.Option("--author", help="Who asks, for the journal.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Only say what it would do, and how long that takes.")]

StepWindow = Annotated[
    str, typer.Option("--steps", "--window", metavar="FROM:TO", help="A window of steps, such as 100:200, :200 or 100:")
]
Valued = Annotated[
    str, typer.Argument(metavar="RUN", help="The name of a run, its beginning, its folder, or what --to-zarr wrote.")
]
Tensors = Annotated[list[str] | None, typer.Option("--tensor", help="A tensor, or a pattern with *.")]


def runs_folder() -> Path:
    """The folder that holds the runs."""
    return RunsFolder.default().root


def all_runs() -> list[Path]:
    """The folders of all runs, the latest first."""
    return RunsFolder.default().all()


def find(name: str) -> Path:
    """The folder of the run called `name`. Raises OntogenyError with what there is."""
    return RunsFolder.default().find(name)


def opened(name: str, file: str = "", options: Sequence[str] = ()) -> Run:
    """The run called `name`; with `file`, its data comes from that experiment."""
    folder = find(name)
    if is_attached(folder):
        raise OntogenyError(
            f"{folder.name} is the record of a loop that is not ours: it has values, but no program to compute others "
            f"from; show, picture, page, chart, moments, alike, groups and explain answer about it"
        )
    if not file:
        return open_run(folder)
    experiment: Experiment = load_experiment(file, pairs(options))
    return open_run(folder, experiment.data, valid=dict(experiment.valid) or None)


def begun(
    file: str, given: Mapping[str, str], name: str = "", seed: int | None = None,
    dials: Mapping[str, float] | None = None, **settings: Any,
) -> tuple[Run, Goal | None]:  # fmt: skip
    """A new run of the experiment in a file, at step 0, and the experiment's own goal.

    The experiment's own name and seed are taken where none is given, and `dials` are turned from its own; `settings`
    are those of `create`.
    """
    found = load_experiment(file, given)
    run = create(
        fresh(name or found.name or plain_name(Path(file).stem)),
        found.learner,
        found.data,
        valid=dict(found.valid) or None,
        seed=found.seed if seed is None else seed,
        dials={**found.dials, **(dials or {})},
        evaluate_every=found.evaluate_every if found.learner.program.has("evaluate") else 0,
        **settings,
    )
    return run, found.until


def recording(name: str, file: str = "", options: Sequence[str] = ()) -> Run | Attached:
    """A run of our own, or the record of a loop that is not: either has `traces` and `metrics()`."""
    folder = find(name)
    return Attached(folder) if is_attached(folder) else opened(name, file, options)


def values(name: str, file: str = "") -> Run | Attached | ZarrTraces:
    """What questions about values alone are asked of: a run, a recorded loop, or a Zarr group, also at a URL."""
    if "://" in name or (Path(name) / "zarr.json").is_file():
        return zarr_io.read(name)
    return recording(name, file)


def called(source: Run | Attached | ZarrTraces) -> str:
    """What `values` gave, by name."""
    return Path(source.place).stem if isinstance(source, ZarrTraces) else source.folder.name


def told_apart(runs: Sequence[Run]) -> dict[str, Run]:
    """Runs by name, and by their folders where several have one name; one that is given twice is there once."""
    each = {run.folder.resolve(): run for run in runs}
    often = Counter(folder.name for folder in each)
    return {run.folder.name if often[folder.name] == 1 else str(run.folder): run for folder, run in each.items()}


def fresh(name: str) -> Path:
    """A folder for a new run: `name`, or with the first free number behind it."""
    return RunsFolder.default().fresh(name)


def load_any(source: str) -> Program:
    """The program of a file or of a run; where a run's changed, a remark says since when, and whose it had before."""
    run = run_in(source)
    return load_program(source) if run is None else run.program


def run_in(source: str) -> Run | None:
    """The run that is named, with the remark of `load_any`; None where a file of a program is."""
    if source == "-" or Path(source).is_file():
        return None
    if Path(source).suffix in (".onto", ".ontob", ".py"):
        raise OntogenyError(f"there is no file {source}")
    run = opened(source)
    if run.before is not None:
        tell(f"this is the program since step {run.changed}; before that, {escape(run.before.folder.name)} has it")
    return run


def view_of(run: Run | Attached) -> View:
    """A run as pictures and pages need it."""
    if isinstance(run, Attached):
        return recorded.view(run)
    start, environment = run.start, run.start["environment"]
    about = {
        "seed": start["seed"],
        "machine": start["machine"],
        "mode": start["options"].get("mode"),
        "threads": environment.get("threads"),
        "torch": environment.get("torch"),
        "program since step": run.changed,
    }
    return View(
        name=run.folder.name,
        step=run.step,
        program=run.program,
        metrics=run.metrics(),
        evaluations=tuple(run.evaluations()),
        journal=run.entries,
        about=about,
        branch=run.base if run.parent else None,
        changed=run.changed,
        final=run.hash(),
    )
