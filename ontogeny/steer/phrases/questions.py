"""A question at its best reading: by its words and by what it names, whatever stands between.

An answer changes nothing, so unlike a change a question may be read by parts. What could be a change is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.command import Command
from ontogeny.steer.phrases.context import Context
from ontogeny.steer.phrases.grammar import grammar
from ontogeny.steer.phrases.matcher import Matcher
from ontogeny.steer.phrases.normal import forms
from ontogeny.steer.phrases.said.asked import (
    ADVICE,
    ASKING,
    ASKS,
    BY,
    CHANGING,
    DOING,
    DOUBLED,
    FIRST,
    HALVED,
    NONE,
    OPPOSITE,
    PARTIAL,
    PLACES,
    REFUSED,
    TOPICS,
    WEAK,
    Ask,
)
from ontogeny.steer.phrases.tokens import Word
from ontogeny.steer.registry import command


def question(said: Sequence[Word], context: Context) -> Command | None:
    """The question that words ask, at their best reading; None where they are none, or could be a change."""
    heard = frozenset(kind for word in said for kind in word.kinds)
    begins = frozenset(kind for word in said[:FIRST] for kind in word.kinds)
    first = said[0].kind if said else ""
    if (
        first in REFUSED
        or (first in ("how", "what") and heard & ADVICE)
        or first == "if"
        or "never" in heard
        or (first == "do" and "not" in begins)
        or (heard & {"don't"} and first == "don't")
    ):
        return None
    if first in ("give", "put", "call") and "name" in heard:
        return None
    known = next((one for one in ASKS if one.name in TOPICS and one.words & heard), None)
    asks = (
        bool(begins & ASKING - WEAK)
        or first in WEAK
        or (known is not None and not heard & DOING)
        or (bool(said) and said[-1].text == "?")
        or first in ("would", "had")
    )
    if not asks or (heard & CHANGING and not heard & (ASKING - forms("do can could any see look give"))):
        return None
    named = {**dict(_named(said, context)), "kinds": heard}
    supposed = first in ("if", "suppose") or {"what", "if"} <= begins
    for one in ASKS:
        if supposed and one.name != "what-if":
            continue
        if all(need in named for need in one.needs) and (not one.words or heard & one.words):
            try:
                return command(one.name, {**_arguments(one, named, context), **_of_run(one, named, context)})
            except OntogenyError:
                continue
    return None


def _of_run(one: Ask, named: Mapping[str, Any], context: Context) -> dict[str, str]:
    """The run that is asked about, where another than this is named."""
    run = named.get("reference", "")
    return {"run": run} if one.name != "compare" and "RUN" in named["kinds"] and run != context.run else {}


def _named(said: Sequence[Word], context: Context) -> Iterator[tuple[str, Any]]:
    """What the words name, the longest of each kind."""
    known = grammar()
    matcher = Matcher(known, said)
    for table in PLACES:
        found = [
            (end - at, tree) for at in range(len(said)) for end, tree in matcher.table(table, at).items()
        ]  # fmt: skip
        for _, tree in sorted(found, key=lambda one: -one[0]):
            try:
                yield table, known.meaning(tree, context)
                break
            except OntogenyError:
                continue


def _arguments(one: Ask, named: Mapping[str, Any], context: Context) -> dict[str, Any]:
    window = {"steps": named["window"]} if "window" in named else {}
    if one.name == "what-if":
        return _supposed(one, named, context)
    if one.name == "alike":
        return {"element": named["element"], **window, **_how_alike(named)}
    if one.name == "explain":
        names = named["element"] if "element" in one.needs else named["tensors"]
        if not isinstance(names, str) and len(names) != 1:
            raise OntogenyError("one tensor at a time")
        return {"names": names if isinstance(names, str) else names[0], **window}
    if one.name == "curve":
        return {"of": named[one.needs[0]], **window}
    if one.name == "compare" and not one.needs and "NAME" in named.get("kinds", ()):
        raise OntogenyError("another run is named, and is not known")
    if one.name == "compare":
        return {"to": named["reference"]} if "reference" in one.needs else {}
    if one.name == "groups":
        found = _how_alike(named)
        found.pop("either_sign", None)
        return {**window, **found}
    if one.name == "moments":
        return {**window, **({"over": "values"} if "value" in named["kinds"] else {})}
    if one.name == "diagnose" and named["kinds"] & forms("quick shallow brief superficial fast"):
        return {"deep": False}
    if one.name == "history" and float(named.get("number", 0)) >= 1:
        return {"last": int(named["number"])}
    return {}


def _how_alike(named: Mapping[str, Any]) -> dict[str, Any]:
    """By which correlation, of what, and whether opposite movement counts."""
    found: dict[str, Any] = {}
    if 0 < float(named.get("number", 0)) <= 1 and named["kinds"] & BY:
        found["at_least"] = named["number"]
    if "value" in named["kinds"]:
        found["over"] = "values"
    if named["kinds"] & OPPOSITE:
        found["either_sign"] = True
    return found


def _supposed(one: Ask, named: Mapping[str, Any], context: Context) -> dict[str, Any]:
    start = int(named["window"].rstrip(":")) if named.get("window", "").endswith(":") else 0
    later = {"start": start} if start else {}
    if "examples_said" in one.needs:
        return {"without": named["examples_said"], **later}
    if "number" in one.needs and len(named.get("dial_values", {})) > 1:
        return {"dials": named["dial_values"], **later}
    value = named["number"] if "number" in one.needs else _without_number(named, context)
    if "factor" in named and named["kinds"] & PARTIAL:
        value = named["factor"] * context.dials[named["dial"]]
    if "number" in one.needs and value == start:
        raise OntogenyError("no value is named")
    return {"dials": {named["dial"]: value}, **later}


def _without_number(named: Mapping[str, Any], context: Context) -> float:
    """A dial's value by words alone: none of it, half of it, twice. OntogenyError where they do not say."""
    now = context.dials[named["dial"]]
    for words, factor in ((NONE, 0.0), (HALVED, 0.5), (DOUBLED, 2.0)):
        if named["kinds"] & words:
            return factor * now
    raise OntogenyError("no value is named")
