"""The commands as tools for a language model: a few, each with what belongs together, typed from the registry.

A tool is called with one flat object: `command` says which of its commands is meant, the rest are that command's own
arguments. What is written here is which commands stand together; names, meanings, types and limits are the commands'
own. A test fails where a command is in no tool.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.command import Command, Effect
from ontogeny.steer.registry import BY_NAME as COMMANDS
from ontogeny.steer.registry import command

WHICH = "command"
RUN = "run"
FINER = {
    "recall": ("at", "looked_at", "prefix", "length", "continued", "workers", "subsets", "share"),
    "capacity": ("beside", "at", "every"),
    "price": (
        "accelerators",
        "dollars",
        "utilisation",
        "availability",
        "epochs",
        "layers",
        "width",
        "context",
    ),
    "laws": ("form", "sizes", "budget", "unique", "per", "metric", "take", "count", "best_only", "drop_highest"),
}
"""Arguments that a person seldom gives: all tools together are to be told in 4,000 tokens."""
WITHHELD = {
    ("learn", "from_file"),
    ("autopilot", "ray"),
    *((command, name) for command, names in FINER.items() for name in names),
}
"""Arguments that name files of this machine, or other machines, and finer ones: a model is not told of them, nor can it
give them."""
STANDING = "by name; left out, the run where you stand"
KEPT = ("type", "enum", "items", "minItems", "minimum", "maximum", "exclusiveMinimum", "additionalProperties")
"""What of a field's schema a model is told, beside its description."""


@dataclass(frozen=True)
class Tool:
    """Some commands that a model calls by one name."""

    name: str
    meaning: str
    names: tuple[str, ...]

    @cached_property
    def commands(self) -> dict[str, type[Command]]:
        """Its commands by name."""
        return {name: COMMANDS[name] for name in self.names}

    @property
    def read_only(self) -> bool:
        """Whether it changes no run, whatever it is called with."""
        return all(kind.EFFECT is Effect.ASKS for kind in self.commands.values())

    @property
    def destructive(self) -> bool:
        """Whether it may take something out of sight. Nothing ever deletes a record."""
        return any(kind.EFFECT is Effect.REMOVES for kind in self.commands.values())

    @cached_property
    def description(self) -> str:
        """What it is for, and each of its commands with its arguments; those in brackets may be left out."""
        if len(self.names) == 1:
            return self.meaning
        return "\n".join([self.meaning, *(f"{signature(kind)}: {kind.MEANING}" for kind in self.commands.values())])

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of what it is called with."""
        which = {WHICH: {"type": "string", "enum": list(self.names)}} if len(self.names) > 1 else {}
        found: dict[str, Any] = {}
        for kind in self.commands.values():
            for name, schema in _properties(kind).items():
                found.setdefault(name, schema)
        needed = list(which) or [name for name, one in _fields(self.commands[self.names[0]]).items() if one]
        return {
            "type": "object",
            "properties": {**which, **found},
            **({"required": needed} if needed else {}),
            "additionalProperties": False,
        }

    def command(self, arguments: Mapping[str, Any]) -> Command:
        """The command that a call means. Raises OntogenyError with what was expected, and what is near."""
        given = {name: value for name, value in arguments.items() if value is not None}
        name = given.pop(WHICH, "") if len(self.names) > 1 else self.names[0]
        if name not in self.names:
            raise OntogenyError(f"{self.name} has no command {name!r}; {_meant(str(name), self.names)}")
        there = list(_fields(self.commands[name]))
        for one in given:
            if one not in there:
                raise OntogenyError(f"{name} takes no argument {one!r}; {_meant(one, there)}")
        return command(name, given)


TOOLS: tuple[Tool, ...] = (
    Tool(
        "look",
        "See how a run stands and what happened to it. Start here. Changes nothing.",
        ("status", "events", "curve", "compare", "why", "history"),
    ),
    Tool(
        "ask",
        "Ask why a run is as it is, by its record or by replay. May take long. Changes nothing.",
        (
            "diagnose",
            "explain",
            "what-if",
            "alike",
            "groups",
            "moments",
            "waste",
            "cost",
            "recall",
            "capacity",
            "price",
            "laws",
        ),
    ),
    Tool(
        "go",
        "Let a run train: so many steps, or until a condition; pause, resume or stop one that is live.",
        ("run", "again", "autopilot", "pause", "resume", "stop"),
    ),
    Tool(
        "place",
        "Say where in which run to stand; fork, mark and keep runs. A change made in the past forks there by itself.",
        ("back", "switch", "fork", "mark", "keep", "take-back"),
    ),
    Tool("discard", "Put a run away. Its files stay, and place's take-back brings it back.", ("discard",)),
    Tool(
        "change",
        "Change how a run learns from the step where one stands: dials, the rule, parameters by hand.",
        ("set", "rule", "freeze", "unfreeze", "alter", "call"),
    ),
    Tool(
        "data",
        "Change what a run learns from.",
        ("learn", "stop-learning", "leave-out", "learn-again", "mix", "forget"),
    ),
    Tool("undo", "Take the last command back. What was recorded stays.", ("undo",)),
)
BY_NAME: dict[str, Tool] = {tool.name: tool for tool in TOOLS}


def tool_of(name: str) -> Tool:
    """The tool that a command stands in. Raises OntogenyError with what is near."""
    found = next((tool for tool in TOOLS if name in tool.names), None)
    if found is None:
        raise OntogenyError(f"there is no command {name!r}; {_meant(name, list(COMMANDS))}")
    return found


def signature(kind: type[Command]) -> str:
    """A command and its arguments: set(dial, [to, by]). Which run is meant may be said to any."""
    fields = {name: needed for name, needed in _fields(kind).items() if name != RUN or needed}
    needed = [name for name, must in fields.items() if must]
    may = [name for name, must in fields.items() if not must]
    brackets = [f"[{', '.join(may)}]"] if may else []
    return f"{kind.NAME}({', '.join([*needed, *brackets])})"


def _fields(kind: type[Command]) -> dict[str, bool]:
    """The arguments of a command that a model may give, and whether it must."""
    return {name: field.is_required() for name, field in kind.model_fields.items() if (kind.NAME, name) not in WITHHELD}


def _properties(kind: type[Command]) -> dict[str, Any]:
    """The schemas of a command's arguments, with what a model has no use for left out."""
    known = kind.model_json_schema()["properties"]
    told = {name: _plain(known[name]) for name in _fields(kind)}
    return {**told, RUN: {**told[RUN], "description": STANDING}} if kind.STANDS else told


def _plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    whole = {**schema, **next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), {})}
    found = {name: whole[name] for name in KEPT if name in whole and whole[name] is not True}
    return {**found, **({"description": schema["description"]} if "description" in schema else {})}


def _meant(said: str, there: list[str] | tuple[str, ...]) -> str:
    near = difflib.get_close_matches(said, there, 1)
    return f"{f'did you mean {near[0]!r}? ' if near else ''}there are {', '.join(there)}"
