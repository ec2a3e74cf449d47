"""`ontogeny recall`: items, canaries, examples left out, and what is said when it cannot be answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ontogeny.faces.cli import app

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
