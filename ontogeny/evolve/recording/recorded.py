"""A search that is written down: a folder like a run's, whose journal and source are all that it is.

    journal.jsonl     method, fitness, seed and budget; then every dial that was turned, at which evaluation, by whom
    source/, data/    the files of functions and the arrays that the journal names by their hashes
    states/           where it stood now and then (`states.py`); all but the journal and these two can be made again
    progress.jsonl    a line for every better candidate as it was noticed, for people
    inbox/            turns that wait for the process that goes on with it (`inbox.py`)

It goes on from the latest sound state; what was lost after that is gone through again, to the same bits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ontogeny.evolve.fitness.recipe import recipe_of
from ontogeny.evolve.fitness.tables import Fitness
from ontogeny.evolve.method import Method
from ontogeny.evolve.recording import inbox, states
from ontogeny.evolve.recording.course import DIAL, FAILED, Course, Witnessed
from ontogeny.evolve.recording.inbox import Turn
from ontogeny.evolve.recording.kept import Kept
from ontogeny.evolve.recording.kinds import described, made
from ontogeny.evolve.recording.store import Store
from ontogeny.evolve.recording.tally import Tally
from ontogeny.evolve.recording.turning import turned, values
from ontogeny.evolve.search import LEG, Found, Search
from ontogeny.evolve.workers import Workers
from ontogeny.isa.errors import OntogenyError, RecordError, SearchError
from ontogeny.record.disk import disk
from ontogeny.record.environment import differences, environment, version
from ontogeny.record.interrupts import Interrupts
from ontogeny.record.journal import Entry, Journal, stamped
from ontogeny.record.lock import Lock, LockedError

BEGAN, REFUSED = "search", "refused"
QUICK, SLOW, LEAST = 0.05, 0.2, 64
"""A leg that takes less than QUICK seconds becomes longer, one of more than SLOW shorter, none below LEAST."""
PATIENCE = 30.0
"""Seconds that a turn waits for the process of a search to take it."""
LOOK_EVERY = 0.05
Progress = Callable[[Found[Any]], object]


class RecordedSearch:
    """A search in a folder; `record` and `open_search` give one. Reading needs no lock; `go_on` and `turn` take it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store, self.kept = folder, Store(folder), Kept(folder)
        self.journal = Journal(folder)
        if not self.journal.entries or self.journal.entries[0].kind != BEGAN:
            raise RecordError(f"{folder} holds no search: its journal does not begin with one")
        first = self.journal.entries[0]
        self.seed, self.environment = int(first["seed"]), dict(first["environment"])
        self.began = Search(
            made(first["method"], self.store), made(first["fitness"], self.store),
            first["evaluations"], first["prune"], first["goal"],
        )  # fmt: skip
        self.course = self._course()

    @property
    def entries(self) -> list[Entry]:
        """What came after the first line."""
        return self.journal.entries[1:]

    def dials(self) -> Mapping[str, Any]:
        """All dials, and their values as the next generation will have them."""
        return values(self._ahead())

    def found(self) -> Found[Any]:
        """What it has come to, as far as states were kept."""
        found = self.course.search.found(self.course.standing, self.kept.seconds)
        return replace(found, failures=tuple(self.failed.kinds) or found.failures)

    @property
    def failed(self) -> Tally:
        """What candidates failed, and why, as far as states were kept."""
        tally: Tally = self.course.search.tally
        return tally

    def replayed(self) -> Course:
        """The search from its beginning, to be gone through again by the journal; nothing of that is written.

        It raises RecordError where a candidate that was judged then fails by the clock now.
        """
        return self._begun(_unforeseen)

    def verify(self) -> list[int]:
        """Goes through it again; the evaluations of all states that were kept, each found to be the same bits.

        Raises RecordError for the first that is not.
        """
        there = self.kept.all()
        with closing(self.replayed()) as course:
            for evaluations, path in there.items():
                course.to(evaluations)
                kept = states.read(path, course.standing)
                if states.digest(kept) != states.digest(course.arrived):
                    raise RecordError(
                        f"{self.folder.name} does not replay: at {evaluations:,} evaluations it stands elsewhere than "
                        f"it did; {self.elsewhere() or 'the environment is the same'}"
                    )
        return list(there)

    def elsewhere(self) -> str:
        """How this machine differs from the one where it began, in words; empty where it does not."""
        return differences(self.environment, _environment())

    def go_on(
        self, seconds: float | None = None, progress: Progress | None = None, workers: Workers | None = None
    ) -> Found[Any]:
        """Goes on until it is over, for so many seconds, or until Ctrl-C, which is raised again between generations.

        Who does the work changes nothing of what is found; whoever gives `workers` closes them.
        """
        with self._writing(), Interrupts() as interrupts:
            self.course.search = replace(self.course.search, workers=workers)
            started, before, leg = time.perf_counter(), self.kept.seconds, LEAST
            try:
                while not self._over():
                    at = time.perf_counter()
                    self.course.further(leg)
                    took, spent = time.perf_counter() - at, time.perf_counter() - started
                    leg = max(LEAST, leg // 2) if took > SLOW else min(LEG, leg * 2) if took < QUICK else leg
                    self.kept.seconds = before + spent
                    self.kept.note(self.course)
                    if progress is not None:
                        progress(self.found())
                    if interrupts.seen or (seconds is not None and spent > seconds):
                        break
            finally:
                self.kept.note(self.course, last=True)
        return self.found()

    def check(self, dial: str, value: Any) -> None:
        """Raises SearchError for a dial that it has not, or a value that this cannot have."""
        turned(self._ahead(), dial, value)

    def turn(self, dial: str, value: Any, author: str = "you", patience: float = PATIENCE) -> Entry | None:
        """Turns a dial from the next generation on; the entry, or None where the search's process did not take it yet.

        Raises SearchError for what cannot be.
        """
        self.check(dial, value)
        asked, end = Turn(dial, value, author), time.monotonic() + patience
        inbox.put(self.folder, asked)
        while True:
            try:
                with self._writing():
                    self._take()
            except LockedError:
                self.journal.reload()
            if (entry := self._by_id(asked.id)) is not None:
                return self._answered(entry)
            if time.monotonic() > end:
                return None
            time.sleep(LOOK_EVERY)

    def _answered(self, entry: Entry) -> Entry:
        if entry.kind == REFUSED:
            raise SearchError(str(entry["why"]))
        return entry

    def _over(self) -> bool:
        """Whether it is over, with all heeded that waits."""
        self._take()
        self.course.heed()
        return self.course.over

    def _take(self) -> None:
        """Puts what waits into the journal, where it holds from here on."""
        for turn in inbox.waiting(self.folder):
            at = max(
                [self.course.evaluations, *(entry.at for entry in self.entries[-1:])]
            )  # no earlier than one before
            if self._by_id(turn.id) is None:
                content: dict[str, Any] = {"dial": turn.dial, "value": turn.value, "id": turn.id}
                try:
                    turned(self._ahead(), turn.dial, turn.value)
                    self._append(stamped(DIAL, at, turn.author, **content))
                except OntogenyError as error:
                    self._append(stamped(REFUSED, at, turn.author, why=str(error), **content))
            inbox.taken(self.folder, turn)

    def _append(self, *entries: Entry) -> None:
        self.journal.append(*entries)
        self.course.entries = self.entries

    def _noted(self, failed: Mapping[int, str]) -> None:
        """Journals what failed by the clock or the end of a process, before it counts."""
        entries = [stamped(FAILED, self.course.evaluations, "fitness", number=n, why=why) for n, why in failed.items()]
        self._append(*entries)

    def _by_id(self, id: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.content.get("id") == id), None)

    def _ahead(self) -> Search[Any, Any]:
        """What holds once all entries are heeded."""
        search: Search[Any, Any] = self._begun(_unforeseen).search
        for entry in self.entries:
            if entry.kind == DIAL:
                search, _ = turned(search, entry["dial"], entry["value"])
        return search

    def _begun(self, note: Callable[[Mapping[int, str]], None]) -> Course:
        failed = {int(entry["number"]): str(entry["why"]) for entry in self.entries if entry.kind == FAILED}
        first = self.began
        search = Witnessed(
            first.method, first.fitness, first.evaluations, first.prune, first.goal, failed=failed, note=note
        )
        return Course(search, search.begin(self.seed), self.entries)

    def _course(self) -> Course:
        """From the latest sound state."""
        begun = self._begun(self._noted)
        standing = self.kept.latest(begun.standing)
        begun.search.tally.kinds.update(self.kept.failed(int(standing.state.evaluations)).kinds)
        return Course(begun.search, standing, self.entries)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Alone with the folder, from its latest state. Raises LockedError where another process goes on with it."""
        lock = _locked(self.folder)
        try:
            self.journal.reload()
            self.journal.open_for_writing()
            self.course = self._course()
            self.kept.open(self.course.evaluations)
            yield
        finally:
            self.kept.close()
            self.journal.close()
            lock.release()
            self.course.close()


def record(
    folder: Path, method: Method[Any, Any], fitness: Fitness[Any], *, seed: int = 0, evaluations: int = 10_000_000,
    prune: int = 0, goal: float = 0.0, author: str = "you",
) -> RecordedSearch:  # fmt: skip
    """A new search in a new folder; `go_on` lets it go on. Arguments are those of `search`.

    Raises SearchError for a fitness or method that cannot be written down, RecordError where the folder is taken.
    """
    recipe = recipe_of(fitness)
    Search(method, fitness, evaluations, prune, goal).begin(seed)  # what is refused leaves nothing behind
    if folder.exists() and any(folder.iterdir()):
        raise RecordError(f"{folder} is not empty; open_search goes on with a search, a new one needs a new folder")
    with disk("making", folder):
        folder.mkdir(parents=True, exist_ok=True)
    store, journal = Store(folder), Journal(folder)
    told = {"method": described(method, store), "fitness": described(recipe, store)}
    budget = {"seed": seed, "evaluations": evaluations, "prune": prune, "goal": goal}
    journal.open_for_writing()
    journal.append(stamped(BEGAN, 0, author, **told, **budget, environment=_environment()))
    journal.close()
    return open_search(folder)


def open_search(folder: Path) -> RecordedSearch:
    """The search in a folder. Raises RecordError where there is none."""
    return RecordedSearch(folder)


def _locked(folder: Path) -> Lock:
    try:
        return Lock(folder)
    except LockedError as error:
        raise LockedError(
            f"another process goes on with the search {folder.name}; its dials can be turned meanwhile, and it goes on "
            "here once it has stopped there"
        ) from error


def _environment() -> dict[str, Any]:
    """What the bits may depend on: no thread count does, and torch is not asked."""
    found = environment()
    return {name: found[name] for name in ("python", "numpy", "platform")} | {"numba": version("numba")}


def _unforeseen(failed: Mapping[int, str]) -> None:
    number, why = next(iter(failed.items()))
    raise RecordError(
        f"candidate {number:,} was judged when it was recorded, and fails now: {why}; try again at less load"
    )
