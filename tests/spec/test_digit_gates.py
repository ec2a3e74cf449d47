"""Classifiers of gates: grown without gradients, soft gates hardened, and their votes counted in gates."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch.nn import functional as F

import ontogeny as og
from ontogeny.evolve.circuits.blif import from_blif, to_blif
from ontogeny.evolve.circuits.simplify import simplified
from ontogeny.evolve.circuits.threshold import threshold_network
from ontogeny.evolve.circuits.vote import decided
from ontogeny.evolve.fitness.classifying import accuracy, thermometer
from ontogeny.evolve.fitness.tables import outputs_of
from ontogeny.evolve.gates.soft_gates import GateLayer, SoftGates, hardened
from ontogeny.evolve.gates.voting import grown
from ontogeny.front.names import model_tensors
from ontogeny.isa.errors import NetlistError, SearchError
from ontogeny.isa.netlist import Netlist, cases, netlist, truth
from ontogeny.isa.netlist_program import program
from ontogeny.machine.reference import ReferenceMachine

X, Y = load_digits(return_X_y=True)
ORDER = np.random.default_rng(0).permutation(len(X))
BITS, LABELS = thermometer(X[ORDER], (3, 7, 11)), Y[ORDER]


def unpacked(words: np.ndarray, count: int) -> np.ndarray:
    return np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")[:, :count].astype(np.int64)


def held_out(net: Netlist) -> float:
    return 1 - accuracy(BITS[1400:], LABELS[1400:], len(net.outputs)).errors([net])[0]


def test_a_number_is_a_bit_for_each_threshold() -> None:
    assert thermometer([[0, 5], [9, 4]], (0, 4)).tolist() == [[0, 0, 1, 1], [1, 1, 1, 0]]


def test_a_soft_gate_is_the_mean_of_gates_drawn_by_its_table() -> None:
    layer = GateLayer(2, 1, torch.Generator().manual_seed(1), 1.0)
    entries, given = torch.sigmoid(layer.entries[:, 0]).tolist(), [0.3, 0.8]
    a, b = given[int(layer.first[0])], given[int(layer.second[0])]
    mean = 0.0
    for table in range(16):
        chance = np.prod([one if table >> i & 1 else 1 - one for i, one in enumerate(entries)])
        mean += chance * sum((table >> i & 1) * [1 - a, a][i & 1] * [1 - b, b][i >> 1] for i in range(4))
    assert layer(torch.tensor([given])).item() == pytest.approx(mean, abs=1e-6)


def test_a_recorded_run_of_soft_gates_is_hardened_into_an_equal_netlist(tmp_path: Path) -> None:
    def loss(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return F.cross_entropy(model(batch["x"]), batch["y"])

    rows = {"x": BITS[:1400].astype(np.float32), "y": LABELS[:1400].astype(np.int64)}
    model = SoftGates(192, (200, 100), 10, temperature=2.0, seed=3)
    learner = og.capture(model, loss, og.adamw(lr=0.2, weight_decay=0.0), {k: v[:50] for k, v in rows.items()})
    with og.create(tmp_path / "run", learner, og.Arrays(rows, batch_size=50), seed=0) as run:
        run.advance(200)
        assert run.metrics()["loss"][-10:].mean() < 1.2 < run.metrics()["loss"][:10].mean()
        tensors = model_tensors(run.learner.program, run.state())
    model.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()})
    net = hardened(model)
    small = simplified(net)
    assert small.gates < net.gates == 300
    given = np.concatenate([BITS, np.random.default_rng(1).integers(0, 2, (500, 192), np.uint8)])
    with torch.no_grad():
        scores = model(torch.from_numpy(given).float(), hard=True)
    words = accuracy(given, np.zeros(len(given), int), 100).words
    for one in (net, small):
        votes = unpacked(truth(one, words), len(given)).reshape(10, -1, len(given)).sum(axis=1)
        assert np.array_equal(votes.T, np.rint(scores.numpy() * 2.0))
    assert held_out(net) == held_out(small) > 0.7


def test_gates_grown_without_gradients_read_digits() -> None:
    net = grown(BITS[:1400], LABELS[:1400], 20, gates=2, temperature=2.0, seed=1)
    assert net == grown(BITS[:1400], LABELS[:1400], 20, gates=2, temperature=2.0, seed=1)
    assert len(net.outputs) == 200 and net.gates <= 400 and held_out(net) > 0.92
    assert held_out(grown(BITS[:1400], LABELS[:1400], 20, seed=1)) < held_out(net)


def test_the_one_gate_of_a_vote_is_the_best_of_all() -> None:
    """On four rows of two inputs, each once, every table of a single gate is reached by some labels."""
    rows = cases(2)[:, 0, None] >> np.arange(4, dtype=np.uint64) & np.uint64(1)
    for table in range(1, 15):
        wanted = np.array([table >> row & 1 for row in range(4)])
        net = grown(rows.T, wanted, 1, seed=0)
        assert accuracy(rows.T, wanted, 2).errors([net]) == [0.0]


@pytest.mark.parametrize("classes, each", [(2, 1), (3, 2), (5, 3), (1, 4)])
def test_the_vote_is_counted_in_gates(classes: int, each: int) -> None:
    inputs = classes * each
    bits = unpacked(cases(inputs), 1 << inputs)
    whole = decided(netlist(inputs, [], np.empty((0, 2)), range(inputs)), classes)
    found = unpacked(outputs_of(whole, cases(inputs)), 1 << inputs)
    numbers = (found << np.arange(len(found))[:, None]).sum(axis=0)
    assert np.array_equal(numbers, bits.reshape(classes, each, -1).sum(axis=1).argmax(axis=0))


def test_what_does_not_go_together_is_told() -> None:
    with pytest.raises(NetlistError, match="3 votes for 2 classes"):
        decided(netlist(3, [], np.empty((0, 2)), range(3)), 2)
    with pytest.raises(SearchError, match="drawn 1"):
        grown(BITS, LABELS, 1, drawn=1)
    with pytest.raises(SearchError, match=r"layers of \[7\] gates for 2 classes"):
        SoftGates(4, [7], 2, temperature=1.0)
    with pytest.raises(SearchError, match="labels"):
        grown(BITS[:5], LABELS[:4], 1)


def test_a_classifier_is_a_program_a_file_and_a_threshold_network_too() -> None:
    net = grown(BITS[:1400], LABELS[:1400], 4, gates=2, temperature=1.0, seed=2)
    fitness = accuracy(BITS[1400:], LABELS[1400:], 40)
    whole = decided(net, 10)
    wanted = outputs_of(whole, fitness.words)
    machine = ReferenceMachine(program(whole, fitness.words.shape[1]))
    found = machine.call("predict", dict(zip(whole.named.inputs, fitness.words, strict=True)), {})
    assert np.array_equal(np.stack([found[name] for name in whole.named.outputs]), wanted)
    assert np.array_equal(outputs_of(from_blif(to_blif(whole, "digits")), fitness.words), wanted)
    votes = threshold_network(net)(torch.from_numpy(BITS[1400:]).float()).reshape(397, 10, -1).sum(dim=2)
    assert np.array_equal(votes.argmax(dim=1).numpy(), fitness.predicted([net])[0])


@pytest.mark.slow
def test_the_example_is_one_command(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "examples" / "digit_gates.py"
    command = [sys.executable, str(script), str(tmp_path), "--steps", "300"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    shares = [float(share) for share in re.findall(r": ([\d.]+)% of 397 held-out images", done.stdout)]
    assert len(shares) == 3 and min(shares) > 95
    assert from_blif((tmp_path / "small.blif").read_text(encoding="utf-8")).gates < 2_500
    assert og.open_run(tmp_path / "run").step == 300
