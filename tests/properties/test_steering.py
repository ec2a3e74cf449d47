"""Any commands in any order: what is foretold then happens, nothing recorded is lost, and journals replay."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ontogeny.isa.errors import OntogenyError
from ontogeny.record.run import open_run
from ontogeny.record.runs_folder import DISCARDED, RunsFolder
from ontogeny.steer.command import Command, Effect, Outcome, Preview
from ontogeny.steer.registry import command
from ontogeny.steer.session import Session
from tests.regression import begin

STEPS = st.integers(0, 6)
EXAMPLES = st.sampled_from(["3", "0:4", "9,11"])
NAMES = st.sampled_from(["early", "late"])
RUNS = st.sampled_from(["one", "one-2", "one-3", "one-freeze", "one-forgot"])
Asked = tuple[str, dict[str, Any]]


def asking(name: str, /, **arguments: Any) -> st.SearchStrategy[Asked]:
    """A command with drawn arguments."""
    drawn = {key: value if isinstance(value, st.SearchStrategy) else st.just(value) for key, value in arguments.items()}
    return st.tuples(st.just(name), st.fixed_dictionaries(drawn))


COMMANDS = st.one_of(
    asking("run", steps=st.integers(1, 4)),
    asking("run", steps=st.integers(1, 4)),
    asking("back", to=STEPS.map(str)),
    asking("undo"),
    asking("undo"),
    asking("set", dial="lr", to=st.sampled_from([0.01, 0.1, float("nan")])),
    asking("set", dial="lr", by=0.5),
    asking("set", dial="momentum", to=0.5, over=st.integers(1, 5), shape=st.sampled_from(["linear", "exponential"])),
    asking("alter", how="scale", tensors=["w"], amount=st.sampled_from([0.5, 1e39])),
    asking("alter", how="prune", tensors=["w"], amount=0.5),
    asking("freeze", tensors=["w"]),
    asking("unfreeze", tensors=["w"]),
    asking("call", routine="sleep"),
    asking("fork", at=STEPS.map(str)),
    asking("fork"),
    asking("mark", name=NAMES),
    asking("mark", name=NAMES, off=True),
    asking("back", to=NAMES),
    asking("keep", off=st.booleans()),
    asking("switch", run=RUNS),
    asking("discard", run=RUNS),
    asking("take-back", run=RUNS),
    asking("again"),
    asking("another session"),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(COMMANDS, max_size=14))
def test_what_is_foretold_happens_and_nothing_is_lost(asked: list[Asked]) -> None:
    with tempfile.TemporaryDirectory() as home:
        begin(Path(home, "one")).close()
        session = Session(RunsFolder(Path(home)), "one")
        for name, arguments in asked:
            if name == "another session":
                session = Session(session.runs, session.position.folder.name)
                continue
            before = recorded(home)
            foretold_and_done(session, command(name, arguments))
            after = recorded(home)
            for run, lines in before.items():
                assert after[run][: len(lines)] == lines, f"{name} lost what {run} had"
        for folder in session.runs.all():
            assert open_run(folder).verify().ok


def foretold_and_done(session: Session, asked: Command) -> None:
    """The command, foretold and done; where the one is refused, so is the other, and then nothing has changed."""
    stood, files = session.position, recorded(str(session.runs.root))
    try:
        foretold: Preview | None = session.foretell(asked)
    except OntogenyError as error:
        foretold, said = None, str(error)
        assert "\n" not in said
    assert (session.position, recorded(str(session.runs.root))) == (stood, files), "a preview changes nothing"
    try:
        outcome = session.do(asked)
    except OntogenyError as error:
        assert foretold is None or "non-finite" in str(error), f"foretold {foretold}, and then {error}"
        assert (session.position, recorded(str(session.runs.root))) == (stood, files), "refused, it changes nothing"
        return
    assert foretold is not None, f"refused beforehand, and then {outcome.text}"
    agrees(session, asked, foretold, outcome, files)


def agrees(session: Session, asked: Command, foretold: Preview, outcome: Outcome, files: Mapping[str, Any]) -> None:
    """What came of a command is what was said of it."""
    made = [name for name in recorded(str(session.runs.root)) if name not in files]
    assert bool(made) == any(word in foretold.text for word in ("fork ", "new run")) or asked.NAME == "undo"
    assert outcome.run == session.position.folder.name and outcome.step == session.step()
    assert outcome.past == session.in_past()
    if asked.NAME == "set":
        assert f"from {outcome.figures['before']:g} to {outcome.figures['after']:g}" in foretold.text
    if foretold.effect is Effect.MOVES:
        assert not made


def recorded(home: str) -> dict[str, tuple[str, ...]]:
    """The journals of all runs, line by line, those that were put away too."""
    folders = [*Path(home).iterdir(), *Path(home, DISCARDED).glob("*")]
    found = {folder.name: folder / "journal.jsonl" for folder in folders if (folder / "journal.jsonl").exists()}
    return {name: tuple(path.read_text().splitlines()) for name, path in found.items()}
