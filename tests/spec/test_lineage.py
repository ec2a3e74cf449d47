"""Where a candidate came from: the steps are those that a plain going-through of the search meets."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ontogeny.evolve import CGP, Ageing, Gates, Genetic, Pareto, each, equals, record, several
from ontogeny.evolve.recording.lineage import lineage
from ontogeny.evolve.search import Search
from ontogeny.isa.errors import SearchError

MULTIPLIER = equals(lambda number: (number & 3) * (number >> 2), 4, 4)
ADDER = equals(int.bit_count, 3, 2)


def size(net: Any) -> float:
    return float(abs(net.gates - 5))


@pytest.mark.parametrize("method", [CGP(40, "two-input", 4), CGP(40, "nand", 1, hits=2)])
def test_the_steps_of_cgp_are_the_generations_in_which_its_parent_became_better(tmp_path: Path, method: CGP) -> None:
    search = record(tmp_path, method, ADDER, seed=2, evaluations=4000, prune=1500)
    found = search.go_on()
    met, state, key = [], method.begin(ADDER.space, 2), (np.inf, 0)
    while state.evaluations < found.evaluations:
        asked = method.ask(state)
        first, state = state.evaluations, method.tell(state, asked, Search(method, ADDER).judged(asked))
        now = (state.error or 0.0, 0 if state.error else state.gates)
        if now != key:
            place = max(i for i, genes in enumerate(asked.genes) if (genes == state.genes).all())
            met.append((first + place, state.error, state.gates))
            key = now
    steps = lineage(search)
    assert [(step.number, step.error, step.size) for step in steps] == met and len(met) > 4
    assert all(step.made and len(step.made) <= step.changes for step in steps[1:])
    assert any(step.built_on for step in steps)
    assert lineage(search, met[2][0])[-1] == steps[2]


def test_what_made_the_difference_is_what_is_worse_when_it_is_taken_back(tmp_path: Path) -> None:
    method = CGP(3, "nand", 1)
    search = record(tmp_path, method, equals(lambda number: 1 - (number & 1), 1, 1), seed=0, evaluations=500)
    assert search.go_on().solved
    last = lineage(search)[-1]
    assert last.error == 0 and len(last.made) >= 1
    assert all(" no more " in words and words.split()[0] in ("node", "output") for words in last.made)


@pytest.mark.parametrize(
    "method", [Ageing(Gates(30), 40, 6, 10), Genetic(Gates(30), 40, 4, 0.5), Pareto(Gates(30), 40, 0.3)]
)
def test_the_line_of_a_population_goes_by_who_came_from_whom(tmp_path: Path, method: Any) -> None:
    fitness = several(ADDER, ["gates"]) if isinstance(method, Pareto) else ADDER
    search = record(tmp_path, method, fitness, seed=1, evaluations=3000, prune=1000)
    found = search.go_on()
    going, state, parents = Search(method, fitness), method.begin(fitness.space, 1), {}
    while state.evaluations < found.evaluations:
        asked = method.ask(state)
        parents |= {state.evaluations + i: row.tolist() for i, row in enumerate(asked.parents)}
        state = method.tell(state, asked, going.judged(asked))
    steps = lineage(search)
    assert steps[-1].error == found.error and steps[-1].size == found.size
    assert [step.error for step in steps[:-1]] == sorted({step.error for step in steps[:-1]}, reverse=True)
    for earlier, later in pairwise(steps):
        reached, waiting = set(), [later.number]
        while waiting:
            waiting += [p for p in parents[waiting.pop()] if p >= 0 and p not in reached and not reached.add(p)]
        assert earlier.number in reached
    assert parents[steps[0].number] in ([-1], [-1, -1])


def test_a_number_that_was_not_judged_is_refused(tmp_path: Path) -> None:
    search = record(tmp_path, CGP(10), each(size, 2, 1, None), seed=1, evaluations=50, goal=-1.0)
    with pytest.raises(SearchError, match="those from 0 to -1"):
        lineage(search, 0)
    search.go_on()
    assert lineage(search)[-1].error == search.found().error
    with pytest.raises(SearchError, match="no candidate 1,000; the search has judged those from 0 to 52"):
        lineage(search, 1000)
    assert replace(lineage(search, 0)[0], size=0).number == 0
