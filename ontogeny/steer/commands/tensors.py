"""Changing parameters by hand: scaled, reset, set to zero, disturbed, pruned."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ontogeny.isa.errors import OntogenyError
from ontogeny.record import entries
from ontogeny.record.alterations import NOISE, chosen
from ontogeny.record.recorded import Recorded
from ontogeny.steer import costs
from ontogeny.steer.command import Command, Effect, Heading, Outcome, Preview, Tensors
from ontogeny.steer.sentences import forked_first
from ontogeny.steer.session import Session

How = Literal["scale", "reset", "zero", "noise", "prune"]
WORDS = {
    "scale": "multiply {names} of {run} by {amount:g}",
    "reset": "put {names} of {run} back to the first values",
    "zero": "set {names} of {run} to zero",
    "noise": "add {amount:g} standard deviations of noise (seed {seed}) to {names} of {run}",
    "prune": "set the smallest {percent:g}% of {names} of {run} to zero",
}
AND_STATE = ", and set what the optimizer keeps of them to zero"


class Alter(Command):
    """Parameters are altered once, before the next step."""

    NAME: ClassVar[str] = "alter"
    MEANING: ClassVar[str] = "Alter parameters once: scale, reset, zero, add noise, or prune the smallest."
    EFFECT: ClassVar[Effect] = Effect.CHANGES
    HEADING: ClassVar[Heading] = Heading.PARAMETERS

    how: Annotated[How, Field(description="scale, reset (to the first values), zero, noise, or prune")]
    tensors: Tensors
    amount: Annotated[
        float | None, Field(description="scale: a factor; noise: standard deviations; prune: a share from 0 to 1")
    ] = None
    seed: Annotated[int, Field(description="of the noise")] = 0
    and_state: Annotated[bool, Field(description="also zero what the optimizer keeps of them")] = False

    def foretell(self, session: Session) -> Preview:
        """Which parameters, and how."""
        run, stood = session.native(self.run), session.stood(self.run)
        self._check(stood)
        where = forked_first(session, self.run)
        steps = costs.replayed(run, stood.step)
        text = f"{where}{self._said(stood, run.folder.name)}, at step {stood.step}"
        return Preview(text=text, effect=self.EFFECT, steps=steps, seconds=costs.seconds(run, steps))

    def act(self, session: Session) -> Outcome:
        """Alters them at the head."""
        self._check(session.stood(self.run))
        run = session.head(self.run)
        run.alter(self.tensors, self.how, self.amount, seed=self.seed, and_state=self.and_state, author=session.author)
        text = f"{self._said(run, run.folder.name)}, before the step from {run.step}"
        return Outcome(text=text, run=run.folder.name, step=run.step)

    def check_seed(self) -> None:
        """Raises OntogenyError for a seed that nothing is drawn by."""
        if self.seed and self.how != NOISE:
            raise OntogenyError(f"{self.how} draws no random numbers, so it takes no seed; leave it out")

    def words(self, names: str, called: str) -> str:
        """What is done, to parameters of a run that are called so."""
        amount = self.amount if self.amount is not None else 0.0
        words = WORDS[self.how].format(names=names, run=called, amount=amount, percent=100 * amount, seed=self.seed)
        return f"{words}{AND_STATE}" if self.and_state else words

    def _check(self, run: Recorded) -> None:
        self.check_seed()
        entries.alteration(run, self.tensors, self.how, self.amount, self.seed, self.and_state)

    def _said(self, run: Recorded, called: str) -> str:
        names = [decl.name for decl in chosen(run.program, self.tensors)]
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        return self.words(shown, called)
