"""What instructions cost beside one another, beyond what each costs alone: learnt from random networks.

A step's seconds less those of its instructions alone grow with the number of instructions, and, as what the step makes
outgrows the caches, with instructions and bytes moved; how far it has outgrown them goes with the logarithm of the
bytes made, from nothing at `near` to all at `far`. The three prices are not negative, and are fitted to medleys
(`medley.py`) by the least sum of relative errors, `near` and `far` by trying a few.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from ontogeny.ask.price.charges import Charge, charges
from ontogeny.ask.price.kinds import CALL, HOST
from ontogeny.ask.price.medley import medley
from ontogeny.ask.price.rates import Rates
from ontogeny.ask.price.timing import least_call, some_of
from ontogeny.isa.cost import UNMOVED, routine_cost
from ontogeny.isa.op import Op
from ontogeny.isa.program import Program, Routine
from ontogeny.isa.verify import value_types
from ontogeny.machine.base import Machine

Floats = npt.NDArray[np.float64]
MEDLEYS, REWEIGHTED = 80, 40
NEAR, FAR = (0.25e6, 0.5e6, 1e6, 2e6), (8e6, 16e6, 32e6, 64e6)
UNITS = np.array([1e-6, 1e-6, 1e-11])
SMALLEST, LEARN = 0.02, "learn"
"""Relative errors below which all count alike."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """Of a call: its kernels and views, the bytes that they make, and those that they read and write in all."""

    instructions: int
    made: float
    moved: float

    @staticmethod
    def of(program: Program, routine: Routine) -> Footprint:
        """Of a routine that verifies."""
        types = value_types(program, routine)
        kept = UNMOVED | {Op.READ, Op.CONST}
        made = sum(types[name].bytes for instr in routine.body if instr.op not in kept for name in instr.out)
        total = routine_cost(program, routine.name, batch=1).total
        count = sum(charge.kind != HOST for charge in charges(program, routine))
        return Footprint(count, made, total.bytes_read + total.bytes_written)

    def parts(self, near: float, far: float) -> tuple[float, float, float]:
        """What the three prices are of."""
        share = min(1.0, max(0.0, math.log(max(self.made, 1.0) / near) / math.log(far / near)))
        return self.instructions, self.instructions * share, self.moved * share


@dataclass(frozen=True, slots=True)
class Surcharge:
    """Seconds of an instruction, of one among cold ones, and of a cold byte; `near` and `far` in bytes.

    `error` is the median of the relative errors on the medleys that it was fitted to.
    """

    instruction: float = 0.0
    cold_instruction: float = 0.0
    cold_byte: float = 0.0
    near: float = NEAR[0]
    far: float = FAR[-1]
    error: float = 0.0

    def seconds(self, footprint: Footprint) -> float:
        """Of a call."""
        prices = (self.instruction, self.cold_instruction, self.cold_byte)
        return sum(price * part for price, part in zip(prices, footprint.parts(self.near, self.far), strict=True))

    def as_json(self) -> dict[str, float]:
        """As plain values."""
        return asdict(self)


class Medleys:
    """Random networks on the machines that are measured; each time they are timed, the least so far counts."""

    def __init__(self, build: Callable[[Program], Machine], count: int = MEDLEYS) -> None:
        self.programs = [medley(seed) for seed in range(count)]
        self._machines = [build(program) for program in self.programs]
        self._together = np.full(count, np.inf)
        for program, machine in zip(self.programs, self._machines, strict=True):
            machine.load({decl.name: some_of(decl.type) for decl in program.kept()})

    def measure(self) -> None:
        """Times a step of each."""
        now = [least_call(machine, LEARN, 2) for machine in self._machines]
        self._together = np.minimum(self._together, now)

    def learnt(self, rates: Rates) -> Surcharge:
        """What their steps cost beyond their instructions alone."""
        routines = [program.routine(LEARN) for program in self.programs]
        pairs = list(zip(self.programs, routines, strict=True))
        footprints = [Footprint.of(*pair) for pair in pairs]
        alone = np.array([sum(map(rates.of, (Charge(CALL), *charges(*pair)))) for pair in pairs])
        fits = [_fit(footprints, alone, self._together, near, far) for near, far in product(NEAR, FAR)]
        return min(fits, key=lambda one: one[0])[1]


def _fit(
    footprints: list[Footprint], alone: Floats, together: Floats, near: float, far: float
) -> tuple[float, Surcharge]:
    """The mean relative error, and the prices: least absolute errors, by least squares reweighted."""
    parts = np.array([one.parts(near, far) for one in footprints]) * UNITS / together[:, None]
    wanted = (together - alone) / together
    weights = np.ones(len(wanted))
    for _ in range(REWEIGHTED):
        prices, _ = nnls(parts * weights[:, None], wanted * weights)
        errors = np.abs(parts @ prices - wanted)
        weights = 1 / np.sqrt(np.maximum(errors, SMALLEST))
    each, among, byte = (prices * UNITS).tolist()
    return float(errors.mean()), Surcharge(each, among, byte, near, far, float(np.median(errors)))
