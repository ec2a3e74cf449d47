"""Cartesian genetic programming: 5-bit parity from NAND, a 3-bit adder, a 3x3 multiplier; 10 seeds each.

CPU seconds until each seed is solved, proved on all inputs, and evaluations per second. Sizes were chosen on seeds 0 to
9; these are others. The peer is hal-cgp on 5-bit parity with NAND as its only gate and NumPy columns for the cases: its
candidates per second. It needs a NumPy below 1.24, so it runs in the Python that HAL_CGP names, and else is skipped.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable

from common import Figures, Targets, arguments, close, peers

from ontogeny.evolve import CGP, Found, equals, search
from ontogeny.isa.netlist import cases, numbers_of, truth

SEEDS = range(100, 110)
HAL_CGP = """
import time, warnings, cgp, numpy as np
warnings.simplefilter("ignore")
columns = np.array([[n >> i & 1 for i in range(5)] for n in range(32)], float)
wanted, asked = np.array([bin(n).count("1") & 1 for n in range(32)]), 0
class Nand(cgp.OperatorNode):
    _arity = 2
    _def_output = "1.0 - x_0 * x_1"
def objective(individual):
    global asked
    if not individual.fitness_is_None():
        return individual
    asked += 1
    found = individual.to_numpy()(*columns.T)
    individual.fitness = -float(np.sum(np.broadcast_to(found, 32) != wanted))
    return individual
genome = dict(n_inputs=5, n_outputs=1, n_columns=100, n_rows=1, primitives=(Nand,))
population = cgp.Population(n_parents=1, seed=0, genome_params=genome)
method = cgp.ea.MuPlusLambda(n_offsprings=4, mutation_rate=0.03)
started = time.process_time()
cgp.evolve(population, objective, method, max_generations=100, termination_fitness=0.0)
print(asked / (time.process_time() - started))
"""


def parity(number: int) -> int:
    """1 for an odd number of ones."""
    return number.bit_count() & 1


def add(number: int) -> int:
    """The sum of the lower and the upper three bits."""
    return (number & 7) + (number >> 3)


def multiply(number: int) -> int:
    """The product of the lower and the upper three bits."""
    return (number & 7) * (number >> 3)


Task = tuple[Callable[[int], int], int, int, CGP]
TASKS: dict[str, Task] = {
    "parity5": (parity, 5, 1, CGP(100, "nand")),
    "adder3": (add, 6, 4, CGP(100, "two-input")),
    "multiplier3": (multiply, 6, 6, CGP(150, "two-input")),
}


def right(found: Found, task: Task) -> bool:
    """Whether NumPy's evaluation of the netlist gives what the function gives on every input."""
    function, inputs, _, _ = task
    numbers = numbers_of(truth(found.net, cases(inputs)), 1 << inputs)
    return all(int(given) == function(number) for number, given in enumerate(numbers))


def solved(name: str, task: Task, figures: Figures) -> None:
    """All seeds of a task."""
    function, inputs, outputs, method = task
    fitness = equals(function, inputs, outputs)
    seconds, evaluations, right_ones, gates = [], 0, 0, []
    for seed in SEEDS:
        started = time.process_time()
        found = search(method, fitness, seed=seed, evaluations=20_000_000)
        seconds.append(time.process_time() - started)
        evaluations += found.evaluations
        right_ones += found.solved and right(found, task)
        gates.append(found.net.gates)
    figures[f"solved.{name}"] = right_ones
    figures[f"slowest_s.{name}"] = round(max(seconds), 3)
    figures[f"evaluations_per_s.{name}"] = round(evaluations / sum(seconds))
    took = f"{min(seconds):.2f} to {max(seconds):.2f} s"
    print(f"  {name}: {right_ones} of {len(SEEDS)} solved, {took}, gates {sorted(gates)}")


def of_hal_cgp() -> float | None:
    """Candidates per CPU second of hal-cgp on 5-bit parity; None without a Python that has it."""
    if "HAL_CGP" not in os.environ:
        print("  HAL_CGP names no Python that has hal-cgp: skipped")
        return None
    done = subprocess.run([os.environ["HAL_CGP"], "-c", HAL_CGP], capture_output=True, text=True, cwd="/")
    if done.returncode:
        print(f"  hal-cgp ended with {done.returncode}: {done.stderr[-300:]}")
        return None
    return float(done.stdout.split()[-1])


def main() -> None:
    """Every task, then the peer."""
    arguments(__doc__ or "")
    figures: Figures = {}
    for name, (function, inputs, outputs, method) in TASKS.items():
        search(method, equals(function, inputs, outputs), evaluations=100)  # compiled, or read from the cache
        solved(name, TASKS[name], figures)
    theirs, ours = of_hal_cgp(), figures["evaluations_per_s.parity5"]
    if theirs is not None:
        figures["hal_cgp_evaluations_per_s"] = round(theirs, 1)
        figures["over_hal_cgp"] = round((ours or 0) / theirs)
    targets: Targets = {f"solved.{name}": (">=", len(SEEDS)) for name in TASKS}
    targets |= {f"slowest_s.{name}": ("<=", 2) for name in TASKS}
    targets |= {"over_hal_cgp": (">=", 10_000)} if theirs is not None else {}
    close("cgp", figures, targets, peers("numba"))


if __name__ == "__main__":
    main()
