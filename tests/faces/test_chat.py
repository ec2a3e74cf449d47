"""`ontogeny chat` as a person meets it: at a terminal, with lines piped in, and with words on the command line."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ontogeny.record.run import open_run
from ontogeny.steer.session import COMMAND
from tests.regression import begin

SECONDS = 60
ONTOGENY = [sys.executable, "-c", "from ontogeny.faces.cli import main; main()"]
ESCAPES = re.compile(r"\x1b\[[?0-9;]*[a-zA-Z]")
PROMPT = re.compile(r"\S+@\d+( \(past\))?> $")
ASKED = re.compile(r"do it\? y/n/always/edit $")


class Terminal:
    """A chat at the other end of a pseudo-terminal of 80 columns."""

    def __init__(self, runs: Path, *arguments: str) -> None:
        self.end, inner = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "ONTOGENY_RUNS": str(runs), "COLUMNS": "80", "HOME": str(runs)}
        self.process = subprocess.Popen(
            [*ONTOGENY, "chat", *arguments],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
            env=environment,
            # Whoever runs the tests in the background has SIGINT ignored, which a child would inherit.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        os.close(inner)

    def read(self, until: re.Pattern[str] = PROMPT) -> str:
        """What it says up to a prompt."""
        text, limit = "", time.monotonic() + SECONDS
        while not until.search(text):
            ready, _, _ = select.select([self.end], [], [], max(0, limit - time.monotonic()))
            assert ready, f"no {until.pattern!r} within {SECONDS} s after {text!r}"
            try:
                text += os.read(self.end, 4096).decode(errors="replace")
            except OSError:
                break
            text = ESCAPES.sub("", text).replace("\r", "")
        return text

    def say(self, words: str, until: re.Pattern[str] = PROMPT) -> str:
        """Type a line; what comes before the next prompt."""
        os.write(self.end, words.encode() + b"\n")
        return self.read(until)

    def close(self) -> int:
        """Leave; the exit code."""
        os.write(self.end, b"quit\n")
        code = self.process.wait(SECONDS)
        os.close(self.end)
        return code


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    with begin(tmp_path / "one") as run:
        run.advance(20)
    return tmp_path


def entries(runs: Path, name: str) -> list[str]:
    return [entry["command"] for entry in open_run(runs / name).entries if entry.kind == COMMAND]


def test_a_conversation(runs: Path) -> None:
    chat = Terminal(runs, "one")
    assert chat.read().endswith("one@20> ")
    asked = chat.say("go back to step 8, fork, halve the learning rate and run 5 steps", ASKED)
    told = [line for line in asked.splitlines() if re.match(r"\d\. ", line)]
    assert len(told) == 4 and "stand at step 8 of one" in told[0]
    assert "turn lr of the fork from 0.05 to 0.025" in told[2] and "take the fork on for 5 steps, to 13" in told[3]
    assert [folder.name for folder in runs.iterdir() if (folder / "journal.jsonl").exists()] == ["one"]
    done = chat.say("y")
    assert (
        "lr of one-8 goes from 0.05 to 0.025" in done and "one-8 is at step 13" in done and done.endswith("one-8@13> ")
    )
    assert re.search("[\u2801-\u28ff]", done), "a curve is drawn"
    assert "part at step 9" in chat.say("compare it to the parent")
    assert "take back" in chat.say("undo that", ASKED) and chat.say("yes").endswith("one-8@8 (past)> ")
    assert chat.say("switch to the parent").endswith("one@20> ")
    assert chat.close() == 0
    assert entries(runs, "one-8")[:3] == ["fork", "set", "run"] and entries(runs, "one") == []
    assert open_run(runs / "one-8").dials()["lr"] == pytest.approx(0.025)


def test_nothing_is_done_without_a_yes(runs: Path) -> None:
    chat = Terminal(runs, "one")
    chat.read()
    before = (runs / "one" / "journal.jsonl").read_bytes()
    chat.say("double the learning rate", ASKED)
    assert "not done" in chat.say("n")
    chat.say("double the learning rate", ASKED)
    assert "not done" in chat.say("")
    chat.say("double the learning rate", ASKED)
    assert "loss" in chat.say("show me the loss")  # other words in the place of an answer are words
    assert "to what, or by how much?" in chat.say("lower the learning rate", re.compile("otherwise\\? $"))
    assert "do it?" in chat.say("1", ASKED)
    chat.say("no")
    for words in ("dance", "don't fork", "set the dropout to 0.1", 'go back to "nowhere"', "go back to step 999"):
        os.write(chat.end, words.encode() + b"\n")
        said = chat.read(re.compile(r"(> |otherwise\? )$"))
        assert "Traceback" not in said
        if said.endswith("otherwise? "):
            chat.say("")
    assert chat.close() == 0
    assert (runs / "one" / "journal.jsonl").read_bytes() == before


def test_always_and_edit(runs: Path) -> None:
    chat = Terminal(runs, "one")
    chat.read()
    chat.say("mark this as good", ASKED)
    os.write(chat.end, b"edit\n")
    chat.read(re.compile("edit: mark this as good$"))
    os.write(chat.end, b"2\n")  # behind what stands there
    assert "'good2'" in chat.read(ASKED)
    assert "is called 'good2'" in chat.say("always")
    assert "takes" in chat.say("run 2 steps") or open_run(runs / "one").step == 22
    assert chat.close() == 0


def test_control_c_pauses_and_the_chat_goes_on(runs: Path) -> None:
    chat = Terminal(runs, "one", "--ask", "never")
    chat.read()
    os.write(chat.end, b"run 1000000 steps\n")
    limit = time.monotonic() + SECONDS
    while open_run(runs / "one").step <= 20 and time.monotonic() < limit:
        time.sleep(0.1)
    os.killpg(chat.process.pid, signal.SIGINT)
    said = chat.read()
    assert "paused one at step" in said
    step = int(re.findall(r"one@(\d+)> $", said)[0])
    assert 20 < step < 1_000_000 and f"one@{step + 1}> " in chat.say("one step")
    assert chat.close() == 0


def said(runs: Path, *arguments: str, lines: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ONTOGENY_RUNS": str(runs)}
    return subprocess.run(
        [*ONTOGENY, "chat", *arguments], input=lines, capture_output=True, text=True, timeout=SECONDS, env=environment
    )


def test_words_on_the_command_line(runs: Path) -> None:
    done = said(runs, "one", "-c", "halve the learning rate and run 3 steps", "--yes")
    assert done.returncode == 0 and "one is at step 23" in done.stdout
    refused = said(runs, "one", "-c", "double the learning rate")
    assert refused.returncode == 1 and open_run(runs / "one").dials()["lr"] == pytest.approx(0.025)
    document = json.loads(said(runs, "one", "-c", "run 2 steps", "--yes", "--json").stdout)
    assert (document["run"], document["step"], document["not_done"]) == ("one", 25, [])
    assert document["outcomes"][0]["figures"]["loss"] > 0
    unsure = said(runs, "one", "-c", "lower the learning rate", "--json")
    assert unsure.returncode == 1 and "how much" in json.loads(unsure.stdout)["not_done"][0]


def test_lines_on_the_standard_input(runs: Path) -> None:
    done = said(runs, "one", lines="mark this as here\ny\nwhat happened?\nrun 2 steps\nn\nquit\nrun 2 steps\ny\n")
    assert done.returncode == 0 and "is called 'here'" in done.stdout and "not done" in done.stdout
    assert open_run(runs / "one").step == 20


def test_a_live_run_takes_what_is_said(runs: Path) -> None:
    environment = {**os.environ, "ONTOGENY_RUNS": str(runs)}
    subprocess.run([*ONTOGENY, "live", "one", "--paused"], env=environment, check=True, timeout=SECONDS)
    try:
        done = said(runs, "one", "-c", "halve the learning rate and run 4 steps", "--yes")
        assert done.returncode == 0, done.stderr
        limit = time.monotonic() + SECONDS
        while open_run(runs / "one").step < 24 and time.monotonic() < limit:
            time.sleep(0.1)
    finally:
        subprocess.run([*ONTOGENY, "stop", "one"], env=environment, check=True, timeout=SECONDS)
    run = open_run(runs / "one")
    assert run.step == 24 and run.dials()["lr"] == pytest.approx(0.025)


def test_what_follows_a_run_waits_until_a_live_run_has_taken_the_steps(runs: Path) -> None:
    environment = {**os.environ, "ONTOGENY_RUNS": str(runs)}
    subprocess.run([*ONTOGENY, "live", "one", "--paused"], env=environment, check=True, timeout=SECONDS)
    try:
        for words in (
            "run 300 steps then halve the learning rate",
            "run until loss < 1000 then double the learning rate",
        ):
            done = said(runs, "one", "-c", words, "--yes")
            assert done.returncode == 0, done.stderr
    finally:
        subprocess.run([*ONTOGENY, "stop", "one"], env=environment, check=True, timeout=SECONDS)
    turned = [(entry.at, entry["value"]) for entry in open_run(runs / "one").entries if entry.kind == "dial"]
    assert turned == [(320, 0.025), (321, 0.05)]


def test_help_names_every_command_and_how_it_may_be_said(runs: Path) -> None:
    listed = said(runs, "one", "-c", "help", "-c", "help set", "-c", "help what if").stdout
    assert "halve" in listed and "take-back" in listed and "what if" in listed
