"""`ontogeny laws`: points from a table or from runs, what is foretold of them, the picture, and refusals in words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from ontogeny.ask.laws.asked import quantity
from ontogeny.ask.laws.law import fitted
from ontogeny.faces.cli import app
from ontogeny.faces.laws_picture import draw
from ontogeny.isa.errors import OntogenyError
from tests import small
from tests.spec.test_laws import made, swept

POINTS = str(Path(__file__).parents[2] / "benches" / "chinchilla_points.csv")


def shell(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["laws", *words])
    assert result.exit_code == exit_code, result.output
    return result


@pytest.fixture
def table(tmp_path: Path) -> str:
    """Sixteen runs of a law with E = 1.8."""
    rows = [
        f"{n:g},{d:g},{1.8 + 480 * n**-0.35 + 2000 * d**-0.36 + 0.002 * ((3 * i + 7 * j) % 5 - 2)}"
        for i, n in enumerate((5e7, 3e8, 2e9, 1e10))
        for j, d in enumerate((5e8, 3e9, 2e10, 1e11))
    ]
    (file := tmp_path / "points.csv").write_text("\n".join(["parameters,tokens,loss", *rows]), encoding="utf-8")
    return str(file)


def test_a_table_gives_a_law_forecasts_the_best_of_a_budget_and_a_picture(table: str, tmp_path: Path) -> None:
    picture = tmp_path / "drawn" / "law.png"
    words = (table, "--samples", "100", "--at", "70B,1.4T", "--budget", "5.76e23")
    found = json.loads(shell(*words, "-o", str(picture), "--json").stdout)
    assert found["form"] == "chinchilla" and set(found["refused"]) == {"tuned", "excess", "repetition"}
    floor = found["numbers"]["E"]
    assert floor["low"] <= 1.8 <= floor["high"] and found["failed_samples"] == 0
    (asked,) = found["predictions"]
    assert asked["run"]["low"] < asked["loss"]["low"] < asked["loss"]["value"] < asked["loss"]["high"]
    assert asked["beyond"] == pytest.approx(14)
    (best,) = found["optimal"]
    assert best["parameters"]["low"] < best["parameters"]["value"] < best["parameters"]["high"]
    assert picture.stat().st_size > 10_000 and "<svg" in picture.with_suffix(".svg").read_text()[:1000]
    said = shell(*words).stdout
    assert "L = E + A/N^alpha + B/D^beta" in said and "14x" in said and "it is a guess" in said
    assert "16 runs" in said and "not repetition" in said


def test_a_sweep_of_weight_decay_gives_asymptotes_and_the_best_decay(tmp_path: Path) -> None:
    given = swept()
    columns = (given.parameters, given.tokens, given.unique, given.decay, given.loss)
    rows = [",".join(f"{value:.9g}" for value in row) for row in zip(*columns, strict=True)]
    file = tmp_path / "sweep.csv"
    file.write_text("\n".join(["parameters,tokens,unique,weight_decay,loss", *rows]), encoding="utf-8")
    words = (str(file), "--samples", "100", "--at", "1e9,2e9,20")
    found = json.loads(shell(*words, "--json").stdout)
    assert found["form"] == "tuned" and len(found["asymptotes"]) == 4
    (decay,) = found["best_decay"]
    assert decay["low"] < 0.8 * (1e9 / 3e6) ** 0.15 * (1e8 / 3e6) ** -0.1 < decay["high"]
    said = shell(*words).stdout
    assert "the best weight decay" in said and "parameters without end" in said


def test_a_published_law_answers_without_runs_and_without_intervals() -> None:
    found = json.loads(shell("--published", "muennighoff", "--budget", "1e22", "--unique", "25B", "--json").stdout)
    assert found["optimal"][0]["epochs"]["value"] > 2 and found["optimal"][0]["loss"]["low"] == "NaN"
    assert "R_D" in shell("--published", "muennighoff").stdout
    far = shell("--published", "besiroglu", "--at", "1e14,130e6").stdout
    assert "6.25e+03x" in far and "it is a guess" in far, "the runs behind it had at most 16 billion parameters"


def test_runs_are_found_by_name_or_by_their_folder_and_refused_with_what_they_lack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        with small.begin(tmp_path / "runs" / name) as run:
            run.advance(5)
    monkeypatch.setenv("ONTOGENY_RUNS", str(tmp_path / "runs"))
    for given in (("one", "two"), (str(tmp_path / "runs"),)):
        output = shell(*given, exit_code=1).output
        assert "no law can be fitted" in output and "(there are 2)" in output
    assert "no valid.accuracy" in shell("one", "--metric", "valid.accuracy", exit_code=1).output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name runs"),
        ((POINTS, "one"), "give either"),
        ((POINTS, POINTS), "one CSV file at a time"),
        (("none.csv",), "cannot be read"),
        ((POINTS, "--at", "1e9"), "is no run to foretell"),
        ((POINTS, "--at", "big,1e9"), "'big' is no quantity"),
        ((POINTS, "--budget", "0"), "'0' is no quantity"),
        ((POINTS, "--form", "kaplan"), "there is no form"),
        ((POINTS, "--form", "size"), "is for one of the numbers of distinct tokens"),
        ((POINTS, "--drop-highest", "999"), "999 of 245 points"),
        ((POINTS, "--published", "hoffmann"), "a law of its own"),
        (("--published", "hoffmann", "--at", "1e9,1e10,16"), "16 epochs were asked about"),
        (("--published", "kaplan"), "there is no published law"),
        (("--published", "hoffmann", "-o", "x.png"), "no runs here to draw"),
        (("--published", "hoffmann", "--budget", "1e20", "--unique", "1e9"), "repetition does"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(words: tuple[str, ...], said: str) -> None:
    output = shell(*words, exit_code=1).output
    assert said in output and "Traceback" not in output


def test_a_folder_without_runs_is_no_folder_of_runs(tmp_path: Path) -> None:
    assert "a folder without runs" in shell(str(tmp_path), exit_code=1).output


def test_quantities_are_read_as_they_are_said() -> None:
    assert [quantity(one) for one in ("1e9", "70B", "1.4T", "400k", "2_000")] == [1e9, 70e9, 1.4e12, 4e5, 2000]
    for wrong in ("", "-1", "nan", "inf", "1e999", "ten", "1.2.3"):
        with pytest.raises(OntogenyError, match="is no quantity"):
            quantity(wrong)


@pytest.mark.parametrize(("form", "curves"), [("repetition", 6), ("excess", 6), ("tuned", 4), ("size", 1), ("data", 1)])
def test_every_form_is_drawn_with_a_curve_for_each_amount_of_data(form: str, curves: int) -> None:
    law = fitted(made(form, 0.002), form, samples=5, check=False)
    (panel,) = draw(law).axes
    lines = [line for line in panel.lines if line.get_linestyle() != "None"]
    assert len(lines) == len(panel.collections) == curves
    dots = [line for line in panel.lines if line.get_linestyle() == "None"]
    assert law.points is not None and sum(len(one.get_xdata()) for one in dots) == len(law.points)
    for line in lines:
        assert (np.diff(line.get_ydata()) <= 0).all()  # level where there are more parameters than any use
