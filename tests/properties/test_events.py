"""What happened stays so: an event told of the first steps of a run is the same however the run goes on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ontogeny.ask import onsets
from ontogeny.ask.catapulted import LOWER, Rising, catapulted, rises
from ontogeny.ask.events import EVENTS
from ontogeny.ask.onsets import Curve, lost, spikes

STEPS = np.arange(1.0, 601)
EVALUATED = np.arange(0.0, 601, 5)
SEEDS = st.integers(0, 10_000)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def noisy(values: np.ndarray, seed: int, by: float) -> np.ndarray:
    return values * np.exp(np.random.default_rng(seed).normal(0, by, len(values)))


def grokking(seed: int, jump: float = 360.0, noise: float = 0.03) -> dict[str, Curve]:
    """As addition modulo 97 goes: slowly to a half, then in 50 steps to all."""
    made = np.random.default_rng(seed).normal(0, noise, len(EVALUATED))
    valid = 0.5 * sigmoid((EVALUATED - 140) / 30) + 0.48 * sigmoid((EVALUATED - jump) / 8)
    accuracy = np.clip(sigmoid((STEPS - 150) / 30), 0, 1)
    losses = noisy(4.6 * np.exp(-STEPS / 60), seed, 0.1)
    return {"loss": (STEPS, losses), "accuracy": (STEPS, accuracy), "valid.accuracy": (EVALUATED, valid + made)}


def ordinary(seed: int, pace: float = 10.0, noise: float = 0.01) -> dict[str, Curve]:
    """As digits go: fast from the start, then ever slower; by a loss too."""
    made = np.random.default_rng(seed).normal(0, noise, len(EVALUATED))
    valid = 0.97 - 0.87 / (1 + EVALUATED / pace) + made
    losses = noisy(2.3 / (1 + STEPS / pace), seed, 0.25)
    return {"loss": (STEPS, losses), "accuracy": (STEPS, 1 - losses / 2.5), "valid.accuracy": (EVALUATED, valid)}


def spiking(seed: int) -> dict[str, Curve]:
    """A loss that spikes at step 200, more at 400, and is lost from 500 on."""
    losses = noisy(2 * np.exp(-STEPS / 100), seed, 0.15)
    losses[199:210] *= 8
    losses[399:420] *= 30
    losses[499:] = 2 + np.linspace(0, 3, 101)
    return {"loss": (STEPS, losses), "valid.loss": (EVALUATED, 3 / (1 + EVALUATED / 40))}


def catapulting(seed: int, growth: float = 1.8, after: float = 0.5, steps: int = 200) -> dict[str, Curve]:
    """As gradient descent goes above what the curvature bears: from step 201 on up by equal factors, then below."""
    losses = 2 * np.exp(-STEPS / 300)
    losses[steps : steps + 8] = losses[steps - 1] * growth ** np.arange(1, 9)
    losses[steps + 8 :] = losses[steps - 1] * after * np.exp(-np.arange(600 - steps - 8) / 200)
    return {"loss": (STEPS, noisy(losses, seed, 0.01))}


def wild(seed: int) -> dict[str, Curve]:
    """Anything: noise without a trend, steps left out, values that are no numbers."""
    random = np.random.default_rng(seed)
    steps = np.cumsum(random.integers(1, 9, 150)).astype(np.float64)
    made = {name: (steps, random.lognormal(0, random.uniform(0.01, 2), 150)) for name in ("loss", "valid.loss")}
    made |= {name: (steps, random.random(150)) for name in ("accuracy", "valid.accuracy")}
    for name in random.choice(list(made), 2):
        made[name][1][random.integers(0, 150, 3)] = random.choice([np.nan, np.inf])
    return made if random.random() < 0.5 else {name: made[name] for name in ("loss", "valid.loss")}


def until(known: dict[str, Curve], step: float) -> dict[str, Curve]:
    return {name: (steps[steps <= step], values[steps <= step]) for name, (steps, values) in known.items()}


CAUSAL = sorted(set(EVENTS) - {"best"})


@settings(max_examples=12, deadline=None)
@given(SEEDS, st.sampled_from([grokking, ordinary, spiking, catapulting, wild]))
@example(0, grokking)
@example(0, spiking)
@example(0, catapulting)
def test_what_is_told_of_the_first_steps_is_told_of_all(seed: int, kind: Callable[[int], dict[str, Curve]]) -> None:
    known = kind(seed)
    for name in CAUSAL:
        told = [EVENTS[name](until(known, step)) for step in range(0, 601, 5)]
        first = next((place for place, event in enumerate(told) if event), len(told))
        assert all(event == told[first] for event in told[first:])
        for place, event in enumerate(told):
            assert event is None or event.before < event.step <= 5 * place


@pytest.mark.parametrize("seed", range(20))
def test_a_late_jump_is_found_where_it_begins_and_what_is_learned_from_the_start_is_none(seed: int) -> None:
    found = EVENTS["generalised"](grokking(seed))
    assert found is not None and 320 <= found.before <= 355 < found.step <= 385
    for pace in (2.0, 20.0, 100.0, 1000.0):
        assert EVENTS["generalised"](ordinary(seed, pace, 0.05)) is None
    falling = {"valid.loss": (EVALUATED, noisy(3 * np.exp(-EVALUATED / 100), seed, 0.02))}
    assert EVENTS["generalised"](falling) is None
    slow = {"valid.accuracy": (EVALUATED, EVALUATED / 600 + np.random.default_rng(seed).normal(0, 0.02, 121))}
    assert EVENTS["generalised"](slow) is None


def test_a_jump_shows_on_a_validation_loss_and_one_that_does_not_stay_is_none() -> None:
    worse = 4.6 + 10 * sigmoid((EVALUATED - 100) / 20) - 14.5 * sigmoid((EVALUATED - 400) / 6)
    found = EVENTS["generalised"]({"valid.loss": (EVALUATED, worse)})
    assert found is not None and 370 <= found.before < found.step <= 420
    lucky = np.full(121, 0.2)
    lucky[80:82] = 0.9
    assert EVENTS["generalised"]({"valid.accuracy": (EVALUATED, lucky)}) is None


@pytest.mark.parametrize("seed", range(20))
def test_spikes_are_told_in_order_and_the_noise_of_small_batches_is_none(seed: int) -> None:
    found = spikes(spiking(seed))
    assert [event.step for event in found][:2] == [200, 400] and EVENTS["spiked"](spiking(seed)) == found[0]
    assert found[0].before == 199 - onsets.BACK
    diverged = EVENTS["diverged"](spiking(seed))
    assert diverged is not None and (diverged.step, diverged.before) == (500, 499 - onsets.BACK)
    assert EVENTS["spiked"](ordinary(seed)) is None and EVENTS["diverged"](ordinary(seed)) is None


def test_a_spike_that_takes_some_steps_to_rise_is_one_from_where_it_was_usual() -> None:
    losses = np.ones(200)
    losses[100:110] = 1.2 ** np.arange(1, 11)
    found = EVENTS["spiked"]({"loss": (STEPS[:200], losses)})
    assert found is not None and (found.before, found.step) == (100 - onsets.BACK, 103)


def test_a_loss_that_comes_back_had_diverged_and_a_spike_that_is_over_had_not() -> None:
    losses = 2 * np.exp(-STEPS / 50)
    losses[300 : 300 + onsets.STAYED - 1] = 4.0
    assert EVENTS["diverged"]({"loss": (STEPS, losses)}) is None
    losses[300 : 300 + onsets.STAYED] = 4.0
    found = EVENTS["diverged"]({"loss": (STEPS, losses)})
    assert found is not None and found.step == 301
    losses[150] = np.nan
    broken = EVENTS["diverged"]({"loss": (STEPS, losses)})
    assert broken is not None and (broken.step, "nan" in broken.evidence) == (151, True)


@pytest.mark.parametrize("seed", range(20))
def test_a_catapult_is_no_spike_and_no_divergence_and_they_are_none(seed: int) -> None:
    found = catapulted(catapulting(seed))
    assert found is not None and found.step == 209 and found.before <= 200 - onsets.BACK
    assert EVENTS["diverged"](catapulting(seed)) is None
    assert catapulted(catapulting(seed, after=9.0)) is None
    for other in (spiking, ordinary, grokking):
        assert catapulted(other(seed)) is None


def test_norm_and_sharpness_decide_where_a_run_tells_them() -> None:
    jumped = {"loss": (STEPS, np.concatenate([np.full(300, 1.0), np.full(5, 9.0), np.full(295, 0.5)]))}
    assert catapulted(jumped) is None
    for name in ("norm", "sharpness"):
        assert catapulted({**jumped, name: (STEPS, 5 + STEPS / 600)}) is None
        found = catapulted({**jumped, name: (STEPS, 5 - STEPS / 600)})
        assert found is not None and found.step == 306 and f"its {name} went from 4.5" in found.evidence
    grown = {"norm": (STEPS, 5 - STEPS / 600), "sharpness": (STEPS, 5 + STEPS / 600)}
    assert catapulted({**jumped, **grown}) is None


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.sampled_from([spiking, catapulting, wild]))
def test_rises_are_the_same_told_at_once_and_loss_by_loss(seed: int, kind: Callable[[int], dict[str, Curve]]) -> None:
    losses = kind(seed)["loss"][1]
    losses = losses[np.isfinite(losses)]
    rising = Rising()
    ends = [place for place, loss in enumerate(losses.tolist()) if rising.ended(loss)]
    assert [under + LOWER - 1 for _, under in rises(losses)] == ends


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(onsets.FEW, 400))
def test_a_divergence_told_from_the_latest_steps_and_the_levels_before_is_that_of_all(seed: int, cut: int) -> None:
    losses = spiking(seed)["loss"][1]
    whole = lost(losses)
    assume(whole is not None and cut <= whole)
    early = onsets.levels(losses[: cut + onsets.FEW - 1])
    rest = lost(losses[cut:], float(early[0]), float(early.min()))
    assert rest is not None and cut + rest == whole
