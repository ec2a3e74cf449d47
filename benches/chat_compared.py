"""Whether what was read is what was meant: commands in one form, so that the same thing said otherwise is the same.

The format, and what counts as the same, stands in tests/phrases/README.md.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ontogeny.front.edits.table import EDITS
from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.command import Command
from ontogeny.steer.commands.dials import SAID
from ontogeny.steer.phrases.context import Context
from ontogeny.steer.places import event_called
from ontogeny.steer.registry import command

WEIGHTS = "position embed.weight query.weight key_value.weight out.weight up.weight down.weight unembed.weight"
TENSORS = (*WEIGHTS.split(), "up.bias", "down.bias")
CONTEXT = Context(
    run="modular",
    step=500,
    last=500,
    tensors=TENSORS,
    matrices=tuple(WEIGHTS.split()),
    dials={"lr": 0.015, "weight_decay": 1.0, "beta1": 0.9, "beta2": 0.98, "eps": 1e-8},
    metrics=("loss", "accuracy", "valid.loss", "valid.accuracy"),
    inputs=("x", "y"),
    marks={"early": 100},
    runs=("modular", "no-decay"),
    discarded=("old",),
    previous="no-decay",
    forks=lambda: ("no-decay",),
)
"""What tests/phrases/README.md says that the words are said to."""
RULES = ("adamw", "sgd", "nesterov", "lion", "muon")
CLAUSE = re.compile(r"(.+?)\s*(>=|<=|>|<|==)\s*([-+\d.e]+)(%?)")
PLACE = re.compile(
    r"(?:(\d+) steps? (before|after) )?(?:(before|when|where|after|at) )?"
    r"(?:it|the loss|the run)?\s*(?:was |had |has )?(\w+)"
)
CLOSE = 1e-9


def lines(file: Path) -> list[dict[str, Any]]:
    """The phrases of a file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def right(expected: Any, found: Sequence[Command]) -> bool:
    """Whether commands are what was expected; none of them is asking back."""
    if isinstance(expected, Mapping):
        return any(right(one, found) for one in expected["any"])
    if expected == "ask":
        return not found
    if len(expected) != len(found):
        return False
    moved = False
    for wanted, one in zip(expected, found, strict=True):
        if wanted["command"] != one.NAME or not any(
            _same(each, one, moved) for each in each_way(wanted.get("arguments", {}))
        ):
            return False
        moved = moved or one.NAME in (
            "fork",
            "switch",
            "rule",
            "freeze",
            "unfreeze",
            "discard",
            "take-back",
            "again",
            "forget",
        )
    return True


def each_way(value: Any) -> Iterator[Any]:
    """Every way to choose among alternatives."""
    if isinstance(value, Mapping) and set(value) == {"any"}:
        for one in value["any"]:
            yield from each_way(one)
    elif isinstance(value, Mapping):
        for chosen in itertools.product(*(list(each_way(one)) for one in value.values())):
            yield dict(zip(value, chosen, strict=True))
    else:
        yield value


def _same(arguments: Mapping[str, Any], found: Command, moved: bool) -> bool:
    try:
        wanted = command(found.NAME, arguments)
    except OntogenyError:
        return False
    return equal(form(wanted, moved), form(found, moved))


def equal(one: Any, other: Any) -> bool:
    """Equal, numbers within 1e-9 of each other."""
    if isinstance(one, float | int) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=CLOSE, abs_tol=1e-15)
    if isinstance(one, Numbers) or isinstance(other, Numbers):
        return bool(one == other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return set(one) == set(other) and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


class Numbers:
    """Examples by number. Whether a range's end is one of them may be said either way."""

    def __init__(self, text: str) -> None:
        self.numbers: set[int] = set()
        self.ends: set[int] = set()
        for part in text.split(","):
            first, _, stop = part.strip().partition(":")
            end = int(stop) if stop else int(first) + 1
            self.numbers |= set(range(int(first), end))
            self.ends |= {end, end - 1} if stop else set()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Numbers) and self.numbers ^ other.numbers <= self.ends | other.ends

    __hash__ = None  # type: ignore[assignment]


def form(one: Command, moved: bool) -> dict[str, Any]:
    """A command's arguments in one form."""
    given = one.model_dump(mode="json")
    if not moved and given.get("run") == CONTEXT.run:
        given["run"] = ""
    if one.NAME == "set":
        return _set(given)
    if one.NAME == "rule":
        return {"run": given["run"], **_rule(given["edit"], given["arguments"])}
    return {name: _argument(one.NAME, name, value) for name, value in given.items()}


def _argument(command_name: str, name: str, value: Any) -> Any:
    if name in ("tensors", "names"):
        return _tensors(value)
    if (name, command_name) in (("to", "back"), ("at", "fork")):
        return _place(value)
    if name == "until":
        return sorted(map(_clause, re.split(r"\s+(?:and|or)\s+", value))) if value else ""
    if name in ("examples", "without"):
        return _examples(value)
    if name == "steps" and isinstance(value, str):
        return _open(value.replace(" ", ""))
    if name == "dials":
        return {_dial(each): float(number) for each, number in value.items()}
    if name == "never":
        return sorted(_dial(each) for each in value.split(",")) if value else []
    if name == "name":
        return value.lower()
    if name == "of":
        return value.replace(" ", "")
    return value


def _open(window: str) -> str:
    """A window that ends at the last step, with its end left open; one that begins at 0, with its beginning."""
    first, _, stop = window.partition(":")
    return f"{first if first != '0' else ''}:{'' if stop in (str(CONTEXT.last), str(CONTEXT.last + 1)) else stop}"


def _set(given: dict[str, Any]) -> dict[str, Any]:
    dial = _dial(given["dial"])
    value = given["to"] if given["by"] is None else given["by"] * CONTEXT.dials.get(dial, 1.0)
    shape = given["shape"] if given["over"] else ""
    return {"run": given["run"], "dial": dial, "to": value, "over": given["over"], "shape": shape}


def _dial(said: str) -> str:
    word = said.strip().lower()
    if word in CONTEXT.dials:
        return word
    meant = [name for name, words in SAID.items() if word in (name, name.replace("_", " "), *words)]
    return next((name for name in meant if name in CONTEXT.dials), word)


def _rule(edit: str, arguments: dict[str, Any]) -> dict[str, Any]:
    given = dict(arguments)
    if edit == "rule":
        edit = given.pop("to", "")
        given |= given.pop("options", {})
    given.pop("since", None)
    if edit in RULES:
        return {"edit": edit, "arguments": {name: float(value) for name, value in given.items()}}
    if edit in EDITS:
        fill = {p.name: p.default for p in EDITS[edit].parameters if p.default is not ... and p.name != "since"}
        given = {**fill, **given}
    if edit == "schedule":
        given["steps"] -= given.pop("start", 0) if given["shape"] == "cosine" else 0
        given.pop("start", None)
    if edit == "no_decay" and given.pop("only_matrices", False):
        given["tensors"] = [name for name in TENSORS if name not in CONTEXT.matrices]
    if "tensors" in given:
        given["tensors"] = _tensors(given["tensors"])
    return {"edit": edit, "arguments": given}


def _tensors(value: Any) -> Any:
    said = [value] if isinstance(value, str) else list(value)
    if any("[" in one for one in said):
        return sorted(one.replace(" ", "") for one in said)
    return sorted(name for name in TENSORS if any(fnmatchcase(name, one) or name == one for one in said))


def _place(value: str) -> Any:
    text = value.strip().lower()
    if not text:
        return ""
    if match := re.fullmatch(r"(?:step\s+)?(\d+)", text):
        return int(match[1])
    if match := re.fullmatch(r"-\s*(\d+)|(\d+) steps? (?:back|ago|earlier)", text):
        return CONTEXT.step - int(match[1] or match[2])
    if text in ("last", "head", "now", "end", "present", "latest", "the end"):
        return CONTEXT.last
    if text in ("start", "beginning"):
        return 0
    if text in CONTEXT.marks:
        return CONTEXT.marks[text]
    match = PLACE.fullmatch(text)
    if match and (event := event_called(match[4])):
        relation = "before" if match[3] == "before" else "at"
        return [match[1] or "", match[2] or "", "at" if event == "best" else relation, event]
    return text


def _clause(text: str) -> tuple[str, ...]:
    match = CLAUSE.fullmatch(text.strip())
    if not match:
        words = text.removeprefix("it ").removeprefix("has ").strip()
        return ("", event_called(words) or words, "")
    bound = float(match[3]) / (100 if match[4] else 1)
    return (match[1].replace(" ", ""), match[2][0], f"{bound:.9g}")


def _examples(value: str) -> Any:
    if match := re.fullmatch(r"\s*(\w+)\s*(?:==?|is)\s*(-?[\d.]+)\s*", value):
        return [match[1], float(match[2])]
    return Numbers(value) if re.fullmatch(r"[\d,:\s]+", value) else value
