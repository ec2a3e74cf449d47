"""Making trials and letting them go on, within the budget and under the eyes of whoever owns the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ontogeny.ask.workers import Workers
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.run import Run
from ontogeny.record.schedule import EFFECTIVE
from ontogeny.steer.autopilot.heldout import Scorer
from ontogeny.steer.autopilot.log import AUTHOR, Log
from ontogeny.steer.autopilot.plan import Plan
from ontogeny.steer.autopilot.proposal import Proposal
from ontogeny.steer.autopilot.trials import Leg, Row, Trial, Went, go, gone
from ontogeny.steer.command import Command
from ontogeny.steer.commands.examples import LeaveOut
from ontogeny.steer.commands.places import DISCARD, Fork
from ontogeny.steer.session import Session


@dataclass(eq=False)
class Forks:
    """The forks of one flight. `checks` is called before every leg; it raises Overruled, or waits, where it has to."""

    session: Session
    given: Run
    plan: Plan
    scorer: Scorer
    log: Log
    workers: Workers | None = None
    checks: Callable[[], object] = lambda: None
    trials: list[Trial] = field(default_factory=list)

    @property
    def taken(self) -> int:
        """The steps that all forks together have been given."""
        return sum(trial.taken for trial in self.trials)

    @property
    def left(self) -> int:
        """What of the budget is left."""
        return self.plan.budget - self.taken

    def run(self, trial: Trial | None) -> Run:
        """The run of a trial; of none, the given one."""
        return self.given if trial is None else self.session.native(trial.name)

    def fork(self, parent: Trial | None, proposal: Proposal) -> Trial | None:
        """A trial of a proposal on a fork of another trial, or of the run; None where it cannot be done there."""
        step = self.given.step if parent is None else parent.step
        at = step if proposal.at is None else proposal.at
        while parent is not None and at < parent.base:
            parent = parent.parent
        key = f"trial {len(self.trials) + 1}"
        line = self.log.known(key)
        if line is None:
            self.checks()
            line = self.log.note(key, **self._made(parent, at, proposal))
        else:
            self.log.note(**line)
        if not line["run"]:
            return None
        trial = Trial(proposal, line["run"], at, parent, at, by_way=tuple(line.get("by_way", ())))
        self.trials.append(trial)
        return trial

    def _made(self, parent: Trial | None, at: int, proposal: Proposal) -> dict[str, Any]:
        source = self.run(parent).folder.name
        name = self.session.runs.fresh(f"{self.given.folder.name}-auto").name
        content = {"at": at, "from": source, "proposal": proposal.as_json()}
        left = self.scorer.held.left_out
        first = [LeaveOut(examples=left)] if left and parent is None else []
        made: list[str] = []
        try:
            for command in (Fork(run=source, at=str(at), name=name), *first, *proposal.commands):
                self._do(command)
                made = list(dict.fromkeys([*made, self.session.position.folder.name]))
        except BaseException as error:  # what was begun is put away on Ctrl-C, too
            self.put_away(made)
            if not isinstance(error, OntogenyError):
                raise
            return {"text": f"cannot try: {proposal.words}: {error}", "run": "", **content}
        *by_way, name = made
        why = f", since {proposal.reason}" if proposal.reason else ""
        text = f"tries on {name}, from step {at} of {source}: {proposal.words}{why}"
        return {"text": text, "run": name, "by_way": by_way, **content}

    def _do(self, command: Command) -> None:
        self.session.do(command, author=AUTHOR)

    def advance(self, trials: Sequence[Trial], steps: int, every: int = 0) -> None:
        """Lets trials go on by so many steps each, as far as the budget has them; what breaks gets no more."""
        going = [trial for trial in trials if not trial.out]
        share = min(steps, self.left // max(1, len(going)))
        if share < 1:
            return
        todo: list[tuple[Trial, Leg]] = []
        for trial in going:
            leg = Leg(self._folder(trial), trial.step, trial.step + share, every or share, self.scorer.measure)
            known = self.log.known(_key(trial, leg))
            if known is None:
                todo.append((trial, leg))
            else:
                self.log.note(**known)
                self._went(trial, Went(known["step"], tuple(map(Row.of, known["rows"])), known["broken"]))
        for trial, leg, went in self._go(todo):
            content = {"step": went.step, "rows": [row.as_json() for row in went.rows], "broken": went.broken}
            self.log.note(_key(trial, leg), _said(trial, went), run=trial.name, **content)
            self._went(trial, went)

    def _go(self, todo: Sequence[tuple[Trial, Leg]]) -> list[tuple[Trial, Leg, Went]]:
        for trial, _ in todo:
            if who := self.foreign(trial):
                trial.out = f"{who} took it over"
        todo = [(trial, leg) for trial, leg in todo if not trial.out]
        if self.workers is not None and len(todo) > 1:
            self.checks()
            done = self.workers.map(gone, [leg for _, leg in todo])
            return [(trial, leg, went) for (trial, leg), went in zip(todo, done, strict=True)]
        found = []
        for trial, leg in todo:
            self.checks()
            run = self.run(trial)
            try:
                found.append((trial, leg, go(run, leg, self.scorer)))
            finally:
                run.close()
        return found

    def _went(self, trial: Trial, went: Went) -> None:
        trial.step = went.step
        trial.rows += went.rows
        trial.out = f"broke at step {went.step}" if went.broken or trial.broken else trial.out

    def put_away(self, names: Sequence[str]) -> None:
        """Discards runs that were made for trials, those that others hang on last."""
        for name in reversed(names):
            run = self.session.native(name)
            run.note(DISCARD, author=AUTHOR)
            self.session.forget(run.folder)
            self.session.runs.discard(run.folder)

    def foreign(self, trial: Trial) -> str:
        """Who else has changed the trial's run."""
        own = self.run(trial).own_entries
        return next((one.author for one in own if one.kind in EFFECTIVE and one.author != AUTHOR), "")

    def _folder(self, trial: Trial) -> Path:
        return self.session.runs.find(trial.name)


def _key(trial: Trial, leg: Leg) -> str:
    return f"{trial.name} to {leg.to}"


def _said(trial: Trial, went: Went) -> str:
    if went.broken or not went.rows:
        return f"{trial.name} broke at step {went.step}: {went.broken.splitlines()[0] if went.broken else 'no number'}"
    figures = ", ".join(f"{name} {value:.4g}" for name, value in went.rows[-1].results.items())
    return f"{trial.name} came to step {went.step}: {figures}, training loss {went.rows[-1].loss:.4g}"
