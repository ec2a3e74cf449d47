"""Every command of steering, one line each. Python, the shell, the chat, MCP and the reference page all read it here.

A command is a file in `steer/commands` and a line below; a test fails where a face lacks it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.command import Command
from ontogeny.steer.commands import (
    asking,
    autopilot,
    dials,
    examples,
    going,
    living,
    measures,
    places,
    questions,
    rules,
    tensors,
    undoing,
)

COMMANDS: tuple[type[Command], ...] = (
    going.Advance,
    going.Again,
    autopilot.Autopilot,
    living.Pause,
    living.Resume,
    living.End,
    places.Back,
    places.Mark,
    places.Fork,
    places.Switch,
    places.Keep,
    places.Discard,
    places.TakeBack,
    dials.Set,
    dials.Call,
    rules.Rule,
    rules.Freeze,
    rules.Unfreeze,
    tensors.Alter,
    examples.LeaveOut,
    examples.LearnAgain,
    examples.Learn,
    examples.StopLearning,
    examples.Mix,
    examples.Forget,
    asking.Status,
    asking.Curve,
    asking.Happened,
    asking.Compare,
    asking.Why,
    questions.Alike,
    questions.Groups,
    questions.Explain,
    questions.Moments,
    questions.WhatIf,
    questions.Waste,
    questions.Cost,
    questions.Diagnose,
    measures.Recall,
    measures.Capacity,
    measures.Price,
    measures.Laws,
    undoing.Undo,
    undoing.History,
)
BY_NAME: dict[str, type[Command]] = {command.NAME: command for command in COMMANDS}
FORKING = tuple(command.NAME for command in COMMANDS if issubclass(command, (places.Fork, rules.Editing)))
"""Commands after which one stands at a fork."""


def command(name: str, arguments: Mapping[str, Any] | None = None) -> Command:
    """The command of a name with its arguments. Raises OntogenyError with what was expected."""
    if name not in BY_NAME:
        near = difflib.get_close_matches(name, list(BY_NAME), 1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise OntogenyError(f"there is no command {name!r}; {meant}there are {', '.join(BY_NAME)}")
    try:
        return BY_NAME[name].model_validate(dict(arguments or {}))
    except ValidationError as error:
        raise OntogenyError(f"{name}: {'; '.join(map(_said, error.errors()))}") from error


def _said(error: Any) -> str:
    """One fault of the arguments, in words."""
    where = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        return f"there is no argument {where!r}"
    if not where:
        return str(error["msg"].removeprefix("Value error, "))
    given = "" if error["type"] == "missing" else f", not {error['input']!r}"
    return f"{where}: {error['msg'][:1].lower()}{error['msg'][1:]}{given}"
