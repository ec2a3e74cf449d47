"""Steering from Python: every command as a method of the same name, its arguments by name.

modular = og.steering("runs/modular")
modular.back(to="before it generalised")
modular.set(dial="weight_decay", to=0)  # forks there, and goes on with the fork
print(modular.run(steps=200).text)
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ontogeny.record.run import OnStep
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.command import Outcome, Preview
from ontogeny.steer.live.client import find
from ontogeny.steer.registry import BY_NAME
from ontogeny.steer.registry import command as made
from ontogeny.steer.session import Session


class Steering:
    """Commands for the runs of a folder, as methods: `what_if` is the command `what-if`."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __getattr__(self, name: str) -> Callable[..., Outcome]:
        called = name.replace("_", "-")
        if name.startswith("_") or called not in BY_NAME:
            raise AttributeError(f"there is no command {called!r}; there are {', '.join(BY_NAME)}")

        def take(**arguments: Any) -> Outcome:
            return self.session.do(made(called, arguments))

        take.__name__, take.__doc__ = name, BY_NAME[called].MEANING
        return take

    def __dir__(self) -> list[str]:
        return [*(name.replace("-", "_") for name in BY_NAME), "foretell", "session"]

    def foretell(self, command: str, /, **arguments: Any) -> Preview:
        """What a command would do, and what it takes; nothing is changed."""
        return self.session.foretell(made(command.replace("_", "-"), arguments))

    def __repr__(self) -> str:
        return f"Steering({self.session.position.folder.name!r}, step {self.session.step()})"


def steering(run: Path | str, *, author: str = "you", on_step: OnStep | None = None) -> Steering:
    """Steers the run in a folder, and those beside it. A run that is live elsewhere takes the commands there.

    Raises OntogenyError where the folder holds no run.
    """
    folder = Path(run)
    runs = RunsFolder(folder.parent) if folder.parent != Path() or folder.exists() else RunsFolder.default()
    return Steering(Session(runs, folder.name, author=author, on_step=on_step, host=find))
