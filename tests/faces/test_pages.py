"""The picture and the page of a run: whole, legible without a script or a network, and safe with any names."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from ontogeny.faces.chart import Scale, chart
from ontogeny.faces.page import page
from ontogeny.faces.picture import draw, save
from ontogeny.faces.thin import thinned
from ontogeny.faces.view import VALID, View
from ontogeny.isa.text import from_text
from ontogeny.record.journal import stamped

PROGRAM = from_text((Path(__file__).parents[2] / "examples" / "perceptron.onto").read_text(encoding="utf-8"))
HOSTILE = '</script><script>alert("x")</script><img src=x onerror=alert(1)>'
VOID = {"meta", "link", "img", "br", "hr", "input"}


def view(name: str, branch: int | None = None, steps: int = 60) -> View:
    step = np.arange(1, steps + 1, dtype=np.float64)
    rows = tuple({"step": float(at), "loss": 3 / (1 + at), "accuracy": at / steps} for at in range(0, steps + 1, 10))
    journal = (stamped("start", 0, "you", seed=0), stamped("dial", 10, HOSTILE, name=HOSTILE, value=0.5))
    return View(name, steps, PROGRAM, {"step": step, "loss": 3 / step}, rows, journal, {"torch": "2"}, branch, "ab" * 8)


class Balanced(HTMLParser):
    """Holds every element to be closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag


def parsed(text: str) -> Balanced:
    parser = Balanced()
    parser.feed(text)
    parser.close()
    assert not parser.open
    return parser


def test_the_page_is_whole_and_needs_no_network() -> None:
    text = page([view("grok"), view("fork", branch=20)], "A title", "proved")
    seen = parsed(text).seen
    assert not [one for one in seen if {"src", "href"} & set(one[1])]
    assert "@import" not in text and "url(" not in text
    for words in ("A title", "Curves", "Journal of fork", "Cost", "proved", "abababab", "routine learn"):
        assert words in text
    assert [one for tag, one in seen if tag == "html"] == [{"lang": "en"}]
    assert all(one.get("aria-label") for tag, one in seen if one.get("role") == "img")


def test_names_from_anywhere_do_nothing() -> None:
    seen = parsed(page([view(HOSTILE)], HOSTILE, HOSTILE)).seen
    scripts = [one for tag, one in seen if tag == "script"]
    assert len([one for one in scripts if one.get("type") != "application/json"]) == 1
    assert not [tag for tag, _ in seen if tag == "img"]


def test_the_numbers_beside_a_chart_are_those_of_the_run() -> None:
    text = chart([view("grok"), view("fork", branch=20)], "loss", 0)
    found = re.search(r"<script[^>]*>(.*?)</script>", text, re.DOTALL)
    assert found
    lines = {line["name"]: line for line in json.loads(found[1])["lines"]}
    assert lines["grok training"]["steps"] == list(range(1, 61))
    assert lines["grok training"]["values"][0] == 3.0
    assert lines["fork training"]["steps"][0] == 20
    assert chart([view("grok")], "nothing", 0) == ""


def test_what_is_not_finite_leaves_a_gap_and_no_error() -> None:
    one = view("broken")
    one.metrics["loss"][5:9] = np.nan, np.inf, -np.inf, 0.0
    text = chart([one], "loss", 0)
    assert "nan" not in text.lower().split("<script")[0] and "null" in text
    draw([one])


def test_a_run_that_has_not_begun_has_a_page() -> None:
    empty = View("new", 0, PROGRAM, {"step": np.zeros(0), "loss": np.zeros(0)}, (), ())
    parsed(page([empty]))
    draw([empty])


def test_thinning_keeps_spikes_and_ends() -> None:
    values = np.ones(100_000)
    values[54_321] = 9.0
    steps, kept = thinned((np.arange(100_000.0), values), 900)
    assert len(steps) <= 901 and kept.max() == 9.0 and steps[0] == 0 and steps[-1] == 99_999
    assert (np.diff(steps) > 0).all()


@pytest.mark.parametrize("values", [[1.0, 1.0], [0.0, 0.0], [-5.0, 3.0], [1e-9, 1e6]])
def test_a_scale_keeps_everything_inside(values: list[float]) -> None:
    scale = Scale([(np.array([1.0, 2.0]), np.array(values))], "loss")
    assert all(10 <= scale.down(value) <= 262 for value in values)
    assert len(list(scale.marks())) >= 1


def test_the_picture_is_written_twice(tmp_path: Path) -> None:
    paths = save(draw([view("grok"), view("fork", branch=20)], "title"), tmp_path / "pictures" / "curves.png")
    assert [path.suffix for path in paths] == [".png", ".svg"]
    assert paths[0].read_bytes().startswith(b"\x89PNG") and "<svg" in paths[1].read_text(encoding="utf-8")


def test_a_fork_draws_its_own_part() -> None:
    steps, _ = view("fork", branch=20).own_lines("loss")[VALID]
    assert steps.min() == 20 and view("fork", branch=20).measures() == ["loss", "accuracy"]
