"""Ctrl-C while a run imports what it needs, and errors nobody foresaw in a chat: the next sentence is answered."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from rich.console import Console

from ontogeny.evolve.recording.targets import function_of
from ontogeny.faces.chat import Ask, Chat
from ontogeny.faces.terminal import DEBUG
from ontogeny.isa.errors import SearchError
from ontogeny.record import machines
from ontogeny.steer.command import Asking, Outcome, Preview
from ontogeny.steer.reading import Reading
from ontogeny.steer.session import Session
from tests.regression import begin, learner

SLOW = """
import signal
signal.raise_signal(signal.SIGINT)
signal.raise_signal(signal.SIGINT)
from ontogeny.machine.reference import ReferenceMachine as Machine
"""
"""A module during whose import Ctrl-C is pressed twice."""


@pytest.fixture
def interruptible() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_import_is_done_before_the_interrupt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow_to_import.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(machines.MACHINES, "slow", "slow_to_import:Machine")
    with pytest.raises(KeyboardInterrupt):
        machines.make("slow", learner().program)
    assert hasattr(sys.modules["slow_to_import"], "Machine")
    assert machines.make("slow", learner().program).program is not None
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


class Odd(Asking):
    """A question that fails as nobody foresaw."""

    NAME: ClassVar[str] = "odd"
    MEANING: ClassVar[str] = "Fails."

    def foretell(self, session: Session) -> Preview:
        return Preview(text=self.MEANING, effect=self.EFFECT)

    def act(self, session: Session) -> Outcome:
        raise AttributeError("no attribute\n'fx'")


class Always:
    """A reader that takes all words for the one command."""

    def read(self, text: str, session: Session) -> Reading:
        return Reading(commands=(Odd(),))


def test_an_unforeseen_error_is_one_sentence_and_the_chat_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with begin(tmp_path / "one"):
        pass
    lines = iter(["this", "and that", "quit"])
    chat = Chat(Session(tmp_path, "one"), (Always(),), Console(), lambda prompt, text: next(lines), Ask.NEVER)
    chat.talk()
    assert len(chat.refused) == 2 and "AttributeError" in chat.refused[0]
    said = capsys.readouterr()
    assert (said.out + said.err).count("something unexpected happened: AttributeError") == 2
    assert "Traceback" not in said.out + said.err and "ontogeny --debug chat shows where" in said.err
    before = DEBUG.set(True)
    chat.take("once more")
    DEBUG.reset(before)
    assert "Traceback" in capsys.readouterr().err


ONCE = """
import pathlib
before = pathlib.Path(__file__).with_name("before")
if not before.exists():
    before.touch()
    raise KeyboardInterrupt
def wanted(number):
    return number
"""


def test_a_file_of_a_search_that_ctrl_c_stopped_halfway_is_loaded_again(tmp_path: Path) -> None:
    (tmp_path / "once.py").write_text(ONCE)
    with pytest.raises(KeyboardInterrupt):
        function_of(tmp_path / "once.py", "wanted")
    assert function_of(tmp_path / "once.py", "wanted")(3) == 3
    (tmp_path / "ends.py").write_text("raise SystemExit(3)")
    with pytest.raises(SearchError, match=r"ends\.py cannot be run: SystemExit: 3"):
        function_of(tmp_path / "ends.py", "wanted")
