"""The autopilot's loop: look, propose, try on forks, keep what is better; and at the end one judgement.

    opening     learning rates around the run's own, tried from where it stands, further out as long as the edge wins
    following   the best goes on; where a fault is found, or held-out loss no longer falls, remedies are tried beside it
    annealing   the end of the budget lets the learning rate go down
    judging     the state that the search found best, beside the run as it was, on examples that no trial has seen

The given run is never changed. Everything goes by the run, the plan and the forks' own records, so that it can be
broken off anywhere, and the same again goes on from there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from ontogeny.ask.finding import Finding
from ontogeny.steer.autopilot.forks import Forks
from ontogeny.steer.autopilot.general import General, annealed, turned
from ontogeny.steer.autopilot.judge import judged
from ontogeny.steer.autopilot.proposal import UNCHANGED, Proposal, Proposer, Situation, allowed
from ontogeny.steer.autopilot.remedies import Findings
from ontogeny.steer.autopilot.seen import deep, quick
from ontogeny.steer.autopilot.trials import HELD, Row, Trial, ranked
from ontogeny.steer.commands.examples import LeaveOut

WIDE = (0.1, 10.0)
FURTHEST = 4
"""How often the opening goes a factor further out, from the edge."""
NEAR = (0.3, 3.0)
KEPT = (3, 2)
"""How many trials each halving leaves, in the opening."""
ANNEALED = 0.4
"""Of the budget, what the last descent of the learning rate takes."""
PATIENCE = 6
"""Legs without a better score, after which held-out loss counts as no longer falling."""
AGAIN = 12
"""Legs after which the same may be tried again on the same champion."""
DESCENT = 4
"""Legs of the last descent between two looks at the goal."""
MOST = 6
"""Trials of one round, beside the one that changes nothing."""
LIKELY = 0.975
"""In which share of the draws a trial has to be better, on the search's half, for the champion to give way."""
CLEARLY = 0.9
"""Of the unchanged run's training loss, what a trial's has to be below, where held-out examples tell nothing yet."""
WORSE = 1.02
"""A last score so many times the best one is worth going back to the best for."""


@dataclass(eq=False)
class Pilot:
    """One flight: its forks, and what was tried already."""

    forks: Forks
    proposers: Sequence[Proposer] = (Findings(), General())
    tried: set[str] = field(default_factory=set)
    rounds: int = 0

    def fly(self) -> Trial:
        """The trial that the search ends with."""
        control = self.forks.fork(None, UNCHANGED)
        assert control is not None
        self.control = control
        champion = self.opening(control) if self._may_turn("lr") else control
        champion = self.follow(champion)
        return self.anneal(champion)

    def _may_turn(self, dial: str) -> bool:
        run = self.forks.given
        return bool(run.dials().get(dial)) and bool(allowed([turned(dial, 2.0, "")], self.forks.plan.never))

    def opening(self, control: Trial) -> Trial:
        """The best of learning rates around the run's own."""
        forks, leg = self.forks, self.forks.plan.leg
        forks.advance([control], leg)
        arms = {1.0: control}
        self._rates(control, arms, WIDE)
        for _ in range(FURTHEST):
            best = self._best(arms)
            if min(arms) < best < max(arms):
                break
            self._rates(control, arms, [best * (10.0 if best == max(arms) else 0.1)])
        best = self._best(arms)
        self._rates(control, arms, [best * factor for factor in NEAR])
        found = list(arms.values())
        for count in KEPT:
            found = self._halved(found, count, self.begun, control)
            forks.advance(found, leg)
        return self._halved(self._gentlest(found, control), 1, self.begun, control)[-1]

    def _gentlest(self, trials: Sequence[Trial], control: Trial) -> list[Trial]:
        """The trials without the best where one of a lower rate is not told apart from it: what a high one harms,
        such as units that die, shows only later."""
        order, by = ranked(_going(trials), self.begun)
        best, *others = [trial for trial in order if trial is not control] or [control]
        for other in others:
            if by != HELD or self._rate(other) >= self._rate(best):
                continue
            key = f"{best.name} {best.step} or the lower rate of {other.name}"
            known = self.forks.log.known(key)
            sure = float(known["sure"]) if known else self._sure(other, best)
            if sure < LIKELY:
                best.out = f"not told apart from {other.name}, whose rate is lower"
            words = f"better than {other.name}, whose rate is lower, in {sure:.0%} of the draws"
            self.forks.log.note(key, f"{best.name} is {words}{'' if sure >= LIKELY else ': not told apart'}", sure=sure)
        return [trial for trial in trials if not trial.out]

    def _rate(self, trial: Trial) -> float:
        return self.forks.run(trial).dials()["lr"]

    def _rates(self, control: Trial, arms: dict[float, Trial], factors: Sequence[float]) -> None:
        """Trials of further factors on the learning rate, as far as the control has come."""
        new = []
        for factor in factors:
            near = f"{factor:.3g}"
            trial = self.forks.fork(control.parent, turned("lr", float(near), "the learning rate may be a wrong one"))
            if trial is not None:
                arms[float(near)] = trial
                new.append(trial)
        self.forks.advance(new, self.forks.plan.leg)

    def _best(self, arms: dict[float, Trial]) -> float:
        order, _ = ranked(_going(list(arms.values())), self.begun)
        return next(factor for factor, trial in arms.items() if trial is order[0])

    @property
    def begun(self) -> float:
        """The score where the run stood when the flight began."""
        return self._begun.score

    def start(self) -> Row:
        """Scores the run as it was given."""
        forks = self.forks
        results = forks.scorer.results(forks.given)
        self._begun = Row(forks.given.step, forks.scorer.measure.of(results), 0.0, results)
        return self._begun

    def _halved(
        self, trials: Sequence[Trial], count: int, begun: float = math.inf, control: Trial | None = None
    ) -> list[Trial]:
        """The best of some trials; the others are dropped, which is written down.

        The `control` stays, as the last, until it is beaten beyond noise.
        """
        order, by = ranked(_going(trials), begun)
        kept = [trial for trial in order[:count] if trial is not control]
        if control is not None and control in trials and not (kept and self._beaten(control, kept[0], by)):
            kept.append(control)
        dropped = [trial for trial in trials if trial not in kept]
        for trial in dropped:
            trial.out = trial.out or f"worse than {kept[0].name} by {by}"
        if dropped:
            self.rounds += 1
            names = ", ".join(trial.name for trial in kept)
            text = f"goes on with {names}, by {by}; drops {', '.join(trial.name for trial in dropped)}"
            self.forks.log.note(f"halving {self.rounds}", text, kept=[trial.name for trial in kept])
        return kept

    def follow(self, champion: Trial) -> Trial:
        """The champion goes on, and where something is amiss, remedies are tried beside it."""
        forks, leg = self.forks, self.forks.plan.leg
        reserve = int(ANNEALED * forks.plan.budget)
        while forks.left - 2 * leg > reserve and not self._reached(champion):
            forks.advance([champion], 2 * leg, leg)
            proposals = self._proposals(champion)
            if proposals:
                champion = self._round(champion, proposals, reserve)
            elif champion.out:
                break
        return champion

    def _proposals(self, champion: Trial) -> list[Proposal]:
        """What to try now that was not tried on this champion's lineage before."""
        run, rows = self.forks.run(champion), champion.history()
        plateau = _plateau(rows, PATIENCE * self.forks.plan.leg)
        findings = self._seen(champion, plateau)
        goal = str(self.forks.plan.goal or "")
        horizon = self.forks.plan.length
        situation = Situation(run, champion.step, findings, horizon, tuple(self.tried), plateau, goal)
        found = [one for proposer in self.proposers for one in proposer.propose(situation)]
        fresh = [one for one in allowed(found, self.forks.plan.never) if self._name(champion, one) not in self.tried]
        chosen = list({one.words: one for one in fresh}.values())[:MOST]
        self.tried |= {self._name(champion, one) for one in chosen}
        return chosen

    def _name(self, champion: Trial, proposal: Proposal) -> str:
        """By what a proposal is known as tried: once from an earlier step, now and then again from where it stands."""
        once = proposal.at is not None or any(isinstance(command, LeaveOut) for command in proposal.commands)
        return proposal.words if once else f"{self._when(champion)} {proposal.words}"

    def _seen(self, champion: Trial, plateau: bool) -> tuple[Finding, ...]:
        """What is newly found: of each step's figures, and where that or a plateau calls for it, by replay."""
        forks, rows = self.forks, champion.history()
        run = forks.run(champion)
        fresh = self._fresh(champion, quick(run, forks.scorer.held, rows))
        if (fresh or plateau) and f"{self._when(champion)} looked" not in self.tried:
            self.tried.add(f"{self._when(champion)} looked")
            fresh += self._fresh(champion, deep(run, forks.scorer.held, rows))
        for one in fresh:
            text = f"sees in {champion.name} at step {champion.step}: {one.name} since step {one.since}: {one.words}"
            forks.log.note(f"{champion.name} {champion.step} {one.name}", text, sureness=one.sureness)
        return fresh

    def _fresh(self, champion: Trial, found: Sequence[Finding]) -> tuple[Finding, ...]:
        """The faults that were not yet found of this champion, or long ago."""
        new = [one for one in found if one.fault and f"{self._when(champion)} found {one.name}" not in self.tried]
        self.tried |= {f"{self._when(champion)} found {one.name}" for one in new}
        return tuple(new)

    def _when(self, champion: Trial) -> str:
        return f"{champion.name} {champion.step // (AGAIN * self.forks.plan.leg)}"

    def _round(self, champion: Trial, proposals: Sequence[Proposal], reserve: int) -> Trial:
        """The champion beside forks of it, halved once; it stands unless one is better beyond noise."""
        forks, leg = self.forks, self.forks.plan.leg
        count = min(len(proposals), (forks.left - reserve) // leg - 5)
        if count < 1:
            return champion
        arms = [trial for one in proposals[:count] if (trial := forks.fork(champion, one)) is not None]
        if not arms:
            return champion
        forks.advance([champion, *arms], leg)
        others = self._halved(arms, 2)
        forks.advance([champion, *others], leg)
        best = self._halved(others, 1)[0]
        return self._better(champion, best)

    def _better(self, champion: Trial, other: Trial) -> Trial:
        """The other, where it is better on the search's half; the champion else."""
        key = f"{champion.name} {champion.step} or {other.name}"
        known = self.forks.log.known(key)
        sure = float(known["sure"]) if known else self._sure(champion, other)
        wins = sure >= LIKELY
        kept, dropped = (other, champion) if wins else (champion, other)
        dropped.out = dropped.out or f"not better than {kept.name} beyond noise"
        figures = f"{other.score:.4g} beside {champion.score:.4g}, better in {sure:.0%} of the draws"
        self.forks.log.note(key, f"{'goes over to' if wins else 'stays with'} {kept.name}: {figures}", sure=sure)
        return kept

    def _beaten(self, control: Trial, best: Trial, by: str) -> bool:
        """Whether the run as it is has been left behind: beyond noise, or clearly where training loss has to tell."""
        if by != HELD:
            return control.out != "" or best.rows[-1].loss < CLEARLY * control.rows[-1].loss
        key = f"{control.name} {control.step} beaten by {best.name}"
        known = self.forks.log.known(key)
        sure = float(known["sure"]) if known else self._sure(control, best)
        text = f"{best.name} is better than {control.name}, unchanged, in {sure:.0%} of the draws at step {best.step}"
        self.forks.log.note(key, text, sure=sure)
        return sure >= LIKELY

    def _sure(self, champion: Trial, other: Trial) -> float:
        """In which share of draws of the search's half another trial is better than the champion."""
        if other.out or champion.out:
            return float(not other.out)
        scorer, forks = self.forks.scorer, self.forks
        before, now = (
            scorer.scores(scorer.parts(forks.run(one), None, scorer.held.search)) for one in (champion, other)
        )
        return judged(before, now).sure

    def anneal(self, champion: Trial) -> Trial:
        """The rest of the budget with the learning rate going down; from the best state, where it got worse since.

        Where nothing was changed before, the unchanged run goes on beside it, so that steps alone make no difference.
        """
        forks, leg = self.forks, self.forks.plan.leg
        if self._reached(champion) or forks.left < leg:
            return champion
        beside = [champion] if champion is self.control and not champion.out else []
        steps = forks.left // (1 + len(beside))
        trial = forks.fork(champion, annealed(steps, self._back(champion))) if self._may_turn("lr") else None
        arms = [*beside, trial] if trial is not None else [champion]
        while forks.left >= len(arms) and not any(one.out or self._reached(one) for one in arms):
            forks.advance(arms, DESCENT * leg, leg)
        return trial or champion

    def _back(self, champion: Trial) -> int | None:
        """The champion's best step, where it has got worse since and is not on its way down again."""
        rows = champion.history()
        best = _least(rows)
        if best is None or (champion.score <= WORSE * best.score and not champion.out):
            return None
        falling = len(rows) > 4 and champion.score < rows[-5].score
        return None if falling and not champion.out else best.step

    def _reached(self, trial: Trial) -> bool:
        """Whether the goal is met on the search's half."""
        goal, rows = self.forks.plan.goal, trial.rows
        return bool(goal and rows) and goal is not None and goal.met(
            {f"valid.{name}": value for name, value in rows[-1].results.items()} | rows[-1].results
        )  # fmt: skip

    def found(self) -> tuple[Trial, Row]:
        """Of all states that were scored on the search's half, the best, with those measured beside it."""
        states = [(trial, row, score) for trial in self.forks.trials for row, score in _smooth(trial.rows)]
        trial, row, _ = min(states, key=lambda state: state[2])
        return trial, row


def _going(trials: Sequence[Trial]) -> list[Trial]:
    return [trial for trial in trials if not trial.out] or list(trials)


def _plateau(rows: Sequence[Row], patience: int) -> bool:
    best = _least(rows)
    return best is not None and rows[-1].step - best.step >= patience


def _least(rows: Sequence[Row]) -> Row | None:
    return min(_smooth(rows), key=lambda found: found[1], default=(None, 0.0))[0]


def _smooth(rows: Sequence[Row]) -> list[tuple[Row, float]]:
    """The mean score of each row and the two beside it, so that a lucky one does not count as the best."""
    found = []
    for place, row in enumerate(rows):
        near = [one.score for one in rows[max(0, place - 1) : place + 2]]
        found.append((row, sum(near) / len(near) if math.isfinite(row.loss) else math.inf))
    return found
