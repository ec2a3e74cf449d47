"""What the terminal, the page and a program are told of claims: figures with their intervals, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from statistics import fmean
from typing import Any

from ontogeny.claims.claim import Claim
from ontogeny.claims.result import Result, read
from ontogeny.claims.verdict import Interval, Judged, Verdict
from ontogeny.faces.terminal import duration, number
from ontogeny.isa.errors import ClaimError

BOOK = Path(str(files("ontogeny.claims").joinpath("results")))
"""The results that come with this version."""
VALUE = "value"
COLOURS = {Verdict.HOLDS: "green", Verdict.FAILS: "red", Verdict.UNDECIDED: "yellow"}
Pairs = Sequence[tuple[Claim, Result | None]]


def known(claim: Claim, folder: Path) -> Result | None:
    """What a folder of results has of a claim. Raises ClaimError for no folder, and a damaged or outdated result."""
    if not folder.is_dir():
        raise ClaimError(f"there is no folder {folder}; --measure --folder {folder} makes it")
    path = folder / f"{claim.name}.json"
    return read(claim, path) if path.exists() else None


def document(claim: Claim, found: Result | None) -> dict[str, Any]:
    """The answer to a program. A bound of an interval is Infinity where a single seed leaves it open."""
    said: dict[str, Any] = {"name": claim.name, "claim": claim.sentence, "how": claim.how, "limits": claim.limits,
                            "verdict": None, "command": command(claim)}  # fmt: skip
    if found is None:
        return said
    expectations = [
        {"words": one.expectation.words, "figure": one.expectation.figure, "relation": one.expectation.relation,
         "bound": one.expectation.bound, "mean": one.interval.mean, "low": one.interval.low, "high": one.interval.high,
         "verdict": one.verdict.value}
        for one in found.judged
    ]  # fmt: skip
    return {
        **said,
        "verdict": found.verdict.value,
        "form": "full" if found.full else "quick",
        "date": found.date,
        "place": dict(found.place),
        "cpu_seconds": found.seconds,
        "expectations": expectations,
        "seeds": [{"seed": one.seed, "figures": dict(one.measured.figures)} for one in found.seeds],
    }


def command(claim: Claim) -> str:
    """What measures a claim again in its full form."""
    return f"ontogeny claims {claim.name} --measure --full"


def figure_rows(found: Result) -> list[tuple[str, str, str, str]]:
    """For each expectation: what is expected, what was measured, its interval, the verdict on it."""
    return [
        (expected(one), number(one.interval.mean), between(one.interval), one.verdict.value) for one in found.judged
    ]


def expected(one: Judged) -> str:
    """An expectation in words and figures."""
    return f"{one.expectation.words} ({one.expectation.figure} {one.expectation.relation} {one.expectation.bound:g})"


def between(interval: Interval) -> str:
    """An interval, or that there is none."""
    if not math.isfinite(interval.low):
        return "one seed: none"
    return f"{number(interval.low)} to {number(interval.high)}"


def short(found: Result | None) -> list[str]:
    """The figures in a line each, one that two expectations are about in one."""
    if found is None:
        return []
    lines = (f"{one.expectation.figure} {number(one.interval.mean)} ({between(one.interval)})" for one in found.judged)
    return list(dict.fromkeys(lines))


def beside(found: Result) -> tuple[list[str], list[list[str]]]:
    """What was measured beside the expectations, in the mean over seeds, as a table: its heads, and its rows.

    A figure that is called after one of the picture's lines, such as `hebb_operations`, stands in that line's row.
    """
    judged = {one.expectation.figure for one in found.judged}
    arms = [line.name.replace(" ", "_") for line in found.seeds[0].measured.series]
    rows: dict[str, dict[str, str]] = {}
    for name in (name for name in found.seeds[0].measured.figures if name not in judged):
        mean = fmean(one.measured.figures.get(name, math.nan) for one in found.seeds)
        of = max((arm for arm in arms if name == arm or name.startswith(f"{arm}_")), key=len, default="")
        what = name.removeprefix(of).removeprefix("_") if of else VALUE
        rows.setdefault(of or name, {})[what or VALUE] = number(mean)
    heads = list(dict.fromkeys(what for row in rows.values() for what in row))
    return ["measured beside", *heads], [[name, *(row.get(what, "") for what in heads)] for name, row in rows.items()]


def markdown(pairs: Pairs) -> str:
    """The page of documentation: a table of all, and a section for each."""
    lines = [
        "# The book of verdicts",
        "",
        "Claims about learning, each an experiment that anybody can run again. A verdict is computed from figures over",
        "seeds: a claim holds where the 95% interval of each figure lies wholly on the side that it says, fails where",
        "one lies wholly on the other, and is undecided else. `make claims` measures those without a result and writes",
        "this page; `ontogeny claims -o claims.html` draws a picture of each.",
        "",
        "| claim | verdict | figures |",
        "| --- | --- | --- |",
        *(
            f"| [{claim.sentence}](#{claim.name}) | **{_word(found)}** | {'; '.join(short(found))} |"
            for claim, found in pairs
        ),
    ]
    for claim, found in pairs:
        lines += ["", f"## {claim.name}", "", f"*{claim.sentence}* {_word(found).capitalize()}.", "", claim.how]
        if found:
            lines += ["", "| expected | measured | interval | verdict |", "| --- | --- | --- | --- |"]
            lines += [f"| {' | '.join(row)} |" for row in figure_rows(found)]
            seeds = ", ".join(str(one.seed) for one in found.seeds)
            form = "Full" if found.full else "Quick"
            lines += _beside(found)
            lines += [
                "",
                f"{form} form, seeds {seeds}, {duration(found.seconds)} of CPU, {found.date}: `{command(claim)}`.",
            ]
        lines += ["", claim.limits] if claim.limits else []
    return "\n".join(lines) + "\n"


def _beside(found: Result) -> list[str]:
    heads, rows = beside(found)
    return ["", *(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows))] if rows else []


def _word(found: Result | None) -> str:
    return found.verdict.value if found else "not measured"
