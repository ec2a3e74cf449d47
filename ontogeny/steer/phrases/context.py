"""What words are said to: the names that a run has, where the session stands, and the runs beside it. Plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ontogeny.isa.errors import OntogenyError
from ontogeny.record.lineage import parent_folder
from ontogeny.record.run import Run
from ontogeny.record.runs_folder import DISCARDED
from ontogeny.steer.conditions import metric_names
from ontogeny.steer.places import marks
from ontogeny.steer.session import Session

NONE: Callable[[], tuple[str, ...]] = tuple


@dataclass(frozen=True, slots=True)
class Context:
    """A run and a step of it, by names. `forks` looks for the forks of this run when it is called."""

    run: str = ""
    step: int = 0
    last: int = 0
    tensors: tuple[str, ...] = ()
    matrices: tuple[str, ...] = ()
    dials: Mapping[str, float] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    marks: Mapping[str, int] = field(default_factory=dict)
    runs: tuple[str, ...] = ()
    discarded: tuple[str, ...] = ()
    previous: str = ""
    parent: str = ""
    forks: Callable[[], tuple[str, ...]] = NONE

    def forked(self) -> Context:
        """The same on a fork that is about to be made here: the run that it comes from is the one before it."""
        return replace(self, run="", previous=self.run, parent=self.run)


def context_of(session: Session) -> Context:
    """Where a session stands. An empty folder of runs gives names of nothing."""
    try:
        run = session.recording()
    except OntogenyError:
        return Context()
    root = session.runs.root
    away = root / DISCARDED
    here = run.folder.resolve()
    there = tuple(folder.name for folder in session.runs.all())
    common = Context(
        run=run.folder.name,
        step=session.step(),
        last=run.step,
        tensors=tuple(run.traces.tensors),
        matrices=tuple(name for name, one in run.traces.tensors.items() if len(one.shape) == 2),
        marks=marks(run),
        runs=there,
        discarded=tuple(sorted(one.name for one in away.iterdir())) if away.is_dir() else (),
        previous=session.previous.folder.name if session.previous else "",
        forks=lambda: tuple(name for name in there if parent_folder(root / name) == here),
    )
    if not isinstance(run, Run):
        return replace(common, metrics=tuple(run.metrics()))
    return replace(
        common,
        dials=run.dials(session.step()),
        metrics=metric_names(run),
        inputs=tuple(run.data.batch(0)),
        parent=run.parent.name if run.parent else "",
    )
