"""Whatever a command of steering takes can be given from Python, the shell, the chat and MCP; hints can be pasted."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import ontogeny as og
from ontogeny.faces.cli import app, loaded
from ontogeny.faces.registry import BY_NAME, SHELL
from ontogeny.steer.command import Command
from ontogeny.steer.registry import COMMANDS
from ontogeny.steer.tools import RUN, WITHHELD, tool_of
from tests.faces.folder import stand_in
from tests.small import begin

SPELT = {
    ("set", "dial"): "dials",
    ("set", "to"): "dials",
    ("fork", "at"): "step",
    ("fork", "name"): "as_name",
    ("switch", "run"): "name",
    ("compare", "to"): "names",
    ("alike", "element"): "query",
    ("alike", "steps"): "window",
    ("groups", "steps"): "window",
    ("what-if", "dials"): "dial",
    ("capacity", "beside"): "names",
    ("recall", "looked_at"): "most",
    ("price", "for_steps"): "steps",
    ("laws", "runs"): "given",
    ("laws", "sizes"): "at",
    ("laws", "best_only"): "best",
    ("laws", "drop_highest"): "drop",
}
"""What the shell calls an argument where it calls it otherwise."""


@pytest.fixture(autouse=True)
def one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch)
    with begin(tmp_path / "runs" / "one") as run:
        run.advance(12)


def shell(*words: str, exit_code: int = 0) -> Any:
    result = CliRunner().invoke(app, [*words, "--json"])
    assert result.exit_code == exit_code, result.output
    return json.loads(result.output)


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.NAME)
def test_every_argument_can_be_given_everywhere(kind: type[Command]) -> None:
    spelt = {one.name for one in loaded(BY_NAME[SHELL.get(kind.NAME, kind.NAME)]).params}
    tool = tool_of(kind.NAME)
    for argument in kind.model_fields:
        if argument != RUN:
            assert SPELT.get((kind.NAME, argument), argument) in spelt, f"the shell's {kind.NAME} takes no {argument}"
        assert argument in tool.schema["properties"] or (kind.NAME, argument) in WITHHELD
    if kind.EFFECT.confirmed:
        assert {"dry", "author"} <= spelt, f"the shell's {kind.NAME} has no --dry-run or no --author"


@pytest.mark.parametrize(
    ("words", "name", "given"),
    [
        (["resume", "one", "--steps", "5"], "run", {"steps": 5}),
        (
            ["resume", "one", "--steps", "5", "--until", "norm(line.weight) > 9"],
            "run",
            {"steps": 5, "until": "norm(line.weight) > 9"},
        ),
        (["fork", "one", "-3", "--name", "mine"], "fork", {"at": "last-3", "name": "mine"}),
        (["fork", "one", "when it was best"], "fork", {"at": "when it was best"}),
        (
            ["set", "one", "lr", "--by", "0.5", "--over", "4", "--shape", "cosine"],
            "set",
            {"dial": "lr", "by": 0.5, "over": 4, "shape": "cosine"},
        ),
        (["set", "one", "learning rate=0.1"], "set", {"dial": "lr", "to": 0.1}),
        (
            ["again", "one", "--name", "x", "--seed", "4", "--dials", "lr=0.1"],
            "again",
            {"name": "x", "seed": 4, "dials": {"lr": 0.1}},
        ),
        (["autopilot", "one", "--budget", "50", "--never", "data"], "autopilot", {"budget": "50", "never": "data"}),
        (["mark", "one", "early"], "mark", {"name": "early"}),
    ],
)
def test_the_shell_foretells_what_python_does(words: list[str], name: str, given: dict[str, Any]) -> None:
    before = sorted(str(one) for one in Path().rglob("*"))
    told = shell(*words, "--dry-run")
    assert told["text"] == og.steering("runs/one").foretell(name, **given).text
    assert sorted(str(one) for one in Path().rglob("*")) == before
    assert told["seconds"] if told["steps"] else told["seconds"] is None


def test_a_fork_that_turns_dials_and_goes_on_is_foretold_whole() -> None:
    words = ["fork", "one", "3", "lr=0.2", "--name", "mine", "--steps", "4", "--until", "loss < 0"]
    told = shell(*words, "--dry-run")
    assert told["text"] == (
        "fork one at step 3 as mine, which copies nothing, with lr 0.2, and take it on until loss < 0, at most 4 "
        "steps, to 7"
    )
    assert told["steps"] >= 4 and told["seconds"] > 0 and not Path("runs/mine").exists()
    for odd in (["dial=1"], ["--until", "nothing"], ["--name", "a/b"], ["--program", "none.onto"]):
        shell("fork", "one", "3", *odd, "--dry-run", exit_code=1)
    assert "gives a value" in shell("set", "one", "lr=0.1", "--by", "2", exit_code=1)["error"]
    assert shell("set", "one", "lr", "momentum", "--by", "0.5")["dials"] == {"lr": 0.025, "momentum": 0.45}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fork", "one", "3", "--steps", "-2"], "-2 steps cannot be taken"),
        (["fork", "one", "3", "--until", "loss < 1"], "give --steps, how many at most"),
        (["resume", "one", "--steps", "0", "--dry-run"], "0 steps are none to take"),
    ],
)
def test_steps_that_are_none_are_refused_before_anything_is_made(words: list[str], said: str) -> None:
    assert said in CliRunner().invoke(app, words).output
    assert [one.name for one in Path("runs").iterdir()] == ["one"]


HOSTILE = [
    "a b",
    "it's",
    "x;touch PWNED",
    "$(touch PWNED)",
    "`touch PWNED`",
    "-n",
    "a|b",
    "a&touch PWNED",
    "é ü",
    "[red]x",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hint_can_be_pasted_whatever_a_run_is_called(name: str) -> None:
    Path("runs/one").rename(f"runs/{name}")
    place = f"runs/{name}"
    hints = [
        shell("back", place, "3")["text"],
        shell("call", place, "sleep")["text"],
        shell("stop", place, exit_code=1)["error"],
        shell("fork", place, "12", "--name", "fork")["run"],
        shell("undo", "fork", exit_code=1)["error"],
    ]
    for hint in re.findall(r"`(ontogeny .+?)`(?= |$|;)", " ".join(hints)):
        assert name in shlex.split(hint), hint
        subprocess.run(["/bin/sh", "-c", f"ontogeny() {{ :; }}; {hint}"], check=True, stderr=subprocess.DEVNULL)
    assert not list(Path().rglob("PWNED"))
    assert f"ontogeny live {shlex.quote(name)}" in hints[2] and f"ontogeny fork {shlex.quote(name)} 3" in hints[0]
    assert f"ontogeny undo {shlex.quote(name)}" in hints[4]
    assert shell("fork", place, "3")["run"] == f"{name}-3"


@pytest.mark.parametrize(
    "name", ["it's", "x;y", "$(x)", "`x`", "-n", "a|b", "a&b", 'a"b', "a\\b", "a*", "~", "#x", "!x", "[x]"]
)
def test_no_run_is_called_what_a_shell_reads_otherwise(name: str) -> None:
    for words in (["fork", "one", "3", f"--name={name}"], ["again", "one", f"--name={name}"]):
        for dry in (["--dry-run"], []):
            assert "may mean something else to a shell" in shell(*words, *dry, exit_code=1)["error"]


@pytest.mark.parametrize(
    ("given", "said"), [("lr=-0.1", "lr cannot be -0.1; give 0 or more"), ("momentum=1", "less than 1")]
)
def test_a_dial_is_not_turned_to_where_nothing_is_learned(given: str, said: str) -> None:
    for words in (["set", "one", given], ["fork", "one", "3", given], ["again", "one", "--dials", given]):
        assert said in shell(*words, "--dry-run", exit_code=1)["error"]
        assert said in shell(*words, exit_code=1)["error"]
    assert shell("set", "one", "lr=0", "--dry-run")["remarks"] == ["at a learning rate of 0 nothing is learned"]
