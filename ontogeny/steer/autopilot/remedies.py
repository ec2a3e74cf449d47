"""From findings to proposals: each remedy that is a command, where the run stands or before it went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest

import numpy as np

from ontogeny.ask.finding import Finding, Remedy
from ontogeny.ask.onsets import GAP, Curve, spikes
from ontogeny.data.without import numbered, ranges, written
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.run import Run
from ontogeny.steer.autopilot.general import turned
from ontogeny.steer.autopilot.proposal import KINDS, Proposal, Situation, made
from ontogeny.steer.command import Command
from ontogeny.steer.commands.dials import Set
from ontogeny.steer.commands.examples import Mix
from ontogeny.steer.commands.rules import Rule

SURE = 0.5
"""How sure a finding has to be, for its remedies to be worth a fork."""
JUMP = 3.0
"""By how many times the training loss has to jump."""
WARM = 20
"""Steps over which a learning rate rises again after going back."""
SPIKED = "loss_spiked"
BEFORE_IT = (SPIKED, "diverging", "learning_rate_too_high", "exploding_gradient", "saturated_units", "dead_units")
"""What is worth going back for: it leaves the parameters worse than they were."""
SHARE = 0.5
"""Of a batch, what is drawn from examples that no longer come."""
GONE = 0.1
WORSENED = (SPIKED, "diverging", "memorising")
STRONGER = 100.0
"""By how much decay is raised at the most, where what is learned does not carry over to other examples."""


class Findings:
    """Proposes what the findings name, and what goes with going back."""

    name = "findings"

    def propose(self, situation: Situation) -> list[Proposal]:
        """The first of every finding, then the second of every one; the surest finding first."""
        faults = [one for one in situation.findings if one.sureness >= SURE and one.fault]
        lists = [shifted(situation), *(list(self._of(one, situation)) for one in faults)]
        return [one for row in zip_longest(*lists) for one in row if one is not None]

    def _of(self, finding: Finding, situation: Situation) -> Iterator[Proposal]:
        reason = f"{finding.name}: {finding.words}"
        for remedy in finding.remedies:
            command = command_of(remedy)
            if command is not None:
                yield Proposal(remedy.words, (command,), None, reason)
        if finding.name == "memorising" and situation.run.dials().get("weight_decay"):
            yield turned("weight_decay", STRONGER, reason)
        if finding.name in BEFORE_IT and finding.sound < situation.step and "lr" in situation.run.dials():
            lr = situation.run.dials(finding.sound)["lr"]
            lower = Set(dial="lr", by=0.1)
            warm = (Set(dial="lr", to=lr * 0.01), Set(dial="lr", to=lr * 0.3, over=WARM))
            back = f"back to step {finding.sound}, before it"
            yield Proposal(f"{back}, and a tenth of the learning rate", (lower,), finding.sound, reason)
            yield Proposal(f"{back}, and a warm-up to a third of the learning rate", warm, finding.sound, reason)
            yield Proposal(f"{back}, and clip the gradient", (Rule(edit="clip", arguments={"norm": 1.0}),),
                           finding.sound, reason)  # fmt: skip


def command_of(remedy: Remedy) -> Command | None:
    """The command of a remedy, where a fork can be tried with it."""
    return made({"command": remedy.command, **remedy.arguments}) if remedy.command in KINDS else None


def spike(known: Mapping[str, Curve]) -> Finding | None:
    """The first jump of the training loss to several times what it was, as a finding."""
    for event in spikes(known):
        steps, losses = known["loss"]
        before, after = (int(np.searchsorted(steps, step)) for step in (event.before, event.step))
        if losses[after : after + GAP].max() >= JUMP * np.median(losses[max(0, before - GAP) : before + 1]):
            return Finding(SPIKED, event.before, 1.0, event.evidence, found=event.step)
    return None


def shifted(situation: Situation) -> list[Proposal]:
    """Where it got worse: mix in again what was learned from before that and does not come any more."""
    since = [one.since for one in situation.findings if one.name in WORSENED and 0 < one.since < situation.step]
    gone = no_longer(situation.run, situation.step, situation.horizon) if since else ""
    if not gone:
        return []
    reason = f"it got worse from step {max(since)} on, and what was learned from before does not come any more"
    return [
        Proposal(f"half of every batch from it again, from step {at} on", (Mix(examples=gone, share=SHARE),), where,
                 reason)
        for at, where in ((situation.step, None), (max(since), max(since)))
    ]  # fmt: skip


def no_longer(run: Run, step: int, horizon: int) -> str:
    """The examples that were in batches before a step and are in none of the next ones, in words.

    What a step will learn from is known beforehand, since batches are a pure function of the step. Empty where it is
    less than a tenth, as in epochs, where all come again.
    """
    if not step or not horizon:
        return ""
    examples = run._stepper.examples(step)
    try:
        early, late = (
            np.unique(np.concatenate([numbered(examples).indices(at) for at in steps]))
            for steps in (range(step), range(step, step + horizon))
        )
    except OntogenyError:
        return ""
    gone = np.setdiff1d(early, late)
    return written(ranges(gone)) if len(gone) > GONE * len(early) else ""
