"""Seconds that a call of a routine takes on a machine that was calibrated: its instructions, and their company."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ontogeny.ask.price.calibration import Calibration
from ontogeny.ask.price.charges import Charge, charges
from ontogeny.ask.price.kinds import CALL
from ontogeny.ask.price.rates import Rates
from ontogeny.ask.price.surcharge import Footprint
from ontogeny.isa.program import Program, Routine

BESIDE = "beside one another"


@dataclass(frozen=True)
class Prediction:
    """Seconds of a call, by kind, the largest first; `unknown` is the share that no kind was measured for."""

    seconds: float
    by_kind: Mapping[str, float]
    unknown: float


def predict(program: Program, routine: Routine, calibration: Calibration) -> Prediction:
    """What one call takes on the machine that was calibrated, on one thread in exact mode. The program must verify."""
    rates = Rates(calibration.measured)
    by_kind = {BESIDE: calibration.surcharge.seconds(Footprint.of(program, routine))}
    unknown = 0.0
    for charge in (Charge(CALL), *charges(program, routine)):
        seconds = rates.of(charge)
        by_kind[charge.kind] = by_kind.get(charge.kind, 0.0) + seconds
        unknown += 0.0 if charge.known else seconds
    total = sum(by_kind.values())
    return Prediction(total, dict(sorted(by_kind.items(), key=lambda one: -one[1])), unknown / total)
