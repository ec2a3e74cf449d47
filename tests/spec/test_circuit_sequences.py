"""Circuits of NANDs as arrays and as sequences, designs of them, and models that are asked for one."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ontogeny.claims.tasks import circuit_models as models
from ontogeny.claims.tasks.asked import Tried, blind, guided, right
from ontogeny.claims.tasks.designs import classes, designs, reordered, searched
from ontogeny.evolve.circuits import nands
from ontogeny.evolve.circuits.files import read_circuit
from ontogeny.evolve.circuits.spelling import Spelling
from ontogeny.evolve.circuits.tables import permuted
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import NAND, cases, netlist, truth, used

XOR = ((0, 1), (0, 2), (1, 2), (3, 4))


def test_many_circuits_compute_what_the_netlist_of_each_does() -> None:
    fanin = blind(Spelling(4, 6), 50, seed=1)
    kept, computed = nands.alive(4, fanin), nands.outputs(4, fanin)
    for row, size in enumerate(nands.sizes(fanin)):
        net = nands.netlist_of(4, tuple(map(tuple, fanin[row, :size].tolist())))
        assert truth(net, cases(4))[0, 0] == computed[row]
        assert (used(net)[4:] == kept[row, :size]).all()
        assert not kept[row, size:].any()


def test_a_circuit_has_one_order() -> None:
    net = netlist(2, [NAND] * 5, [[0, 1], [2, 0], [1, 2], [3, 4], [5, 5]], [6])
    swapped = netlist(2, [NAND] * 5, [[1, 0], [2, 1], [2, 0], [4, 3], [5, 5]], [6])
    assert nands.circuit(net) == nands.circuit(swapped) == (*XOR, (5, 5))
    assert nands.circuit(nands.netlist_of(2, (*XOR, (5, 5)))) == (*XOR, (5, 5))
    with pytest.raises(NetlistError, match="nand_only"):
        nands.circuit(netlist(2, [6], [[0, 1]], [2]))
    for fanin, output in (([[0, 1], [0, 0]], 3), ([[0, 1], [2, 2]], 2)):
        with pytest.raises(NetlistError, match="reach no output"):
            nands.circuit(netlist(2, [NAND] * 2, fanin, [output]))


def test_what_is_spelt_is_read_back_and_what_is_no_circuit_has_no_gates() -> None:
    spelling = Spelling(2, 5)
    found = spelling.read(spelling.spelt([XOR, ((1, 1),)]))
    assert found.tolist() == nands.padded([XOR, ((1, 1),)], 5).tolist()
    assert len({tuple(row) for row in spelling.spelt([((a, b),) for b in range(2) for a in range(b + 1)])}) == 3
    end, wrong = spelling.end, 4
    bad = [[wrong, end, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, end + 1, end, end, end, end], [end] * 6]
    assert nands.sizes(spelling.read(np.array(bad))).tolist() == [0, 0, 0, 0]
    assert spelling.prompts([0b0110, None]).tolist() == [[end + 1, end + 2, end + 2, end + 1], [spelling.any] * 4]
    with pytest.raises(NetlistError, match="4 bits"):
        spelling.prompts([16])
    with pytest.raises(NetlistError, match="at most 3"):
        Spelling(2, 3).spelt([XOR])


def test_designs_are_small_circuits_of_every_function_found() -> None:
    assert sum(map(len, classes(3).values())) == 256 - 5
    known = designs(3, 10, 16, 20_000, 0)
    for function, found in known.items():
        computed = nands.outputs(3, nands.padded(found, 10))
        assert {nands.table(word, 3) for word in computed} == {function}
        assert len(set(found)) == len(found) <= 16
        assert len(found[0]) == min(map(len, found)) >= max(map(len, found)) - 1
    assert len(known[0b01100110][0]) == 4, "an exclusive or"


def test_inputs_are_reordered_as_those_of_tables() -> None:
    one = searched(3, 0b00001101, 1)
    for order in ((1, 2, 0), (0, 2, 1)):
        computed = nands.outputs(3, nands.padded([reordered(3, one, order)], len(one)))
        assert nands.table(computed[0], 3) == permuted(0b00001101, order)


def test_whole_classes_are_held_out_and_labels_stand_before_their_share() -> None:
    known = designs(3, 10, 16, 20_000, 0)
    seen, unseen = models.split(3, known, 0.2, 7)
    both = [{least for least, members in classes(3).items() if members.keys() & set(part)} for part in (seen, unseen)]
    assert both[0] and both[1] and not both[0] & both[1]
    assert sorted(seen + unseen) == sorted(known)
    spelling = models.SPELLING
    for share in (0.0, 0.3, 1.0):
        found = models.examples(spelling, known, seen, share, 16, 7)
        labelled = (found["x"][:, : spelling.cases] != spelling.any).all(axis=1)
        assert labelled.mean() == {0.0: 0.0, 0.3: 0.5, 1.0: 1.0}[share]
        whole = np.concatenate([found["x"], found["y"][:, -1:]], axis=1)[labelled]
        tables = ((whole[:, : spelling.cases] - spelling.end - 1) << np.arange(8)).sum(axis=1)
        assert right(3, spelling.read(whole[:, spelling.cases :]), tables.tolist()).all()
        if share == 0.3:
            told = {tuple(row) for row in whole.tolist()}
            assert 0.2 < len(told) / sum(len(known[one]) for one in seen) < 0.4


def test_a_circuit_counts_as_guided_where_one_gate_is_missing_or_too_many() -> None:
    fanin = nands.padded([XOR, XOR[:3], (*XOR, (5, 5)), ((0, 0),)], 5)
    assert right(2, fanin, [0b0110] * 4).tolist() == [True, False, False, False]
    assert guided(2, fanin, [0b0110] * 4).tolist() == [True, True, True, False]


def test_within_is_the_chance_of_any_right_one_among_so_many() -> None:
    one = Tried(4, np.array([2, 0]), np.array([4, 0]), np.array([1.0, math.nan]))
    assert one.within(1) == pytest.approx(0.25)
    assert one.within(2) == pytest.approx((1 - 1 / 6) / 2)  # of six pairs one has no right one
    assert one.within(2, guided=True) == 0.5


@pytest.mark.slow
def test_the_example_answers_with_circuits_that_are_right(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "examples" / "circuits_asked.py"
    command = [sys.executable, str(script), str(tmp_path)]
    done = subprocess.run([*command, "--steps", "600"], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    right_ones = dict(re.findall(r"(\w+)(?: \(never seen\))?: (\d+) of 32 answers right", done.stdout))
    assert len(right_ones) == 5 and int(right_ones["choice"]) > 0
    net = read_circuit(tmp_path / "choice.v")
    assert nands.table(truth(net, cases(3))[0, 0], 3) == 0b11001010
    again = subprocess.run([*command, "--ask", "01100110", "0"], capture_output=True, text=True, timeout=280)
    assert again.returncode == 1 and "eight of 0 and 1" in again.stderr and "Traceback" not in again.stderr
