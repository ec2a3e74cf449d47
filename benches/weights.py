"""Weights without gradients: low-rank ES on digits (scikit-learn's 8x8) beside evosax, at width 1,024 beside full rank.

On digits all judge the network 64-64-10 on all 1,437 training images: 128 opposite pairs a generation, Adam, one
thread; what is counted are candidates per CPU second, drawing, judging and updating. The peer is evosax's Open_ES,
compiled by jax, in the better of two ways to judge a population: `vmap` over all, or `lax.map` over eight at a time. It
runs in the Python that EVOSAX names, and else is skipped. Held-out accuracy is of the best candidate by training loss.

At width 1,024 (64-1024-1024-10, 16 pairs) a candidate sees 16 images. The more it sees, the less is won: both multiply
what comes after the first layer by as many numbers. So other counts, and the time for judging alone, are told, too.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy is loaded

import numpy as np
from common import Figures, Targets, arguments, close, interleaved, one_thread_environment, peers, ratio
from sklearn.datasets import load_digits

from ontogeny.evolve import search
from ontogeny.evolve.methods.low_rank_es import LowRankES
from ontogeny.evolve.methods.openai_es import OpenAIES
from ontogeny.evolve.search import Search
from ontogeny.evolve.weights.network import Network, network

PAIRS, TRAIN, GENERATIONS, WIDE = 128, 1437, 200, 16
EVOSAX = """
import os, sys, time
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from importlib.metadata import version
import jax, numpy as np, optax
from jax import numpy as jnp
from evosax.algorithms import Open_ES
with np.load(sys.argv[1]) as given:
    x, y, pairs, best = jnp.asarray(given["x"]), jnp.asarray(given["y"]), int(given["pairs"]), None
widths = (64, 64, 10)
params = [(jax.random.normal(jax.random.key(i), (i, o)) / i**0.5, jnp.zeros(o)) for i, o in zip(widths, widths[1:])]
def loss(params):
    h = x
    for w, b in params[:-1]:
        h = jax.nn.relu(h @ w + b)
    w, b = params[-1]
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(h @ w + b), y[:, None], 1))
es = Open_ES(2 * pairs, params, optimizer=optax.adam(0.02), std_schedule=optax.constant_schedule(0.05))
default = es.default_params
def generation(judge):
    @jax.jit
    def go(state, key):
        draw, tell = jax.random.split(key)
        population, state = es.ask(draw, state, default)
        return es.tell(tell, population, judge(population), state, default)[0]
    return go
ways = {"vmap": generation(jax.vmap(loss)), "map": generation(lambda many: jax.lax.map(loss, many, batch_size=8))}
def timed(go, count):
    state, started = es.init(jax.random.key(0), params, default), time.process_time()
    for n in range(count):
        state = go(state, jax.random.key(n))
    jax.block_until_ready(state.mean)
    return count * 2 * pairs / (time.process_time() - started)
rates = {name: (timed(go, 1), timed(go, 4))[1] for name, go in ways.items()}
print(version("evosax"), max(rates, key=rates.get), flush=True)
for line in sys.stdin:
    print(timed(ways[max(rates, key=rates.get)], 8), flush=True)
"""


class Evosax:
    """evosax in a process of its own, asked for its rate when it is its turn."""

    def __init__(self, python: str, fitness: Network) -> None:
        self.folder = tempfile.TemporaryDirectory()
        given = Path(self.folder.name) / "digits.npz"
        np.savez(given, x=fitness.x, y=fitness.labels, pairs=PAIRS)
        self.process = subprocess.Popen(
            [python, "-c", EVOSAX, str(given)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=one_thread_environment() | {"PYTHONPATH": ""},
        )  # fmt: skip
        self.version, way = self._line().split()
        print(f"  evosax {self.version} judges by {way}")

    def rate(self) -> float:
        """Candidates per CPU second over eight generations."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self._line())

    def close(self) -> None:
        """Ends it."""
        self.process.communicate()
        self.folder.cleanup()

    def _line(self) -> str:
        assert self.process.stdout is not None
        if not (line := self.process.stdout.readline()):
            raise RuntimeError("evosax ended; what it said is above")
        return line.strip()


def digits(seed: int) -> tuple[Any, Any, Any, Any]:
    """Training images and labels, held-out images and labels, split by a seed."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    first, rest = order[:TRAIN], order[TRAIN:]
    return x[first] / 16, y[first], x[rest] / 16, y[rest]


def generations(method: Any, fitness: Network) -> Callable[[], object]:
    """A call that goes one generation on."""
    going = Search(method, fitness)
    standing = going.further(going.begin(0))

    def on() -> object:
        nonlocal standing
        standing = going.further(standing)
        return standing

    return on


def of_digits(figures: Figures, rounds: int) -> str | None:
    """Candidates per second on all training images, and evosax's in the same rounds; its version, if it was there."""
    fitness = network(*digits(0)[:2])
    calls = {
        "low rank": generations(LowRankES(PAIRS, 0.05, 0.02), fitness),
        "full rank": generations(OpenAIES(PAIRS, 0.05, 0.02), fitness),
    }
    each = 2 * PAIRS + 1
    python, version = os.environ.get("EVOSAX"), None
    if python is None:
        print("  EVOSAX names no Python that has evosax: skipped")
        times = interleaved(calls, rounds, 0.2)
    else:
        with closing(Evosax(python, fitness)) as peer:
            version = peer.version
            parts = [(interleaved(calls, 1, 0.2), peer.rate()) for _ in range(rounds)]
        times = {name: [part[0][name][0] for part in parts] for name in calls}
        theirs = [part[1] for part in parts]
        figures["evosax_per_s.digits"] = round(statistics.median(theirs))
        figures["over_evosax"] = round(statistics.median(each / t / r for t, r in zip(times["low rank"], theirs)), 2)
    for name, seconds in times.items():
        figures[f"{name.replace(' ', '_')}_per_s.digits"] = round(each / statistics.median(seconds))
    return version


def of_accuracy(figures: Figures, seeds: int) -> None:
    """Held-out accuracy after a budget that nothing held out decided, and the CPU seconds that it took."""
    found, took = [], []
    for seed in range(seeds):
        x, y, held_x, held_y = digits(seed)
        fitness, started = network(x, y), time.process_time()
        method = LowRankES(PAIRS, 0.05, 0.02)
        best = search(method, fitness, seed=seed, evaluations=GENERATIONS * (2 * PAIRS + 1)).best
        took.append(time.process_time() - started)
        found.append(fitness.accuracy(best, held_x.astype(np.float32), held_y))
    figures["accuracy.mean"], figures["accuracy.least"] = round(statistics.mean(found), 4), round(min(found), 4)
    figures["training_s"] = round(statistics.median(took), 1)
    print(f"  held-out accuracy of {seeds} seeds and splits: {', '.join(f'{100 * one:.1f}%' for one in found)}")


def of_width(figures: Figures, images: int, rounds: int) -> None:
    """Low against full rank at width 1,024, each candidate on so many images."""
    x, y = digits(0)[:2]
    fitness = network(x[:images], np.where(np.arange(images) == 0, 9, y[:images]), (1024, 1024))  # all ten classes
    methods = {"low rank": LowRankES(WIDE), "full rank": OpenAIES(WIDE)}
    times = interleaved({name: generations(m, fitness) for name, m in methods.items()}, rounds, 0.05, 1)
    alone = {}
    for name, method in methods.items():
        asked = method.ask(Search(method, fitness).further(Search(method, fitness).begin(0)).state)
        alone[name] = interleaved({name: lambda asked=asked: fitness.errors(asked.candidates)}, 3, 0.05, 1)[name]
    over, judging = ratio(times, "full rank", ["low rank"]), min(alone["full rank"]) / min(alone["low rank"])
    figures[f"over_full_rank.1024x{images}"], figures[f"judging_over.1024x{images}"] = over, round(judging, 2)
    rates = {name: round((2 * WIDE + 1) / statistics.median(seconds)) for name, seconds in times.items()}
    print(f"  width 1,024, {images} images: {rates} a second, {over} times; judging alone {judging:.1f} times")


def main() -> None:
    """Digits, held-out accuracy, then width."""
    options = arguments(__doc__ or "")
    figures: Figures = {}
    evosax = of_digits(figures, 15 if options.full else 5)
    of_accuracy(figures, 10 if options.full else 3)
    for images in (1, 16, 64, 256, TRAIN) if options.full else (1, 16, 64):
        of_width(figures, images, 5 if options.full else 3)
    targets: Targets = {"accuracy.least": (">=", 0.963), "over_full_rank.1024x16": (">=", 10)}
    targets |= {"over_evosax": (">=", 1)} if evosax else {}
    close("weights", figures, targets, peers("numpy", "numba", "scikit-learn") | {"evosax": evosax})


if __name__ == "__main__":
    main()
