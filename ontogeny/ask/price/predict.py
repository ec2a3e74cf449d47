"""Seconds that a call of a routine takes on a machine that was calibrated: its instructions, and their company."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ontogeny.ask.price.calibration import Calibration
from ontogeny.ask.price.charges import Charge, charges
from ontogeny.ask.price.kinds import CALL
from ontogeny.ask.price.rates import Rates
from ontogeny.ask.price.surcharge import Footprint
from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Program, Routine

BESIDE = "beside one another"


@dataclass(frozen=True)
class Prediction:
    """Seconds of a call, by kind, the largest first; `unknown` is the share that no kind was measured for."""

    seconds: float
    by_kind: Mapping[str, float]
    unknown: float


@dataclass(frozen=True)
class Own:
    """What so many calls take of the machine that was calibrated; nothing of what it draws or costs is not known."""

    hours: float
    watts: float
    watt_hours: float
    dollars: float


def own_price(found: Prediction, calls: int, watts: float = 0.0, hourly: float = 0.0) -> Own:
    """Hours of so many calls on one thread, and energy and money where what the machine draws and costs is given.

    RecordError for what is no number of watts or dollars.
    """
    if not (0 <= watts < math.inf and 0 <= hourly < math.inf):
        raise RecordError("what this machine draws and costs must be 0 or more, and finite")
    hours = found.seconds * calls / 3600
    return Own(hours, watts, hours * watts, hours * hourly)


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
