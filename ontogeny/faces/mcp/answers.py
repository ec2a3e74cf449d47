"""What comes of a command as JSON for a model: bounded, and with nothing in its strings but text.

Names, notes and examples may have been written by anybody. They leave as JSON strings, without characters that control
a terminal, hide or reorder text, and clipped, so that they stay what they are: data.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Mapping
from typing import Any

from ontogeny.faces.terminal import takes
from ontogeny.steer.command import Outcome, Preview

TEXT, LIST, NESTED = 4000, 100, 8
"""Characters of a string, entries of a list or an object, and levels of nesting that are passed on."""
WHOLE = 40_000
"""Characters of an answer."""
POINTS, CURVES = 40, 4
"""Of the curves that come with an answer."""
LINE, QUESTION = 300, 1000
"""Characters of a name, and of a question to a person."""
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "figures": {"type": "object"}},
    "required": ["text"],
}
"""What every tool answers; run and step say where the session stands then, curves are thinned, and a `token` confirms
the change that was only previewed, a `job` names work that goes on."""


def of_outcome(outcome: Outcome) -> dict[str, Any]:
    """What came of a command: the sentence, where the session stands, the figures, and curves that were thinned."""
    curves = [
        {"name": one.name, "steps": _thinned(one.steps), "values": _thinned(one.values)}
        for one in outcome.series[:CURVES]
    ]
    said = {"text": outcome.text, "run": outcome.run, "step": outcome.step, "past": outcome.past}
    return _object({**said, "figures": outcome.figures, **({"curves": curves} if curves else {})})


def of_preview(foretold: Preview) -> dict[str, Any]:
    """What a command would do, and what it takes."""
    figures = {"effect": foretold.effect.value, "steps": foretold.steps, "seconds": foretold.seconds}
    text = f"would {in_words(foretold)}"
    return _object({"text": text, "done": False, "figures": {**figures, **_remarks(foretold)}})


def in_words(foretold: Preview) -> str:
    """What a command would do, and how long it takes."""
    how_long = takes(foretold.steps, foretold.seconds)
    return f"{foretold.text}{f' ({how_long})' if how_long else ''}"


def question(foretold: Preview) -> str:
    """All that a person is to know of a change before they agree to it, on one line."""
    return line("; ".join([in_words(foretold), *foretold.remarks]), QUESTION)


def line(text: str, most: int = LINE) -> str:
    """A text on one line, for a person to read, or as a name."""
    return _text(" ".join(text.split()), most)


def bounded(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document, without curves, then figures, that are more than a model should be given at once."""
    kept = dict(document)
    for name in ("curves", "figures"):
        if name in kept and (count := len(as_text(kept))) > WHOLE:
            del kept[name]
            kept["left_out"] = f"{name}: of {count} characters in all; ask for fewer steps, fewer lines or one run"
    return kept


def as_text(document: Mapping[str, Any]) -> str:
    """The document as clients read it that know no structured answers."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False)


def cleaned(value: Any, depth: int = 0) -> Any:
    """A value in what JSON knows, bounded; numbers that are not finite are told by their names."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool | int) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth >= NESTED:
        return "..."
    if isinstance(value, Mapping):
        kept = list(value.items())[:LIST]
        found = {_text(str(name), LINE): cleaned(one, depth + 1) for name, one in kept}
        return {**found, "...": f"{len(value) - LIST} more"} if len(value) > LIST else found
    if isinstance(value, list | tuple):
        more = [f"... {len(value) - LIST} more"] if len(value) > LIST else []
        return [*(cleaned(one, depth + 1) for one in value[:LIST]), *more]
    return _text(str(value))


def _object(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: cleaned(value) for name, value in document.items()}


def _remarks(foretold: Preview) -> dict[str, Any]:
    return {"remarks": list(foretold.remarks)} if foretold.remarks else {}


def visible(text: str) -> str:
    """A text without characters that control, hide or reorder; line ends stay."""
    return "".join(one for one in text if one == "\n" or unicodedata.category(one)[0] != "C")


def _text(text: str, most: int = TEXT) -> str:
    shown = visible(text)
    return shown if len(shown) <= most else f"{shown[:most]}... ({len(shown) - most} characters more)"


def _thinned(values: list[float]) -> list[float]:
    every = -(-len(values) // POINTS)
    return [float(f"{one:.6g}") for one in values[:: max(1, every)]]
