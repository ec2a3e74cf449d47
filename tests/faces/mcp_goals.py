"""Goals that take several calls each, as a model would reach them, and whether the runs then are what was wanted.

A goal begins with the run `exploded` (it learns until step 40, where its learning rate was made much too large), `line`
(whose batches may have any size) and `other` in a folder of its own. Its check opens the runs themselves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ontogeny.data.arrays import Arrays
from ontogeny.record.run import Run, open_run
from tests import regression, small
from tests.faces.mcp_clients import Refused, Talk

Goal = Callable[[Talk, Path], Awaitable[None]]
GOALS: dict[str, Goal] = {}


def world(runs: Path) -> None:
    """The runs that every goal begins with."""
    runs.mkdir(exist_ok=True)
    with small.begin(runs / "line", data=Arrays(small.examples(14), 4, seed=1)) as run:
        run.advance(12)
    with regression.begin(runs / "other", keyframe_every=5) as run:
        run.advance(20)
    with regression.begin(runs / "exploded", keyframe_every=5) as run:
        run.advance(40)
        run.set_dial("lr", 1.2)
        run.advance(20)


def goal(words: str) -> Callable[[Goal], Goal]:
    """Adds a goal, in the words that a person would say."""

    def add(script: Goal) -> Goal:
        GOALS[words] = script
        return script

    return add


def lost(run: Run) -> float:
    return float(run.metrics()["loss"][-1])


def kinds(run: Run, kind: str) -> list[Any]:
    return [entry for entry in run.own_entries if entry.kind == kind]


@goal("find where it exploded, fork before it, halve the learning rate, go on, compare")
async def exploded(talk: Talk, runs: Path) -> None:
    await talk.do("place", command="switch", run="exploded")
    happened = (await talk.ask("look", command="events"))["figures"]
    assert happened["diverged"]["before"] == 39
    await talk.do("place", command="back", to="before it diverged")
    fork = (await talk.do("place", command="fork", name="mended"))["run"]
    await talk.do("change", command="set", dial="learning rate", by=0.5)
    await talk.do("go", command="run", steps=21)
    told = await talk.ask("look", command="compare", to="exploded")
    run = open_run(runs / "mended")
    assert fork == "mended" and run.base == 39 and run.dials()["lr"] == 0.025 and run.step == 60 and lost(run) < 5
    assert told["figures"]["parts_at"] == 40 and told["figures"]["metrics"]["loss"][1] > 1e10


@goal("mark the best step, and come back to it by that name")
async def best(talk: Talk, runs: Path) -> None:
    await talk.do("place", command="back", run="exploded", to="where it was best")
    at = (await talk.do("place", command="mark", name="best so far"))["step"]
    await talk.do("place", command="switch", run="other")
    back = await talk.do("place", command="back", run="exploded", to="best so far")
    assert back["step"] == at == 20
    (mark,) = kinds(open_run(runs / "exploded"), "mark")
    assert mark["name"] == "best so far" and mark.at == 20


@goal("go on from the middle unchanged, and see that it is the same run again")
async def same(talk: Talk, runs: Path) -> None:
    await talk.do("place", command="back", run="other", to="10")
    await talk.do("go", command="run", steps=10)
    told = await talk.ask("look", command="compare", to="other")
    assert told["figures"]["parts_at"] is None
    assert open_run(runs / "other-10").hash(20) == open_run(runs / "other").hash(20)


@goal("try two learning rates from step 10, keep the better one, put the other away")
async def two(talk: Talk, runs: Path) -> None:
    reached = {}
    for name, rate in (("slow", 0.01), ("quick", 0.04)):
        await talk.do("place", command="back", run="other", to="10")
        await talk.do("place", command="fork", name=name)
        await talk.do("change", command="set", dial="lr", to=rate)
        await talk.do("go", command="run", steps=10)
        reached[name] = (await talk.ask("look", command="status"))["figures"]["metrics"]["valid.loss"]
    better, worse = sorted(reached, key=lambda name: reached[name])
    await talk.do("place", command="keep", run=better)
    await talk.do("discard", run=worse)
    assert (runs / better).is_dir() and not (runs / worse).exists() and (runs / ".discarded" / worse).is_dir()
    assert kinds(open_run(runs / better), "keep")


@goal("freeze the weight for ten steps, and show that it did not move")
async def frozen(talk: Talk, runs: Path) -> None:
    await talk.do("place", command="switch", run="other")
    fork = (await talk.do("change", command="freeze", tensors=["w"]))["run"]
    await talk.do("go", command="run", steps=10)
    curve = await talk.ask("look", command="curve", of="w[0,0]", steps="21:")
    run = open_run(runs / fork)
    assert np.array_equal(run.state(30)["w"], run.state(20)["w"])
    assert curve["figures"]["lowest"] == curve["figures"]["highest"]


@goal("halve the momentum, change your mind, take it back")
async def undone(talk: Talk, runs: Path) -> None:
    await talk.do("place", command="switch", run="other")
    await talk.do("change", command="set", dial="momentum", by=0.5)
    assert (await talk.ask("look", command="status"))["figures"]["dials"]["momentum"] == 0.45
    await talk.do("undo")
    assert open_run(runs / "other").dials()["momentum"] == 0.9


@goal("leave two examples out from here on, and go on for five steps")
async def without(talk: Talk, runs: Path) -> None:
    await talk.do("place", command="switch", run="line")
    await talk.do("data", command="leave-out", examples="3,7")
    await talk.do("go", command="run", steps=5)
    history = (await talk.ask("look", command="history"))["figures"]["commands"]
    assert [row["command"] for row in history] == ["leave-out", "run"]
    run = open_run(runs / "line")
    assert run.step == 17 and run.verify().ok and kinds(run, "without")


@goal("teach it a new example, two rows in each batch, then stop that")
async def taught(talk: Talk, runs: Path) -> None:
    await talk.do("place", command="switch", run="line")
    await talk.do("data", command="learn", values={"x": [1.0, 2.0, 3.0], "y": [4.0]}, rows=2)
    await talk.do("go", command="run", steps=3)
    await talk.do("data", command="stop-learning")
    await talk.do("go", command="run", steps=3)
    run = open_run(runs / "line")
    assert run.step == 18 and run.verify().ok
    assert len(kinds(run, "learn_also")) == 1 and len(kinds(run, "stop_also")) == 1


@goal("forget an example exactly, the cost told first, and compare with the run that knew it")
async def forgot(talk: Talk, runs: Path) -> None:
    told = await talk.ask("preview", command="forget", arguments={"run": "line", "examples": "2"})
    assert told["figures"]["steps"] > 0
    made = (await talk.do("data", command="forget", run="line", examples="2", name="innocent"))["run"]
    beside = await talk.ask("look", command="compare", run=made, to="line")
    assert made == "innocent" and open_run(runs / "innocent").step == 12
    assert beside["figures"]["metrics"]["loss"][0] != beside["figures"]["metrics"]["loss"][1]
    undo = await talk.ask("undo")
    assert undo["done"] is False and "put innocent away" in undo["text"]
    await talk.do("undo")
    assert not (runs / "innocent").exists() and (runs / ".discarded" / "innocent").is_dir()


@goal("ask what a smaller rate would have done, and if it is better do it")
async def what_if(talk: Talk, runs: Path) -> None:
    await talk.do("place", command="switch", run="exploded")
    told = await talk.ask("ask", command="what-if", dials={"lr": 0.01}, start=40)
    actual, other = told["figures"]["metrics"]["loss"]
    assert other < actual
    await talk.do("place", command="back", to="40")
    await talk.do("change", command="set", dial="lr", to=0.01)
    await talk.do("go", command="run", steps=20)
    run = open_run(runs / "exploded-40")
    assert lost(run) == pytest.approx(other, rel=1e-5)


@goal("train until the loss is below a bound, at most 200 steps")
async def until(talk: Talk, runs: Path) -> None:
    await talk.do("place", command="switch", run="other")
    answer = await talk.do("go", command="run", until="loss < 0.05", steps=150)
    run = open_run(runs / "other")
    losses = run.metrics(21)["loss"]
    assert losses[-1] < 0.05 and (losses[:-1] >= 0.05).all() and answer["step"] == run.step


@goal("say why a parameter changed, and check that the parts sum to what its curve shows")
async def explained(talk: Talk, runs: Path) -> None:
    await talk.do("place", command="switch", run="other")
    told = (await talk.ask("ask", command="explain", names="w[0,0]", steps="5:15"))["figures"]
    run = open_run(runs / "other")
    change = float(run.state(14)["w"][0, 0]) - float(run.state(4)["w"][0, 0])
    assert told["change"] == pytest.approx(sum(told["parts"].values()), rel=1e-6)
    assert told["change"] == pytest.approx(change, rel=1e-5)


@goal("let it train for long, look how it stands, pause it, turn a dial, resume, end it")
async def live(talk: Talk, runs: Path) -> None:
    await talk.do("place", command="switch", run="other")
    begun = await talk.do("go", command="run", steps=1_000_000)
    assert "goes on" in begun["text"]
    while (await listed(talk))["other"]["live"]["step"] < 40:
        pass
    await talk.do("go", command="pause")
    await talk.do("change", command="set", dial="lr", by=0.5)
    await talk.do("go", command="resume")
    at = (await listed(talk))["other"]["live"]
    assert at["state"] == "running" and at["goal"] == 1_000_020
    await talk.do("go", command="stop")
    run = open_run(runs / "other")
    assert [entry["command"] for entry in run.entries if entry.kind == "command"] == ["run", "set", "resume"]
    assert run.dials()["lr"] == 0.025 and run.step > 40


@goal("halve the weights once, see the loss rise, stand before that again")
async def altered(talk: Talk, runs: Path) -> None:
    await talk.do("place", command="switch", run="line")
    before = open_run(runs / "line").hash()
    await talk.do("change", command="alter", how="scale", tensors=["line.weight"], amount=0.5)
    await talk.do("go", command="run", steps=4)
    await talk.do("undo")
    back = await talk.do("undo")
    await talk.do("place", command="fork", name="untouched")
    run = open_run(runs / "untouched")
    assert back["step"] == 12 and run.step == 12 and run.hash() == before
    assert [entry.kind for entry in open_run(runs / "line").own_entries].count("alter") == 1


@goal("start it again with another seed, as far as the first, and compare")
async def again(talk: Talk, runs: Path) -> None:
    made = (await talk.do("go", command="again", run="other", seed=99, name="second"))["run"]
    await talk.do("go", command="run", steps=20)
    told = await talk.ask("look", command="compare", to="other")
    run = open_run(runs / made)
    assert run.start["seed"] == 99 and run.step == 20 and told["figures"]["parts_at"] == 0


@goal("put a run away, find that a kept one cannot be, take the first one back")
async def kept(talk: Talk, runs: Path) -> None:
    await talk.do("place", command="keep", run="exploded")
    with pytest.raises(Refused, match="was kept"):
        await talk.do("discard", run="exploded")
    await talk.do("discard", run="other")
    assert "other" not in await listed(talk)
    await talk.do("place", command="take-back", run="other")
    assert "other" in await listed(talk) and open_run(runs / "other").verify().ok


@goal("let the rate fall to a fifth over ten steps, and check it on the way")
async def scheduled(talk: Talk, runs: Path) -> None:
    await talk.do("place", command="switch", run="other")
    await talk.do("change", command="set", dial="lr", to=0.01, over=10, shape="linear")
    await talk.do("go", command="run", steps=5)
    half = (await talk.ask("look", command="status"))["figures"]["dials"]["lr"]
    await talk.do("go", command="run", steps=5)
    run = open_run(runs / "other")
    assert 0.01 < half < 0.05 and run.dials(30)["lr"] == pytest.approx(0.01)


@goal("let it sleep once, then go on")
async def slept(talk: Talk, runs: Path) -> None:
    await talk.do("place", command="switch", run="other")
    with pytest.raises(Refused, match="sleep"):
        await talk.do("change", command="call", routine="slep")
    await talk.do("change", command="call", routine="sleep")
    await talk.do("go", command="run", steps=2)
    run = open_run(runs / "other")
    assert int(run.state(22)["naps"]) == 1 and run.verify().ok


@goal("look at what is not there, and find one's way by the errors")
async def astray(talk: Talk, runs: Path) -> None:
    with pytest.raises(Refused, match="did you mean exploded"):
        await talk.do("place", command="switch", run="explodet")
    await talk.do("place", command="switch", run="exploded")
    with pytest.raises(Refused, match=r"the metrics are loss, largest"):
        await talk.ask("look", command="curve", of="los")
    with pytest.raises(Refused, match="has no step 900; it has 0 to 60"):
        await talk.do("place", command="back", to="900")
    with pytest.raises(Refused, match="did you mean 'back'"):
        await talk.do("place", command="bak", to="30")
    with pytest.raises(Refused, match="did you mean 'momentum'"):
        await talk.do("change", command="set", dial="momentun", to=0.5)
    curve = await talk.ask("look", command="curve", of="loss", steps="30:40")
    assert curve["figures"]["lowest_at"] == 39 and curve["curves"][0]["values"]
    assert len(open_run(runs / "exploded").own_entries) == 2


@goal("say what is wrong with the run that exploded, be refused one remedy, and take another")
async def diagnosed(talk: Talk, runs: Path) -> None:
    found = (await talk.do("ask", command="diagnose", run="exploded", deep=False))["figures"]["findings"]
    assert found
    await talk.do("place", command="back", run="exploded", to="before the loss diverged")
    with pytest.raises(Refused, match="write '; update' behind them"):
        await talk.do("change", command="rule", edit="clip", arguments={"norm": 1.0})
    fork = (await talk.do("change", command="set", dial="lr", to=0.02))["run"]
    await talk.do("go", command="run", steps=20)
    run = open_run(runs / fork)
    assert run.step == 59 and lost(run) < 5 and run.dials()["lr"] == 0.02


async def listed(talk: Talk) -> dict[str, Any]:
    """The runs by name."""
    return {row["run"]: row for row in (await talk.ask("runs"))["figures"]["runs"]}


QUICK = tuple(list(GOALS)[:3])
assert len(GOALS) == 20
