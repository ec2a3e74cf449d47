"""The session of a live run's process: it goes on by itself, and takes what comes in between two steps."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ontogeny.ask.diagnose import watcher_of
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.run import Run, Stop, Until
from ontogeny.record.runs_folder import RunsFolder, is_run
from ontogeny.steer.command import Command, Outcome, Preview
from ontogeny.steer.live.address import Address, is_live, read_left, remove
from ontogeny.steer.live.troubles import logged
from ontogeny.steer.registry import FORKING
from ontogeny.steer.session import Opener, Session, commands_of, opened

FOREVER = 1 << 62
FINDING = "finding"
"""The kind of a journal's lines that say what was found wrong while a run went on."""
PATIENCE = 0.5
"""Seconds that a paused process waits for a command before it looks whether it is to end."""
Task = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Goal:
    """How far a run goes on by itself: to a step, or until something holds."""

    step: int = FOREVER
    until: Until | None = None


class LiveSession(Session):
    """A session whose run goes on by itself. `serve` is its loop; everything else is called from within that loop.

    `put` takes work from other threads; it is done between two steps.
    """

    live = True

    def __init__(self, runs: RunsFolder, run: str, address: Address, *, open: Opener = opened) -> None:
        super().__init__(runs, run, open=open)
        self.address = address
        self.running = False
        self.ending = False
        self.trouble = ""
        self.latest: tuple[int, Mapping[str, float]] = (self.recording().step, {})
        self.watchers: list[Callable[[int, Mapping[str, float]], object]] = []
        self.on_step = self._stepped
        self.watcher = watcher_of(self.native())
        self._goal = Goal()
        self._left: set[Path] = set()
        self._inbox: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._reading: queue.SimpleQueue[Task] = queue.SimpleQueue()

    def put(self, task: Task, reads: bool = False) -> None:
        """Work to be done between two steps, from any thread. For what only reads, a running run need not write."""
        (self._reading if reads and self.running else self._inbox).put(task)

    def hold(self) -> None:
        """Takes the run for writing, before anybody is told that it is live here. RecordError where another has it."""
        self.native()._write()

    def serve(self) -> None:
        """Goes on, and does what comes in, until it is told to end."""
        try:
            self.hold()
            self.address.write(self.position.folder)
            while not self.ending:
                self._drain(wait=not self.running)
                if self.running and not self.ending:
                    self._go_on()
        finally:
            for folder in (self.position.folder, *self._left):
                remove(folder, self.address)
            super().let_go()

    def advance(self, run: Run, steps: int, until: Until | None = None) -> Stop | None:
        """Lets the run go on from the next moment on; it is under way when this returns."""
        self._goal = Goal(min(run.step + steps, FOREVER), until)
        self.running, self.trouble = True, ""
        return None

    def pause(self) -> None:
        """Stops after the present step."""
        self.running = False

    def do(self, command: Command, author: str = "", id: str = "") -> Outcome:
        """Takes a command, once for an id, also where a process before this one took it."""
        run = self.recording()
        known = next((entry for entry in reversed(commands_of(run)) if id and entry.content.get("id") == id), None)
        if known is not None:
            return self._placed(Outcome(text=known["text"]))
        here = self.position.folder
        outcome = super().do(command, author, id)
        if self.position.folder.resolve() == here.resolve():
            return outcome
        return outcome.model_copy(update={"text": f"{outcome.text}; {self._gone_over(here)}"})

    def foretell(self, command: Command) -> Preview:
        """What a command will do, and that the process goes over to a run that it makes."""
        told = super().foretell(command)
        makes = command.NAME in FORKING or command.MAKES or self.in_past(command.run)
        if not told.changes or not makes:
            return told
        goes = f"its live process goes over to that, and {self.position.folder.name} rests at the step where it is"
        return told.model_copy(update={"text": f"{told.text}; {goes}"})

    def resume(self) -> None:
        """Goes on towards the last goal, or without end where it was reached."""
        run = self.head()
        if self._goal.step <= run.step:
            self._goal = Goal()
        self.running, self.trouble = True, ""

    def end(self) -> None:
        """Ends the process once the present command is answered."""
        self.running, self.ending = False, True

    def move(self, folder: Path, step: int | None = None, lines: int | None = None) -> None:
        """Stands elsewhere, and pauses there."""
        before = self.position.folder
        over = folder.resolve() != before.resolve() and not self.ending
        if over and is_live(folder):
            raise OntogenyError(f"{folder.name} is live in a process of its own; stop it there first, or go on with it")
        super().move(folder, step, lines)
        if step is not None or over:
            self.running, self._goal = False, Goal()
        if self.ending:
            remove(before, self.address)
        if over:
            self._leave(before)
            self.address.write(folder)
            self.latest = (self.recording().step, {})
            self.watcher = watcher_of(self.native())

    def let_go(self) -> None:
        """Frees the runs but the one that is live here."""
        here = self.position.folder.resolve()
        for folder, run in self._opened.items():
            if isinstance(run, Run) and folder != here:
                run.close()

    def status(self) -> dict[str, Any]:
        """How it stands, from any thread."""
        step, metrics = self.latest
        here = self.position
        goal = None if self._goal.step == FOREVER else self._goal.step
        return {
            "run": here.folder.name,
            "step": step if here.step is None else here.step,
            "state": "running" if self.running else "failed" if self.trouble else "paused",
            "goal": goal if self.running else None,
            "metrics": dict(metrics),
            "trouble": self.trouble,
            "findings": [{"name": one.name, "since": one.since, "words": one.words} for one in self.watcher.findings],
            "since": self.address.since,
            "process": self.address.process,
        }

    def _leave(self, folder: Path) -> None:
        """Says in the folder of the run that was live here where it rests, so that nobody takes it for the live one."""
        run = self._opened.get(folder.resolve())
        if run is None or not is_run(folder):
            return remove(folder, self.address)
        self._left.add(folder)
        return replace(self.address, left=run.step).write(folder)

    def _gone_over(self, before: Path) -> str:
        """That the process has another run now, and what became of the one before."""
        if self.ending:
            return "its live process ends"
        found, now = read_left(before), self.position.folder.name
        rests = f", and {before.name} rests at step {found.left}" if found else ""
        return f"its live process {'trains' if self.running else 'waits at'} {now} now{rests}"

    def _read(self) -> None:
        """Does the work that only reads."""
        while not self._reading.empty():
            self._reading.get()()

    def _drain(self, wait: bool) -> None:
        self._read()
        try:
            waiting = max(1, self._inbox.qsize())  # no more than these, so that steps are taken between
            self._inbox.get(timeout=PATIENCE)() if wait else self._inbox.get_nowait()()
            for _ in range(waiting - 1):
                self._inbox.get_nowait()()
        except queue.Empty:
            return

    def _go_on(self) -> None:
        """Takes steps until something comes in, or the goal is reached."""
        run, goal = self.native(), self._goal
        met = False

        def until(metrics: Mapping[str, float]) -> bool:
            nonlocal met
            met = goal.until is not None and goal.until(metrics)
            self._read()
            return met or not self._inbox.empty()

        try:
            run.advance(max(0, goal.step - run.step), until=until, on_step=self._stepped)
            if met or run.step >= goal.step:
                self.running = False
        except OntogenyError as error:
            self.running, self.trouble = False, str(error)
        except Exception as error:  # the machine's own, such as memory: the process stays, and says so
            self.running, self.trouble = False, logged(error)

    def _stepped(self, step: int, metrics: Mapping[str, float]) -> None:
        self.latest = (step, metrics)
        for found in self.watcher.step(step, metrics):
            words = f"{found.name} since step {found.since} ({found.sureness:.0%} sure): {found.words}"
            content: dict[str, Any] = {
                "finding": found.name,
                "since": found.since,
                "sureness": found.sureness,
                "text": words,
            }
            self.native().note(FINDING, author="diagnose", **content)
        for watcher in self.watchers:
            watcher(step, metrics)
