"""This machine's own seconds by kind of instruction and size, and what a step costs beyond them: in about a minute.

All is measured on one thread by programs of our own (`kinds.py`, `medley.py`), in rounds of which the least counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ontogeny.ask.price.kinds import CALL, HOST, KINDS, READ, Point
from ontogeny.ask.price.rates import Rates, Seconds
from ontogeny.ask.price.surcharge import Medleys, Surcharge
from ontogeny.ask.price.timing import Bench, call_seconds, host_seconds, read_seconds

ROUNDS, BETWEEN = 2, 22
"""How often every kind is measured, and medleys once in so many kinds, since a machine is not always as busy."""
MEDLEYS = "medleys"


@dataclass(frozen=True)
class Calibration:
    """Seconds of every kind at the points of its grid, measured in `seconds` of CPU; `about` is the machine."""

    date: str
    about: str
    seconds: float
    measured: Seconds
    surcharge: Surcharge

    def as_json(self) -> dict[str, Any]:
        """All as plain values."""
        plain = {name: [[list(point), took] for point, took in found.items()] for name, found in self.measured.items()}
        about = {"date": self.date, "about": self.about, "seconds": self.seconds}
        return {**about, "surcharge": self.surcharge.as_json(), "measured": plain}

    @staticmethod
    def of_json(found: Mapping[str, Any]) -> Calibration:
        """What `as_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        measured = {
            name: {tuple(map(int, point)): float(took) for point, took in one}
            for name, one in found["measured"].items()
        }
        missing = [name for name in (*KINDS, CALL, READ, HOST) if name not in measured]
        if missing:
            raise ValueError(f"no {missing[0]} in it")
        surcharge = Surcharge(**{name: float(value) for name, value in found["surcharge"].items()})
        return Calibration(str(found["date"]), str(found["about"]), float(found["seconds"]), measured, surcharge)


def calibrated(date: str, about: str, told: Callable[[str], None] = lambda _: None) -> Calibration:
    """Measures this machine. `told` hears what is measured next."""
    began = time.process_time()
    bench = Bench({"threads": 1})
    measured: dict[str, dict[Point, float]] = {}
    medleys = Medleys(bench.build)
    for _ in range(ROUNDS):
        for number, (name, kind) in enumerate(KINDS.items()):
            if number % BETWEEN == 0:
                told(MEDLEYS)
                medleys.measure()
            told(name)
            for point in kind.points():
                _keep(measured, name, point, bench.seconds(kind, point))
        for name, one in ((CALL, call_seconds), (READ, read_seconds), (HOST, host_seconds)):
            _keep(measured, name, (), one(bench.build))
    surcharge = medleys.learnt(Rates(measured))
    return Calibration(date, about, time.process_time() - began, measured, surcharge)


def _keep(measured: dict[str, dict[Point, float]], name: str, point: Point, took: float) -> None:
    known = measured.setdefault(name, {})
    known[point] = min(took, known.get(point, took))
