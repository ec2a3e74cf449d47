"""Where a session will stand once commands are done that are only foretold yet, so that the next ones start there.

It stands where its session does and goes along without changing anything: it counts the steps that will be taken and
keeps the entries that will be made, so that dials are read off their courses. Where a command leads to what cannot be
known before, such as the step at which a condition will hold, it says so by refusing to foretell what comes after.
"""

from __future__ import annotations

from pathlib import Path

from ontogeny.isa.errors import OntogenyError
from ontogeny.record import forking
from ontogeny.record.journal import Entry
from ontogeny.record.recorded import Recorded
from ontogeny.steer.command import Command, Effect, Preview
from ontogeny.steer.commands.dials import Set
from ontogeny.steer.commands.going import Advance
from ontogeny.steer.commands.places import Back, Discard, Fork, Switch
from ontogeny.steer.commands.undoing import Undo
from ontogeny.steer.places import step_of
from ontogeny.steer.registry import FORKING
from ontogeny.steer.session import Session

LEADING_AWAY = ("take-back", "undo", "autopilot")
"""Commands that lead to a run that is not foretold; so do all that make one, but for a fork."""


class Ahead(Session):
    """A session that goes along with commands that are only foretold."""

    def __init__(self, session: Session) -> None:
        super().__init__(session.runs, author=session.author, open=session._open, host=session._host)
        self._position, self.previous = session._position, session.previous
        self._opened, self.done = session._opened, list(session.done)
        self.changed = self.forked = self.lost = self._put_away = False
        self._steps = 0
        self._entries: list[Entry] = []
        self._touched: set[Path] = set()

    def step(self, name: str = "") -> int:
        """The step that it will stand at."""
        return super().step(name) + (0 if self._elsewhere(name) else self._steps)

    def stood(self, name: str = "") -> Recorded:
        """The run as it will be there."""
        if self._elsewhere(name) or not (self._steps or self._entries):
            return super().stood(name)
        run, step = self.native(name), super().step(name)
        source = run.as_of(step)
        lines = self.position.lines if source is run else None
        return forking.ahead(forking.until(source, step, lines), self._steps, self._entries)

    @property
    def certain(self) -> bool:
        """Whether it is known where it will stand, and no step is taken before that a live process may be made for."""
        return not (self.lost or self._steps)

    def foretell(self, command: Command) -> Preview:
        """What a command will do then. Raises an OntogenyError where it cannot be known."""
        unknown = self.changed if isinstance(command, Undo) else self._put_away and isinstance(command, Discard)
        if unknown or (self.lost and command.EFFECT is not Effect.ASKS):
            raise OntogenyError(
                f"what {command.NAME} will do cannot be said before the commands that come first are done"
            )
        if self._steps or self._entries:  # of a live run as well: its process knows only where it stands now
            return command.foretell(self)
        return super().foretell(command)

    def take(self, command: Command) -> None:
        """Goes to where the session will stand once a command is done."""
        try:
            if command.EFFECT is Effect.MOVES:
                self._move(command)
            elif command.EFFECT.confirmed and not self.lost:
                self._change(command)
        except OntogenyError:
            self.lost = self.lost or self.changed
        self.changed = self.changed or command.EFFECT.confirmed

    def _move(self, command: Command) -> None:
        """A live run's own process is not moved."""
        if self.lost or self._hosted(command) is not None:
            return
        followed = not self.changed or (isinstance(command, Back) and not (self.forked or self._steps))
        if not followed and not (isinstance(command, Switch) and command.run):
            self.lost = True
        elif isinstance(command, Switch) and command.run:
            self._go(self.runs.find(command.run))
        else:
            command.act(self)

    def _change(self, command: Command) -> None:
        if isinstance(command, Discard):
            return self._discard(command)
        if command.NAME in LEADING_AWAY or (command.MAKES and not isinstance(command, Fork)):
            self.lost = True
            return None
        if self._elsewhere(command.run):
            self._go(self.runs.find(command.run))
        self._touched.add(self.position.folder.resolve())
        if isinstance(command, Fork) and command.at:
            self._back(command.at)
        self.forked = self.forked or command.NAME in FORKING or self.in_past()
        if isinstance(command, Set):
            self._entries.append(command.entry(self.stood()))
        if isinstance(command, Advance):
            self.lost = bool(command.until)
            self._steps += command.steps or 1
        return None

    def _discard(self, command: Discard) -> None:
        to = command.then(self, self.native(command.run))
        self.lost, self._put_away = self.forked, True
        if to:
            self._go(self.runs.find(to))

    def _back(self, place: str) -> None:
        run = self.native()
        step, _ = step_of(run, place, self.step())
        self.lost = self.lost or self._steps > 0 or self.forked
        self.move(run.folder, None if step == run.step else step)

    def _go(self, folder: Path) -> None:
        """To the head of another run, which is known unless it will have changed by then."""
        self.move(folder)
        self._steps, self.forked = 0, False
        self._entries.clear()
        self.lost = self.lost or folder.resolve() in self._touched
