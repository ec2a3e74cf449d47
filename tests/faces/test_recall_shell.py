"""`ontogeny recall`: items, canaries, examples left out, and what is said when it cannot be answered; and how `recall`,
`capacity`, `price` and `laws` are asked in a session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ontogeny.faces.cli import app
from ontogeny.faces.terminal import plain
from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.registry import command
from ontogeny.steer.session import Session
from tests import small

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONTOGENY_RUNS", str(folder))
        shell("run", str(HERE / "captured.py"), "--steps", "8", "--name", "net")
    return folder


@pytest.fixture(autouse=True)
def there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONTOGENY_RUNS", str(place))
    monkeypatch.setenv("COLUMNS", "200")


def shell(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == exit_code, result.output
    return result


def asked(*words: str) -> Any:
    return json.loads(shell("recall", *words, "--json").stdout)


def test_items_examples_left_out_and_estimates_are_one_document() -> None:
    found = asked("net", "--left-out", "3,17,40", "--subsets", "4")
    assert found["step"] == 8 and found["of"] == 64 and len(found["items"]) == 64
    assert {one["seen"] for one in found["items"]} == {2} and all(one["last"] is not None for one in found["items"])
    assert sum(group["items"] for group in found["by_recency"]) == 64 and "predict" in found["not_continued"]
    assert found["memorised"]["index"] is None
    assert [one["example"] for one in found["left_out"]["items"]] and found["left_out"]["examples"] == 3
    assert len(found["estimated"]["items"]) == 64 and found["estimated"]["retrainings"] == 4


def test_a_person_is_told_in_tables() -> None:
    said = shell("recall", "net", "--at", "-2", "--examples", "0:5", "--left-out", "3", "--top", "3").stdout
    assert "by how often an item was seen" in said and "the items that are known best" in said
    assert "right only where they were trained on" in said and "by chance" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("net", "--prefix", "4"), "no example can be continued"),
        (("net", "--examples", "64"), "the numbers 0 to 63"),
        (("net", "--at", "9"), "9"),
        (("net", "--workers", "2"), "--left-out"),
        (("net", "--left-out", "some"), "names no example"),
        (("net", "--subsets", "2"), "at least 4"),
        (("none",), "none"),
    ],
)
def test_what_cannot_be_answered_is_said_in_one_line(words: tuple[str, ...], said: str) -> None:
    result = shell("recall", *words, exit_code=1)
    assert said in result.stderr and "Traceback" not in result.output and result.stdout == ""


@pytest.mark.parametrize(
    ("name", "given", "words", "same"),
    [
        (
            "recall",
            {"left_out": "3", "at": 6, "examples": "0:5"},
            ("net", "--left-out", "3", "--at", "6", "--examples", "0:5"),
            ("examples left out are right only",),
        ),
        (
            "capacity",
            {"against": "net"},
            ("net", "--against", "net"),
            ("over the raw code", "what the other run knows"),
        ),
        (
            "price",
            {"for_steps": 10_000, "machine": "8xB200", "precision": "fp8"},
            ("net", "--steps", "10000", "--machine", "8xB200", "--precision", "fp8"),
            ("10,000 steps of learn: ",),
        ),
        (
            "price",
            {"parameters": 1e12, "tokens": 1e9, "epochs": 4},
            ("--parameters", "1e12", "--tokens", "1e9", "--epochs", "4"),
            ("as many as the state of training needs",),
        ),
    ],
)
def test_the_sessions_answer_is_the_shells(
    name: str, given: dict[str, Any], words: tuple[str, ...], same: tuple[str, ...], place: Path
) -> None:
    found = Session(place, "net").do(command(name, given))
    assert json.loads(shell(name, *words, "--json").stdout) == plain(found.figures)
    said = shell(name, *words).stdout.splitlines()
    for part in same:
        (sentence,) = [line for line in found.text.splitlines() if part in line]
        assert sentence in said


def test_a_question_is_of_where_the_session_stands(place: Path) -> None:
    session = Session(place, "net")
    session.do(command("back", {"to": "3"}))
    assert session.do(command("recall")).figures["step"] == session.do(command("capacity")).figures["step"] == 3
    assert session.foretell(command("recall", {"left_out": "3,17"})).steps == 9  # the run itself, and without each


def test_what_cannot_be_priced_is_said(place: Path) -> None:
    session = Session(place, "net")
    for given, said in (
        ({"parameters": 1e9}, "give both"),
        ({"run": "net", "parameters": 1e9, "tokens": 1e9}, "not both"),
        ({"machine": "H100"}, "8xH100"),
        ({"machine": "8xA100", "precision": "fp8"}, "has no fp8"),
    ):
        with pytest.raises(OntogenyError, match=said):
            session.do(command("price", given))


def test_a_law_is_asked_of_all_runs_and_refused_as_in_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for steps in (6, 12):
        with small.begin(tmp_path / f"of-{steps}") as run:
            run.advance(steps)
    monkeypatch.setenv("ONTOGENY_RUNS", str(tmp_path))
    session = Session(tmp_path, "of-6")
    for given, words in (({}, (str(tmp_path),)), ({"runs": ["of-6", "of-12"]}, ("of-6", "of-12"))):
        with pytest.raises(OntogenyError, match="no law can be fitted") as refused:
            session.do(command("laws", given))
        shown = shell("laws", *words, exit_code=1).stderr
        assert all(line.strip() in " ".join(shown.split()) for line in str(refused.value).splitlines())
