"""What is wrong with a run, since when, how sure that is, and what is usually done about it.

Two tiers. What is recorded of each step anyhow is watched as it comes (`Watcher`), in microseconds a step, so that a
run that goes on can be looked at between its steps. The rest goes by replay of some steps (`deep`): gradients, updates
and activations by layer, what another learning rate would have done, the examples themselves. Of the record of a loop
that is not ours, values and what was told; what that cannot tell is said in `Diagnosis.silent`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ontogeny.ask.evidence import Evidence
from ontogeny.ask.finding import Diagnosis, Finding
from ontogeny.ask.findings import KINDS
from ontogeny.ask.kind import NONE, Kind, Watch
from ontogeny.ask.nearest import nearest
from ontogeny.ask.progress import Progress
from ontogeny.ask.sureness import SURE, sureness
from ontogeny.data.base import Array
from ontogeny.isa.errors import OntogenyError, RecordError
from ontogeny.record.attach import Attached
from ontogeny.record.recorded import Recorded
from ontogeny.record.trace.traces import ALL, Window


def diagnose(
    run: Recorded | Attached,
    window: Window | None = None,
    kinds: Iterable[str] | None = None,
    deep: bool = True,
    *,
    data: Mapping[str, Array] | None = None,
    valid: Mapping[str, Array] | None = None,
    least: float = SURE,
) -> Diagnosis:
    """What is found of a run's states in a window, the surest first; only `kinds` where they are named.

    Without `deep` nothing is replayed and no example is read. `data` and `valid` are the examples by input name, for a
    recorded loop, which does not have them. Findings less sure than `least` are left out. Raises RecordError for a
    kind that there is not.
    """
    chosen = chosen_kinds(kinds)
    evidence = Evidence(run, window or ALL, data, valid)
    watcher = Watcher([kind.name for kind in chosen], least=least)
    for step, metrics in evidence.told():
        watcher.step(step, metrics)
    found, silent = [*watcher.findings], dict[str, str]()
    sampled: tuple[int, ...] = ()
    for kind in chosen:
        if kind.look is None:
            continue
        if not deep:
            if kind.watch is None:
                silent[kind.name] = "it is looked for by replay only"
            continue
        try:
            found += [finding for finding in kind.look(evidence) if finding.sureness >= least]
            sampled = evidence.looked_at
        except OntogenyError as why:
            if kind.watch is None:
                silent[kind.name] = str(why)
    found = joined(found)
    found.sort(key=lambda finding: (finding.until is not None, -finding.sureness, finding.since))
    looked = tuple(kind.name for kind in chosen if kind.name not in silent)
    return Diagnosis(run.step, tuple(found), silent, sampled, looked)


def joined(findings: Iterable[Finding]) -> list[Finding]:
    """One finding of each name: the surest, with the evidence and figures of the others."""
    found: dict[str, Finding] = {}
    for one in sorted(findings, key=lambda one: -one.sureness):
        if one.name in found:
            first = found[one.name]
            evidence, figures = (*first.evidence, *one.evidence), {**one.figures, **first.figures}
            examples = first.examples or one.examples
            found[one.name] = replace(first, evidence=evidence, figures=figures, examples=examples)
        else:
            found[one.name] = one
    return list(found.values())


def chosen_kinds(names: Iterable[str] | None) -> tuple[Kind, ...]:
    """The kinds of some names, all where None is given. Raises RecordError with the nearest name there is."""
    if names is None:
        return tuple(KINDS.values())
    names = tuple(names)
    for name in names:
        if name not in KINDS:
            raise RecordError(f"there is no finding called {name!r}; did you mean {nearest(name, KINDS)!r}?")
    return tuple(KINDS[name] for name in names)


class Watcher:
    """Looks on while a run goes on: `run.advance(1000, on_step=watcher.step)`.

    Each step takes microseconds. A finding is given once, at the step at which it is first sure enough; `findings` are
    all so far as they are now, those that are over among them.
    """

    def __init__(self, kinds: Iterable[str] | None = None, *, least: float = SURE) -> None:
        self.told = Progress()
        self.least = least
        self._watches = [_Watched(kind.name, kind.watch()) for kind in chosen_kinds(kinds) if kind.watch is not None]

    def step(self, step: int, metrics: Mapping[str, float]) -> tuple[Finding, ...]:
        """One more step has been taken; what is newly found."""
        self.told.add(step, metrics)
        return tuple(one.now for one in self._watches if one.step(self.told, self.least) and one.now is not None)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All so far, brought up to date."""
        return tuple(finding for one in self._watches if (finding := one.present(self.told)) is not None)


def watcher_of(run: Recorded | Attached, kinds: Iterable[str] | None = None) -> Watcher:
    """Who looks on while a run goes on, knowing what was told of it so far."""
    watcher = Watcher(kinds)
    for step, metrics in Evidence(run).told():
        watcher.step(step, metrics)
    return watcher


class _Watched:
    """One kind under way, and what was found of it."""

    def __init__(self, name: str, watch: Watch) -> None:
        self.name, self.watch = name, watch
        self.now: Finding | None = None
        self._open = False
        self._peak = NONE

    def step(self, told: Progress, least: float) -> bool:
        """Whether it is found with this step, and was not before."""
        score = self.watch.step(told)
        sure = sureness(self.name, score) if score > NONE else 0.0
        holds = sure >= least or (self._open and sure >= least / 2)
        if holds:
            self._peak = max(self._peak, score)
        if holds and not self._open:
            again = self.now is None or self.now.until is not None
            self.now, self._open = self.watch.finding(told), True
            return again
        if self._open and not holds and self.now is not None:
            self.now, self._open = replace(self._at_its_peak(told), until=told.step), False
        return False

    def present(self, told: Progress) -> Finding | None:
        """As it is now: while it holds with the evidence up to here, found when it was found."""
        return self._at_its_peak(told) if self._open else self.now

    def _at_its_peak(self, told: Progress) -> Finding:
        """With the evidence up to here, as sure as it was when it was surest."""
        assert self.now is not None
        now, sure = self.now, max(self.now.sureness, sureness(self.name, self._peak))
        fresh = self.watch.finding(told)
        since = min(now.since, fresh.since)
        return replace(fresh, found=now.found, since=since, sureness=sure, score=max(now.score, self._peak))
