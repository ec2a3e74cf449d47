"""The parts of `examples/cpu4.py` by four ways: CGP and resynthesis, abc, gradient descent, and blind chance.

CGP: ten seeds until right, then resynthesised. abc: its best script from the first of those. Gradients: twice as many
NANDs as the smallest and four more, every fanin and output a softmax over the wires before it, Adam on the squared
error of all cases, hardened by the largest weight; three seeds. Chance: random genomes of as many nodes, none kept.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import size
import torch
from common import ROOT, Figures, Targets, arguments, close, one_thread, peers

from ontogeny.evolve import CGP, Table, equals, resynthesised, search
from ontogeny.evolve.methods import cgp_values as values
from ontogeny.evolve.methods.cgp_kernels import begin
from ontogeny.isa.netlist import NAND, Netlist, netlist
from ontogeny.machine.swarm.kernels import loop

sys.path.insert(0, str(ROOT / "examples"))
import cpu4

SEEDS, STEPS = 10, 600
BLIND = {False: 300_000, True: 10_000_000}


@loop
def blind(
    genes: Any, nodes: int, functions: Any, rng: Any, room: Any, target: Any, planes: Any, weights: Any, tries: int
) -> Any:
    """How many of so many random genomes are right."""
    right, inputs, goal = 0, room.known.size - nodes, values.wanted(target, planes, weights)
    for _ in range(tries):
        begin(genes, nodes, inputs, functions, rng)
        at = values.wires(genes, functions.size, target.shape[0], room)
        values.evaluate(at, values.settle(at))
        right += values.cost(at, goal, 0) == 0
    return right


def by_chance(fitness: Table, nodes: int, tries: int) -> int:
    """Right ones of so many random genomes."""
    of, functions, rng = fitness, np.array([NAND], np.int32), np.array([0], np.uint64)
    genes = np.empty(3 * nodes + len(of.target), np.int32)
    room = values.room(nodes, len(of.target), of.words)
    return int(blind(genes, nodes, functions, rng, room, of.target, of.planes, of.weights, tries))


class Soft(torch.nn.Module):
    """NANDs whose fanins and outputs are chosen softly among the wires before them."""

    def __init__(self, inputs: int, nodes: int, outputs: int) -> None:
        super().__init__()
        self.inputs, self.nodes, self.outputs = inputs, nodes, outputs
        self.fanin = torch.nn.Parameter(torch.randn(nodes, 2, inputs + nodes))
        self.ends = torch.nn.Parameter(torch.randn(outputs, inputs + nodes))

    def forward(self, cases: torch.Tensor) -> torch.Tensor:
        """float32[inputs, cases] -> float32[outputs, cases]."""
        wires = cases
        for node in range(self.nodes):
            both = torch.softmax(self.fanin[node, :, : len(wires)], dim=1) @ wires
            wires = torch.cat([wires, 1 - both[:1] * both[1:]])
        return torch.softmax(self.ends, dim=1) @ wires

    def hardened(self) -> Netlist:
        """The netlist of the largest weights."""
        fanin = [[int(row[: self.inputs + at].argmax()) for row in self.fanin[at]] for at in range(self.nodes)]
        return netlist(self.inputs, [NAND] * self.nodes, fanin, [int(row.argmax()) for row in self.ends])


def by_gradients(part: cpu4.Part, fitness: Table, nodes: int, seed: int) -> float:
    """The share of bits that are wrong once hardened."""
    torch.manual_seed(seed)
    cases = range(1 << part.inputs)
    given = torch.tensor([[case >> i & 1 for case in cases] for i in range(part.inputs)], dtype=torch.float32)
    wanted = torch.tensor([[part.function(case) >> i & 1 for case in cases] for i in range(part.outputs)]).float()
    model = Soft(part.inputs, nodes, part.outputs)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(STEPS):
        optimizer.zero_grad()
        ((model(given) - wanted) ** 2).mean().backward()
        optimizer.step()
    return fitness.errors([model.hardened()])[0] / (part.outputs * len(cases))


def of_abc(part: cpu4.Part, rough: Netlist) -> int | None:
    """The fewest NANDs of abc's scripts."""
    if size.ABC is None:
        return None
    circuit = size.Circuit(part.function, part.inputs, part.outputs, "", lambda: (rough, rough))
    named = replace(rough, names=size.names(circuit))
    with tempfile.TemporaryDirectory() as folder:
        return min(size.of_abc(circuit, named, named, Path(folder)).values())


def measured(part: cpu4.Part, full: bool, figures: Figures) -> None:
    """One part by all ways."""
    name, fitness = part.function.__name__, equals(part.function, part.inputs, part.outputs)
    started = time.process_time()
    found = [search(CGP(part.nodes, "nand", part.offspring), fitness, seed=seed) for seed in range(SEEDS)]
    small = [resynthesised(one.net, seed=seed).gates for seed, one in enumerate(found) if one.solved]
    ours = time.process_time() - started
    figures[f"solved.{name}"] = sum(one.solved for one in found)
    figures[f"evaluations.{name}"] = round(statistics.median(one.evaluations for one in found))
    figures[f"gates.{name}"], figures[f"abc.{name}"] = min(small), of_abc(part, found[0].net)
    started = time.process_time()
    nodes = 2 * min(small) + 4
    wrong = [by_gradients(part, fitness, nodes, seed) for seed in range(3)]
    theirs = time.process_time() - started
    figures[f"gradients_wrong.{name}"] = round(min(wrong), 4)
    figures[f"chance_right.{name}"] = by_chance(fitness, part.nodes, BLIND[full])
    print(
        f"  {name}: {figures[f'solved.{name}']} of {SEEDS}, median {figures[f'evaluations.{name}']:,} evaluations, "
        f"{min(small)} to {max(small)} gates in {ours:.1f} s; abc {figures[f'abc.{name}']}; gradients, {nodes} NANDs: "
        f"{', '.join(f'{share:.1%}' for share in wrong)} wrong in {theirs:.1f} s; chance: "
        f"{figures[f'chance_right.{name}']} of {BLIND[full]:,}", flush=True
    )  # fmt: skip


def main() -> None:
    """Every part."""
    options = arguments(__doc__ or "")
    one_thread()
    figures: Figures = {}
    for part in sorted(cpu4.PARTS, key=lambda part: part.inputs):
        measured(part, options.full, figures)
    targets: Targets = {f"solved.{part.function.__name__}": (">=", SEEDS) for part in cpu4.PARTS}
    close("parts", figures, targets, peers("torch") | {"berkeley-abc": "installed" if size.ABC else None})


if __name__ == "__main__":
    main()
