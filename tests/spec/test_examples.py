"""What the hand-written programs do, on the reference machine, against the same thing written in NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ontogeny.isa.program import Program
from ontogeny.isa.text import from_text
from ontogeny.machine.learner import Array
from ontogeny.machine.reference import ReferenceMachine

EXAMPLES = Path(__file__).parents[2] / "examples"
U64 = np.uint64


def program(name: str) -> Program:
    return from_text((EXAMPLES / f"{name}.onto").read_text(encoding="utf-8"))


def machine(name: str, **state: Array) -> ReferenceMachine:
    made = ReferenceMachine(program(name))
    made.load(state)
    return made


def perceptron(seed: int) -> ReferenceMachine:
    made = machine("perceptron", theta=np.zeros(3, np.float32), seed=np.asarray(seed), step=np.asarray(0))
    made.call("init", {}, {})
    return made


def examples(seed: int) -> tuple[Array, Array]:
    x = np.random.default_rng(seed).normal(size=(8, 2)).astype(np.float32)
    return x, (x @ [1.0, -2.0] > 0.25).astype(np.float32)


def test_perceptron_is_rosenblatts_rule() -> None:
    made = perceptron(seed=1)
    theta = made.state()["theta"].astype(np.float64)
    assert np.all(np.abs(theta) <= 0.05) and np.any(theta)
    for step in range(60):
        x, y = examples(step)
        wrong = y - (x @ theta[:2] + theta[2] > 0)
        found = made.call("learn", {"x": x, "y": y}, {"lr": 0.25})
        assert found["loss"] == np.abs(wrong).mean()
        theta += 0.25 * wrong @ np.c_[x, np.ones(8)]
        np.testing.assert_allclose(made.state()["theta"], theta, rtol=1e-5, atol=1e-6)
    assert made.state()["step"] == 60


def test_perceptron_learns_what_can_be_separated() -> None:
    made = perceptron(seed=7)
    x, y = examples(0)
    for _ in range(200):
        loss = made.call("learn", {"x": x, "y": y}, {})["loss"]
    assert loss == 0
    assert np.array_equal(made.call("predict", {"x": x}, {})["y"], y)
    judged = made.call("evaluate", {"valid.x": x, "valid.y": 1 - y}, {})
    assert judged["loss"] == 1 and judged["accuracy"] == 0


def sigmoid(value: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-value)))


def test_gru_carries_its_state_between_calls() -> None:
    rng = np.random.default_rng(0)
    shapes = {"wx": (3, 12), "wh": (4, 12), "bx": (12,), "bh": (12,), "h": (1, 4)}
    state = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    made, h = machine("gru", **state), state["h"].astype(np.float64)
    for _ in range(6):
        x = rng.normal(size=(1, 3)).astype(np.float32)
        xr, xz, xn = np.split(x @ state["wx"] + state["bx"], 3, axis=1)
        hr, hz, hn = np.split(h @ state["wh"] + state["bh"], 3, axis=1)
        z = sigmoid(xz + hz)
        h = (1 - z) * np.tanh(xn + sigmoid(xr + hr) * hn) + z * h
        np.testing.assert_allclose(made.call("predict", {"x": x}, {})["h"], h, rtol=1e-4, atol=1e-5)
    made.call("reset", {}, {})
    assert not made.state()["h"].any()


def test_full_adder_adds_64_pairs_at_once() -> None:
    a, b, carry = np.random.default_rng(0).integers(0, 2**64, 3, dtype=U64)
    found = machine("full_adder").call("predict", {"a": a, "b": b, "carry": carry}, {})
    assert found["sum"] == a ^ b ^ carry
    assert found["carry"] == (a & b) | (carry & (a ^ b))


def test_counter_counts_in_every_lane_that_is_enabled() -> None:
    bits = {f"bit{place}": np.asarray(0, U64) for place in range(4)}
    made = machine("counter", **bits)
    rng = np.random.default_rng(0)
    counts = np.zeros(64, int)
    for _ in range(50):
        lanes = rng.integers(0, 2, 64)
        enable = np.asarray(sum(int(on) << place for place, on in enumerate(lanes)), U64)
        overflow = int(made.call("tick", {"enable": enable}, {})["overflow"])
        counts += lanes
        assert [overflow >> place & 1 for place in range(64)] == list((counts == 16).astype(int))
        counts %= 16
        state = {name: int(value) for name, value in made.call("predict", {}, {}).items()}
        assert [sum((state[f"bit{k}"] >> place & 1) << k for k in range(4)) for place in range(64)] == list(counts)
