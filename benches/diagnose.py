"""diagnose on real runs with planted faults and on healthy ones, and beside it two fixed thresholds on the same runs.

Sixteen faults (`diagnose_faults.py`) planted in trainings (`diagnose_runs.py`) of small worlds that vary by seed
(`diagnose_worlds.py`). Bounds and sureness were set on the tuning seeds alone; the figures are of the test seeds. A
fault counts as found where it is named; what else is named and is not a known consequence of it counts against
precision (`f1_strict` lets no consequence pass). It was found in time where the step that tells lies within 5% of the
run around its onset: for kinds that are watched the step at which the alarm came, for those that are looked for by
replay the state from which on they hold.

--full has all 30 seeds of each fault and 60 healthy runs; --calibrate fits the curves of `ask/sureness.py`.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from common import Figures, close, one_thread
from diagnose_faults import FAULTS, SYMPTOMS, Case, case_of

from ontogeny.ask.diagnose import diagnose
from ontogeny.ask.findings import KINDS
from ontogeny.ask.sureness import SURE, sureness
from ontogeny.record.attach import Attached

HEALTHY = "healthy"
TUNING, TEST = range(15), range(15, 30)
"""Seeds of each fault. Of healthy runs twice as many."""
QUICK = 3
IN_TIME = 0.05
FAR, EXACTLY = 4.0, 99.0
"""Scores are taken to be no further than this from 0 when slopes are fitted; what is counted is beyond all scores."""
GAP, RISE, WINDOW = 0.05, 1.3, 10
"""The fixed thresholds: training above held-out accuracy; loss over its least, both smoothed over so many steps."""


@dataclass(frozen=True)
class Row:
    """What came of one run. `found` are the candidates: name, score, since, found, whether a fault and still there."""

    fault: str
    seed: int
    about: str
    onset: int
    timed: bool
    steps: int
    turns: int
    also: tuple[str, ...]
    found: tuple[tuple[str, float, int, int], ...]
    alarms: tuple[tuple[str, int], ...]
    fixed: tuple[tuple[str, int], ...]
    seconds: float
    silent: tuple[str, ...]

    @property
    def named(self) -> dict[str, tuple[float, int, int]]:
        """The faults that are named, with sureness, since and found."""
        sure = {name: (sureness(name, score), since, at) for name, score, since, at in self.found}
        return {name: found for name, found in sure.items() if found[0] >= SURE and KINDS[name].fault}

    @property
    def allowed(self) -> set[str]:
        """What may be named: the fault, and what is then really there."""
        return {self.fault, *self.also, *(SYMPTOMS if self.fault != HEALTHY else ())}

    def tells(self, name: str) -> bool:
        """Whether naming it is right or wrong; naming a consequence is neither."""
        return name == self.fault or name not in self.allowed

    @property
    def in_time(self) -> bool:
        """Whether the fault was found within 5% of the run around its onset."""
        if self.fault not in self.named:
            return False
        since, at = self.named[self.fault][1:]
        watched = KINDS[self.fault].watch is not None
        return abs((at if watched else since) - self.onset) <= IN_TIME * self.steps


def row(fault: str, seed: int) -> Row:
    """One run, planted, trained and diagnosed."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        case, turns = case_of(fault, seed, Path(folder))
        started = time.process_time()
        told = diagnose(case.run, least=0.0)
        seconds = time.process_time() - started
        live = {f.name: f for f in case.watcher.findings}
        found = tuple(
            (f.name, _bounded(f.score), f.since, f.found) for g in told.findings for f in [live.get(g.name, g)]
        )
        alarms = tuple((f.name, f.found) for f in live.values())
        planned = 240
        about = (case.about, case.onset or 0, case.timed, planned, turns, tuple(case.also))
        return Row(fault, seed, *about, found, alarms, fixed(case), round(seconds, 3), tuple(told.silent))


def _bounded(score: float) -> float:
    return score if math.isfinite(score) else math.copysign(EXACTLY, score)


def fixed(case: Case) -> tuple[tuple[str, int], ...]:
    """What the fixed thresholds say of a run: which, and at which step first."""
    loss = np.where(np.isfinite(case.loss), case.loss, 1e30)
    smooth = np.convolve(loss, np.full(WINDOW, 1 / WINDOW), "valid")
    said = []
    risen = np.flatnonzero(smooth > RISE * np.minimum.accumulate(smooth))
    if len(risen):
        said.append(("diverging", int(risen[0]) + WINDOW))
    if not isinstance(case.run, Attached):
        accuracy, last = case.run.metrics()["accuracy"], WINDOW
        for told in case.run.evaluations():
            step = int(told["step"])
            if step >= last and float(np.mean(accuracy[step - last : step])) - told["accuracy"] > GAP:
                said.append(("memorising", step))
                break
    return tuple(said)


def rows(seeds: Iterable[int], kinds: Sequence[str], save: str) -> list[Row]:
    """The runs of some seeds; twice as many healthy ones. Each is written where there is a file to save to."""
    found = []
    for seed in seeds:
        for fault in kinds:
            for own in (2 * seed, 2 * seed + 1) if fault == HEALTHY else (seed,):
                found.append(row(fault, own))
                if save:
                    with Path(save).open("a", encoding="utf-8") as file:
                        file.write(json.dumps(asdict(found[-1])) + "\n")
    return found


def show(found: Sequence[Row]) -> None:
    """How often each fault was found, and what else was said of its runs."""
    for fault in dict.fromkeys(one.fault for one in found):
        own = [one for one in found if one.fault == fault]
        right = sum(fault in one.named for one in own)
        wrong = Counter(n for one in own for n in set(one.named) - one.allowed)
        said = f"found {right}/{len(own)}" if fault != HEALTHY else f"{len(own)} runs"
        others = ", ".join(f"{name} {count}" for name, count in wrong.items())
        print(f"  {fault}: {said}{f'; also said: {others}' if others else ''}", flush=True)


def f1(found: Sequence[Row], strict: bool = False) -> float:
    """The harmonic mean of precision and recall over all pairs of run and kind."""
    right = missing = wrong = 0
    for one in found:
        named = set(one.named)
        if one.fault != HEALTHY:
            right, missing = right + (one.fault in named), missing + (one.fault not in named)
        wrong += len(named - ({one.fault} if strict else one.allowed))
    return 2 * right / max(1, 2 * right + missing + wrong)


def fixed_f1(found: Sequence[Row]) -> float:
    """The same for the fixed thresholds, of the two faults that they are about and the healthy runs."""
    about = [one for one in found if one.fault in ("diverging", "memorising", HEALTHY)]
    right = sum(one.fault in dict(one.fixed) for one in about)
    missing = sum(one.fault != HEALTHY and one.fault not in dict(one.fixed) for one in about)
    wrong = sum(len(set(dict(one.fixed)) - {one.fault}) for one in about)
    return 2 * right / max(1, 2 * right + missing + wrong)


def own_f1(found: Sequence[Row]) -> float:
    """F1 of diagnose on the runs and the two kinds that the fixed thresholds are about."""
    about = [one for one in found if one.fault in ("diverging", "memorising", HEALTHY)]
    kinds = {"diverging", "memorising"}
    right = sum(one.fault in one.named for one in about)
    missing = sum(one.fault != HEALTHY and one.fault not in one.named for one in about)
    wrong = sum(len((set(one.named) & kinds) - {one.fault}) for one in about)
    return 2 * right / max(1, 2 * right + missing + wrong)


def off(found: Sequence[Row]) -> float:
    """How far sureness is off: the mean over tenths of |mean sureness - share of right ones|, by how many there are."""
    pairs = []
    for one in found:
        for name, score, _, _ in one.found:
            if KINDS[name].fault and one.tells(name):
                pairs.append((sureness(name, score), name == one.fault))
    total = 0.0
    for tenth in range(10):
        own = [pair for pair in pairs if tenth / 10 <= pair[0] < (tenth + 1) / 10 or (tenth == 9 and pair[0] == 1)]
        if own:
            total += abs(sum(sure for sure, _ in own) - sum(right for _, right in own))
    return total / max(1, len(pairs))


def share(holds: Iterable[bool]) -> float | None:
    """The share of what holds; None of nothing."""
    found = list(holds)
    return round(sum(found) / len(found), 4) if found else None


def figures(found: Sequence[Row]) -> Figures:
    """All figures of some runs."""
    faulty, sound = [one for one in found if one.fault != HEALTHY], [one for one in found if one.fault == HEALTHY]
    recalls = {f"recall_{kind}": share(kind in one.named for one in faulty if one.fault == kind) for kind in FAULTS}
    return {
        "f1": round(f1(found), 4),
        "f1_strict": round(f1(found, strict=True), 4),
        "false_alarms": share(bool(one.named) for one in sound),
        "found_in_time": share(one.in_time for one in faulty if one.timed),
        "sureness_off": round(off(found), 4),
        "f1_of_the_two": round(own_f1(found), 4),
        "fixed_f1_of_the_two": round(fixed_f1(found), 4),
        "fixed_false_alarms": share(bool(one.fixed) for one in sound),
        "runs": len(found),
        "healthy_runs": len(sound),
        "diagnose_seconds": round(float(np.median([one.seconds for one in found])), 3),
        **recalls,
    }


def calibrated(found: Sequence[Row]) -> dict[str, float]:
    """The slope of the logistic curve for each kind: the one of greatest likelihood (Platt 1999), half being at 0."""
    curves = {}
    for name, kind in KINDS.items():
        pairs = [
            (max(-FAR, min(FAR, score)), one.fault == name)
            for one in found
            for said, score, _, _ in one.found
            if said == name and kind.fault and abs(score) < EXACTLY and one.tells(name)
        ]
        if len({right for _, right in pairs}) == 2:
            curves[name] = slope(np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]))
    return curves


def slope(scores: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> float:
    """The slope among some from 0.25 to 8, targets drawn in from 0 and 1 as Platt does, since runs are few."""
    count, there = len(right), int(right.sum())
    target = np.where(right, (there + 1) / (there + 2), 1 / (count - there + 2))

    def likelihood(one: float) -> float:
        sure = np.clip(1 / (1 + np.exp(-one * scores)), 1e-12, 1 - 1e-12)
        return float(np.mean(target * np.log(sure) + (1 - target) * np.log(1 - sure)))

    return float(max(np.round(np.geomspace(0.25, 8, 61), 2), key=likelihood))


def main() -> None:
    """Everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="all seeds of every fault, and 60 healthy runs")
    parser.add_argument("--calibrate", action="store_true", help="fit the curves of sureness on the tuning seeds")
    parser.add_argument("--fault", action="append", help="only this one; several times for several")
    parser.add_argument("--save", default="", help="a file for what came of each run, a line of JSON each")
    options = parser.parse_args()
    one_thread()
    kinds = options.fault or [HEALTHY, *FAULTS]
    tuning = rows(TUNING, kinds, options.save) if options.full or options.calibrate else []
    test = [] if options.calibrate else rows(TEST if options.full else TEST[:QUICK], kinds, options.save)
    show(test or tuning)
    if options.calibrate:
        print(json.dumps(calibrated(tuning), indent=1))
        return
    found = figures(test)
    if tuning:
        found["f1_on_tuning_seeds"] = round(f1(tuning), 4)
    targets = {"f1": (">=", 0.9), "false_alarms": ("<=", 0.02), "found_in_time": (">=", 0.9)}
    close("diagnose", found, targets, {})


if __name__ == "__main__":
    main()
