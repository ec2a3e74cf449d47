"""Dials, and routines that a journal may call."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ontogeny.front.edits.notes import ROUTINES
from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.hints import typed
from ontogeny.record import entries
from ontogeny.record.journal import Entry
from ontogeny.record.recorded import Recorded
from ontogeny.steer.command import Command, Effect, Heading, Outcome, Preview
from ontogeny.steer.sentences import counted, forked_first
from ontogeny.steer.session import Done, Session

SAID = {
    "lr": ("learning rate", "rate", "step size", "learning_rate"),
    "weight_decay": ("decay", "weight decay", "wd", "regularisation", "regularization"),
    "momentum": ("momentum", "beta1"),
    "beta1": ("momentum", "first beta", "beta"),
    "beta2": ("second beta",),
    "clip": ("clipping", "gradient clipping", "clip norm", "gradient norm"),
    "eps": ("epsilon",),
}
"""What people call dials."""
BOUNDS: Mapping[str, tuple[float, float]] = {
    "lr": (0.0, math.inf),
    "weight_decay": (0.0, math.inf),
    "eps": (0.0, math.inf),
    "clip": (0.0, math.inf),
    "momentum": (0.0, 1.0),
    "beta1": (0.0, 1.0),
    "beta2": (0.0, 1.0),
}
"""From where, and up to below where, a dial of such a name may be turned: beyond, a rule climbs, or forgets nothing."""
MUCH = 10
"""Times its present value from which on a new learning rate is remarked upon."""
AT_LAST = 1 << 61
"""A step by which every dial has come to where it was sent."""
HOW = {"linear": "in a straight line", "cosine": "along half a cosine", "exponential": "by equal factors"}


class Set(Command):
    """A dial is turned: to a value, or by a factor; at once, or over some steps."""

    NAME: ClassVar[str] = "set"
    MEANING: ClassVar[str] = (
        "Turn a dial (learning rate, weight decay...) to a value or by a factor, at once or over steps."
    )
    EFFECT: ClassVar[Effect] = Effect.CHANGES
    HEADING: ClassVar[Heading] = Heading.RULE

    dial: Annotated[str, Field(description="the dial: lr, weight_decay, or what it is called in words")]
    to: Annotated[float | None, Field(description="its new value")] = None
    by: Annotated[float | None, Field(description="a factor on its present value: 0.5 halves it")] = None
    over: Annotated[int, Field(ge=0, le=10**12, description="steps over which it moves there; 0: at once")] = 0
    shape: Annotated[
        Literal["linear", "cosine", "exponential"], Field(description="how it moves there over these steps")
    ] = "linear"

    @model_validator(mode="after")
    def _one(self) -> Set:
        if (self.to is None) == (self.by is None):
            raise ValueError("give either a value (to) or a factor (by)")
        return self

    def foretell(self, session: Session) -> Preview:
        """From which value to which."""
        run, stood = session.native(self.run), session.stood(self.run)
        name, before, after = self._values(stood)
        where, what = forked_first(session, self.run), f"{name} of {run.folder.name}"
        text = f"{where}turn {what} from {before:g} to {after:g}{moved(self)}, from step {stood.step} on"
        return Preview(text=text, effect=self.EFFECT, remarks=remarks(name, before, after))

    def act(self, session: Session) -> Outcome:
        """Turns it at the head."""
        name, before, after = self._values(session.stood(self.run))
        run = session.head(self.run)
        moving = run.dials(AT_LAST)[name] != before
        run.set_dial(name, after, over=self.over, shape=self.shape, author=session.author)
        how = f" over {counted(self.over, 'step')}" if self.over else ""
        text = f"{name} of {run.folder.name} goes from {before:g} to {after:g}{how}, from step {run.step} on"
        figures = {"dial": name, "before": before, "after": after, "was_moving": moving}
        return Outcome(text=text, run=run.folder.name, step=run.step, figures=figures)

    def inverse(self, session: Session, done: Done) -> Command | None:
        """Turned back to what it was, unless it was on its way somewhere."""
        if done.outcome.figures["was_moving"]:
            return None
        return Set(run=done.after.folder.name, dial=done.outcome.figures["dial"], to=done.outcome.figures["before"])

    def entry(self, run: Recorded) -> Entry:
        """The line that it will be in the journal of a run."""
        name, _, after = self._values(run)
        return entries.dial(run, name, after, self.over, self.shape)

    def check_shape(self) -> None:
        """Raises OntogenyError for a way without steps to go it in."""
        if self.shape != "linear" and not self.over:
            raise OntogenyError(f"{self.shape} is how a dial moves over steps; say over how many")

    def _values(self, run: Recorded) -> tuple[str, float, float]:
        """The dial, its value, and what it will be. Raises OntogenyError for a value that it cannot have."""
        self.check_shape()
        name = dial_called(run, self.dial)
        before = run.dials()[name]
        after = before * self.by if self.by is not None else float(self.to or 0.0)
        check_bounds({name: after})
        entries.dial(run, name, after, self.over, self.shape)
        return name, before, after


class Call(Command):
    """A routine of the program is called once, before the next step."""

    NAME: ClassVar[str] = "call"
    MEANING: ClassVar[str] = "Call a routine of the program, such as `sleep`, once before the next step."
    EFFECT: ClassVar[Effect] = Effect.CHANGES
    HEADING: ClassVar[Heading] = Heading.RULE

    routine: Annotated[str, Field(min_length=1, description="the routine's name")]

    def foretell(self, session: Session) -> Preview:
        """Which routine, and when."""
        run, stood = session.native(self.run), session.stood(self.run)
        self._check(run, stood)
        where = forked_first(session, self.run)
        text = f"{where}call {self.routine} of {run.folder.name} once at step {stood.step}, before the next step"
        return Preview(text=text, effect=self.EFFECT)

    def act(self, session: Session) -> Outcome:
        """Calls it at the head."""
        self._check(session.native(self.run), session.stood(self.run))
        run = session.head(self.run)
        run.call(self.routine, author=session.author)
        text = f"{self.routine} of {run.folder.name} is called before the step from {run.step}"
        return Outcome(text=text, run=run.folder.name, step=run.step)

    def _check(self, run: Recorded, stood: Recorded) -> None:
        """Raises OntogenyError where there is none to call; of one that an edit adds, with how that is done."""
        if self.routine in ROUTINES and not stood.program.has(self.routine):
            added = typed("rule", run.folder.name, self.routine)
            raise OntogenyError(f"{run.folder.name} has no routine {self.routine!r}; `{added}` adds it")
        entries.call(stood, self.routine)


def moved(command: Set) -> str:
    """Along what way a dial gets to its value, and over how many steps; empty for at once."""
    return f", {HOW[command.shape]} over {counted(command.over, 'step')}" if command.over else ""


def check_bounds(dials: Mapping[str, float]) -> None:
    """Raises OntogenyError for a value with which a rule as it is known would not learn at all."""
    for name, value in dials.items():
        low, high = BOUNDS.get(base(name), (-math.inf, math.inf))
        if value < low or value >= high < math.inf:
            within = f"{low:g} or more" if high == math.inf else f"{low:g} or more, and less than {high:g}"
            raise OntogenyError(f"{name} cannot be {value:g}; give {within}")


def remarks(name: str, before: float, after: float) -> tuple[str, ...]:
    """What else is to be known of a dial's new value."""
    if base(name) == "lr" and after == 0:
        return ("at a learning rate of 0 nothing is learned",)
    if base(name) == "lr" and before and after > MUCH * before:
        return (f"that is {after / before:.3g} times as much",)
    return ()


def base(dial: str) -> str:
    """The rule's dial of which a group of parameters has its own: `weight_decay` of `weight_decay.embed`."""
    return dial.partition(".")[0]


def _said(name: str) -> tuple[str, ...]:
    """What people call a dial; one of a group also with `of` before the group."""
    plain, _, group = name.partition(".")
    words = (plain, plain.replace("_", " "), *SAID.get(plain, ()))
    return tuple(f"{word} of {group}" for word in words) if group else words


def dial_called(run: Recorded, said: str) -> str:
    """The dial of a run that a word means. Raises OntogenyError with what there is, and what is near."""
    names = list(run.dials())
    word = said.strip().lower()
    if word in names or said in names:
        return word if word in names else said
    meant = [name for name in names if word in _said(name)]
    if meant:
        return meant[0]
    near = difflib.get_close_matches(word, [*names, *(w for n in names for w in _said(n))], 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise OntogenyError(f"{run.folder.name} has no dial {said!r}; {hint}it has {', '.join(names) or 'none'}")
