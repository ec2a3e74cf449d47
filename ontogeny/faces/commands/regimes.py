"""ontogeny regimes"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from ontogeny.faces.experiments import arguments_of, pairs
from ontogeny.faces.outputs import SPELT, place
from ontogeny.faces.picture import draw, save
from ontogeny.faces.progress import Live
from ontogeny.faces.regimes_words import say, summary
from ontogeny.faces.running import INTERRUPTED
from ontogeny.faces.sources import begun, fresh, opened, view_of
from ontogeny.faces.terminal import AsJson, answer, tell
from ontogeny.isa.errors import EditError, OntogenyError
from ontogeny.record.experiment import Goal
from ontogeny.record.run import Run, create
from ontogeny.record.runs_folder import plain_name
from ontogeny.train.regimes.compared import Tried, tried
from ontogeny.train.regimes.table import PLAIN, TABLE, Regime

DRAWN = 7
"""Regimes that a picture tells apart by colour."""
Base = tuple[Run, Goal | None]


def command(
    source: Annotated[str, typer.Argument(help="A Python file with a function experiment(), or a run.")],
    options: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Of the file.")] = None,
    regimes: Annotated[
        list[str] | None, typer.Option("--try", metavar="REGIME", help="Several may be given; else each of the table.")
    ] = None,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Each, at most.")] = 300,
    until: Annotated[str, typer.Option("--until", help="The goal; else the experiment's own.")] = "",
    seeds: Annotated[str, typer.Option("--seeds", help="Such as 0,1,2; else the experiment's own.")] = "",
    out: Annotated[str, typer.Option(*SPELT, help="Draw the curves of the first seed; PNG and SVG.")] = "",
    as_json: AsJson = False,
) -> None:
    """Compare regimes of learning on one learner: sleep, SAM, Grokfast, bursts..., beside it as it is.

    From the same values on the same batches: when each reached the goal, what it measured, and at what work.
    A regime is sleep, replay, perturb, sam, grokfast, perpendicular, bursts, cycles, warmup, catapult, muon_catapult, a
    rule such as muon or soap, or any edit of one; with arguments sleep:every=50,scale=0.9; a dial or option of the
    file, lr=0.03; several with + between.
    All are held against `plain`, the learner as it is. Each is a run of its own, which is steered as any other.
    """
    chosen = [Regime.parse(one) for one in dict.fromkeys((PLAIN, *(regimes or TABLE)))]
    goal, numbers = Goal.parse(until) if until else None, _seeds(seeds)
    target = place(out, "regimes.png") if out else None
    found: list[Tried] = []
    try:
        for seed in numbers:
            more = _of_seed(
                _Source(source, options or [], seed), chosen, steps, goal, found[:1], bool(regimes), as_json
            )
            if not more:
                break
            found += more
    except KeyboardInterrupt:
        tell(f"stopped after {len(found)} regimes; the runs stay as far as they came")
        raise typer.Exit(INTERRUPTED) from None
    files = _drawn(found, target) if target else []
    document = {"tried": [asdict(one) for one in found], "regimes": [asdict(one) for one in summary(found)]}
    answer({**document, "files": files}, as_json, lambda console: say(console, found, files))


class _Source:
    """What a comparison begins from: a file and its options, or a run; with a seed, or its own."""

    def __init__(self, named: str, options: list[str], seed: int | None) -> None:
        self.named, self.given, self.seed = named, pairs(options), seed
        self.known = arguments_of(named) if named.endswith(".py") else {}
        if not self.known and options and not named.endswith(".py"):
            raise OntogenyError(f"{named} is a run, which has no options ({options[0]}); give --try {options[0]}")

    def begin(self, extra: dict[str, str]) -> Base:
        """A run at step 0 with further options of the file, and the goal of its own."""
        if not self.named.endswith(".py"):
            return self._again(opened(self.named)), None
        seeded = {"seed": str(self.seed)} if self.seed is not None and "seed" in self.known else {}
        return begun(self.named, {**self.given, **seeded, **extra}, seed=self.seed)

    def _again(self, run: Run) -> Run:
        """The run itself, or with another seed one that begins as it did."""
        start = run.start
        if self.seed is None or self.seed == start["seed"]:
            return run
        return create(
            fresh(f"{run.folder.name}-seed-{self.seed}"),
            run.first_learner,
            run.data,
            valid=run.valid,
            seed=self.seed,
            dials=start["dials"],
            machine=start["machine"],
            options=start["options"],
            evaluate_every=start["evaluate_every"],
        )


def _of_seed(
    source: _Source, chosen: Sequence[Regime], steps: int, goal: Goal | None, before: Sequence[Tried], named: bool,
    as_json: bool,
) -> list[Tried]:  # fmt: skip
    """Every regime with one seed, or none where `plain` comes to what it came to `before`, with another seed.

    What the program cannot be edited to is passed over where nobody named it.
    """
    found: list[Tried] = []
    base, own = source.begin({})
    program = base.as_of(0).program
    there = {decl.name for decl in program.of("dial")}

    def advance(run: Run, count: int, until: Goal | None) -> None:
        with Live(count, quiet=as_json, what=run.folder.name) as live:
            run.advance(count, until=until.met if until else None, on_step=live.step)

    parted = [_parted(regime, set(source.known) - there) for regime in chosen]
    with base:
        for rest, extra in parted if named else ():
            if not extra:
                rest.check(program)
        for rest, extra in parted:
            start = source.begin(extra)[0] if extra else base
            try:
                found.append(tried(rest, start, _folder(start, rest), steps, goal or own, advance))
            except EditError as error:
                if named:
                    raise
                tell(f"without {rest.name}: {error}")
            finally:
                if extra:
                    start.close()
            if len(found) == 1:
                _measured(goal or own, found[0])
                if any(_alike(one, found[0]) for one in before):
                    return []
    return found


def _alike(one: Tried, other: Tried) -> bool:
    """Whether two seeds made no difference, which is told: an interval over them would be narrow and mean nothing."""
    if (one.steps, one.metrics) != (other.steps, other.metrics):
        return False
    tell(
        f"seed {other.seed} is no other beginning: {other.run} measures what {one.run} does, so further seeds are left "
        "out; give a file whose option `seed` is for the first values or the order of the data"
    )
    return True


def _measured(goal: Goal | None, first: Tried) -> None:
    """Says so where a goal is of what no step measures, while there is time to stop."""
    if goal is not None and not first.broken and goal.metric not in first.metrics:
        tell(f"{goal} is never met in {first.steps} steps: measured are {', '.join(first.metrics)}")


def _parted(regime: Regime, options: set[str]) -> tuple[Regime, dict[str, str]]:
    """A regime without the settings that are options of the file, and those."""
    extra = {name: text for name, text in regime.settings.items() if name in options}
    return replace(regime, settings={k: v for k, v in regime.settings.items() if k not in extra}), extra


def _folder(base: Run, regime: Regime) -> Path:
    return fresh(f"{base.folder.name}-{plain_name(regime.name)}")


def _seeds(text: str) -> list[int | None]:
    try:
        return [*dict.fromkeys(int(one) for one in text.split(","))] if text else [None]
    except ValueError as error:
        raise OntogenyError(f"--seeds {text!r}: give whole numbers with commas between, such as 0,1,2") from error


def _drawn(found: Sequence[Tried], target: Path) -> list[str]:
    """The curves of the first seed."""
    first = [one for one in found if one.seed == found[0].seed]
    if len(first) > DRAWN:
        tell(f"drawn are the first {DRAWN} of {len(first)}; name others with --try")
    views = [view_of(opened(one.run)) for one in first[:DRAWN]]
    return [str(path) for path in save(draw([replace(one, branch=None) for one in views], "regimes"), target)]
