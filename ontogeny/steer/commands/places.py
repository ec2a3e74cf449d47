"""Where to stand: going back, marks, forks, other runs; and which runs are kept."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Annotated, ClassVar

from pydantic import Field

from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.hints import typed
from ontogeny.record.journal import Entry
from ontogeny.record.lineage import parent_folder
from ontogeny.record.lock import patiently
from ontogeny.record.run import Run
from ontogeny.steer import costs
from ontogeny.steer.command import Command, Effect, Heading, Outcome, Place, Preview
from ontogeny.steer.commands.living import End
from ontogeny.steer.places import MARK, OFF, marks, step_of
from ontogeny.steer.session import Done, Position, Session

KEEP = "keep"
DISCARD = "discard"
ENDING_SECONDS = 5.0
"""How long a live run's process may take to end before its run is put away."""


class Back(Command):
    """Stands at an earlier (or later) step. Nothing is changed; what is changed next is changed on a fork there."""

    NAME: ClassVar[str] = "back"
    MEANING: ClassVar[str] = "Go back to a step, a mark, or before something happened; what comes next forks there."
    EFFECT: ClassVar[Effect] = Effect.MOVES
    HEADING: ClassVar[Heading] = Heading.WHERE

    to: Place

    def foretell(self, session: Session) -> Preview:
        """Which step that is."""
        run = session.native(self.run)
        step, why = step_of(run, self.to, session.step(self.run))
        text = f"stand at step {step} of {run.folder.name}{f' ({why})' if why else ''}"
        return Preview(text=text, effect=self.EFFECT)

    def act(self, session: Session) -> Outcome:
        """Moves the session."""
        run = session.native(self.run)
        step, why = step_of(run, self.to, session.step(self.run))
        session.move(run.folder, None if step == run.step else step)
        dials = ", ".join(f"{name} {value:g}" for name, value in run.dials(step).items())
        text = f"at step {step} of {run.folder.name}{f' ({why})' if why else ''}; dials {dials}"
        figures = {"hash": run.hash(step), "dials": run.dials(step)}
        return Outcome(text=text, run=run.folder.name, step=step, figures=figures)


class Mark(Command):
    """A name for the step at which the session stands."""

    NAME: ClassVar[str] = "mark"
    MEANING: ClassVar[str] = "Give the present step a name to come back to."
    EFFECT: ClassVar[Effect] = Effect.CHANGES
    HEADING: ClassVar[Heading] = Heading.WHERE

    name: Annotated[str, Field(min_length=1, max_length=80, description="the name")]
    off: Annotated[bool, Field(description="take the name away instead")] = False

    def foretell(self, session: Session) -> Preview:
        """Which step gets the name."""
        run, step = session.native(self.run), self.where(session)
        self._said(run, step)
        what = f"take the name {self.name!r} from a step" if self.off else f"call step {step}"
        text = f"{what} of {run.folder.name}{'' if self.off else f' {self.name!r}'}"
        return Preview(text=text, effect=self.EFFECT)

    def act(self, session: Session) -> Outcome:
        """Writes the mark at that step."""
        run, step = session.native(self.run), self.where(session)
        text = self._said(run, step)
        session.stand(run)
        run.note(MARK, author=session.author, step=step, name=self.name, **({OFF: True} if self.off else {}))
        return Outcome(text=text, run=run.folder.name, step=step)

    def where(self, session: Session) -> int:
        """The step that gets the name."""
        return session.step(self.run)

    def _said(self, run: Run, step: int) -> str:
        if not self.off:
            return f"step {step} of {run.folder.name} is called {self.name!r}"
        if self.name not in marks(run):
            raise OntogenyError(
                f"{run.folder.name} has no mark {self.name!r}; it has {', '.join(marks(run)) or 'none'}"
            )
        return f"no step of {run.folder.name} is called {self.name!r} any more"


class Fork(Command):
    """A new run that shares what came before."""

    NAME: ClassVar[str] = "fork"
    MEANING: ClassVar[str] = "Start a new run from a step of this one, which stays as it is; the session moves to it."
    EFFECT: ClassVar[Effect] = Effect.CHANGES
    HEADING: ClassVar[Heading] = Heading.WHERE
    MAKES: ClassVar[bool] = True

    at: Annotated[str, Field(description="where, as for `back`; left out, where the session stands")] = ""
    name: Annotated[str, Field(description="what to call it")] = ""

    def foretell(self, session: Session) -> Preview:
        """From where the new run branches."""
        run, step = self._where(session)
        name = f" as {session.runs.fresh(self.name).name}" if self.name else ""
        text = f"fork {run.folder.name} at step {step}{name}, which copies nothing"
        return Preview(text=text, effect=self.EFFECT, seconds=costs.loading(run))

    def act(self, session: Session) -> Outcome:
        """Makes the fork."""
        run, step = self._where(session)
        lines = session.position.lines if not self.at and session.in_past(self.run) else None
        child = session.fork(run, step, self.name, lines=lines, author=session.author)
        return Outcome(
            text=f"{child.folder.name} branches from {run.folder.name} at step {step}", run=child.folder.name
        )

    def _where(self, session: Session) -> tuple[Run, int]:
        run, here = session.native(self.run), session.step(self.run)
        return run, step_of(run, self.at, here)[0] if self.at else here


class Switch(Command):
    """Stands at another run's head."""

    NAME: ClassVar[str] = "switch"
    MEANING: ClassVar[str] = "Go to another run, or back to the one before."
    EFFECT: ClassVar[Effect] = Effect.MOVES
    HEADING: ClassVar[Heading] = Heading.WHERE
    LIVE: ClassVar[bool] = False

    def foretell(self, session: Session) -> Preview:
        """Which run."""
        return Preview(text=f"go to {self._where(session)}", effect=self.EFFECT)

    def act(self, session: Session) -> Outcome:
        """Moves the session."""
        name = self._where(session)
        session.move(session.runs.find(name))
        step = session.recording().step
        return Outcome(text=f"at {name}, step {step}", run=name, step=step)

    def _where(self, session: Session) -> str:
        if self.run:
            return session.runs.find(self.run).name
        if session.previous is None:
            raise OntogenyError("there is no run before this one in this session; name the run to go to")
        return session.previous.folder.name


class Keep(Command):
    """A run is marked as one to keep."""

    NAME: ClassVar[str] = "keep"
    MEANING: ClassVar[str] = "Keep this run: its journal says so, and it cannot be discarded by mistake."
    EFFECT: ClassVar[Effect] = Effect.CHANGES
    HEADING: ClassVar[Heading] = Heading.WHERE

    off: Annotated[bool, Field(description="keep it no more")] = False

    def foretell(self, session: Session) -> Preview:
        """Which run."""
        name = session.native(self.run).folder.name
        text = f"let {name} be discarded by whoever wants to" if self.off else f"keep {name} from being discarded"
        return Preview(text=text, effect=self.EFFECT)

    def act(self, session: Session) -> Outcome:
        """Writes it down."""
        run = session.native(self.run)
        session.stand(run)
        run.note(KEEP, author=session.author, **({OFF: True} if self.off else {}))
        return Outcome(text=self._said(run), run=run.folder.name)

    def _said(self, run: Run) -> str:
        return f"{run.folder.name} is {'not kept any more' if self.off else 'kept'}"


class Discard(Command):
    """A run is put away, to where it can be taken back from."""

    NAME: ClassVar[str] = "discard"
    MEANING: ClassVar[str] = "Put a run away; its files stay, and it can be taken back."
    EFFECT: ClassVar[Effect] = Effect.REMOVES
    HEADING: ClassVar[Heading] = Heading.WHERE
    LIVE: ClassVar[bool] = False

    def foretell(self, session: Session) -> Preview:
        """Which run; refused where forks hang on it, or it was kept."""
        run = session.native(self.run)
        to = self.then(session, run)
        where = f", and go to {to}" if to else ""
        end = f"end the process of {run.folder.name} and " if _is_live(session, run) else ""
        text = f"{end}put {run.folder.name} away, from where it can be taken back{where}"
        return Preview(text=text, effect=self.EFFECT)

    def act(self, session: Session) -> Outcome:
        """Moves its folder away, and the session to its parent where it stood there."""
        run = session.native(self.run)
        to = self.then(session, run)
        _end(session, run)
        _noted(run, session.author)
        if to:
            session.move(session.runs.find(to))
        parent = "" if run.parent is None else run.parent.name
        session.forget(run.folder)
        session.runs.discard(run.folder)
        return Outcome(text=f"{run.folder.name} is put away", figures={"discarded": run.folder.name, "parent": parent})

    def inverse(self, session: Session, done: Done) -> Command | None:
        """It is taken back."""
        return TakeBack(run=done.outcome.figures["discarded"])

    def noted(self, outcome: Outcome) -> bool:
        """Where it hung on another run."""
        return bool(outcome.figures["parent"])

    def about(self, before: Position, outcome: Outcome) -> str:
        """The run that it hung on."""
        return str(outcome.figures["parent"])

    def then(self, session: Session, run: Run) -> str:
        """The run to go to, empty for where the session stands. Raises OntogenyError where this one must stay."""
        if is_kept(run):
            no_more = typed("keep", run.folder.name, "--off")
            raise OntogenyError(f"{run.folder.name} was kept, so it is not put away; `{no_more}` ends that first")
        here = run.folder.resolve()
        others = [folder for folder in session.runs.all() if folder.resolve() != here]
        if hanging := [folder.name for folder in others if parent_folder(folder) == here]:
            raise OntogenyError(f"{', '.join(hanging)} hang on {run.folder.name}; discard them first")
        if not others:
            raise OntogenyError(f"{run.folder.name} is the only run here; it stays")
        if session.position.folder.resolve() != here:
            return ""
        parent = run.parent
        return next((folder.name for folder in others if folder.resolve() == parent), others[0].name)


class TakeBack(Command):
    """A discarded run is there again."""

    NAME: ClassVar[str] = "take-back"
    MEANING: ClassVar[str] = "Take a discarded run back."
    EFFECT: ClassVar[Effect] = Effect.CHANGES
    HEADING: ClassVar[Heading] = Heading.WHERE
    LIVE: ClassVar[bool] = False
    STANDS: ClassVar[bool] = False

    run: Annotated[str, Field(min_length=1, description="the discarded run")]

    def foretell(self, session: Session) -> Preview:
        """Which run."""
        session.runs.discarded(self.run)
        return Preview(text=f"take the discarded run {self.run} back", effect=self.EFFECT)

    def act(self, session: Session) -> Outcome:
        """Moves its folder back, and the session to it."""
        folder = session.runs.take_back(self.run)
        try:
            session.recording(folder.name)
        except OntogenyError:  # it hangs on a run that is not there
            session.runs.discard(folder)
            raise
        session.move(folder)
        return Outcome(text=f"{self.run} is back", run=self.run)


def _is_live(session: Session, run: Run) -> bool:
    """Whether a run has a process of its own: another one, or the one that this session is of."""
    return session.goes_on(run.folder) or _is_here(session, run)


def _is_here(session: Session, run: Run) -> bool:
    return session.live and session.position.folder.resolve() == run.folder.resolve()


def _end(session: Session, run: Run) -> None:
    """Ends the process of a run that is live: another one, or once this command is answered the one that takes it."""
    if _is_here(session, run):
        return session.end()
    host = session.host_of(run.folder)
    if host is not None:
        with closing(host):
            host.do(End(run=run.folder.name), session.author)


def _noted(run: Run, author: str) -> None:
    """Says in the run's own journal that it is put away, once a process that ends lets go of it."""
    patiently(lambda: run.note(DISCARD, author=author), ENDING_SECONDS)


def is_kept(run: Run) -> bool:
    """Whether a run is one to keep: its journal says so, and not the contrary later."""
    return kept_by(run.own_entries)


def kept_by(entries: Sequence[Entry]) -> bool:
    """The same by some entries of its own."""
    said = [entry for entry in entries if entry.kind == KEEP]
    return bool(said) and not said[-1].content.get(OFF, False)
