"""What was measured for a claim: a JSON file of figures by seed. The verdict is not in it: it is computed on reading.

A file is written after every seed, so that what was measured is kept when the process ends. Figures of another form or
of an experiment that is given something else are not mixed: the file says what its seeds were given.
"""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ontogeny.claims.claim import Claim, Measured, Series
from ontogeny.claims.verdict import Judged, Verdict, judged, verdict
from ontogeny.isa.errors import ClaimError
from ontogeny.record.disk import replace_file


@dataclass(frozen=True, slots=True)
class Seed:
    """What one seed gave, and the CPU seconds that it took."""

    seed: int
    seconds: float
    measured: Measured


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured for a claim, in one form; `place` says on what machine and with what."""

    claim: Claim
    full: bool
    seeds: tuple[Seed, ...] = ()
    date: str = ""
    place: Mapping[str, Any] = field(default_factory=dict)

    @property
    def judged(self) -> tuple[Judged, ...]:
        """What each expectation comes to, with the seeds that there are."""
        return judged(self.claim, [one.measured for one in self.seeds])

    @property
    def verdict(self) -> Verdict:
        """The claim's; undecided while nothing was measured."""
        return verdict(self.judged) if self.seeds else Verdict.UNDECIDED

    @property
    def seconds(self) -> float:
        """CPU seconds of all seeds."""
        return sum(one.seconds for one in self.seeds)


def measure(
    claim: Claim,
    full: bool,
    seeds: tuple[int, ...] = (),
    begun: Result | None = None,
    after: Callable[[Result], None] = lambda _: None,
) -> Result:
    """The claim measured with seeds, else with those of its form, beside those that `begun` has, each once.

    `after` is told the result after every seed.
    """
    result = begun or Result(claim, full)
    for seed in missing(claim, full, seeds, begun):
        one = _one(claim, seed, claim.form(full).given)
        result = replace(result, seeds=(*result.seeds, one), date=time.strftime("%Y-%m-%d"), place=_place())
        after(result)
    return result


def missing(claim: Claim, full: bool, seeds: tuple[int, ...] = (), begun: Result | None = None) -> tuple[int, ...]:
    """Of seeds, else of those of the form, the ones that `begun` lacks, each once."""
    known = {one.seed for one in begun.seeds} if begun else set()
    return tuple(seed for seed in dict.fromkeys(seeds or claim.form(full).seeds) if seed not in known)


def write(result: Result, path: Path) -> None:
    """Puts the result into a file, whole or not at all."""
    given = dict(result.claim.form(result.full).given)
    document = {
        "claim": result.claim.name,
        "form": "full" if result.full else "quick",
        "given": given,
        "date": result.date,
        "place": dict(result.place),
        "seeds": [
            {"seed": one.seed, "seconds": round(one.seconds, 2), "figures": _plain(one.measured.figures),
             "series": [asdict(line) for line in one.measured.series]}
            for one in result.seeds
        ],
    }  # fmt: skip
    replace_file(path, (json.dumps(document, indent=1) + "\n").encode())


def read(claim: Claim, path: Path) -> Result:
    """The result in a file. Raises ClaimError for one that is damaged, another claim's, or of another experiment."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        full = {"full": True, "quick": False}[document["form"]]
        seeds = tuple(
            Seed(one["seed"], one["seconds"], Measured(
                {name: math.nan if value is None else float(value) for name, value in one["figures"].items()},
                tuple(Series(**line) for line in one["series"]),
            ))
            for one in document["seeds"]
        )  # fmt: skip
        found = Result(claim, full, seeds, document["date"], document["place"])
        if len({one.seed for one in seeds}) < len(seeds):
            raise ValueError("a seed that counts twice")
        other = document["claim"] != claim.name or document["given"] != _through_json(claim.form(full).given)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ClaimError(
            f"{path} holds no result of a claim ({error!r}); measure it again, with --measure --anew"
        ) from error
    if other:
        raise ClaimError(
            f"{path} is of another experiment than {claim.name} is now; measure it again, with --measure --anew"
        )
    return found


def _one(claim: Claim, seed: int, given: Mapping[str, Any]) -> Seed:
    began = time.process_time()
    measured = claim.measure(seed, **given)
    return Seed(seed, time.process_time() - began, measured)


def _plain(figures: Mapping[str, float]) -> dict[str, float | None]:
    return {name: float(value) if math.isfinite(value) else None for name, value in figures.items()}


def _through_json(given: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(dict(given)))


def _place() -> dict[str, Any]:
    return {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
