"""A flight of the autopilot over a run, from the first look to the judgement, and what a person may do meanwhile."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from ontogeny.ask.workers import Workers
from ontogeny.record.journal import Entry
from ontogeny.record.run import Run
from ontogeny.record.schedule import EFFECTIVE
from ontogeny.steer.autopilot.forks import Forks
from ontogeny.steer.autopilot.general import General
from ontogeny.steer.autopilot.heldout import Numbers, Scorer, check_goal, held_out, measure_of
from ontogeny.steer.autopilot.judge import Verdict, judged
from ontogeny.steer.autopilot.log import AUTHOR, BEGAN, ENDED, KIND, Log, Overruled, Told, writable
from ontogeny.steer.autopilot.pilot import Pilot
from ontogeny.steer.autopilot.plan import Plan
from ontogeny.steer.autopilot.proposal import Proposer, check_never
from ontogeny.steer.autopilot.remedies import Findings
from ontogeny.steer.autopilot.report import Report
from ontogeny.steer.autopilot.trials import Row, Trial
from ontogeny.steer.commands.places import Fork
from ontogeny.steer.live.client import state_of
from ontogeny.steer.session import Session

WAIT = 0.2
"""Seconds between looks at a live run that a person has paused."""
PROPOSERS: tuple[Proposer, ...] = (Findings(), General())


@dataclass(eq=False)
class Flight:
    """One flight. `told` hears every line as it is written; `live` is the run in a process of its own, of which `given`
    is then a fork."""

    session: Session
    given: Run
    plan: Plan
    proposers: Sequence[Proposer] = PROPOSERS
    workers: Workers | None = None
    told: Told = lambda text: None
    live: Run | None = None
    equal: tuple[int, Verdict] | None = field(default=None, init=False)
    _owned: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        check_never(self.plan.never, self.given)
        self.scorer = Scorer(held_out(self.given))
        self.scorer.measure = measure_of(self.scorer.results(self.given), self.plan.goal)
        self._owned = len(self._foreign())
        self.log = Log(self.given, {**self.plan.as_json(), "from": self.given.step}, self.told)
        self.forks = Forks(self.session, self.given, self.plan, self.scorer, self.log, self.workers, self.check)
        self.pilot = Pilot(self.forks, self.proposers)

    def go(self) -> Report:
        """Flies to the end. Ctrl-C stops after the step that it falls into; the same again goes on from there."""
        try:
            self._begin()
            champion = self.pilot.fly()
            return self._judge(champion)
        except Overruled as why:
            return self._end(None, None, str(why), None)
        except KeyboardInterrupt:
            text = f"interrupted after {self.forks.taken} steps; the same again goes on from here"
            self.log.note(f"interrupted {time.time()}", text)
            raise
        finally:
            self.session.let_go()

    def check(self) -> None:
        """Raises Overruled where a person has changed the run meanwhile; waits while they let it wait."""
        if self.live is not None:
            self._wait(self.live)
            self.live.refresh()
        self.given.refresh()
        if len(found := self._foreign()) > self._owned:
            last = found[-1]
            raise Overruled(f"{last.author} changed the run at step {last.at} ({last.kind}), which counts")

    def _wait(self, live: Run) -> None:
        while (now := state_of(live.folder)) is not None:
            if now["state"] != "paused":
                return
            time.sleep(WAIT)
        raise Overruled("the live run was stopped, and the autopilot with it")

    def _foreign(self) -> list[Entry]:
        """What persons did to the run."""
        runs = (self.given, *([self.live] if self.live else ()))
        return [one for run in runs for one in run.own_entries if one.kind in EFFECTIVE and one.author != AUTHOR]

    def _begin(self) -> None:
        given, plan, held = self.given, self.plan, self.scorer.held
        begun = self.pilot.start()
        figures = ", ".join(f"{name} {value:.4g}" for name, value in begun.results.items())
        text = (
            f"looks after {given.folder.name} from step {given.step} with {plan.budget} steps: {figures} on "
            f"{len(held.search)} held-out examples to search by; {len(held.judge)} others are kept to judge by"
        )
        if self.log.known(BEGAN) is None:
            self.log.note(BEGAN, text, settings=self.log.settings)
        else:
            self.log.note(BEGAN, text)

    def _judge(self, champion: Trial) -> Report:
        """The best state beside the run as it was given, or as its unchanged fork came to be."""
        self.check()
        forks, control = self.forks, self.pilot.control
        trial, row = self.found
        if trial is control or not self._changes(trial):
            why = "nothing that was tried is better on the search's examples than going on unchanged"
            return self._end(trial, row, why, None)
        first = min([*control.rows, self.pilot._begun], key=lambda one: one.score)
        original = forks.given if first is self.pilot._begun else forks.run(control)
        scorer, parts = forks.scorer, forks.scorer.parts
        half = scorer.held.judge
        before, now = parts(original, first.step, half), parts(forks.run(trial), row.step, half)
        verdict = judged(scorer.scores(before), scorer.scores(now))
        self.equal = self._at_equal_steps(trial, half)
        why = (
            f"better beyond noise than {original.folder.name} at step {first.step}, as far as it was followed unchanged"
            if self._keeps(verdict)
            else f"what looked best, {trial.name} at step {row.step}, is not better beyond noise"
        )
        return self._end(trial, row, why, verdict)

    def _keeps(self, verdict: Verdict) -> bool:
        """Whether it is better beyond noise; at equal steps too, where the unchanged run was followed as far."""
        if self.equal is None or self.equal[0] < self.found[1].step:
            return verdict.better
        return verdict.better and self.equal[1].better

    def _at_equal_steps(self, trial: Trial, half: Numbers) -> tuple[int, Verdict] | None:
        """The same judgement at the last step that both have been at, since a longer run is better by that alone."""
        forks, scorer = self.forks, self.forks.scorer
        step = min(self.pilot.control.step, self.found[1].step)
        if step <= self.given.step or self.pilot.control.broken:
            return None
        was, now = (scorer.scores(scorer.parts(forks.run(one), step, half)) for one in (self.pilot.control, trial))
        return step, judged(was, now)

    def _changes(self, trial: Trial) -> tuple[str, ...]:
        """What was changed on the way to a trial, the first first."""
        return tuple(one.proposal.words for one in reversed(list(trial.lineage())) if one.proposal.commands)

    def _end(self, trial: Trial | None, row: Row | None, why: str, verdict: Verdict | None) -> Report:
        forks, plan = self.forks, self.plan
        kept = verdict is not None and self._keeps(verdict)
        taken = [one for one in forks.trials if forks.foreign(one)]
        stays = {one for last in (trial, *taken) if last is not None for one in last.lineage()}
        discarded = [name for one in forks.trials if one not in stays for name in one.runs]
        at = trial if kept or trial is self._control else None
        goal = None if plan.goal is None or at is None or row is None else self._goal(at, row)
        remarks = (self.scorer.held.remark,) if self.scorer.held.remark else ()
        name, step = self._place(at, row)
        report = Report(
            given=self.given.folder.name,
            run=name,
            step=step,
            kept=kept,
            why=why,
            steps=forks.taken,
            budget=plan.budget,
            verdict=verdict,
            equal=self.equal,
            measure=forks.scorer.measure.name,
            changes=self._changes(trial) if trial and kept else (),
            discarded=tuple(discarded),
            remarks=remarks,
            lines=tuple(line["text"] for line in self.log.lines),
            goal_met=goal,
        )
        text = report.text.split("\n\n")[0]
        try:
            self.log.note(ENDED, text, report={**report.as_json(), "lines": []})
        except Overruled:  # whoever holds the journal goes on; neither the report nor the forks wait for that
            report = replace(report, written=False)
        forks.put_away(discarded)
        self.session.move(self.session.runs.find(name))
        if at is not None:
            run = self.session.native()
            run.note(KIND, author=AUTHOR, key=ENDED, text=text, about={})
            run.close()
        return report

    def _place(self, trial: Trial | None, row: Row | None) -> tuple[str, int]:
        """The run that is kept, whose head is the state that was judged: a fork there, where its trial went further."""
        if trial is None or row is None:
            return self.given.folder.name, self.given.step
        if row.step == trial.step:
            return trial.name, row.step
        line = self.log.known("kept")
        if line is None:
            name = self.session.runs.fresh(f"{self.given.folder.name}-best").name
            self.session.do(Fork(run=trial.name, at=str(row.step), name=name), author=AUTHOR)
            line = {"run": name}
        self.log.note("kept", f"{line['run']} is {trial.name} at step {row.step}, its best", run=line["run"])
        return line["run"], row.step

    @cached_property
    def found(self) -> tuple[Trial, Row]:
        """The state that the search found best."""
        return self.pilot.found()

    @property
    def _control(self) -> Trial | None:
        return getattr(self.pilot, "control", None)

    def _goal(self, trial: Trial, row: Row) -> bool:
        assert self.plan.goal is not None
        name = self.plan.goal.metric
        parts = self.scorer.parts(self.forks.run(trial), row.step, self.scorer.held.judge)
        values = [part.get(name.removeprefix("valid."), math.nan) for part in parts]
        return self.plan.goal.met({name: sum(values) / len(values)})


def fly(
    session: Session,
    run: str = "",
    *,
    budget: str = "3x",
    steps: int = 0,
    goal: str = "",
    never: str = "",
    workers: Workers | None = None,
    proposers: Sequence[Proposer] = PROPOSERS,
    told: Told = lambda text: None,
) -> Report:
    """Looks after a run with a budget of steps, all forks together. Raises OntogenyError for what cannot be judged."""
    given = session.native(run)
    plan = Plan.of(budget, steps or given.step, goal, never)
    check_goal(plan.goal, given)
    own = Session(session.runs, given.folder.name, author=AUTHOR, open=session._open)
    found = own.native()
    session.let_go()
    live = None if writable(found) else found
    if live is not None:  # its journal is being written by its own process
        own.do(Fork(name=own.runs.fresh(f"{given.folder.name}-auto").name), author=AUTHOR)
        found = own.native()
    report = Flight(own, found, plan, proposers, workers, told, live).go()
    session.move(own.position.folder, own.position.step)
    return report
