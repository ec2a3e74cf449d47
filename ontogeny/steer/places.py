"""Where in a run a phrase means: a step, a mark, or a step before or at which something happened."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from ontogeny.ask import events
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.attach.attached import Attached
from ontogeny.record.journal import Entry
from ontogeny.record.run import Run

MARK = "mark"
SHOWN = 80
"""Letters of a place that an error repeats."""
OFF = "off"
"""What a line says that ends what an earlier one said: a mark, a run that is kept."""
STEP = re.compile(r"(?:step\s+)?(\d{1,18})")
BEHIND = re.compile(r"last\s*-\s*(\d{1,18})")
BACK = re.compile(r"-\s*(\d{1,18})|(\d{1,18})\s+steps?\s+(?:back|ago|earlier)")
APART = re.compile(r"(\d{1,18})\s+steps?\s+(before|after)\s+(.{1,200})")
EVENT = re.compile(r"(before|when|where|after|at)\s+(?:it|the loss|the run|loss)?\s*(?:had |was |has |suddenly )*(\w+)")
WORDS = {"start": 0, "beginning": 0}
LAST = ("last", "head", "now", "end", "present", "latest", "the end")
SAID: dict[str, str] = {
    "generalised": "generalized generalise generalize grokked grok jumped understood generalisation generalization",
    "memorised": "memorized memorise memorize overfit overfitted memorisation memorization",
    "spiked": "spike exploded explode explosion blew",
    "diverged": "diverge nan divergence broke",
    "catapulted": "catapult",
    "best": "lowest optimum",
}
"""Other words for the events of `ask/events.py`."""


def marks(run: Run | Attached, without: Sequence[Entry] = ()) -> dict[str, int]:
    """The marks that a run and its ancestors carry, as if it were `without` some entries: name and step.

    Later ones stand in place of earlier ones.
    """
    found: dict[str, int] = {}
    for entry in run.entries:
        if entry.kind == MARK and entry not in without:
            found.pop(entry["name"], None)
            found |= {} if entry.content.get(OFF) else {entry["name"]: entry.at}
    return found


def step_of(run: Run | Attached, place: str, at: int | None = None) -> tuple[int, str]:
    """The step that a place means, and why in words; steps back count from `at`, or the last.

    Raises OntogenyError for a step that the run has not, and for words that mean no place, with what could be meant.
    """
    text = place.strip().lower().strip("'\"")
    here = run.step if at is None else at
    if match := STEP.fullmatch(text):
        return _within(run, int(match[1]), place), ""
    if match := BACK.fullmatch(text):
        return _within(run, here - int(match[1] or match[2]), place), f"{match[1] or match[2]} before step {here}"
    if match := BEHIND.fullmatch(text):
        return _within(run, run.step - int(match[1]), place), f"{match[1]} before the last step"
    if text in LAST:
        return run.step, "the last step"
    if text in WORDS:
        return WORDS[text], "the start"
    found = marks(run)
    if place.strip() in found:
        return found[place.strip()], f"the mark {place.strip()!r}"
    if match := APART.fullmatch(text):
        return _apart(run, int(match[1]), match[2], match[3], here, place)
    if match := EVENT.fullmatch(text):
        return _event(run, match[1], match[2])
    raise OntogenyError(_unknown(place, found))


def event_called(word: str) -> str | None:
    """The event that a word means, None where it means none."""
    if word in events.EVENTS:
        return word
    return next((name for name, others in SAID.items() if word in others.split()), None)


def _apart(run: Run | Attached, steps: int, side: str, of: str, here: int, said: str) -> tuple[int, str]:
    """So many steps before or after another place, or before or at what happened."""
    try:
        step, why = step_of(run, of, here)
    except OntogenyError:
        step, why = step_of(run, f"{'before' if side == 'before' else 'when'} {of}", here)
    found = step - steps if side == "before" else step + steps
    return _within(run, found, said), f"{steps} {side} step {step}{f', {why}' if why else ''}"


def _event(run: Run | Attached, relation: str, word: str) -> tuple[int, str]:
    name = event_called(word)
    if name is None:
        near = difflib.get_close_matches(word, [*events.EVENTS, *" ".join(SAID.values()).split()], 1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise OntogenyError(f"{word!r} is no event that is known; {meant}there are {', '.join(events.EVENTS)}")
    event = events.find(run, name)
    return (event.before if relation == "before" else event.step), event.evidence


def _within(run: Run | Attached, step: int, said: str) -> int:
    if not 0 <= step <= run.step:
        raise OntogenyError(f"{run.folder.name} has no step {said.strip()}; it has 0 to {run.step}")
    return step


def _unknown(place: str, found: dict[str, int]) -> str:
    names = [*found, *(f"before it {name}" for name in events.EVENTS)]
    near = difflib.get_close_matches(place[:SHOWN], names, 1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    there = f"; its marks are {', '.join(found)}" if found else ""
    return (
        f"{place[:SHOWN]!r} names no place in the run; {meant}write a step, -10, start, last, a mark, or "
        f"'before it generalised'{there}"
    )
