"""Runs side by side in one folder, found by name; or whatever else has a journal, such as searches.

A run is named by its folder's name, by the beginning of it where only one begins so, or by a path. What was discarded
lies in `.discarded` and is found no more, until it is taken back.
"""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ontogeny.isa.errors import OntogenyError
from ontogeny.record import journal
from ontogeny.record.disk import disk

VARIABLE = "ONTOGENY_RUNS"
DISCARDED = ".discarded"
NUMBER = re.compile(r"[-+]?[\d.,]*\d[\d.,]*(e[-+]?\d+)?([kmx]|st|nd|rd|th)?", re.IGNORECASE)
"""What is written like a number, as it is said to a run: 12, 2,000, 7e2, 10k, 3rd."""
PLAIN = "._-+@%= "
"""What a run's name may have beside letters and digits: nothing that a shell makes something of, but for spaces."""
NAMED = 8
"""How many runs an error names."""


@dataclass(frozen=True, slots=True)
class RunsFolder:
    """The folder `root` and the runs in it. Errors call one of them by the `noun`."""

    root: Path
    noun: str = "run"

    @staticmethod
    def default() -> RunsFolder:
        """`runs`, or what the environment variable ONTOGENY_RUNS names."""
        return RunsFolder(Path(os.environ.get(VARIABLE) or "runs"))

    def all(self) -> list[Path]:
        """The folders of all runs, the one written to last first."""
        found = [folder for folder in self.root.iterdir() if is_run(folder)] if self.root.is_dir() else []
        return sorted(found, key=lambda folder: -(folder / journal.NAME).stat().st_mtime)

    def find(self, name: str) -> Path:
        """The folder of the run called `name`. Raises OntogenyError with what there is."""
        if not name:
            raise OntogenyError(f"a {self.noun} has a name; there are {self._there()}")
        for folder in (self.root / name, Path(name)):
            if is_run(folder):
                return folder
        similar = [folder.name for folder in self.all() if folder.name.startswith(name)]
        if len(similar) == 1:
            return self.root / similar[0]
        if similar:
            among = ", ".join(similar[:NAMED]) + (", ..." if len(similar) > NAMED else "")
            raise OntogenyError(f"{name!r} may be {among}; say more of it")
        near = difflib.get_close_matches(name, [folder.name for folder in self.all()], 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise OntogenyError(f"there is no {self.noun} {name!r}; {meant}there are {self._there()}")

    def fresh(self, name: str) -> Path:
        """A folder for a new run: `name`, or with the first free number behind it.

        Raises OntogenyError for a name that would lead out of the folder of runs, that cannot be printed, that a shell
        or a command of it would take for something else, or that is a number, which words to a run take for a step. A
        name that begins like that of a run that is there may have in it what that one has.
        """
        if Path(name).name != name or not name.isprintable() or name.startswith("."):
            raise OntogenyError(f"{name!r} is not the name of a {self.noun}: give one word without slashes")
        if plain_name(name) != name and not any(name.startswith(folder.name) for folder in self.all()):
            plain = f"letters, digits and any of {PLAIN.strip()}"
            called = f"{plain_name(name)!r} would do; a {self.noun} is named by {plain}"
            raise OntogenyError(f"{name!r} may mean something else to a shell: {called}")
        if NUMBER.fullmatch(name):
            letters = f"name it in letters, as {self.noun}-{name}"
            raise OntogenyError(f"{name!r} would be taken for a number, not for a {self.noun}; {letters}")
        folder, number = self.root / name, 2
        while folder.exists() or (self.root / DISCARDED / folder.name).exists():
            folder, number = self.root / f"{name}-{number}", number + 1
        return folder

    def discard(self, folder: Path) -> Path:
        """Moves a run out of sight, to `.discarded`, and says where it lies now."""
        return _moved(folder, folder.parent / DISCARDED / folder.name)

    def discarded(self, name: str) -> Path:
        """Where a discarded run lies. Raises OntogenyError where none is called so."""
        away = self.root / DISCARDED
        if Path(name).name != name or not is_run(away / name):
            there = sorted(one.name for one in away.iterdir()) if away.is_dir() else []
            raise OntogenyError(f"no discarded run is called {name!r}; there are {', '.join(there) or 'none'}")
        return away / name

    def take_back(self, name: str) -> Path:
        """Moves a discarded run back. Raises OntogenyError where none is called so."""
        return _moved(self.discarded(name), self.root / name)

    def _there(self) -> str:
        return ", ".join(folder.name for folder in self.all()[:NAMED]) or f"none in {self.root}/"


def plain_name(text: str) -> str:
    """A run's name made of any text, such as that of a file."""
    found = "".join(one if one.isalnum() or one in PLAIN else "-" for one in text).lstrip(".-")
    return found or "run"


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run."""
    return (folder / journal.NAME).is_file()


def _moved(folder: Path, to: Path) -> Path:
    if to.exists():
        raise OntogenyError(f"{to} is in the way of {folder.name}; rename it first")
    with disk("moving", folder):
        to.parent.mkdir(exist_ok=True)
        folder.rename(to)
    return to
