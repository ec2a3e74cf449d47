"""Any netlist as a network of threshold neurons in PyTorch, and back, equal on all inputs.

A neuron is one where its weights times its inputs, plus its bias, are above 0: McCulloch and Pitts, "A Logical
Calculus of the Ideas Immanent in Nervous Activity" (1943). A gate, or its inverse, is a sum of products: a neuron for
each product and one that joins them. So a NAND is two, an AND and its inverse; an exclusive or is three. All numbers
are whole or halves, so that f32 is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from ontogeny.evolve.circuits.tables import CHOICE, full
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist, netlist

Cube = tuple[tuple[int, int], ...]  # (fanin, its bit), for those that the product has
LARGEST = 20_000


class ThresholdNetwork(nn.Module):
    """Layers of threshold neurons, each over the sources and all neurons before it.

    `forward` takes f32[batch, inputs + registers] of zeros and ones and gives f32[batch, outputs + registers], last
    what registers take. `weights` and `biases` are one pair for each layer; `ends` says which neuron each result is.
    """

    def __init__(self, net: Netlist, weights: Sequence[Tensor], biases: Sequence[Tensor], ends: Sequence[int]) -> None:
        super().__init__()
        self.inputs, self.names, self.outputs = net.inputs, net.names, len(net.outputs)
        self.weights = nn.ParameterList(nn.Parameter(weight, requires_grad=False) for weight in weights)
        self.biases = nn.ParameterList(nn.Parameter(bias, requires_grad=False) for bias in biases)
        self.register_buffer("ends", torch.tensor(ends, dtype=torch.int64))
        self.register_buffer("initial", torch.tensor(net.initial.tolist(), dtype=torch.float32))

    ends: Tensor
    initial: Tensor

    @property
    def neurons(self) -> int:
        """Number of neurons."""
        return sum(len(bias) for bias in self.biases)

    def forward(self, given: Tensor) -> Tensor:
        """One step of all cases of the batch."""
        wires = given
        for weight, bias in zip(self.weights, self.biases, strict=True):
            wires = torch.cat([wires, (wires @ weight.T + bias > 0).to(given.dtype)], dim=1)
        return wires[:, self.ends]

    def run(self, inputs: Tensor) -> Tensor:
        """The outputs at each tick, f32[ticks, batch, outputs], of f32[ticks, batch, inputs]: recurrent."""
        state, outputs = self.initial.expand(inputs.shape[1], -1), []
        for given in inputs:
            step = self(torch.cat([given, state], dim=1))
            outputs.append(step[:, : self.outputs])
            state = step[:, self.outputs :]
        return torch.stack(outputs) if outputs else inputs.new_zeros(0, inputs.shape[1], self.outputs)


def threshold_network(net: Netlist) -> ThresholdNetwork:
    """The network of a netlist: two layers for each level of gates, products and what joins them."""
    place = {wire: wire for wire in range(net.sources)}
    weights: list[Tensor] = []
    biases: list[Tensor] = []
    count = net.sources
    for gates in _levels(net):
        cubes = [(gate, *_fewest(net, gate)) for gate in gates]
        weight, bias = _product_layer(net, cubes, place, count)
        first, count = count, count + len(bias)
        joined, offset = _join_layer(cubes, first, count)
        for where, (gate, _, _) in enumerate(cubes, count):
            place[net.sources + gate] = where
        weights += [weight, joined]
        biases += [bias, offset]
        count += len(cubes)
    return ThresholdNetwork(net, weights, biases, [place[int(wire)] for wire in (*net.outputs, *net.next)])


def _levels(net: Netlist) -> list[list[int]]:
    level = [0] * net.wires
    levels: list[list[int]] = []
    for gate in range(net.gates):
        deep = max((level[wire] for wire in net.takes(gate)), default=0)
        level[net.sources + gate] = deep + 1
        if deep == len(levels):
            levels.append([])
        levels[deep].append(gate)
    return levels


def _fewest(net: Netlist, gate: int) -> tuple[bool, list[Cube]]:
    """Whether the inverse of a gate has fewer products than the gate, and the fewer."""
    plain, inverse = (products(net, gate, inverted) for inverted in (False, True))
    return (True, inverse) if len(inverse) < len(plain) else (False, plain)


def products(net: Netlist, gate: int, inverted: bool) -> list[Cube]:
    """The prime products that cover a gate's table, or its inverse: joined pairwise, then chosen largest first."""
    takes = net.takes(gate)
    table = int(net.table[gate]) ^ (full(len(takes)) if inverted else 0)
    left = {row for row in range(1 << len(takes)) if table >> row & 1}
    chosen = []
    primes = _primes(left, len(takes))
    while left:
        care, ones = max(primes, key=lambda prime: (len(left & _rows(prime, len(takes))), -prime[0]))
        left -= _rows((care, ones), len(takes))
        chosen.append(tuple((place, ones >> place & 1) for place in range(len(takes)) if care >> place & 1))
    return chosen


def _primes(rows: set[int], arity: int) -> list[tuple[int, int]]:
    """Quine's and McCluskey's: products (bits that count, their values) that no other one contains."""
    now, primes = {((1 << arity) - 1, row) for row in rows}, set()
    while now:
        above, used = set(), set()
        for care, ones in now:
            for place in range(arity):
                other = (care, ones ^ 1 << place)
                if care >> place & 1 and other in now:
                    above.add((care & ~(1 << place), ones & ~(1 << place)))
                    used |= {(care, ones), other}
        primes |= now - used
        now = above
    return sorted(primes)


def _rows(prime: tuple[int, int], arity: int) -> set[int]:
    return {row for row in range(1 << arity) if row & prime[0] == prime[1]}


Covered = list[tuple[int, bool, list[Cube]]]


def _product_layer(net: Netlist, cubes: Covered, place: dict[int, int], count: int) -> tuple[Tensor, Tensor]:
    """A neuron for each product: above half less than its ones, where all of them are and none of its zeros."""
    each = [(gate, cube) for gate, _, products in cubes for cube in products]
    weight, bias = torch.zeros(len(each), count), torch.zeros(len(each))
    for row, (gate, cube) in enumerate(each):
        takes = net.takes(gate)
        bias[row] = 0.5 - sum(bit for _, bit in cube)
        for fanin, bit in cube:
            weight[row, place[takes[fanin]]] += 1.0 if bit else -1.0
    return weight, bias


def _join_layer(cubes: Covered, first: int, count: int) -> tuple[Tensor, Tensor]:
    """A neuron for each gate: one where any of its products is, or where none is."""
    weight, bias = torch.zeros(len(cubes), count), torch.zeros(len(cubes))
    for row, (_, inverted, products) in enumerate(cubes):
        weight[row, first : first + len(products)] = -1.0 if inverted else 1.0
        bias[row] = 0.5 if inverted else -0.5
        first += len(products)
    return weight, bias


def from_threshold_network(network: ThresholdNetwork) -> Netlist:
    """The netlist of a network: each neuron becomes gates, one where it has at most six inputs.

    A wider neuron is decided input by input, its sums taken in f64. Raises NetlistError where that needs more gates
    than LARGEST.
    """
    made = _Gates(int(network.weights[0].shape[1]) if len(network.weights) else network.inputs + len(network.initial))
    for weight, bias in zip(network.weights, network.biases, strict=True):
        made.layer(weight.double().tolist(), bias.double().tolist())
    ends = [made.wires[int(end)] for end in network.ends]
    return netlist(
        network.inputs,
        made.table,
        [[*takes, *[-1] * (6 - len(takes))] for takes in made.fanin] or [],
        ends[: network.outputs],
        next=ends[network.outputs :],
        initial=[int(bit) for bit in network.initial.tolist()],
        names=network.names,
    )


class _Gates:
    """Neurons to gates: which wire each neuron is."""

    def __init__(self, sources: int) -> None:
        self.sources = sources
        self.wires = list(range(sources))
        self.table: list[int] = []
        self.fanin: list[list[int]] = []

    def layer(self, weights: list[list[float]], biases: list[float]) -> None:
        known = list(self.wires)
        for weight, bias in zip(weights, biases, strict=True):
            inputs = sorted(((w, known[i]) for i, w in enumerate(weight) if w != 0), key=lambda one: -abs(one[0]))
            self.wires.append(self.neuron(inputs, bias))

    def gate(self, table: int, takes: list[int]) -> int:
        if len(self.table) >= LARGEST:
            raise NetlistError(
                f"more than {LARGEST} gates for a neuron of many inputs; expected fewer or whole weights"
            )
        self.table.append(table)
        self.fanin.append(takes)
        return self.sources + len(self.table) - 1

    def neuron(self, inputs: list[tuple[float, int]], bias: float) -> int:
        if len(inputs) <= 6:
            return self.gate(_separated(inputs, bias), [wire for _, wire in inputs])
        return self.decided(inputs, bias)

    def decided(self, inputs: list[tuple[float, int]], bias: float) -> int:
        """By the largest weights first; sums that decide alike are one. Levels go down, so nothing is recursive."""
        levels: list[set[float]] = [{bias}]
        for weight, _ in inputs[:-6]:
            levels.append({total + part for total in levels[-1] for part in (0.0, weight)})
            if len(levels[-1]) > LARGEST:
                raise NetlistError(f"a neuron with more than {LARGEST} sums; expected fewer inputs or whole weights")
        rest = inputs[-6:]
        made: dict[int, int] = {}
        below: dict[float, int] = {}
        for total in sorted(levels[-1]):
            table = _separated(rest, total)
            if table not in made:
                made[table] = self.gate(table, [wire for _, wire in rest])
            below[total] = made[table]
        for (weight, wire), level in zip(reversed(inputs[:-6]), reversed(levels[:-1]), strict=True):
            below = dict(self.choices(weight, wire, level, below))
        return below[bias]

    def choices(
        self, weight: float, wire: int, level: set[float], below: dict[float, int]
    ) -> Iterator[tuple[float, int]]:
        made: dict[tuple[int, int], int] = {}
        for total in sorted(level):
            pair = below[total], below[total + weight]
            if pair not in made:
                made[pair] = pair[0] if pair[0] == pair[1] else self.gate(CHOICE, [*pair, wire])
            yield total, made[pair]


def _separated(inputs: list[tuple[float, int]], bias: float) -> int:
    """The table of a neuron of at most six inputs."""
    sums = (bias + sum(w for place, (w, _) in enumerate(inputs) if row >> place & 1) for row in range(1 << len(inputs)))
    return sum((total > 0) << row for row, total in enumerate(sums))
