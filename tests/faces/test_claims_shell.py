"""`ontogeny claims`: the list, one at length, measured again, as a page; and what is said of bad input."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean

import pytest
from typer.testing import CliRunner, Result

from ontogeny.claims.book import claims
from ontogeny.faces.claims import BOOK, beside, known, markdown, short
from ontogeny.faces.claims_page import page
from ontogeny.faces.claims_picture import draw
from ontogeny.faces.cli import app

NAND = "nand-is-two-neurons"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def shell(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["claims", *words])
    assert result.exit_code == exit_code, result.output
    return result


def test_a_claim_is_measured_kept_and_judged() -> None:
    found = json.loads(shell(NAND, "--measure", "--json").stdout)[0]
    assert found["verdict"] == "fails" and [one["mean"] for one in found["expectations"]] == [0, 0]
    assert json.loads(shell(NAND, "--folder", "claims", "--json").stdout)[0]["verdict"] == "fails"
    said = shell(NAND, "--folder", "claims").output
    assert "A NAND gate takes two neurons." in said and "seeds 0" in said
    again = shell(NAND, "--measure", "--seeds", "3,3").output
    assert "1 seed," in again and "seeds 0, 3," in again, "what was measured before counts too"
    assert "--anew measures them again" in shell(NAND, "--measure").output


def test_pages_are_written() -> None:
    shell(NAND, "--measure", "-o", "book.html")
    page = Path("book.html").read_text(encoding="utf-8")
    assert "<svg" in page and "one neuron makes at least one" in page and "<b>fails</b>" in page
    shell(NAND, "--folder", "claims", "-o", "book.md")
    assert "| one neuron makes at least one (wrong_with_one >= 1) | 0 | 0 to 0 | fails |" in Path("book.md").read_text()


def test_a_legend_stands_beside_the_lines_and_axes_by_powers_have_plain_numbers() -> None:
    (claim,) = claims(["larger-with-decay"])
    result = known(claim, BOOK)
    assert result is not None
    figure = draw(result)
    figure.draw_without_rendering()
    panel = figure.axes[0]
    legend = panel.get_legend()
    assert legend is not None and legend.get_window_extent().x0 >= panel.get_window_extent().x1
    assert "200" in [label.get_text() for label in panel.get_xticklabels()]


def test_what_was_measured_beside_is_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    (claim,) = claims(["local-rules"])
    result = known(claim, BOOK)
    assert result is not None
    heads, rows = beside(result)
    assert heads[1:4] == ["accuracy", "operations", "bytes"] and len(rows) == 6
    hebb = next(row for row in rows if row[0] == "hebb")
    assert float(hebb[2]) == pytest.approx(fmean(one.measured.figures["hebb_operations"] for one in result.seeds), 1e-3)
    said = shell("local-rules").output
    assert "predictive_coding" in said and "ontogeny claims local-rules --measure --full" in said
    assert "| hebb | " in markdown([(claim, result)]) and "<td>hebb</td>" in page([(claim, result)])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nand",), "no claim 'nand'"),
        ((NAND, "--full"), "give --measure as well"),
        ((NAND, "--measure", "--seeds", "a"), "whole numbers"),
        (("local-rules", "--measure", "--seeds", "-5"), "whole numbers from 0"),
        (("local-rules", "--measure", "--seeds", "4294967296"), "whole numbers from 0"),
        ((NAND, "-o", "book.pdf"), "neither .html nor .md"),
        ((NAND, "--folder", "nowhere"), "there is no folder nowhere"),
    ],
)
def test_bad_input_is_told_in_a_line(words: tuple[str, ...], said: str) -> None:
    result = shell(*words, exit_code=1)
    assert said in result.output and "Traceback" not in result.output


def test_another_form_is_not_mixed_in() -> None:
    shell(NAND, "--measure")
    assert "another --folder" in shell(NAND, "--measure", "--full", exit_code=1).output
    shell(NAND, "--measure", "--full", "--anew")
    kept = Path("claims", f"{NAND}.json")
    kept.write_text(kept.read_text().replace('"given": {', '"given": {"other": 1, ').replace(", }", "}"))
    assert "with --measure --anew" in shell(NAND, "--measure", "--full", exit_code=1).output
    shell(NAND, "--measure", "--full", "--anew")


def test_the_page_of_documentation_is_what_the_results_give() -> None:
    page = Path(__file__).parents[2] / "docs" / "claims.md"
    assert page.read_text(encoding="utf-8") == markdown([(one, known(one, BOOK)) for one in claims()])


def test_a_figure_of_two_expectations_is_told_once() -> None:
    (claim,) = claims(["capacity-in-bits"])
    figures = [expectation.figure for expectation in claim.expects]
    assert len(set(figures)) < len(figures)
    assert len(short(known(claim, BOOK))) == len(set(figures))
