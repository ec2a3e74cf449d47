"""A session: where somebody stands, what they did, and the one way by which a command comes to a run.

It stands at a run and a step of it. The step is the run's last, its head, unless one went back, which is a read. What
changes a run changes it at the head; a session that stands in the past forks there first, so that nothing recorded is
ever lost. Everything that changed something is a line of kind `command` in the journal of the run that it led to, with
its author and what came of it.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ontogeny.isa.errors import OntogenyError
from ontogeny.record import forking
from ontogeny.record.attach.attached import Attached, is_attached
from ontogeny.record.journal import Entry
from ontogeny.record.lock import LockedError
from ontogeny.record.recorded import Recorded
from ontogeny.record.run import OnStep, Run, Stop, Until, open_run
from ontogeny.record.runs_folder import RunsFolder, is_run
from ontogeny.record.schedule import EFFECTIVE
from ontogeny.steer.command import Command, Effect, Outcome, Preview
from ontogeny.steer.live.client import check_not_left

COMMAND = "command"
"""The kind of a journal's lines that say which command was given."""
TAKEN_BACK = "taken_back"
"""What such a line says where it takes another one back: the id of that one."""
LONG = 40
"""Characters of a run's name from which on its forks are called like its root."""
Opener = Callable[[Path], Run | Attached]


@dataclass(frozen=True, slots=True)
class Position:
    """A run, and the step and the lines of its own journal that count; None: all of it, as it grows."""

    folder: Path
    step: int | None = None
    lines: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """A command that was taken: where the session stood before and after, and what came of it."""

    command: Command
    before: Position
    after: Position
    outcome: Outcome
    author: str
    id: str = ""
    """What its line in the journal is called."""


class Host(Protocol):
    """A live run's process, which takes commands for it."""

    def do(self, command: Command, author: str = ..., id: str = ...) -> Outcome:
        """Takes a command, once for an id."""

    def foretell(self, command: Command) -> Preview:
        """Says what a command would do."""

    def wait(self, goal: int | None) -> None:
        """Waits until the run has come to a step, or None: until it stands still."""

    def close(self) -> None:
        """Lets go of the process."""


def opened(folder: Path) -> Run | Attached:
    """The run or recorded loop in a folder."""
    return Attached(folder) if is_attached(folder) else open_run(folder)


class Session:
    """Takes commands for the runs of a folder. `run` names where to stand; left out, at the run written to last.

    `on_step(step, metrics)` is told every step that the session computes. `open` opens a folder, where data was too
    large to be saved; `host(folder)` finds the process that a live run belongs to.
    """

    live = False
    """Whether this is the session of a live run's process."""
    running = False
    """Whether the run goes on by itself at present."""
    told: Callable[[str], object] = staticmethod(lambda text: None)
    """Hears what a long command says on its way."""

    def __init__(
        self,
        runs: RunsFolder | Path | str | None = None,
        run: str = "",
        *,
        author: str = "you",
        on_step: OnStep | None = None,
        open: Opener = opened,
        host: Callable[[Path], Host | None] = lambda folder: None,
    ) -> None:
        self.runs = runs if isinstance(runs, RunsFolder) else RunsFolder(Path(runs)) if runs else RunsFolder.default()
        self.author = author
        self.on_step = on_step
        self.done: list[Done] = []
        self._open, self._host = open, host
        self._opened: dict[Path, Run | Attached] = {}
        self._made: list[Run] = []
        self._position = Position(self.runs.find(run)) if run else None
        self.previous: Position | None = None

    @property
    def position(self) -> Position:
        """Where the session stands. Raises OntogenyError where there is no run yet."""
        if self._position is None:
            folders = self.runs.all()
            if not folders:
                raise OntogenyError(f"there is no run in {self.runs.root}/; `ontogeny run FILE.py` makes one")
            self._position = Position(folders[0])
        return self._position

    def recording(self, name: str = "") -> Run | Attached:
        """The run called `name`, or the one that the session stands at, to be read."""
        folder = (self.runs.find(name) if name else self.position.folder).resolve()
        if folder in self._opened:
            found = self._opened[folder]
            known = _identity(found)
            with suppress(OntogenyError):  # which opening it anew says better
                found.refresh()
                if _identity(found) == known:
                    return found
            self.forget(folder)  # another run lies there now, or none
        self._opened[folder] = self._open(folder)
        return self._opened[folder]

    def native(self, name: str = "") -> Run:
        """The same, where it must be a run of our own."""
        found = self.recording(name)
        if not isinstance(found, Run):
            raise OntogenyError(
                f"{found.folder.name} is the record of a loop that is not ours: it has values, but no program to "
                "compute others from; questions about values answer, and a loop is steered while it runs"
            )
        return found

    def step(self, name: str = "") -> int:
        """The step that the session stands at, or a named run's last."""
        here = self.position
        if here.step is not None and not self._elsewhere(name):
            return here.step
        return self.recording(name).step

    def in_past(self, name: str = "") -> bool:
        """Whether a change would fork: the session stands before the run's head."""
        here = self.position
        if here.step is None or self._elsewhere(name):
            return False
        run = self.native(name)
        return here.step < run.step or self._undone(run, here)

    def stood(self, name: str = "") -> Recorded:
        """The run that a change would be made to, as it is where the session stands: with what counts there alone."""
        run = self.native(name)
        if not self.in_past(name):
            return run
        step = self.step(name)
        source = run.as_of(step)
        return forking.until(source, step, self.position.lines if source is run else None)

    def head(self, name: str = "", called: str = "") -> Run:
        """The run to change, at its head; where the session stands in the past, a fork there, to which it moves."""
        run = self.native(name)
        if not self.in_past(name):
            self.move(run.folder)
            return run
        return self.fork(run, self.step(name), called, lines=self.position.lines)

    def fork(self, run: Run, step: int, called: str = "", *, lines: int | None = None, **changes: Any) -> Run:
        """A fork of a run at a step, to which the session moves. By default it is called like the run and the step."""
        changes.setdefault("author", self.author)
        child = run.fork(step, self.runs.fresh(called or fork_name(run, str(step))), lines=lines, **changes)
        self._made.append(child)
        self._opened[child.folder.resolve()] = child
        self.move(child.folder)
        return child

    def move(self, folder: Path, step: int | None = None, lines: int | None = None) -> None:
        """Stands elsewhere: at the head of a run, or at a step of it."""
        if self._position is not None and self._position.folder.resolve() != folder.resolve():
            self.previous = self._position
        self._position = Position(folder, step, lines)

    def stand(self, run: Run) -> None:
        """Stands at the head of a run, unless the session stands at it already."""
        if run.folder.resolve() != self.position.folder.resolve():
            self.move(run.folder)

    def advance(self, run: Run, steps: int, until: Until | None = None) -> Stop | None:
        """Lets a run go on, here and now, and says why it stopped; None: it goes on by itself."""
        return run.advance(steps, until=until, on_step=self.on_step)

    def pause(self) -> None:
        """Lets a live run wait. Only a live session can."""
        raise NotImplementedError

    def resume(self) -> None:
        """Lets a live run go on. Only a live session can."""
        raise NotImplementedError

    def end(self) -> None:
        """Ends a live run's process. Only a live session can."""
        raise NotImplementedError

    def foretell(self, command: Command) -> Preview:
        """What a command will do. Raises an OntogenyError where it cannot be done."""
        if host := self._hosted(command):
            with closing(host):
                return host.foretell(command)
        return command.foretell(self)

    def do(self, command: Command, author: str = "", id: str = "") -> Outcome:
        """Takes a command: what came of it. What changes a run stands in its journal when this returns.

        `id` is whatever the asker knows the command by; the journal keeps it.
        """
        if host := self._hosted(command):
            with closing(host):
                return self._follow(host.do(command, author or self.author, id))
        if command.EFFECT is Effect.ASKS:
            return self._placed(command.act(self))
        before, stood = self._fixed(), self._position
        asked, self.author = self.author, author or self.author
        id = id or uuid.uuid4().hex[:12]
        self._made.clear()
        try:
            outcome = self._placed(command.act(self))
            self._took(command, before, outcome, id)
        except (OntogenyError, KeyboardInterrupt) as error:
            self._broke_off(command, before, stood, id, error)
            raise
        finally:
            self.author = asked
            self.let_go()
        return outcome

    def arrive(self, goal: int | None) -> None:
        """Waits until a live run has come to a step, or None: until it stands still; any other is there already."""
        if host := self.host_of(self.position.folder):
            with closing(host):
                host.wait(goal)

    def goes_on(self, folder: Path | None = None) -> bool:
        """Whether a run, by default the one where it stands, goes on by itself in a process of its own."""
        host = self.host_of(folder or self.position.folder)
        if host is not None:
            host.close()
        return host is not None

    def let_go(self) -> None:
        """Writes what waits and frees the runs for other writers."""
        for run in self._opened.values():
            if isinstance(run, Run):
                run.close()

    def forget(self, folder: Path) -> None:
        """No longer holds the run of a folder that has moved."""
        run = self._opened.pop(folder.resolve(), None)
        if isinstance(run, Run):
            run.close()

    def rest(self) -> Position:
        """Where the session stands, with the step and lines spelt out, so that it means the same later."""
        return self._fixed()

    def host_of(self, folder: Path) -> Host | None:
        """A connection to the process that a live run belongs to, None where it has none but this one."""
        return self._host(folder.resolve())

    def _hosted(self, command: Command) -> Host | None:
        if not command.LIVE:
            return None
        folder = (self.runs.find(command.run) if command.run else self.position.folder).resolve()
        host = self._host(folder)
        if host is None and command.drives:
            check_not_left(folder, command.NAME)
        return host

    def _elsewhere(self, name: str) -> bool:
        return bool(name) and self.runs.find(name).resolve() != self.position.folder.resolve()

    def _undone(self, run: Run, here: Position) -> bool:
        """Whether entries at the very step are left out, so that the head is not where the session stands."""
        own = run.own_entries
        return here.lines is not None and any(entry.kind in EFFECTIVE for entry in own[here.lines :])

    def _fixed(self) -> Position:
        try:
            here, run = self.position, self.recording()
        except OntogenyError:  # no run yet, or none any more: the command may lead to one
            return self._position or Position(self.runs.root, 0, 0)
        if here.step is not None:
            return here
        return Position(here.folder, run.step, len(run.own_entries) if isinstance(run, Run) else None)

    def _placed(self, outcome: Outcome) -> Outcome:
        if self._position is None:
            return outcome
        here = self.position
        run = outcome.run or here.folder.name
        step = self.step(run) if outcome.step is None else outcome.step
        past = here.step is not None and run == here.folder.name and self.in_past()
        return outcome.model_copy(update={"run": run, "step": step, "past": past})

    def _took(self, command: Command, before: Position, outcome: Outcome, id: str) -> None:
        """Remembers a command, in the journal where it changed a run."""
        if command.noted(outcome):
            with suppress(*([LockedError] if command.EFFECT is Effect.REMOVES else [])):  # what is done is done
                self._note(command, before, outcome, id)
        self.done.append(Done(command, before, self._fixed(), outcome, self.author, id))

    def _broke_off(
        self, command: Command, before: Position, stood: Position | None, id: str, error: BaseException
    ) -> None:
        """A command that failed has changed nothing, or it is remembered with how far it came."""
        for child in self._made:
            if child.step == child.base and not any(entry.kind in EFFECTIVE for entry in child.own_entries):
                self.forget(child.folder)
                shutil.rmtree(child.folder, ignore_errors=True)  # it was made for this, and has nothing of its own
        if stood is not None and self._position is not None and not is_run(self._position.folder):
            self.move(stood.folder, stood.step, stood.lines)
        with suppress(OntogenyError):
            now = self._fixed()
            if (now.folder, now.step) == (before.folder, before.step):
                self._position = stood
            else:
                said = str(error) or "interrupted"
                text = f"{command.says()} broke off at step {now.step} of {now.folder.name}: {said}"
                self._took(command, before, Outcome(text=text, run=now.folder.name, step=now.step), id)

    def _follow(self, outcome: Outcome) -> Outcome:
        """Stands where the process of a live run stands now."""
        self.move(self.runs.find(outcome.run), outcome.step if outcome.past else None)
        return outcome

    def _note(self, command: Command, before: Position, outcome: Outcome, id: str) -> None:
        """The command as a line of the journal of the run that it is about, which is where the session stands."""
        about = command.about(before, outcome)
        run = self.recording(about if about and is_run(self.runs.root / about) else "")
        if isinstance(run, Run):
            content: dict[str, Any] = {
                "command": command.NAME,
                "arguments": command.given(),
                "text": outcome.text,
                "before": {"run": before.folder.name, "step": before.step, "lines": before.lines},
                "id": id,
            }
            content |= {TAKEN_BACK: outcome.figures[TAKEN_BACK]} if TAKEN_BACK in outcome.figures else {}
            run.note(COMMAND, author=self.author, **content)


def _identity(run: Run | Attached) -> Entry:
    """The line that tells a run from any other."""
    return run.own_entries[0] if isinstance(run, Run) else run.entries[0]


def fork_name(run: Recorded, made: str) -> str:
    """What a fork is called unless somebody says: like its parent, or where that is long the root, and how it came."""
    parent = run.folder.resolve().name
    return f"{parent if len(parent) <= LONG else run.root.resolve().name}-{made}"


def commands_of(run: Run | Attached) -> list[Entry]:
    """The lines of a journal that say which commands were given, inherited ones too, in order."""
    return [entry for entry in run.entries if entry.kind == COMMAND]


def before_of(session: Session, content: Mapping[str, Any]) -> Position:
    """Where a session stood before the command of a journal's line."""
    return Position(session.runs.find(content["run"]), content["step"], content["lines"])
