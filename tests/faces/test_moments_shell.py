"""`ontogeny moments`: its tables, its pictures of moment against moment, and what was streamed while a loop trained."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

import ontogeny as og
from ontogeny.faces.cli import app


@pytest.fixture(autouse=True)
def a_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty steps of a small model, recorded and streamed."""
    monkeypatch.setenv("ONTOGENY_RUNS", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(8, 6), torch.nn.Tanh(), torch.nn.Linear(6, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
    alone = og.watch_moments(model, ["0.*"])
    with og.attach(model, optimizer, tmp_path / "loop", moments=True) as run:
        for _ in range(30):
            optimizer.zero_grad()
            loss = (model(torch.randn(16, 8)) - 1).square().mean()
            loss.backward()
            optimizer.step()
            run.step(loss)
            alone.step()
    alone.save(tmp_path / "alone")


def shell(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == exit_code, result.output
    return result


def told(*words: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(shell("moments", *words, "--json").stdout)
    return found


@pytest.mark.parametrize("over", ["values", "updates"])
def test_streamed_says_what_the_record_says(over: str) -> None:
    streamed, passed = (told("loop", "--over", over, *more) for more in (["--online"], []))
    assert streamed["steps"] == passed["steps"] == (31 if over == "values" else 30)
    for one, other in zip(streamed["rows"], passed["rows"], strict=True):  # type: ignore[call-overload]
        assert one.pop("name") == other.pop("name")
        assert one == pytest.approx(other, rel=1e-9)


def test_streamed_without_a_run() -> None:
    assert [row["name"] for row in told("alone", "--online")["rows"]] == ["0.weight", "0.bias"]  # type: ignore[attr-defined]
    assert "0.bias" in shell("moments", "alone", "--online", "--tensor", "*bias").stdout
    assert "no streamed tensor matches" in shell("moments", "alone", "--online", "--tensor", "q", exit_code=1).stderr
    assert "leave one of the two away" in shell("moments", "loop", "--online", "--steps", "3:5", exit_code=1).stderr


def test_pictures(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name in ("out.png", "out.svg", "out.html"):
        document = told("loop", "--against", "variance:kurtosis", "-o", str(tmp_path / name))
        assert document["panels"][0]["elements"] == 68  # type: ignore[index]
        assert list(document["axes"]) == ["variance", "kurtosis"]  # type: ignore[call-overload]
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    assert ElementTree.parse(tmp_path / "out.svg").getroot().tag.endswith("svg")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert page.count("data:image/svg+xml") == 2 and "://" not in page
    said = shell("moments", "loop", "--online", "--against", "mean:variance", "-o", str(tmp_path / "o.png"), "--dark")
    assert "68 elements" in said.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--against", "mean"], "is no pair of moments"),
        (["--against", "mean:variance", "-o", "x.gif"], "let it end in .png, .svg, .html"),
        (["-o", "x.png"], "add --against"),
    ],
)
def test_what_cannot_be_drawn_is_said(words: list[str], said: str) -> None:
    assert said in shell("moments", "loop", *words, exit_code=1).stderr
