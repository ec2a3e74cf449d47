"""docs/brain-scale.md is what its code computes, and its arithmetic is that of formulas written by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from ontogeny.ask.price import brain
from ontogeny.faces.brain_scale import page

PAGE = Path(__file__).parents[2] / "docs" / "brain-scale.md"


def test_the_page_is_what_the_code_computes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run: python -m ontogeny.faces.brain_scale docs/brain-scale.md"
    )  # fmt: skip


def test_the_first_estimate_holds() -> None:
    """As issue 6 states it, worked out here by hand."""
    found, hours = brain.first_estimate(), 6 * 1e14 * 130e6 * 16 / (989e12 * 0.35) / 3600
    assert found.operations == 6 * 1e14 * 130e6 * 16 and found.accelerator_hours == pytest.approx(hours)
    assert found.accelerator_hours == pytest.approx(1e6, rel=0.01) and found.dollars == pytest.approx(3e6, rel=0.01)
    assert found.watt_hours == pytest.approx(1.3e9, rel=0.02) and found.state == 1.6e15
    assert found.accelerators == 22223 and found.hours == pytest.approx(45, rel=0.01)
    assert brain.brain_watt_hours() == pytest.approx(3.2e6, rel=0.02)
    assert brain.runs()["as many tokens as Chinchilla asks"].operations == pytest.approx(1.2e30)
    assert brain.break_even() == pytest.approx(3 * 16 * 130e6) and brain.own_logits() == pytest.approx(0.02, abs=0.002)
    assert brain.student(5e8, brain.break_even()).by_teacher == pytest.approx(1)


def test_the_equal_run_is_equal_and_the_cheapest() -> None:
    for one in brain.equals():
        again = brain.equal(one.law, "", one.tokens, one.tokens, one.parameters)
        assert again.loss == pytest.approx(one.loss, abs=2e-3)
        for factor in (0.8, 1.25):
            size = one.parameters * factor
            beside = brain.equal(one.law, "", one.tokens / factor, one.tokens / factor, size)
            assert beside.loss > one.loss - 2e-3
        assert one.token_worth * (one.tokens - brain.WORDS) + one.cheapest.dollars == pytest.approx(
            brain.teacher().dollars
        )


def test_llama_comes_out_as_its_shape_says() -> None:
    each = 6 * (405e9 - 128256 * 16384) + 6 * 126 * 16384 * 8192
    hours = each * 15.6e12 / (989e12 * 0.41) / 3600 / 0.9
    assert brain.llama_off(0.41) == pytest.approx(hours / 30.84e6 - 1) == pytest.approx(-0.0302, abs=1e-4)


def test_traffic_and_years() -> None:
    moved = brain.traffic(2e6)
    assert moved.traffic == pytest.approx(6e14 / 50e9)
    assert moved.arithmetic == pytest.approx(6e14 * 2e6 / (22223 * 989e12 * 0.35))
    assert moved.enough == pytest.approx(brain.traffic(1e6).enough)
    assert brain.years_until(1.0, 8.0) == pytest.approx(3 * brain.CHEAPER) and brain.years_until(9.0, 8.0) == 0
    width = math.sqrt(1e14 / 12 / brain.LAYERS)
    assert brain.attention_share() == pytest.approx(brain.CONTEXT / 2 / (6 * width))
