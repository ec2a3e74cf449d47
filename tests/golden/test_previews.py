"""What every command of steering says that it would do: one sentence each, in which all that was asked for stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from safetensors.numpy import save_file

from ontogeny.steer.registry import COMMANDS, command
from ontogeny.steer.session import Session
from tests.small import begin, examples

W = "line.weight"
Given = Mapping[str, Any]
SAID: dict[str, tuple[Given, str]] = {
    "run": ({"steps": 5, "until": "loss < 0.001"}, "take one on until loss < 0.001, at most 5 steps"),
    "again": (
        {"name": "other", "seed": 5, "dials": {"lr": 0.3}},
        "make a new run, other, of one's learner from its beginning, with seed 5, lr 0.3",
    ),
    "autopilot": (
        {"budget": "40", "steps": 7, "goal": "loss <= 0.001", "never": "data", "workers": 2, "ray": "ray://there:1"},
        "look after one on forks of it with at most 40 steps, scored on 3 held-out examples and judged on 3 others, as "
        "if the run took 7 steps, towards loss <= 0.001, never changing data, 2 trials at once, on the cluster "
        "ray://there:1; the run stays as it is",
    ),
    "pause": ({}, "pause one"),
    "resume": ({}, "let one go on from step 12"),
    "stop": ({}, "end the process of one"),
    "back": ({"to": "3"}, "stand at step 3 of one"),
    "mark": ({"name": "late", "off": True}, "take the name 'late' from a step of one"),
    "fork": ({"at": "3", "name": "mine"}, "fork one at step 3 as mine, which copies nothing"),
    "switch": ({"run": "two"}, "go to two"),
    "keep": ({"off": True}, "let one be discarded by whoever wants to"),
    "discard": ({}, "put one away, from where it can be taken back, and go to two-freeze"),
    "take-back": ({"run": "three"}, "take the discarded run three back"),
    "set": (
        {"dial": "learning rate", "to": 0.3, "over": 7, "shape": "cosine"},
        "turn lr of one from 0.05 to 0.3, along half a cosine over 7 steps, from step 12 on",
    ),
    "call": ({"routine": "sleep"}, "call sleep of one once at step 12, before the next step"),
    "rule": (
        {"edit": "lr_factor", "arguments": {"tensors": W, "factor": 0.5}},
        "fork one at step 12 with another rule, lr_factor (tensors line.weight, factor 0.5): the learning rate of "
        "line.weight is 0.5 times the rest's, by the dial lr_factor.line_weight",
    ),
    "freeze": (
        {"tensors": [W]},
        "fork one at step 12 with another rule: line.weight stays as it is, with its optimizer state",
    ),
    "unfreeze": (
        {"run": "two-freeze", "tensors": ["line.*"]},
        "fork two-freeze at step 12 with another rule: line.weight, line.bias learn again, from the optimizer state of "
        "before",
    ),
    "alter": (
        {"how": "noise", "tensors": [W], "amount": 0.25, "seed": 77, "and_state": True},
        "add 0.25 standard deviations of noise (seed 77) to line.weight of one, and set what the optimizer keeps of "
        "them to zero, at step 12",
    ),
    "leave-out": ({"examples": "5"}, "leave example 5 out, from step 12 of one on"),
    "learn-again": ({"examples": "3,4"}, "learn from the examples 3,4 again, from step 12 of one on"),
    "learn": (
        {"values": {"x": [1, 2, 3], "y": [0.5]}, "rows": 2},
        "learn 2 further rows of the 1 new example (x 1, 2, 3, y 0.5) in every batch, from step 12 of one on",
    ),
    "stop-learning": ({"examples": "7"}, "stop learning further rows of example 7, from step 12 of one on"),
    "mix": (
        {"examples": "8:12", "share": 0.5},
        "draw 50% of every batch from the examples 8:12, from step 12 of one on",
    ),
    "forget": (
        {"examples": "5", "name": "without"},
        "replay one without example 5, from step 1 to 12, as a new run, without; 3 of these steps learned from it",
    ),
    "status": ({}, "say where a run stands: step, dials, rule, metrics, and what happened (of one)"),
    "curve": (
        {"of": "valid.loss", "steps": "2:9"},
        "show a metric, or one parameter, against steps (of one; of valid.loss, steps 2:9)",
    ),
    "events": (
        {},
        "say what happened and when: memorised, generalised, spiked, diverged, catapulted, was best (of one)",
    ),
    "compare": (
        {"to": "two"},
        "put this run beside another: where they part, how their dials differ, what they reached (of one; to two)",
    ),
    "why": (
        {},
        "say why a run stands where it does: what was done to it, when, by whom, and their reasons (of one)",
    ),
    "alike": (
        {"element": f"{W}[0,0]", "at_least": 0.8, "over": "values", "steps": "2:9", "either_sign": True},
        "find every parameter that moves like one, none missed (of one; element line.weight[0,0], at least 0.8, over "
        "values, steps 2:9, either sign)",
    ),
    "groups": (
        {"steps": "2:9", "at_least": 0.7, "over": "values", "most": 3},
        "find which parameters moved together, and since when (of one; steps 2:9, at least 0.7, over values, most 3)",
    ),
    "explain": (
        {"names": f"{W}[0,0]", "steps": "2:9"},
        "say why parameters changed: decay, momentum, fresh gradient; the parts sum to the change (of one; names "
        "line.weight[0,0], steps 2:9)",
    ),
    "moments": (
        {"steps": "2:9", "over": "values"},
        "name the parameters whose mean, variance, skewness or kurtosis lies far from the others' (of one; steps 2:9, "
        "over values)",
    ),
    "what-if": (
        {"dials": {"lr": 0.3}, "without": "3", "start": 4},
        "replay one from step 4 to 12, as it was and as it would have been with lr 0.3 and without example 3",
    ),
    "waste": ({}, "count what a run computes for nothing, and say what would remove it (of one)"),
    "cost": ({}, "say how many operations a step costs (of one)"),
    "diagnose": (
        {"deep": False},
        "say what is wrong: memorising, stalled, diverging, dead units..., since when, how sure (of one; not deep)",
    ),
    "recall": (
        {
            "at": 5,
            "examples": "0:9",
            "looked_at": 7,
            "prefix": 2,
            "length": 3,
            "continued": 4,
            "left_out": "3",
            "workers": 2,
            "subsets": 6,
            "share": 0.5,
        },
        "say how exactly a run knows its data by heart (of one; at 5, examples 0:9, "
        "looked at 7, prefix 2, length 3, continued 4, left out 3, workers 2, subsets 6, share 0.5)",
    ),
    "capacity": (
        {"beside": ["two"], "at": 5, "against": "two-freeze", "every": 2},
        "say how many bits of data a run holds per parameter (of one; beside two, at 5, against two-freeze, every 2)",
    ),
    "price": (
        {
            "for_steps": 10_000,
            "machine": "8xB200",
            "precision": "fp8",
            "accelerators": 4,
            "dollars": 2,
            "utilisation": 0.3,
            "availability": 0.8,
            "tokens": 1e9,
            "epochs": 2,
            "layers": 3,
            "width": 64,
            "context": 128,
        },
        "say what learning costs, at any size: hours, money, energy (of one; "
        "for steps 10000, machine 8xB200, precision fp8, accelerators 4, dollars 2, utilisation 0.3, availability 0.8, "
        "tokens 1e+09, epochs 2, layers 3, width 64, context 128)",
    ),
    "laws": (
        {
            "runs": ["one", "two"],
            "form": "size",
            "sizes": ["1e9,2e10"],
            "budget": ["1e18"],
            "unique": "1e6",
            "per": 6,
            "metric": "loss",
            "take": "best",
            "count": "x",
            "best_only": True,
            "drop_highest": 1,
        },
        "fit a scaling law to runs, to foretell larger ones (of one, "
        "two; form size, sizes 1e9,2e10, budget 1e18, unique 1e6, per 6, metric loss, take best, count x, best only, "
        "drop highest 1)",
    ),
    "undo": (
        {},
        "take back 'learn examples=7': stand at step 12 of one; what is changed next, where that is in the past, is "
        "changed on a fork made there",
    ),
    "history": (
        {"last": 3},
        "list what was done to a run: which command, when, by whom, and what came of it (of one; last 3)",
    ),
}
"""Of each command: arguments, as many as go together, and what it says that it would do."""
OTHERWISE: Mapping[tuple[str, str], tuple[Given, Given]] = {
    ("set", "to"): ({"dial": "lr", "to": 0.1}, {"dial": "lr", "to": 0.2}),
    ("set", "by"): ({"dial": "lr", "by": 0.5}, {"dial": "lr", "by": 0.25}),
    ("set", "over"): ({"dial": "lr", "to": 0.3, "over": 7}, {"dial": "lr", "to": 0.3}),
    ("learn", "examples"): ({"examples": "5"}, {"examples": "6"}),
    ("learn", "values"): ({"values": {"x": [1, 2, 3], "y": [1]}}, {"values": {"x": [1, 2, 3], "y": [2]}}),
    ("learn", "from_file"): ({"from_file": "a.safetensors"}, {"from_file": "b.safetensors"}),
    ("alter", "amount"): ({"how": "scale", "tensors": [W], "amount": 2}, {"how": "scale", "tensors": [W], "amount": 3}),
    ("autopilot", "budget"): ({"budget": "40"}, {"budget": "41"}),
    ("rule", "arguments"): (
        {"edit": "lr_factor", "arguments": {"tensors": W, "factor": 0.5}},
        {"edit": "lr_factor", "arguments": {"tensors": W, "factor": 0.25}},
    ),
    ("price", "parameters"): ({"parameters": 1e9, "tokens": 1e9}, {"parameters": 2e9, "tokens": 1e9}),
    ("run", "steps"): ({"steps": 5}, {"steps": 6}),
}
"""Arguments with a value each, where what was said above makes no sense without the one."""
ALIVE = ("pause", "resume", "stop")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Runs of which everything can be foretold; nothing that is foretold changes them."""
    folder = tmp_path_factory.mktemp("previews")
    for name in ("one", "two", "three"):
        with begin(folder / name) as run:
            run.advance(12)
    Session(folder, "two").do(command("freeze", {"tensors": ["line.*"]}))
    there = Session(folder, "one")
    there.do(command("mark", {"name": "late"}))
    there.do(command("leave-out", {"examples": "3,4"}))
    there.do(command("learn", {"examples": "7"}))
    there.runs.discard(folder / "three")
    for name in ("a", "b"):
        save_file(examples(2), folder / f"{name}.safetensors")
    return there


def told(session: Session, name: str, given: Given, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a command says that it would do."""
    monkeypatch.chdir(session.runs.root)
    monkeypatch.setattr(session, "live", name in ALIVE)
    return command(name, given).foretell(session).text


@pytest.mark.parametrize("name", SAID)
def test_what_a_command_would_do_is_said_in_a_sentence(
    session: Session, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, sentence = SAID[name]
    assert told(session, name, given, monkeypatch) == sentence
    assert sentence[0].islower() and not sentence.endswith(".")


def test_every_command_says_what_it_would_do() -> None:
    assert set(SAID) == {kind.NAME for kind in COMMANDS}


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        (kind.NAME, argument)
        for kind in COMMANDS
        for argument, field in kind.model_fields.items()
        if argument != "run" and not field.is_required()
    ],
)
def test_no_argument_that_was_given_is_left_unsaid(
    session: Session, name: str, argument: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = SAID[name][0]
    without = {one: value for one, value in given.items() if one != argument}
    these, others = OTHERWISE.get((name, argument), (given, without))
    assert argument in these, f"give {argument} a value above"
    assert told(session, name, these, monkeypatch) != told(session, name, others, monkeypatch)
