"""Scaling laws: what is fitted is what was there, published points give published constants, and too few give none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from ontogeny.ask.laws.descent import DELTA, huber
from ontogeny.ask.laws.forms import Form, log_loss, log_loss_and_slopes
from ontogeny.ask.laws.law import Interval, Law, best_supported, fitted
from ontogeny.ask.laws.of_runs import Asked, operations_each, points_of
from ontogeny.ask.laws.points import Floats, Points, groups, points
from ontogeny.ask.laws.published import LAWS, published
from ontogeny.ask.laws.read import read_points
from ontogeny.ask.laws.table import FORMS
from ontogeny.ask.laws.tuned import decay_law, tuned
from ontogeny.data.without import numbered
from ontogeny.isa.cost import routine_cost
from ontogeny.isa.errors import DataError, LawError
from tests import small

POINTS = Path(__file__).parents[2] / "benches" / "chinchilla_points.csv"
TRUTH = {
    "tuned": [0.2, 3.4, 0.3, 3.7, 0.4, 0.1],
    "excess": [0.625, 6.255, 0.353, 7.305, 0.353, np.log(15.4), np.log(5.3)],
    "repetition": [0.625, 6.255, 0.353, 7.305, 0.353, np.log(15.4)],
    "chinchilla": [0.597, 6.178, 0.3478, 7.643, 0.3658],
    "size": [0.597, 6.178, 0.3478],
    "data": [0.597, 7.643, 0.3658],
}
"""Numbers of each form, as they are kept."""


def grid(sizes: Floats, distinct: Floats, epochs: tuple[float, ...] = (1.0,)) -> Points:
    """Every size on every amount of distinct tokens for every number of epochs."""
    n, u, e = (axis.ravel() for axis in np.meshgrid(sizes, distinct, np.array(epochs), indexing="ij"))
    return points(n, u * e, unique=u)


DESIGNS = {
    "tuned": grid(np.geomspace(1e5, 1e8, 5), np.geomspace(1e5, 1e8, 4), (20.0,)),
    "excess": grid(np.geomspace(1e7, 3e9, 4), np.geomspace(1e8, 1e10, 3), (1, 4, 16, 64)),
    "repetition": grid(np.geomspace(1e7, 3e9, 4), np.geomspace(1e8, 1e10, 3), (1, 4, 16, 64)),
    "chinchilla": grid(np.geomspace(5e7, 1e10, 4), np.geomspace(5e8, 1e11, 4)),
    "size": grid(np.geomspace(5e7, 1e10, 6), np.array([1e10])),
    "data": grid(np.array([1e9]), np.geomspace(5e8, 1e11, 6)),
}


def made(form: str, noise: float = 0.0, seed: int = 0, design: Points | None = None) -> Points:
    """Points whose losses are those of a form's `TRUTH`, times noise."""
    at = DESIGNS[form] if design is None else design
    exact = log_loss(FORMS[form], np.array([TRUTH[form]]), at)[0]
    off = noise * np.random.default_rng(seed).standard_normal(len(at))
    decay = np.full(len(at), np.nan)
    return Points(at.parameters, at.tokens, at.unique, np.exp(exact + off), decay, at.names)


def holds(interval: Interval, value: float) -> bool:
    return interval.low <= value <= interval.high


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.name)
def test_the_derivatives_of_a_form_are_its_differences(form: Form) -> None:
    kept = np.array([TRUTH[form.name]]) * np.array([[1.0], [1.07]])
    draw = np.random.default_rng(1)
    n, d, e = 10 ** draw.uniform(6, 9, 30), 10 ** draw.uniform(8, 10, 30), draw.uniform(1, 20, 30)
    at = points(n, d, epochs=e)
    slopes = log_loss_and_slopes(form, kept, at)[1]
    for place in range(kept.shape[1]):
        step = np.eye(kept.shape[1])[place] * 1e-6
        differences = (log_loss(form, kept + step, at) - log_loss(form, kept - step, at)) / 2e-6
        assert np.abs(differences).max() > 0
        np.testing.assert_allclose(slopes[:, :, place], differences, atol=1e-6 * np.abs(differences).max(), rtol=1e-4)


@pytest.mark.parametrize("form", FORMS)
def test_losses_without_noise_give_the_law_that_made_them(form: str) -> None:
    law = fitted(made(form), form, samples=1, check=False)
    np.testing.assert_allclose(law.kept, TRUTH[form], rtol=1e-3, atol=1e-3)
    assert law.value < 1e-9


@pytest.mark.parametrize("form", FORMS)
def test_with_noise_the_law_lies_within_its_intervals(form: str) -> None:
    law = fitted(made(form, 0.002), form, samples=60, check=False)
    low, high = np.percentile(law.samples, (2.5, 97.5), axis=0)
    assert (np.abs(TRUTH[form] - (low + high) / 2) < high - low).all()  # twice as wide as the 95% interval
    exact = np.exp(log_loss(FORMS[form], np.array([TRUTH[form]]), DESIGNS[form]))[0]
    assert np.abs(law.losses(DESIGNS[form])[0] / exact - 1).max() < 0.01


@pytest.fixture(scope="module")
def chinchilla() -> Law:
    """The law of the points of Hoffmann's figure, as Besiroglu et al. read them off."""
    return fitted(read_points(POINTS).without_highest(5), "chinchilla", samples=100)


def test_published_points_give_the_published_constants(chinchilla: Law) -> None:
    """Besiroglu et al. left out the five highest losses; their errors are those that they print."""
    law = chinchilla
    errors = {"E": 0.03, "A": 124.58, "alpha": 0.02, "B": 1293.23, "beta": 0.02}
    _, theirs, *_ = LAWS["besiroglu"]
    for name, found in law.numbers().items():
        assert abs(found.value - theirs[name]) < 0.1 * errors[name], name
        assert holds(found, theirs[name])
        assert 0.5 < (found.high - found.low) / (2 * 1.96 * errors[name]) < 1.5, name
    assert law.failed == 0 and law.same[0] == law.same[1]
    assert 17 < (best := law.optimal(5.76e23)).tokens.value / best.parameters.value < 21  # of Chinchilla's budget
    printed = published("besiroglu").kept
    assert law.value <= sum_huber(law.points, printed)


def sum_huber(at: Points | None, kept: Floats) -> float:
    assert at is not None
    return float(huber(log_loss(FORMS["chinchilla"], kept[None], at)[0] - at.log("loss"), DELTA).sum())


def test_no_other_minimiser_comes_lower_and_a_mean_of_the_losses_stops_before(chinchilla: Law) -> None:
    """Hoffmann's constants are where L-BFGS ends with a mean: its gradient is so small that this passes for the end."""
    law, at = chinchilla, chinchilla.points
    assert at is not None
    start = np.array([np.log(1.69), np.log(406.4), 0.34, np.log(410.7), 0.28])

    def mean(kept: Floats) -> float:
        return sum_huber(at, kept) / len(at)

    stopped = minimize(mean, start, method="L-BFGS-B").x
    assert sum_huber(at, stopped) > 1.1 * law.value and abs(stopped[4] - 0.2849) < 2e-3

    def larger(kept: Floats) -> float:
        return 1e3 * sum_huber(at, kept)

    again = minimize(larger, law.kept, method="Nelder-Mead", options={"maxiter": 400}).x
    assert sum_huber(at, again) >= law.value * (1 - 1e-7)


def test_rounded_exponents_are_biased_on_the_same_points(chinchilla: Law) -> None:
    at = chinchilla.points
    assert at is not None
    hoffmann = published("hoffmann")
    errors = at.log("loss") - log_loss(hoffmann.form, hoffmann.kept[None], at)[0]
    assert np.median(errors) < -0.01  # it foretells more than was measured
    assert abs(np.median(chinchilla.residuals())) < 1e-3


def test_repetitions_are_worth_all_at_first_and_nothing_in_the_end() -> None:
    law = published("muennighoff")
    once = law.predict(1e8, 1e10).loss.value
    chinchilla = np.exp(log_loss(FORMS["chinchilla"], law.kept[None, :5], points(1e8, 1e10)))[0, 0]
    assert once == pytest.approx(chinchilla, rel=1e-9)  # U_N is above 1e8 here
    losses = [law.predict(1e8, 1e10 * epochs, 1e10).loss.value for epochs in (1, 2, 4, 100, 10_000)]
    assert losses == sorted(losses, reverse=True)
    assert law.predict(1e8, 4e10, 1e10).loss.value == pytest.approx(law.predict(1e8, 4e10).loss.value, rel=5e-3)
    most = np.exp(log_loss(FORMS["chinchilla"], law.kept[None, :5], points(1e8, 1e10 * (1 + 15.4))))[0, 0]
    assert losses[-1] == pytest.approx(most, rel=1e-6)


def test_the_best_of_a_budget_is_where_the_formula_has_it() -> None:
    law = published("besiroglu")
    a, alpha, b, beta = 482.01, 0.3478, 2085.43, 0.3658
    scale = (alpha * a / (beta * b)) ** (1 / (alpha + beta))
    for budget in (1e12, 1e18, 1e24):
        found = law.optimal(budget)
        assert found.parameters.value == pytest.approx(scale * (budget / 6) ** (beta / (alpha + beta)), rel=1e-3)
        assert found.parameters.value * found.tokens.value * 6 == pytest.approx(budget)
    bounded = published("muennighoff").optimal(1e22, unique=2.5e10)
    free = published("muennighoff").optimal(1e22)
    assert bounded.epochs.value > 2 and bounded.loss.value > free.loss.value
    with pytest.raises(LawError, match="repetition does"):
        law.optimal(1e22, unique=1e9)
    with pytest.raises(LawError, match="such as 1e18"):
        law.optimal(-1.0)


def refused(given: Points, form: str = "chinchilla") -> str:
    with pytest.raises(LawError) as caught:
        fitted(given, form, samples=20)
    return str(caught.value)


def test_what_runs_cannot_tell_is_refused_with_the_runs_that_would() -> None:
    whole = made("chinchilla", 0.005)
    assert "10 points at least (there are 9)" in refused(whole.take(range(9)))
    one_size = whole.take(np.flatnonzero(groups(whole.parameters) == 1))
    assert "3 sizes N at least (there is 1)" in refused(one_size)
    assert "repetition and tuned" in refused(made("repetition"))
    assert "different numbers of epochs" in refused(whole, "repetition")
    size = np.geomspace(1e7, 1e10, 16)
    together = made("chinchilla", 0.01, design=points(size, 20 * size))
    assert "parameters and tokens vary together" in refused(together) and "same sizes" in refused(together)
    near = grid(np.geomspace(1e9, 1.2e9, 4), np.geomspace(1e9, 1e11, 4))
    assert "farther apart than 1e+09 to 1.2e+09" in refused(made("chinchilla", 0.005, design=near))
    few = grid(np.geomspace(1e7, 3e9, 4), np.geomspace(1e8, 1e10, 3), (1, 2, 3))
    assert "more epochs than 3" in refused(made("repetition", 0.02, design=few), "repetition")
    as_new = made("chinchilla", 0.01, design=few)  # of D tokens, however often they were seen
    assert "R_D" in refused(as_new, "repetition") and "more epochs" in refused(as_new, "repetition")
    flat = Points(whole.parameters, whole.tokens, whole.unique, np.full(16, 2.0), whole.decay)
    assert "add" in refused(flat)
    with pytest.raises(LawError, match="no law can be fitted"):
        best_supported(whole.take(range(3)), samples=100)
    with pytest.raises(LawError, match="there is no form"):
        fitted(whole, "kaplan")


def test_a_floor_that_runs_do_not_show_is_nought_and_is_said() -> None:
    at = DESIGNS["chinchilla"]
    losses = 12 * at.parameters**-0.26 + 18 * at.tokens**-0.25
    losses *= np.exp(0.01 * np.random.default_rng(0).standard_normal(len(at)))
    law = fitted(points(at.parameters, at.tokens, losses), "chinchilla", samples=40, check=False)
    assert law.numbers()["E"].low == 0 and "no floor" in law.remarks()[0]
    assert not fitted(made("chinchilla", 0.002), "chinchilla", samples=40).remarks()


def test_the_richest_law_that_is_supported_is_taken() -> None:
    law, why = best_supported(made("repetition", 0.002), samples=40)
    assert law.form.name == "repetition" and set(why) == {"tuned", "excess"}
    assert "many more parameters" in why["excess"] or "E" in why["excess"]


def swept(edge: float = 0.0) -> Points:
    """Sizes and data at five weight decays, of which the best grows with size and falls with data."""
    at = DESIGNS["tuned"]
    decays = np.array([0.1, 0.3, 1.0, 3.0, 10.0])
    best = 0.8 * (at.parameters / 3e6) ** 0.15 * (at.unique / 3e6) ** -0.1 * np.exp(edge)
    exact = np.exp(log_loss(FORMS["tuned"], np.array([TRUTH["tuned"]]), at)[0])
    losses = exact[:, None] * (1 + 0.02 * np.log(decays / best[:, None]) ** 2)
    sizes, seen, distinct = (np.repeat(column, 5) for column in (at.parameters, at.tokens, at.unique))
    return Points(sizes, seen, distinct, losses.ravel(), np.tile(decays, len(at)))


def test_of_the_decays_tried_the_best_counts_and_it_is_foretold_for_other_sizes() -> None:
    given = swept()
    kept = tuned(given, FORMS["tuned"].tuned_over)
    assert len(kept) == len(given) / 5
    assert fitted(given, "tuned", samples=40).kept[0] == pytest.approx(TRUTH["tuned"][0], abs=0.05)
    value, low, high = decay_law(given).at(1e9, 1e8)
    right = 0.8 * (1e9 / 3e6) ** 0.15 * (1e8 / 3e6) ** -0.1
    assert low < right < high and value == pytest.approx(right, rel=0.1)
    assert "has to lie between decays that were tried" in refused(swept(edge=2.5), "tuned")
    assert "above 10" in refused(swept(edge=2.5), "tuned")
    some = np.where(np.arange(len(given)) == 7, np.nan, given.decay)
    mixed = Points(given.parameters, given.tokens, given.unique, given.loss, some)
    assert "that of point 8 is not known" in refused(mixed, "tuned")
    with pytest.raises(LawError, match="a smaller and a larger decay"):
        decay_law(swept(edge=9.0))
    none_too = Points(
        given.parameters, given.tokens, given.unique, given.loss, given.decay - 0.1 * (given.decay == 0.1)
    )
    assert decay_law(none_too).at(1e9, 1e8)[0] == pytest.approx(right, rel=0.2)  # no decay among those tried


def test_runs_are_counted_as_they_learned(tmp_path: Path) -> None:
    run = small.begin(tmp_path / "one")
    run.advance(5)
    run.leave_out([0, 1])
    run.advance(5)
    run.close()
    found = points_of([run])
    batches = [set(numbered(run.data).indices(step)) for step in range(10)]
    left = [batch - {0, 1} if step >= 5 else batch for step, batch in enumerate(batches)]
    assert found.parameters[0] == 4
    assert found.tokens[0] == sum(map(len, left)) and found.unique[0] == len(set().union(*left))
    assert found.loss[0] == run.evaluations()[-1]["loss"]
    assert points_of([run], Asked(counted="x")).tokens[0] == 3 * found.tokens[0]
    best = points_of([run], Asked("loss", "best"))
    assert best.loss[0] == run.metrics()["loss"].min()
    assert best.tokens[0] == sum(map(len, left[: int(run.metrics()["loss"].argmin()) + 1]))
    with pytest.raises(LawError, match=r"no valid.accuracy; it has loss, valid.loss"):
        points_of([run], Asked("valid.accuracy"))
    with pytest.raises(LawError, match="no input 'z' to count; it has x, y"):
        points_of([run], Asked(counted="z"))
    with pytest.raises(LawError, match="last or best"):
        points_of([run], Asked(take="first"))
    with pytest.raises(LawError, match="learned nothing yet"):
        points_of([small.begin(tmp_path / "new")])


def test_operations_are_those_of_the_program(tmp_path: Path) -> None:
    run = small.begin(tmp_path / "one")
    whole = routine_cost(run.program, "learn").total.operations
    assert operations_each(run) == whole / (4 * 4)  # a batch of 4, 4 parameters
    assert operations_each(run, "x") == whole / (4 * 4 * 3)


def test_of_a_sweep_only_the_best_of_each_size_and_data_counts() -> None:
    whole = made("chinchilla")
    worse = Points(whole.parameters, whole.tokens, whole.unique, whole.loss * 1.1, whole.decay)
    both = points(*(np.append(getattr(worse, a), getattr(whole, a)) for a in ("parameters", "tokens", "loss")))
    assert both.best_of_each().loss.tolist() == whole.loss.tolist()


def test_asymptotes_are_the_floor_and_what_the_data_costs() -> None:
    law = fitted(swept(), "tuned", samples=40)
    floor, factor, power = np.exp(law.kept[0]), np.exp(law.kept[1]), law.kept[2]
    for one, distinct in zip(law.asymptotes(), np.geomspace(1e5, 1e8, 4), strict=True):
        assert one.loss.value == pytest.approx(floor + factor * distinct**-power, rel=1e-6)
        assert one.loss.low < one.loss.value < one.loss.high


def test_a_law_of_sizes_is_for_its_data_and_one_of_data_for_its_size() -> None:
    sizes, data = (fitted(made(form), form, samples=1, check=False) for form in ("size", "data"))
    assert sizes.predict(1e12, 1e10).loss.value < sizes.predict(1e9, 1e10).loss.value
    with pytest.raises(LawError, match="for the one number of distinct tokens of these runs, 10,000,000,000"):
        sizes.predict(1e9, 2e10)
    with pytest.raises(LawError, match="for the one size of these runs, 1,000,000,000"):
        data.predict(2e9, 1e10)


def test_runs_that_were_evaluated_on_different_data_do_not_compare(tmp_path: Path) -> None:
    first = small.begin(tmp_path / "one")
    other = small.begin(tmp_path / "two", valid=small.examples(6, 9))
    for run in (first, other):
        run.advance(5)
        run.close()
    with pytest.raises(LawError, match="two and one were evaluated on different data"):
        points_of([first, other])
    assert len(points_of([first, other], Asked("loss"))) == 2


def test_a_fork_has_seen_what_its_parent_had(tmp_path: Path) -> None:
    run = small.begin(tmp_path / "one")
    run.advance(10)
    fork = run.fork(5, tmp_path / "two")
    fork.advance(10)
    assert points_of([fork]).tokens[0] == 15 * 4


def test_data_that_does_not_number_its_examples_is_refused(tmp_path: Path) -> None:
    class Nameless:
        fingerprint = "nameless"

        def batch(self, step: int) -> dict[str, Floats]:
            return small.examples(4, step)

    run = small.begin(tmp_path / "one", data=Nameless())
    run.advance(5)
    with pytest.raises(DataError, match="which examples"):
        points_of([run])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("parameters,tokens\n1,2\n", "no column loss"),
        ("parameters,tokens,loss\n", "has no rows"),
        ("parameters,tokens,loss\n1,2,3\n4,many,5\n", "line 3 of .*tokens is 'many'"),
        ("parameters,tokens,loss\n1,2,3\n4,5\n", "line 3 of .*loss is ''"),
        ("parameters,tokens,loss\n1,2,nan\n", "loss of line 2 is nan"),
        ("parameters,tokens,loss\n1,-2,3\n", "tokens of line 2 is -2"),
        ("parameters,tokens,loss,unique\n1,2,3,5\n", "line 2 has 5 distinct tokens but saw only 2"),
        ("parameters,tokens,loss,unique,epochs\n1,2,3,2,1\n", "both unique and epochs"),
        ("parameters,tokens,loss,weight_decay\n1,2,3,-1\n", "weight decay of line 2 is -1"),
        ("", "no column parameters, tokens, loss"),
    ],
)
def test_a_wrong_table_is_refused_by_its_line(tmp_path: Path, text: str, words: str) -> None:
    (file := tmp_path / "points.csv").write_text(text, encoding="utf-8")
    with pytest.raises(LawError, match=words):
        read_points(file)


def test_a_table_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    (file := tmp_path / "points.csv").write_text("Run,N,D,Epochs,Loss,weight_decay,note\na,1_000,8e3,4,2.5,,x\n")
    found = read_points(file)
    assert (found.names, found.parameters[0], found.unique[0], found.loss[0]) == (("a",), 1000, 2000, 2.5)
    assert np.isnan(found.decay[0])
    with pytest.raises(LawError, match="cannot be read"):
        read_points(tmp_path / "none.csv")


def test_levels_are_told_apart_by_a_share() -> None:
    assert groups(np.array([1000.0, 2000, 1005, 1.0])).tolist() == [1, 2, 1, 0]
    assert groups(np.geomspace(1, 2, 200)).max() > 50  # a dense row is no single level


@pytest.mark.slow
@pytest.mark.parametrize("form", ["chinchilla", "repetition"])
def test_intervals_hold_what_they_should(form: str) -> None:
    """Of 60 sets, the true numbers lie in 95% intervals in 53 or more (less has a chance of 2%)."""
    hits = []
    for seed in range(60):
        law: Law = fitted(made(form, 0.005, seed), form, samples=200, seed=60 + seed, check=False)
        low, high = np.percentile(law.samples, (2.5, 97.5), axis=0)
        hits.append((low <= TRUTH[form]) & (TRUTH[form] <= high))
    assert (np.sum(hits, axis=0) >= 53).all()
