"""Netlists as networks of threshold neurons: equal on all inputs, in steps, over time, and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ontogeny.evolve.circuits.equivalent import equivalent
from ontogeny.evolve.circuits.threshold import ThresholdNetwork, from_threshold_network, threshold_network
from ontogeny.isa.netlist import Netlist, cases, clocked, netlist, truth
from tests.properties.netlists import netlists


def bits(words: np.ndarray, count: int) -> torch.Tensor:
    """The first cases of words [wires, n], f32[count, wires]."""
    each = (words[:, :, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    return torch.from_numpy(each.reshape(len(words), words.shape[1] * 64).T[:count].astype(np.float32))


@settings(max_examples=60, deadline=None)
@given(netlists(widest=6, gates=8))
def test_a_network_is_equal_on_all_inputs_and_back(net: Netlist) -> None:
    network, words, count = threshold_network(net), cases(net.sources), 1 << net.sources
    assert torch.equal(network(bits(words, count)), bits(truth(net, words), count))
    again = from_threshold_network(network)
    assert equivalent(again, net) and again.named == net.named


@settings(max_examples=20, deadline=None)
@given(netlists())
def test_a_network_runs_over_time_as_the_netlist_does(net: Netlist) -> None:
    inputs = np.random.default_rng(0).integers(0, 2**64, (5, net.inputs, 1), np.uint64)
    found = threshold_network(net).run(torch.stack([bits(words, 8) for words in inputs]))
    wires = clocked(net, inputs)[:, net.outputs]
    assert torch.equal(found, torch.stack([bits(words, 8) for words in wires]))


@pytest.mark.parametrize(("table", "neurons"), [(0b0111, 2), (0b1000, 2), (0b0110, 3), (0b1110, 2), (0b0001, 2)])
def test_a_nand_is_two_neurons(table: int, neurons: int) -> None:
    network = threshold_network(netlist(2, [table], [[0, 1]], [2]))
    assert network.neurons == neurons
    if table == 0b0111:
        (both, inverse) = network.weights
        assert both.tolist() == [[1.0, 1.0]] and network.biases[0].tolist() == [-1.5]
        assert inverse.tolist() == [[0.0, 0.0, -1.0]] and network.biases[1].tolist() == [0.5]


@settings(max_examples=15, deadline=None)
@given(st.integers(7, 10), st.integers(0, 2**32), st.booleans())
def test_a_neuron_of_many_inputs_is_gates(inputs: int, seed: int, whole: bool) -> None:
    rng = np.random.default_rng(seed)
    weight = torch.from_numpy(rng.normal(size=(1, inputs)).astype(np.float32) * 4)
    weight = weight.round() if whole else weight
    bias = torch.tensor([0.5 - float(weight.sum()) / 2])
    network = ThresholdNetwork(netlist(inputs, [], [], [0]), [weight], [bias], [inputs])
    given = bits(cases(inputs), 1 << inputs)
    expected = given.double() @ weight.double().T + bias.double() > 0
    found = bits(truth(from_threshold_network(network), cases(inputs)), 1 << inputs)
    assert torch.equal(found, expected.float())
