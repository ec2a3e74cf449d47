"""A chart of moment against moment counts every element once, in the right cell, and names those that stand far off."""

from __future__ import annotations

import numpy as np
import pytest

from ontogeny.ask.moment_scatter import axis, pair, scatter
from ontogeny.ask.scale import LINEAR, LOG, SYMMETRIC
from ontogeny.isa.errors import RecordError
from ontogeny.isa.types import DType
from ontogeny.record.moments import Moments, TensorMoments
from ontogeny.record.trace.layout import Tensor


def tensor(name: str, shape: tuple[int, ...], values: np.ndarray) -> TensorMoments:
    """Moments of values [steps, elements] and their differences."""
    return TensorMoments(Tensor(name, DType.F32, shape), Moments.of(values), Moments.of(np.diff(values, axis=0)))


def some(count: int = 400) -> list[TensorMoments]:
    rng = np.random.default_rng(0)
    sizes = np.exp(rng.normal(size=count))
    values = rng.normal(size=(60, count)) * sizes
    values[30, 123] = 900
    still = np.ones((60, 7))
    return [tensor("w", (20, count // 20), values), tensor("still", (7,), still), tensor("b", (50,), values[:, :50])]


def test_every_element_is_in_its_cell() -> None:
    found = scatter(some(), "variance", "kurtosis", "values", cells=(30, 20))
    assert [panel.name for panel in found.panels] == ["all", "w", "still", "b"]
    assert [panel.missing for panel in found.panels] == [7, 0, 7, 0]
    assert [int(panel.counts.sum()) for panel in found.panels] == [450, 400, 0, 50]
    vector = some()[0].values.vector()
    x = np.interp(found.x.scale.forward(vector[:, 1]), found.x.ends, (0, 30)).astype(int)
    y = np.interp(found.y.scale.forward(vector[:, 3]), found.y.ends, (0, 20)).astype(int)
    expected = np.zeros((20, 30))
    np.add.at(expected, (y, x), 1)
    assert (found.panels[1].counts == expected).all()
    assert found.panels[0].counts.sum(dtype=int) == sum(panel.counts.sum(dtype=int) for panel in found.panels[1:])


def test_the_far_one_is_named_with_its_moments() -> None:
    items = some()
    found = scatter(items, "variance", "kurtosis", "values")
    first = found.panels[0].far[0]
    assert first.element == "w[6,3]" == found.panels[1].far[0].element
    assert (first.x, first.y) == (items[0].values.variance[123], items[0].values.kurtosis[123])
    assert first.deviation == max(point.deviation for panel in found.panels for point in panel.far)


def test_few_panels_and_one_alone() -> None:
    few = scatter(some(), "mean", "variance", most=2)
    assert [panel.name for panel in few.panels] == ["all", "w"] and few.others == 2
    alone = scatter(some()[:1], "mean", "variance")
    assert [panel.name for panel in alone.panels] == ["w"] and alone.others == 0
    assert alone.observations == 59


@pytest.mark.parametrize(
    ("values", "kind"),
    [([1.0, 2.0], LINEAR), ([1e-6, 1.0], LOG), ([-1.0, 0.5, 1.0], LINEAR), ([-0.1, 0.1, 0.2, 50.0], SYMMETRIC)],
)
def test_an_axis_is_as_sizes_ask(values: list[float], kind: str) -> None:
    found = axis("mean", np.array(values))
    assert found.scale.kind == kind
    assert found.low < min(values) and max(values) < found.high
    assert axis("mean", np.full(3, values[0])).low < values[0]


def test_what_cannot_be_drawn_is_said() -> None:
    assert pair("variance:kurtosis") == ("variance", "kurtosis")
    for text in ("variance", "variance:variance", "mean:size"):
        with pytest.raises(RecordError, match="is no pair of moments"):
            pair(text)
    with pytest.raises(RecordError, match="no element has both"):
        scatter(some()[1:2], "variance", "kurtosis", "values")
