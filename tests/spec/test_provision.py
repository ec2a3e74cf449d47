"""What a plan of capacity says is the arithmetic of its rates, and the page of documentation is what the rates give."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ontogeny.ask.calibration import Calibration, Measured, pooled
from ontogeny.ask.hardware import MACHINES
from ontogeny.ask.provision import STORE, TRAINER, Interval, Size, plan
from ontogeny.faces.scale_words import markdown
from ontogeny.isa.errors import RecordError

DOCS = Path(__file__).parents[2] / "docs"
STORED = Calibration.of_json(json.loads((DOCS / "scale.json").read_text(encoding="utf-8")))
RATES = {
    "encode.4": Interval(5e7, 1e8, 2e8),
    "decode.4": Interval(1e8, 1e8, 1e8),
    "ratio.4": Interval(1.5, 2.0, 2.5),
    "moments": Interval(2e7, 2e7, 2e7),
    "chart": Interval(1e7, 1e7, 1e7),
    "alike_build": Interval(4e7, 4e7, 4e7),
    "alike_query": Interval(1e9, 1e9, 1e9),
    "alike_bytes": Interval(100, 100, 100),
    "alike_head_bytes": Interval(40, 40, 40),
    "chart_bytes": Interval(0.5, 0.5, 0.5),
    "explain": Interval(2e6, 2e6, 2e6),
}
SIZE = Size(1e12, 39, 4, tokens=1e6, queries=10)


def test_a_plan_is_the_rates_times_the_size() -> None:
    found = plan(RATES, SIZE)
    kind = MACHINES[STORE]
    assert found.raw == 1e12 * 40 * 4
    assert (found.store.low, found.store.mid, found.store.high) == (160e12 / 2.5, 80e12, 160e12 / 1.5)
    assert found.indexes == 1e12 * 100 + 40e12 * 0.5
    stages = {stage.name: stage for stage in found.stages}
    count = stages["record"].machines
    assert (count - 1) * 0.7 * kind.disk < found.store.mid + found.indexes <= count * 0.7 * kind.disk
    moments = stages["moments"]
    assert moments.core_hours.mid == pytest.approx((40e12 / 1e8 + 40e12 / 2e7) / 3600)
    assert moments.hours.mid == pytest.approx(moments.core_hours.mid / (count * kind.cores))
    assert moments.limit == "processors"
    assert moments.dollars.mid == pytest.approx(moments.hours.mid * count * kind.dollars)
    asked = stages["alike, 10 queries"]
    assert asked.limit == "disks" and asked.read == 1e12 * 40 * 10
    assert asked.hours.mid == pytest.approx(asked.read / (count * kind.read) / 3600)
    record = stages["record"]
    assert record.core_hours.low * 4 == pytest.approx(record.core_hours.high)
    explained, trainer = stages["explain"], MACHINES[TRAINER]
    assert explained.machines == 25
    replay = 6 * 1e12 * 1e6 * 39 / (25 * trainer.peak * 0.4)
    account = 1e12 * 39 / 2e6 / (25 * trainer.cores)
    assert explained.hours.mid == pytest.approx((replay + account) / 3600)
    assert found.hours.mid == pytest.approx(sum(stage.hours.mid for stage in found.stages))
    assert found.dollars.high == pytest.approx(sum(stage.dollars.high for stage in found.stages))
    assert stages[found.slowest].hours.mid == max(stage.hours.mid for stage in found.stages)


def test_more_machines_take_less_time_at_the_same_price() -> None:
    few, many = (plan(RATES, SIZE, count=count) for count in (10, 20))
    for one, other in zip(few.stages[:-1], many.stages[:-1], strict=True):
        assert other.hours.mid == pytest.approx(one.hours.mid / 2)
        assert other.dollars.mid == pytest.approx(one.dollars.mid)


def test_what_cannot_be_planned_is_refused() -> None:
    for size in (Size(0, 40, 4), Size(1e9, 2, 4), Size(float("inf"), 40, 4), Size(1e9, 40, 3), Size(1e9, 40, 4, 1, -1)):
        with pytest.raises(RecordError):
            plan(RATES, size)
    with pytest.raises(RecordError, match="choose one of i3en"):
        plan(RATES, SIZE, "abacus")
    with pytest.raises(RecordError, match="the disks of '8xH100' are not in the table"):
        plan(RATES, SIZE, "8xH100")
    with pytest.raises(RecordError, match="one machine or more"):
        plan(RATES, SIZE, count=0)


def test_quartiles_and_stored_rates_come_back() -> None:
    one = Measured("values", (4.0, 1.0, 2.0, 3.0, 5.0), ((4, 0.1), (16, 0.4)), 1.0)
    assert one.interval == Interval(2.0, 3.0, 4.0)
    stored = Calibration("2026-01-01", "a machine", 16, 41, 2.5, {"moments": one})
    assert Calibration.of_json(json.loads(json.dumps(stored.as_json()))) == stored


def test_the_page_is_what_the_rates_beside_it_give() -> None:
    plans = [plan(STORED.rates, Size(250e9, 40, width)) for width in (4, 2)]
    assert (DOCS / "scale.md").read_text(encoding="utf-8") == markdown(STORED, plans), (
        "run: ontogeny scale --rates docs/scale.json --markdown > docs/scale.md"
    )


def test_the_page_names_no_place_of_the_machine() -> None:
    for name in ("scale.md", "scale.json"):
        text = (DOCS / name).read_text(encoding="utf-8")
        assert "/home" not in text and "/tmp" not in text and "/work" not in text


def test_several_calibrations_are_one_with_all_that_they_measured() -> None:
    def one(rates: tuple[float, ...], seconds: float) -> Calibration:
        grown = ((10, seconds), (1000, 10 * seconds))
        measured = {"moments": Measured("values", rates, grown, 0.5), "chart_bytes": Measured("bytes", (2.0,))}
        return Calibration("2026-01-01", "a machine", 16, 41, 2.5, measured)

    found = pooled([one((1.0, 2.0), 1.0), one((3.0,), 4.0), one((4.0, 5.0), 2.0)])
    moments = found.measured["moments"]
    assert moments.repeats == (1.0, 2.0, 3.0, 4.0, 5.0) and moments.interval.mid == 3.0
    assert moments.grown == ((10, 2.0), (1000, 20.0)) and moments.exponent == pytest.approx(0.5)
    assert found.measured["chart_bytes"] == Measured("bytes", (2.0, 2.0, 2.0)) and found.seconds == 7.5
