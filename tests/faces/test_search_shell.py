"""`ontogeny search` as a person meets it: targets, dials, verbs, and what bad input is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from ontogeny.evolve.circuits.equivalent import equivalent
from ontogeny.evolve.circuits.files import read_circuit
from ontogeny.faces.cli import app
from ontogeny.isa.netlist import NAND

TASKS = """
import math
from ontogeny.evolve import equals

def parity(number):
    return number.bit_count() & 1

def wide(number):
    return 8

def broken(number):
    return 1 // number

def words(number):
    return "one"

def never(net):
    raise ValueError("never")

def size(net):
    if net.gates == 3:
        raise ValueError("three gates")
    return math.nan if net.gates == 2 else abs(net.gates - 7)

def loss(x):
    return float(((x - [0.5, 3, -3]) ** 2).sum())

def length(x):
    return float(abs(x).sum())

def narrow(x):
    if x[0] > 1:
        raise ValueError("too far")
    return math.nan if x[0] < -1 else loss(x)

def made():
    return equals(parity, 3, 1)

def stopped(net):
    raise KeyboardInterrupt
"""


def shell(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["search", *words])
    assert result.exit_code == exit_code, result.output
    return result


def asked(*words: str) -> Any:
    return json.loads(shell(*words, "--json").stdout)


def refused(*words: str) -> str:
    return " ".join(shell(*words, exit_code=1).stderr.split())


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ONTOGENY_RUNS", raising=False)
    Path("tasks.py").write_text(TASKS)
    Path("xor.txt").write_text("# exclusive or, whatever the third is\n00- 0\n01- 1\n10- 1\n11- 0\n")
    return tmp_path


def test_a_function_is_searched_for_and_the_search_is_found_again_by_its_name() -> None:
    words = ("tasks.py:parity", "--inputs", "4", "--outputs", "1", "gates=nand", "nodes=40", "offspring=1")
    found = asked(*words, "--prune", "60000", "-o", "best.blif")
    assert found["solved"] and found["over"] and found["best"]["wrong bits"] == 0
    assert set(read_circuit("best.blif").table.tolist()) == {NAND}
    assert asked("show", "parity") == {key: value for key, value in found.items() if key != "file"}
    assert [row["search"] for row in asked("list")["searches"]] == ["parity"]
    said = shell("show", "par").stdout
    assert "right after" in said and f"{found['best']['gates']} gates" in said and "4 inputs, 1 outputs" in said
    again = asked(*words, "--prune", "60000")
    assert again["search"] == "parity-2" and again["best"] == found["best"]


def test_a_search_is_called_like_its_file_as_far_as_a_shell_lets_it() -> None:
    Path("xor.txt").rename("x(or).txt")
    assert asked("x(or).txt", "nodes=10", "--seconds", "0")["search"] == "x-or-"


def test_a_search_that_ctrl_c_stops_says_what_goes_on_with_it() -> None:
    words = ("tasks.py:stopped", "--as", "each", "--inputs", "2", "--outputs", "1", "--limit", "0")
    said = shell(*words, "--name", "two words", exit_code=130).stderr
    assert "stopped after 0 evaluations; `ontogeny search resume 'two words'` goes on" in " ".join(said.split())


def test_a_search_is_stopped_turned_resumed_and_verified() -> None:
    asked("xor.txt", "nodes=15", "--seconds", "0", "--evaluations", "1000000", "--prune", "1000000")
    turned = asked("set", "xor", "offspring=8", "gates=nand", "prune=50_000", "--author", "her")
    assert turned["dials"]["gates"] == "nand" and not turned["waits"]
    found = asked("resume", "xor")
    assert found["solved"] and found["over"] and found["best"]["gates"] == 4
    assert asked("verify", "xor")["verified"][-1] == found["evaluations"]
    assert shell("set", "xor", "weights=3").stdout.startswith("weights=3 holds after")
    assert asked("resume", "xor")["evaluations"] > found["evaluations"]
    assert shell("verify", "xor").stdout.endswith("states are the same bits when the journal is gone through again\n")
    entries = [json.loads(line) for line in Path("searches/xor/journal.jsonl").read_text().splitlines()]
    assert [(one["kind"], one["author"]) for one in entries] == [
        ("search", "you"),
        *3 * [("dial", "her")],
        ("dial", "you"),
    ]


def test_a_circuit_is_a_target_and_a_front_is_printed_and_drawn() -> None:
    asked("xor.txt", "nodes=10", "-o", "xor.blif")
    found = asked(
        "xor.blif", "--method", "pareto", "nodes=10", "population=40", "--evaluations", "3000", "--name", "front"
    )
    steps = asked("lineage", "xor")["steps"]
    assert steps[-1]["error"] == 0 and steps[0]["made"] == []
    assert "made by: " in shell("lineage", "xor").stdout and "there is no candidate" in refused(
        "lineage", "xor", "999999"
    )
    errors = [one["wrong bits"] for one in found["front"]]
    assert errors == sorted(errors) and errors[0] == 0 and len(errors) > 1
    assert "candidates that no other is better than" in shell("show", "front").stdout
    files = asked("chart", "front")["files"]
    assert [Path(file).suffix for file in files] == [".png", ".svg"] and all(
        Path(file).stat().st_size for file in files
    )
    shell("show", "front", "-o", "found.blif")
    assert equivalent(read_circuit("found.blif"), read_circuit("xor.blif"))
    assert asked("tasks.py:made", "--as", "fitness", "nodes=20")["solved"]
    words = ("xor.txt", "nodes=20", "gates=nand", "--islands", "2", "--prune", "50000")
    alone, shared = asked(*words, "--name", "alone"), asked(*words, "--name", "shared", "--workers", "2")
    assert alone["best"] == shared["best"] and alone["evaluations"] == shared["evaluations"]
    assert alone["dials"]["every"] == "20000" and "no Ray answers at" in refused("xor.txt", "--ray", "127.0.0.1:1")


def test_a_fitness_that_fails_is_told_at_the_end_and_the_search_goes_on() -> None:
    words = ("tasks.py:size", "--as", "each", "--inputs", "2", "--outputs", "1", "--limit", "0")
    found = asked(*words, "nodes=30", "--evaluations", "2000", "--seed", "1", "--goal=-1")
    assert found["best"] == {"error": 0, "gates": 7, "depth": found["best"]["depth"]}
    told = {failure["why"]: failure for failure in found["failures"]}
    assert set(told) == {"the fitness raised ValueError: three gates", "the fitness gave NaN"}
    assert found["failed"] == sum(one["count"] for one in told.values()) > 10
    again = asked("show", "size")
    assert again["failures"] == found["failures"] and again["failed"] == found["failed"]
    assert all("of the candidates failed" in said.stdout and "ValueError: three gates, first candidate" in said.stdout
               for said in (shell("show", "size"), shell(*words, "--evaluations", "500", "--goal=-1")))  # fmt: skip


def test_failures_are_counted_on_where_a_search_goes_on_and_whoever_does_the_work() -> None:
    words = ("tasks.py:narrow", "--vector", "3", "--method", "genetic", "spread=1", "--evaluations", "1000")
    whole = asked(*words, "--limit", "0", "--name", "whole")
    asked(*words, "--limit", "0", "--name", "parts", "--seconds", "0")
    assert 0 < asked("show", "parts")["failed"] < whole["failed"]
    parts = asked("resume", "parts")
    assert (parts["failed"], parts["failures"]) == (whole["failed"], whole["failures"])
    shared = asked(*words, "--workers", "2", "--name", "shared")
    assert (shared["failed"], shared["failures"], shared["best"]) == (whole["failed"], whole["failures"], whole["best"])


@pytest.mark.parametrize(
    "words, told",
    [
        (("nothing.txt",), "nothing.txt"),
        (("tasks.py",), "name one, as tasks.py:FUNCTION"),
        (("tasks.py:nought", "--inputs", "1", "--outputs", "1"), "has no function 'nought'; it has parity, wide"),
        (("tasks.py:parity",), "give both"),
        (("tasks.py:wide", "--inputs", "2", "--outputs", "2"), "gives 8 of 0; expected 0 to 3"),
        (("tasks.py:parity", "--as", "guess"), "one of equals, each, batch, fitness"),
        (("xor.txt", "node=3"), "takes no 'node'; it takes nodes, gates, offspring, hits"),
        (("start",), "start is no verb and no file; the verbs are resume, set, show"),
        (("tasks.py:broken", "--inputs", "2", "--outputs", "1"), "raised ZeroDivisionError for the input 0"),
        (("tasks.py:words", "--inputs", "2", "--outputs", "1"), "raised TypeError for the input 0: 'str' object"),
        (("xor.txt", "--goal", "nan"), "a goal of nan"),
        (("xor.txt", "-o", "xor.txt/best.blif"), "best.blif cannot be written: xor.txt is not a folder"),
        (("xor.txt", "gates=norn"), "no gate set 'norn'"),
        (("xor.txt", "nodes=many"), "nodes cannot be 'many'; it is a number, now 100"),
        (("xor.txt", "--method", "luck"), "no method 'luck'; for circuits there are cgp"),
        (("xor.txt", "--method", "cma-es"), "cma-es does not search circuits; for circuits there are cgp"),
        (("xor.txt", "--vector", "3"), "--vector is for a function of a vector"),
        (("xor.txt", "--objectives", "gates"), "give --weights as 1,0.01, or --method pareto or elites"),
        (
            ("xor.txt", "--objectives", "width", "--weights", "1,1"),
            "expected a function, as FILE.py:width; measures are",
        ),
        (("xor.txt", "--weights", "1,x"), "--weights 1,x: expected numbers"),
        (("xor.txt", "--weights", "1,1"), "2 weights for 3 objectives; expected as many"),
        (("tasks.py:loss", "--vector", "3", "--low", "2", "--high", "1"), "number 0 lies from 2 to 1"),
        (("tasks.py:loss", "--vector", "3", "--start", "1,2"), "start (1.0, 2.0); expected one number, or 3"),
        (("tasks.py:loss", "--vector", "3", "--low", "0", "--start", "-1"), "the start -1 of number 0 is outside"),
        (
            ("tasks.py:loss", "--vector", "3", "--method", "cgp"),
            "cgp does not search vectors; for vectors there are cma",
        ),
        (("tasks.py:loss", "--vector", "3", "--method", "pareto"), "by --objectives name,name"),
        (("tasks.py:loss", "--vector", "3", "--as", "equals"), "give each or batch"),
        (("tasks.py:loss", "--vector", "3", "-o", "best.blif"), "expected an ending of .npy, .npz, .json"),
        (("tasks.py:parity", "--as", "fitness"), "was to make a fitness, and raised TypeError"),
        (("x.npz",), "x.npz has no array 'y'; it has x"),
        (("text.npz",), "text.npz is no archive of NumPy's"),
        (("uneven.npz",), "expected numbers [n, ...] and whole numbers [n]"),
        (("rows.npz", "--hidden", "wide"), "--hidden wide: expected widths"),
        (("rows.npz", "--error", "luck"), "error 'luck'; expected widths of 1 or more, relu or hard, loss or mistakes"),
        (("rows.npz", "--held-out", "1"), "a share of 1 held out"),
        (("xor.txt", "--method", "islands"), "islands are of another method: name that one"),
        (("xor.txt", "-o", "best.jpg"), "ends in .jpg; expected one of"),
        (("bad.txt",), "bad.txt, line 2: '0x 1' is no row"),
        (("twice.txt",), "line 2: 00 is given other outputs"),
        (("uneven.txt",), "line 2: 1 inputs and 1 outputs; expected 2 and 1"),
        (("empty.txt",), "has no inputs"),
        (("show", "nobody"), "there is no search 'nobody'"),
        (("xor.txt", "--name", "a;b"), "'a-b' would do; a search is named by letters"),
        (("xor.txt", "--name", "12"), "not for a search; name it in letters, as search-12"),
        (("resume",), "takes the name of one search"),
        (("set", "nobody"), "NAME DIAL=VALUE"),
    ],
)
def test_bad_input_is_told_and_leaves_nothing_behind(words: tuple[str, ...], told: str) -> None:
    Path("bad.txt").write_text("00 1\n0x 1\n")
    Path("twice.txt").write_text("0- 1\n00 0\n")
    Path("uneven.txt").write_text("00 1\n0 1\n")
    Path("empty.txt").write_text("# nothing\n")
    Path("text.npz").write_text("text")
    np.savez("x.npz", x=np.zeros((4, 2)))
    np.savez("uneven.npz", x=np.zeros((4, 2)), y=np.zeros(3, int))
    np.savez("rows.npz", x=np.eye(4), y=np.arange(4))
    assert told in refused(*words)
    assert not Path("searches").exists()


def test_a_folder_that_holds_no_search_and_one_whose_candidates_all_fail_are_told() -> None:
    asked("xor.txt", "nodes=10", "--evaluations", "100")
    journal = Path("searches/xor/journal.jsonl")
    Path("searches/bad").mkdir()
    Path("searches/bad/journal.jsonl").write_bytes(journal.read_bytes()[:40])
    said = " ".join(shell("list").stdout.split())
    assert "xor" in said and "bad cannot be opened:" in said
    assert "there is no search" in refused("show", "nowhere")
    words = ("tasks.py:never", "--as", "each", "--inputs", "2", "--outputs", "1", "--limit", "0")
    assert "since every candidate failed" in shell(*words, "--evaluations", "50").stdout


def test_dials_that_there_are_not_are_told_with_those_that_there_are() -> None:
    asked("xor.txt", "nodes=10")
    assert "no dial 'offsprings'; this search has evaluations, prune, weights, gates" in refused(
        "set", "xor", "offsprings=2"
    )
    assert "offspring cannot be 1.5; it is a whole number" in refused("set", "xor", "offspring=1.5")
    assert "expected 1 or more of each" in refused("set", "xor", "offspring=2", "hits=-2")
    assert asked("show", "xor")["dials"]["offspring"] == "4"


def test_numbers_are_searched_for_within_bounds_and_the_search_is_turned_and_verified() -> None:
    words = ("tasks.py:loss", "--vector", "3", "--low", "-2,-2,-2", "--high", "2", "--limit", "0")
    for method in ("cma-es", "openai-es", "low-rank-es", "genetic"):
        dials = ["sigma=0.3", "rate=0.1", "pairs=8"] if "-es" in method and method != "cma-es" else []
        found = asked(*words, "--method", method, *dials, "--evaluations", "3000", "--name", method)
        assert found["best"]["vector"] == pytest.approx([0.5, 2, -2], abs=0.1), method
        assert max(map(abs, found["best"]["vector"])) <= 2 and found["best"]["error"] < 2.1
        assert asked("show", method)["best"] == found["best"]
    turned = asked("set", "cma", "diagonal=true", "evaluations=3300")["dials"]
    assert turned["diagonal"] == "True" and asked("resume", "cma")["evaluations"] >= 3300
    assert len(asked("verify", "cma")["verified"]) > 1
    assert "3 numbers: " in shell("show", "cma", "-o", "best.json").stdout
    assert json.loads(Path("best.json").read_text()) == asked("show", "cma")["best"]["vector"]
    assert "diagonal cannot be 'maybe'; it is true or false" in refused("set", "cma", "diagonal=maybe")
    started = asked("tasks.py:loss", "--vector", "3", "--start", "0.5,3,-3", "--limit", "0")
    assert started["solved_at"] == 1 and started["best"]["vector"] == [0.5, 3, -3]


def test_several_functions_of_a_vector_give_a_front_or_a_map() -> None:
    words = ("tasks.py:loss", "--vector", "3", "--objectives", "length", "--limit", "0", "--evaluations", "1500")
    front = asked(*words, "--method", "pareto", "population=50")["front"]
    assert len(front) > 5 and front[0]["error"] < front[-1]["error"] and front[0]["length"] > front[-1]["length"]
    cells = asked(*words, "--method", "elites", "cells=5", "low=0", "high=5", "spread=2")["front"]
    assert len({min(4, int(one["length"])) for one in cells}) == len(cells) > 3


def test_a_network_on_examples_is_searched_for_and_told_what_it_is_worth_on_others() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 300)
    np.savez("blobs.npz", x=rng.normal(0, 0.5, (300, 2)) + np.array([[2, 0], [-2, 0], [0, 3]])[y], y=y)
    found = asked("blobs.npz", "--hidden", "8", "pairs=16", "rate=0.1", "--evaluations", "3000", "-o", "best.npz")
    assert found["best"]["accuracy"] > 0.95 and found["best"]["held-out accuracy"] > 0.9
    with np.load("best.npz") as weights:
        assert weights["matrix0"].shape == (2, 8) and weights["bias1"].shape == (3,)
    assert "held-out accuracy" in shell("show", "blobs").stdout


def test_the_weights_of_objectives_are_dials_and_so_are_those_of_what_they_are_made_of() -> None:
    words = ("xor.txt", "nodes=10", "--seed", "2", "--weights", "1,0.01", "--objectives", "gates")
    found = asked(*words, "--evaluations", "2000", "--seconds", "0")
    assert found["dials"]["weights"] == "1.0,0.01" or found["dials"]["weights"] == "1,0.01"
    turned = asked("set", "xor", "weights=1,0.1", "fitness.weights=3")["dials"]
    assert (turned["weights"], turned["fitness.weights"]) == ("1,0.1", "3")
    found = asked("resume", "xor")
    assert found["best"]["weighed"] == pytest.approx(
        0.1 * found["best"]["gates"] + 3 * round(found["best"]["weighed"] / 3)
    )
    asked("xor.txt", "--method", "pareto", "nodes=10", "population=20", "--evaluations", "400", "--name", "front")
    assert asked("set", "front", "weights=5", "evaluations=800")["dials"]["weights"] == "5"
    assert {one["wrong bits"] % 5 for one in asked("resume", "front")["front"]} == {0}
    assert asked("verify", "front")["verified"]
