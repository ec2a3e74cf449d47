"""One client's conversation: its session, on a thread of its own, what it may confirm, and the work that goes on.

What is answered within some seconds is answered at once; what takes longer becomes a job whose answer is asked for
later. A question that became a job keeps its session, and the conversation goes on with another at the same place.
"""

from __future__ import annotations

import time
import uuid
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from ontogeny.faces.mcp import answers
from ontogeny.faces.mcp.confirming import Confirmations
from ontogeny.faces.mcp.worker import Worker
from ontogeny.faces.sources import recording
from ontogeny.faces.terminal import SLOW
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.command import Command, Effect, Outcome, Preview
from ontogeny.steer.live import address
from ontogeny.steer.live.client import Client
from ontogeny.steer.live.handing import hand_over, takes_long
from ontogeny.steer.session import Host, Session

FINISHED = 50
"""Finished jobs that are remembered."""
THINKING = 600.0
"""Seconds that a person may think about a preview."""
LONGEST = 200
"""Characters of a run's name."""
PATIENCE = 24 * 3600.0
"""Seconds that a command waits for a live run: it is a job by then, and the run does it whoever waits."""


class Named(RunsFolder):
    """The runs of a folder, by their names alone: a path, which could lead elsewhere, names none."""

    def find(self, name: str) -> Path:
        """The folder of the run called `name`. Raises OntogenyError for a path, and with what there is."""
        if name and (Path(name).name != name or not name.isprintable() or len(name) > LONGEST):
            raise OntogenyError(f"{answers.line(name)!r} is no run's name; name a run as the tool `runs` does")
        return super().find(name)


@dataclass(eq=False)
class Job:
    """Work that was begun: its answer, once there, and how far it has come."""

    what: str
    effect: Effect
    steps: int = 0
    future: Future[Outcome] = field(default_factory=Future)
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    begun: float = field(default_factory=time.monotonic)
    taken: int = 0
    cost: str = ""
    """What it was foretold to take, where that is long."""

    def row(self) -> dict[str, Any]:
        """How it stands."""
        state = "running" if not self.future.done() else "failed" if self.future.exception() else "done"
        about = {"job": self.id, "what": self.what, "state": state, "seconds": round(time.monotonic() - self.begun, 1)}
        about |= {"steps_taken": self.taken, "steps": self.steps} if self.steps else {}
        about |= {"cost": self.cost} if self.cost else {}
        if state == "failed":
            about["error"] = str(self.future.exception())
        return {**about, **({"answer": answers.of_outcome(self.future.result())} if state == "done" else {})}


def cost_of(foretold: Preview) -> str:
    """What a question will take, in words; nothing where that is hardly any time."""
    return answers.in_words(foretold) if (foretold.seconds or 0.0) >= SLOW else ""


class Conversation:
    """What one client said and was told. Its methods may be called from any thread; its session is one thread's.

    Conversations that change stored runs take `turns`, since a run has one writer at a time.
    """

    def __init__(self, runs: RunsFolder, author: str, turns: Lock, data_file: str = "") -> None:
        self.runs, self.author, self.data_file = Named(runs.root), author, data_file
        self.turns = turns
        self.confirmations = Confirmations()
        self.jobs: dict[str, Job] = {}
        self.heard = time.monotonic()
        self._shown: dict[str, tuple[float, Future[tuple[Preview, str]]]] = {}
        self._begin()

    def foretell(self, command: Command) -> Future[tuple[Preview, str]]:
        """What a command would do, and the token by which it can be confirmed."""
        session = self.session

        def ask() -> tuple[Preview, str]:
            foretold = session.foretell(command)
            return foretold, self.confirmations.issue(command, place_of(session, command)) if foretold.changes else ""

        return self._free().submit(ask)

    def shown(self, command: Command) -> Future[tuple[Preview, str]]:
        """The same, as it was shown to a person who has not answered yet: a client may ask in several rounds."""
        found = self._shown.pop(command.says(), None)
        if found is None or time.monotonic() - found[0] > THINKING:
            found = time.monotonic(), self.foretell(command)
        self._shown = {**dict(list(self._shown.items())[-FINISHED:]), command.says(): found}
        return found[1]

    def redeem(self, command: Command, token: str) -> Future[None]:
        """Uses up the token of a change. The future fails where it is not this change's."""
        session = self.session
        self._shown.pop(command.says(), None)
        return self._free().submit(lambda: self.confirmations.redeem(command, place_of(session, command), token))

    def take(self, command: Command) -> Job:
        """Begins a command; one that takes long is done by the run's own process."""
        session = self.session
        job = Job(command.says(), command.EFFECT)

        def act() -> Outcome:
            session.on_step = lambda step, metrics: setattr(job, "taken", job.taken + 1)
            if command.EFFECT is Effect.ASKS:
                job.cost = cost_of(session.foretell(command))
                return session.do(command, id=job.id)
            if not command.LIVE or not command.EFFECT.confirmed or is_live(session, command):
                return session.do(command, id=job.id)
            foretold = session.foretell(command)
            job.steps = foretold.steps
            if takes_long(foretold):
                handed = hand_over(session, command, ["--file", self.data_file] if self.data_file else [])
                return session.do(handed, id=job.id)
            with self.turns:
                return session.do(command, id=job.id)

        job.future = self._free().submit(act)
        return job

    def keep(self, job: Job) -> None:
        """Goes on without waiting for a job; a question takes its session with it."""
        for old in [one.id for one in self.jobs.values() if one.future.done()][:-FINISHED]:
            del self.jobs[old]
        self.jobs[job.id] = job
        if job.effect is Effect.ASKS:
            here, worker = self.session.position, self._worker
            job.future.add_done_callback(lambda _: worker.close())
            self._begin()
            self.session.move(here.folder, here.step, here.lines)

    def standing(self) -> str:
        """Where its session stands, in words."""
        here = self.session.position
        return f"{'the head' if here.step is None else f'step {here.step}'} of {here.folder.name}"

    def close(self) -> None:
        """Ends it; what it began goes on to its end."""
        self._worker.close()

    def _begin(self) -> None:
        self._worker = Worker("conversation")
        self.session = Session(
            self.runs, author=self.author, host=patient, open=lambda one: recording(str(one), self.data_file)
        )

    def _free(self) -> Worker:
        """The session's thread. Raises OntogenyError while it is at work on a job."""
        at_work = (job for job in self.jobs.values() if job.effect is not Effect.ASKS and not job.future.done())
        if (busy := next(at_work, None)) is not None:
            raise OntogenyError(f"the job {busy.id} ({busy.what}) is under way here; see it with runs(job={busy.id!r})")
        return self._worker


def place_of(session: Session, command: Command) -> str:
    """Where a change would be made, and what it would do there, but for a live run, which goes on meanwhile."""
    if is_live(session, command):
        return str((session.runs.find(command.run) if command.run else session.position.folder).resolve())
    folder = session.recording(command.run).folder if command.STANDS else session.runs.root
    return f"{folder.resolve()} {session.foretell(command).text}"


def is_live(session: Session, command: Command) -> bool:
    """Whether a command is for a run that has a process of its own."""
    if not command.STANDS:
        return False
    return address.read(session.runs.find(command.run) if command.run else session.position.folder) is not None


def patient(folder: Path) -> Host | None:
    """The process of a run that is live, however long a command takes there; None where none answers."""
    if address.read(folder) is None:
        return None
    try:
        return Client(folder, PATIENCE)
    except OntogenyError:
        return None
