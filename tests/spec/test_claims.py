"""Claims: a verdict follows from figures alone, results are read as they were written, and every experiment runs."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ontogeny.claims.book import NAMES, claim, claims
from ontogeny.claims.claim import Claim, Expectation, Form, Measured, Series
from ontogeny.claims.result import Result, measure, read, write
from ontogeny.claims.verdict import Verdict, interval
from ontogeny.faces.claims import BOOK
from ontogeny.isa.errors import ClaimError


def made(values: dict[int, float], relation: str = ">=", bound: float = 1.0, exact: bool = False) -> Claim:
    """A claim about one figure, which each seed gives as it is told."""

    def measured(seed: int, **_: Any) -> Measured:
        return Measured({"figure": values[seed]}, (Series("line", (0, 1), (0, values[seed])),))

    expected = (Expectation("figure", relation, bound, "the figure is large"),)
    form = Form(tuple(values), 1.0, {"steps": 3})
    return Claim("made", "It is large.", "", measured, expected, form, form, exact=exact)


@pytest.mark.parametrize(
    ("values", "relation", "found"),
    [
        ([2.0, 2.1, 1.9], ">=", Verdict.HOLDS),
        ([2.0, 2.1, 1.9], "<=", Verdict.FAILS),
        ([0.0, 0.1, -0.1], ">=", Verdict.FAILS),
        ([0.0, 2.1, 1.9], ">=", Verdict.UNDECIDED),
        ([5.0], ">=", Verdict.UNDECIDED),
        ([2.0, math.nan, 2.0], ">=", Verdict.UNDECIDED),
    ],
)
def test_a_verdict_goes_by_where_the_whole_interval_lies(values: list[float], relation: str, found: Verdict) -> None:
    assert measure(made(dict(enumerate(values)), relation), False).verdict is found


def test_an_exact_claim_holds_in_every_seed_or_fails() -> None:
    assert measure(made({0: 1.0}, exact=True), False).verdict is Verdict.HOLDS
    assert measure(made({0: 5.0, 1: 0.9}, exact=True), False).verdict is Verdict.FAILS


def test_a_claim_fails_with_any_of_its_expectations() -> None:
    one = made({0: 2.0, 1: 2.1, 2: 1.9})
    other = Expectation("figure", "<=", 1.0, "and small")
    assert measure(replace(one, expects=(*one.expects, other)), False).verdict is Verdict.FAILS


def test_the_interval_is_students() -> None:
    # Of 1, 2, 3: standard error 1/sqrt(3), and 4.3027 of them either way with two degrees of freedom (any t table).
    found = interval([1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.high - 2.0 == pytest.approx(4.30265 / math.sqrt(3), rel=1e-5)
    shares = interval([0.9, 1.0, 1.0], (0.0, 1.0))
    assert shares.high == 1.0 and shares.low == interval([0.9, 1.0, 1.0]).low, "no share is more than all"


def test_a_result_is_read_as_it_was_written_and_goes_on_with_missing_seeds(tmp_path: Path) -> None:
    asked: list[int] = []
    plain = made({0: 2.0, 1: math.nan, 2: 3.0})

    def counted(seed: int, **given: Any) -> Measured:
        asked.append(seed)
        return plain.measure(seed, **given)

    one, path = replace(plain, measure=counted), tmp_path / "made.json"
    measure(one, True, (0, 1), after=lambda result: write(result, path))
    found = read(one, path)
    assert [seed.seed for seed in found.seeds] == [0, 1]
    assert math.isnan(found.seeds[1].measured.figures["figure"])
    again = measure(one, True, begun=found)
    assert asked == [0, 1, 2]
    assert [line.y for line in again.seeds[2].measured.series] == [(0, 3.0)]
    assert "verdict" not in path.read_text()
    one_more = measure(one, True, (1, 1), begun=measure(one, True, (0, 0, 0)))
    assert [seed.seed for seed in one_more.seeds] == [0, 1], "each seed counts once, and none is lost for another"
    assert measure(one, True, (0,), begun=found) is found, "where nothing was measured the date stays"


def test_no_interval_of_the_book_reaches_beyond_what_its_figure_can_be() -> None:
    found = read(claim("trained-item-approximated"), BOOK / "trained-item-approximated.json")
    assert all(0 <= one.interval.low <= one.interval.high <= 1 for one in found.judged)


def test_results_that_are_damaged_or_of_another_experiment_are_refused(tmp_path: Path) -> None:
    one, path = made({0: 2.0}), tmp_path / "made.json"
    write(measure(one, False), path)
    with pytest.raises(ClaimError, match="another experiment"):
        read(replace(one, quick=Form((0,), 1.0, {"steps": 4})), path)
    path.write_text(
        path.read_text().replace('"seeds": [', '"seeds": [' + '{"seed": 0, "seconds": 0, "figures": {}, "series": []},')
    )
    with pytest.raises(ClaimError, match="counts twice"):
        read(one, path)
    path.write_text(path.read_text()[:-40])
    with pytest.raises(ClaimError, match="measure it again"):
        read(one, path)
    path.write_text(json.dumps([]))
    with pytest.raises(ClaimError, match="measure it again"):
        read(one, path)


def test_a_figure_that_was_not_measured_is_no_verdict() -> None:
    one = made({0: 2.0})
    lacking = replace(one, expects=(Expectation("other", ">=", 0.0, "there"),))
    with pytest.raises(ClaimError, match="'other'"):
        _ = measure(lacking, False).verdict


def test_the_book_is_in_order() -> None:
    for one in claims():
        assert claim(one.name) is one
        assert one.sentence.endswith(".") and one.how and one.expects
        assert one.exact or len(one.full.seeds) >= 3, "fewer than three seeds decide little"
    with pytest.raises(ClaimError, match="did you mean hard-decisions"):
        claim("hard-decision")


@pytest.mark.parametrize("name", NAMES)
def test_the_quick_form_of_every_claim_runs(name: str) -> None:
    one = claim(name)
    found = measure(one, False, one.quick.seeds[:1])
    assert isinstance(found, Result)
    assert all(math.isfinite(judged.interval.mean) for judged in found.judged)
