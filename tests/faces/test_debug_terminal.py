"""`ontogeny debug` driven as a person drives it: a process at the other end of a pseudo-terminal."""

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
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.spec.debugged import line_run

PROMPT = "(onto) "
SECONDS = 60
ONTOGENY = [sys.executable, "-c", "from ontogeny.faces.cli import main; main()"]
ESCAPES = re.compile(r"\x1b\[[?0-9;]*[a-zA-Z]")


class Terminal:
    """A process on a pseudo-terminal."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.end, inner = pty.openpty()
        command = [*ONTOGENY, "debug", str(folder), *arguments]
        plain = {**os.environ, "TERM": "xterm"}
        # Whoever runs the tests in the background has SIGINT ignored, which a child would inherit.
        self.process = subprocess.Popen(
            command,
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
            env=plain,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        os.close(inner)

    def read(self, until: str = PROMPT) -> str:
        """What it says up to the prompt."""
        text, limit = "", time.monotonic() + SECONDS
        while not text.endswith(until):
            ready, _, _ = select.select([self.end], [], [], max(0, limit - time.monotonic()))
            assert ready, f"no {until!r} within {SECONDS} s after {text!r}"
            try:
                text += os.read(self.end, 4096).decode()
            except OSError:
                break
            text = ESCAPES.sub("", text)
        return text.replace("\r", "")

    def ask(self, line: str) -> str:
        """Type a line; what comes before the next prompt, without the echo."""
        os.write(self.end, line.encode() + b"\n")
        return self.read().removeprefix(line).removesuffix(PROMPT).strip()

    def worked(self) -> float:
        """Seconds of CPU that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> int:
        """Leave by the end of the input; the exit code."""
        os.write(self.end, b"\x04")
        code = self.process.wait(SECONDS)
        os.close(self.end)
        return code


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("terminal") / "line"
    line_run(made).close()
    return made


@pytest.fixture
def terminal(folder: Path) -> Iterator[Terminal]:
    opened = Terminal(folder, "--step", "2")
    yield opened
    assert opened.close() == 0


def test_a_session_with_every_move(terminal: Terminal) -> None:
    assert "step 2 learn:1  %x = read {name=x}" in terminal.read()
    assert terminal.ask("n 2") == "step 2 learn:3  %guess = call %x {body=forward}    | model.py:9 guess = forward(x)"
    assert terminal.ask("s").startswith("step 2 forward:1")
    assert terminal.ask("bt").splitlines()[1].startswith("learn:3")
    assert terminal.ask("b exp") == "breakpoint 1: op exp"
    assert terminal.ask("c").startswith("breakpoint 1: op exp\nstep 2 forward:4")
    assert "model.py:4 exp(x * w)" in terminal.ask("l 1")
    assert terminal.ask("back").startswith("step 2 forward:3")
    assert terminal.ask("rc").startswith("breakpoint 1: op exp\nstep 1 forward:4")
    assert terminal.ask("finish").startswith("step 1 learn:4")
    assert terminal.ask("").startswith("step 1 ended: loss = ")
    assert terminal.ask("d 1") == ""
    assert terminal.ask("w w[1]") == "breakpoint 2: watch w[1]"
    assert re.match(r"breakpoint 2: w\[1\]: 0\.95\d* -> 0\.92\d*\nstep 2 learn:14", terminal.ask("continue"))
    said = terminal.ask("p theta[0:2]")
    assert said.startswith("theta[0:2]: float32[2] = [0.95") and "at the end of the step: [0.92" in said
    assert terminal.ask("set lr=1").startswith("lr = 1 from step 2 on")
    assert terminal.ask("reverse-continue").startswith("breakpoint 2: w[1]: 0.97")
    assert terminal.ask("goto 2").startswith("step 2 learn:1") and "-> 0.70" in terminal.ask("c")


def test_conditions_and_information(terminal: Terminal) -> None:
    terminal.read()
    assert terminal.ask("break if loss > -1") == "breakpoint 1: if loss > -1"
    assert terminal.ask("c").startswith("breakpoint 1: loss > -1: ")
    assert terminal.ask("b nonfinite") == "breakpoint 2: if nonfinite"
    assert terminal.ask("info b").splitlines() == ["1: if loss > -1", "2: if nonfinite"]
    assert "param theta: f32[3]" in terminal.ask("info reg").replace("\n\n", "\n")
    assert terminal.ask("info dials") == "lr = 0.1"
    assert "loss: float32[] = " in terminal.ask("info values")
    assert "reverse-continue  back to" in terminal.ask("help")


def test_errors_are_one_line_and_the_prompt_comes_back(terminal: Terminal) -> None:
    terminal.read()
    code = "break if __import__('os').system('true') > 1"
    bad = ("dance", "break nowhere", "print nothing", "p y[9]", "set lr high", "info x", "n many", "delete 7", code)
    for line in (*bad, "goto 99999999999"):
        said = terminal.ask(line)
        assert said.startswith("error: ") and len(said.splitlines()) == 1, said


def test_control_c_brings_the_prompt_back(folder: Path) -> None:
    terminal = Terminal(folder, "--step", "0")
    terminal.read()
    before = terminal.worked()
    os.write(terminal.end, b"goto 100000\n")
    limit = time.monotonic() + SECONDS
    while terminal.worked() < before + 0.3 and time.monotonic() < limit:
        time.sleep(0.02)
    os.killpg(terminal.process.pid, signal.SIGINT)
    assert "interrupted" in terminal.read()
    assert terminal.ask("n").startswith("step 0 learn:2")
    assert terminal.close() == 0


def test_a_step_that_is_not_recorded_is_refused(folder: Path) -> None:
    command = [*ONTOGENY, "debug", str(folder), "--step", "99"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 1 and "steps 0 to 6" in done.stderr and "Traceback" not in done.stderr


def test_without_a_terminal_lines_are_given_and_answered_as_json(folder: Path) -> None:
    asked = ["--step", "1", "--do", "b exp", "--do", "c", "--do", "dance", "--json"]
    done = subprocess.run([*ONTOGENY, "debug", str(folder), *asked], capture_output=True, text=True, timeout=SECONDS)
    document = json.loads(done.stdout)
    assert (document["step"], document["routine"], document["instruction"]) == (1, "forward", 4)
    assert document["where"] == "model.py:4 exp(x * w)"
    assert [one["answer"].split()[0] for one in document["said"]] == ["breakpoint", "breakpoint", "error:"]
