"""Faults planted in real trainings, each in its own way and checked by what came of it, not by what diagnoses it.

A planted fault that does no harm is none: a learning rate counts as too high or too low only where a twin without it,
the same world to the last bit until then, ends clearly better; memorising begins where the loss on a test set, which
the run never sees, has begun to rise for good. What does no harm is drawn again with another seed, and so is a healthy
world that overfits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from diagnose_runs import RECORDED, Case, Floats, Loop, native
from diagnose_worlds import RULES, STEPS, World, world

from ontogeny.record.run import Run

TRIES = 12
RISEN = 1.03
"""So many times its least the test loss has risen: where memorising begins, and what no healthy world may end at."""


class Harmless(Exception):
    """The fault did nothing; another seed has to be drawn."""


def overfits(case: Case) -> bool:
    """Whether the loss on the test set ends clearly above its least."""
    return bool(case.test) and case.test[-1][1] > RISEN * min(loss for _, loss in case.test)


def end(loss: Floats, last: int = 20) -> float:
    """The level that a run ends at."""
    return float(np.mean(loss[-last:]))


def middle(made: World, low: float = 0.3, high: float = 0.6) -> int:
    """A step somewhere inside of the run."""
    return int(made.draw.uniform(low, high) * made.steps)


def healthy(seed: int, folder: Path) -> Case:
    """Nothing planted. Half as many loops as runs of our own; none of them overfits."""
    loop = seed % 3 == 2
    case = Loop(world(seed, rules=RECORDED)).record(folder) if loop else native(world(seed), folder)
    _check(not overfits(case))
    return case


def diverging(seed: int, folder: Path) -> Case:
    """The learning rate is turned up so far that the loss ends above where it began."""
    made = world(seed)
    at, factor = middle(made), float(made.draw.choice([100, 300, 1000]))
    case = native(made, folder, {at: lambda run: run.set_dial("lr", factor * made.lr)})
    last = case.loss[-10:]
    _check(not np.isfinite(last).all() or end(last) > 1.2 * float(np.mean(case.loss[:5])))
    return replace(case, onset=at, timed=True)


def too_high(seed: int, folder: Path) -> Case:
    """The learning rate is turned up so far that the loss ends much worse than the twin's, yet does not diverge."""
    made = world(seed)
    at = 0 if made.draw.random() < 0.4 else middle(made)
    factor = float(made.draw.choice([8, 15, 30, 60]))
    case = native(made, folder / "run", {at: lambda run: run.set_dial("lr", factor * made.lr)})
    twin, first = end(native(made, folder / "twin").loss), float(np.mean(case.loss[:3]))
    now = end(case.loss)
    _check(math.isfinite(now) and now > max(2 * twin, twin + 0.1 * math.log(made.task.classes)) and now < 1.1 * first)
    return replace(case, onset=at, timed=True)


def too_low(seed: int, folder: Path) -> Case:
    """The learning rate is turned down so far that the loss ends much worse than the twin's."""
    made = world(seed)
    at = 0 if made.draw.random() < 0.4 else middle(made, 0.1, 0.3)
    factor = float(made.draw.choice([0.03, 0.01, 0.003]))
    case = native(made, folder / "run", {at: lambda run: run.set_dial("lr", factor * made.lr)})
    twin, now = end(native(made, folder / "twin").loss), end(case.loss)
    _check(now > max(1.5 * twin, twin + 0.1 * math.log(made.task.classes)))
    return replace(case, onset=at, timed=True)


def memorising(seed: int, folder: Path) -> Case:
    """Few examples, some with wrong labels: test loss rises for good while training loss falls."""
    made = world(seed)
    count = int(made.draw.integers(40, 160))
    train = {name: array[:count].copy() for name, array in made.task.train.items()}
    case = native(made.with_train(**train), folder)
    steps, losses = (np.array(column) for column in zip(*case.test, strict=True))
    risen = losses > RISEN * losses.min()
    risen[: int(losses.argmin()) + 1] = False
    _check(risen[-1] and losses[-1] > 1.1 * losses.min())
    onset = int(steps[np.flatnonzero(~risen)[-1] + 1])
    return replace(case, onset=onset, timed=True)


def piece_of(run: Run, name: str) -> tuple[str, npt.NDArray[np.int64], Floats]:
    """A parameter's register, its places in it, and its values."""
    decl = run.program.decl(name)
    places = decl.offset + np.arange(decl.type.size)
    register = decl.arena or name
    return register, places, run.state()[register].reshape(-1)[places].astype(np.float64)


def scaled(run: Run, name: str, factor: float) -> None:
    """Multiplies a parameter."""
    register, places, values = piece_of(run, name)
    run.edit(register, places.tolist(), (values * factor).tolist())


RELU = ("blobs-relu-2", "digits-relu-1", "digits-relu-3", "sequences-transformer")
TANH = ("blobs-tanh-2", "digits-tanh-2")


def dead(seed: int, folder: Path) -> Case:
    """The biases of most units of a ReLU layer are pushed far down."""
    made = world(seed, RELU)
    at, draw = middle(made), made.draw
    layer = "up" if made.network.startswith("seq") else f"layers.{draw.integers(int(made.network[-1]))}"
    share = float(draw.uniform(0.65, 1.0))

    def kill(run: Run) -> None:
        register, places, values = piece_of(run, f"{layer}.bias")
        chosen = draw.permutation(len(places))[: round(share * len(places))]
        run.edit(register, places[chosen].tolist(), (values[chosen] - 50.0).tolist())

    return replace(native(made, folder, {at: kill}), onset=at, timed=True)


def saturated(seed: int, folder: Path) -> Case:
    """The weights of a tanh layer are multiplied."""
    made = world(seed, TANH)
    at, factor = middle(made), float(made.draw.uniform(25, 80))
    layer = f"layers.{made.draw.integers(2)}"
    actions = {at: lambda run: scaled(run, f"{layer}.weight", factor)}
    return replace(native(made, folder, actions), onset=at, timed=True)


def vanishing(seed: int, folder: Path) -> Case:
    """Six layers whose initial weights let the gradient shrink from layer to layer."""
    network = ("blobs-sigmoid-6", "blobs-tanh-6")[seed % 2]  # AdamW mends the second within a few steps
    made = world(seed, (network,), ("sgd", "momentum", *(["adamw"] if seed % 2 == 0 else [])))
    factor = 1.0 if "sigmoid" in made.network else float(made.draw.uniform(0.1, 0.25))
    start = _multiplied(made, factor)
    return replace(native(replace(made, start=start, lr=made.lr / 2), folder), onset=0, timed=True)


def exploding(seed: int, folder: Path) -> Case:
    """Six layers whose weights let the gradient grow from layer to layer, from the start or from a state on."""
    made = world(seed, ("blobs-relu-6",), ("adamw", "sgd", "momentum", "lion"))
    factor = float(made.draw.uniform(5, 8))
    small = replace(made, lr=made.lr / 10)
    if made.draw.random() < 0.5:
        return replace(native(replace(small, start=_multiplied(made, factor)), folder), onset=0, timed=True)
    at = middle(made)

    def grow(run: Run) -> None:
        for layer in range(6):
            scaled(run, f"layers.{layer}.weight", factor)

    return replace(native(small, folder, {at: grow}), onset=at, timed=True)


def _multiplied(made: World, factor: float) -> dict[str, npt.NDArray[np.float32]]:
    names = dict(made.module().named_parameters())
    return {n: (factor * t.detach().numpy()).astype(np.float32) for n, t in names.items() if "layers" in n}


def lost(seed: int, folder: Path) -> Case:
    """Parameters in bfloat16, and a learning rate whose updates are below their rounding, from the start or later."""
    made = world(seed, ("blobs-relu-2-bf16", "digits-relu-1-bf16"), ("sgd", "adamw", "momentum"))
    at = 0 if made.draw.random() < 0.4 else middle(made)
    factor = float(made.draw.uniform(0.003, 0.02))
    case = native(made, folder, {at: lambda run: run.set_dial("lr", factor * made.lr)})
    assert isinstance(case.run, Run)
    before, after = (case.run.state(step)["params"].view(np.uint16) for step in (case.run.step - 1, case.run.step))
    _check(float(np.mean(before == after)) > 0.6)
    return replace(case, onset=at, timed=True)


def duplicated(seed: int, folder: Path) -> Case:
    """Some training examples stand in the place of others."""
    made = world(seed)
    train, draw = {n: a.copy() for n, a in made.task.train.items()}, made.draw
    order = draw.permutation(len(train["y"]))
    count = int(draw.uniform(0.04, 0.3) * len(order))
    for array in train.values():
        array[order[:count]] = array[order[-count:]]
    return replace(native(made.with_train(**train), folder), onset=0)


def leaking(seed: int, folder: Path) -> Case:
    """Some training examples are held-out ones."""
    made = world(seed)
    train, draw = {n: a.copy() for n, a in made.task.train.items()}, made.draw
    count = int(draw.uniform(0.03, 0.5) * len(made.task.valid["y"]))
    for name, array in train.items():
        array[:count] = made.task.valid[name][-count:]
    return replace(native(made.with_train(**train), folder), onset=0)


def shuffled(seed: int, folder: Path) -> Case:
    """The labels do not belong to their inputs."""
    made = world(seed)
    y = made.draw.permutation(made.task.train["y"])
    return replace(native(made.with_train(y=y), folder), onset=0)


def mislabelled(seed: int, folder: Path) -> Case:
    """Some training examples have the label of another class."""
    made = world(seed)
    y, draw = made.task.train["y"].copy(), made.draw
    chosen = draw.permutation(len(y))[: int(draw.uniform(0.06, 0.2) * len(y))]
    top = int(y.max()) + 1
    y[chosen] = (y[chosen] + draw.integers(1, top, len(chosen))) % top
    return replace(native(made.with_train(y=y), folder), onset=0)


def failing(seed: int, folder: Path) -> Case:
    """The training examples of one class are missing."""
    made = world(seed)
    y = made.task.train["y"]
    keep = y != int(made.draw.integers(int(y.max()) + 1))
    return replace(native(made.with_train(**{n: a[keep] for n, a in made.task.train.items()}), folder), onset=0)


def not_zeroed(seed: int, folder: Path) -> Case:
    """A loop that forgets to clear its gradients, from the start or from a step on; the twin ends clearly better."""
    made = world(seed, rules=RECORDED)
    at = 0 if made.draw.random() < 0.5 else middle(made)
    case = Loop(made, zero=lambda step: step < at).record(folder / "run")
    twin, now = end(Loop(made).record(folder / "twin").loss), end(case.loss)
    _check(not math.isfinite(now) or now > max(1.5 * twin, twin + 0.05 * math.log(made.task.classes)))
    return replace(case, onset=at, timed=True)


def frozen(seed: int, folder: Path) -> Case:
    """A layer that gets no gradient from a step on, or was never given to the optimizer."""
    made = world(seed, rules=RECORDED)
    layer = str(made.draw.choice(["up", "qkv"])) if made.network.startswith("seq") else "layers.0"
    if made.draw.random() < 0.5:
        return replace(Loop(made, left_out=layer).record(folder), onset=0, timed=True)
    at = middle(made)
    loop = Loop(made, frozen=lambda step: layer if step >= at else "")
    return replace(loop.record(folder), onset=at, timed=True)


def _check(harmful: bool) -> None:
    if not harmful:
        raise Harmless


Plant = Callable[[int, Path], Case]
SYMPTOMS = frozenset({"diverging", "stalled", "failing_slice"})
"""What any fault may lead to."""
FAULTS: dict[str, tuple[Plant, str]] = {
    "diverging": (diverging, "learning_rate_too_high exploding_gradient vanishing_gradient dead_units saturated_units"),
    "learning_rate_too_high": (too_high, "exploding_gradient vanishing_gradient dead_units saturated_units"),
    "learning_rate_too_low": (too_low, "layer_not_moving"),
    "memorising": (memorising, ""),
    "dead_units": (dead, "vanishing_gradient layer_not_moving"),
    "saturated_units": (saturated, "exploding_gradient vanishing_gradient layer_not_moving"),
    "vanishing_gradient": (vanishing, "layer_not_moving learning_rate_too_low"),
    "exploding_gradient": (exploding, "learning_rate_too_high learning_rate_too_low dead_units"),
    "lost_updates": (lost, "learning_rate_too_low layer_not_moving"),
    "duplicated_examples": (duplicated, ""),
    "leakage": (leaking, ""),
    "shuffled_labels": (shuffled, "mislabelled_examples"),
    "mislabelled_examples": (mislabelled, ""),
    "failing_slice": (failing, ""),
    "gradients_not_zeroed": (not_zeroed, "learning_rate_too_high"),
    "frozen_by_mistake": (frozen, "layer_not_moving"),
}
"""How each is planted, and what else is then really there; memorising is, wherever the test loss has risen."""


def case_of(fault: str, seed: int, folder: Path) -> tuple[Case, int]:
    """A run with the fault, or a healthy one, and how often it had to be drawn again."""
    plant, also = FAULTS.get(fault, (healthy, ""))
    for turn in range(TRIES):
        with suppress(Harmless):
            case = plant(seed + 100_003 * turn, folder / str(turn))
            really = {*also.split(), *(["memorising"] if overfits(case) else [])}
            return replace(case, fault=fault, also=frozenset(really)), turn
    raise RuntimeError(f"{fault} {seed}: none of {TRIES} worlds took it")


__all__ = ["FAULTS", "RULES", "STEPS", "Case", "case_of"]
