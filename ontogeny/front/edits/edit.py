"""What an edit is: its name, what it means, its typed parameters, and the function that makes it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ontogeny.front.edits.notes import Standing
from ontogeny.front.edits.rewrite import Rewrite
from ontogeny.isa.errors import EditError


class Kind(Enum):
    """The types of parameters: in words, and what a value must be."""

    NUMBER = "a number"
    WHOLE = "a whole number, 0 or more"
    SWITCH = "true or false"
    WORD = "a word"
    TEXT = "text in the language"
    NAMES = "names or patterns of tensors"
    NUMBERS = "numbers by name"
    RULE = "a rule, by name or made by front.rules"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of an edit. Without a `default` it has to be given; `choices` are all that a word may be."""

    name: str
    kind: Kind
    meaning: str
    default: Any = ...
    choices: tuple[str, ...] = ()

    def check(self, edit: str, value: Any) -> Any:
        """The value in its plain form. Raises EditError for any other."""
        if self.kind is Kind.NAMES:
            value = (value,) if isinstance(value, str) else value
        if value is None and self.default is None:
            return None
        if not _FITS[self.kind](value) or (self.choices and value not in self.choices):
            wanted = f"one of {', '.join(self.choices)}" if self.choices else self.kind.value
            raise EditError(f"{edit}: {self.name}={value!r} is not {wanted}; it is {self.meaning}")
        return tuple(value) if self.kind is Kind.NAMES else value


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_FITS: Mapping[Kind, Callable[[Any], bool]] = {
    Kind.NUMBER: _number,
    Kind.WHOLE: lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
    Kind.SWITCH: lambda value: isinstance(value, bool),
    Kind.WORD: lambda value: isinstance(value, str) and bool(value),
    Kind.TEXT: lambda value: isinstance(value, str),
    Kind.NAMES: lambda value: isinstance(value, list | tuple) and bool(value) and all(_pattern(v) for v in value),
    Kind.NUMBERS: lambda value: isinstance(value, Mapping) and all(_number(v) for v in value.values()),
    Kind.RULE: lambda value: True,
}


def _pattern(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and not set(value) & set(", =")


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit. `make` does it on a program's `learn` and says in a sentence what it did.

    `again` does it anew from what its note says, where the rule beneath was replaced; edits without one leave no note.
    """

    name: str
    meaning: str
    parameters: tuple[Parameter, ...]
    make: Callable[..., str]
    again: Callable[[Rewrite, Standing], None] | None = None

    def checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments, checked, with the defaults. Raises EditError for unknown, missing and unfit ones."""
        names = [parameter.name for parameter in self.parameters]
        if unknown := [name for name in given if name not in names]:
            raise EditError(f"{self.name} takes no {unknown[0]!r}; it takes {', '.join(names) or 'nothing'}")
        if missing := [p for p in self.parameters if p.default is ... and p.name not in given]:
            raise EditError(f"{self.name} needs {missing[0].name}: {missing[0].meaning}")
        return {p.name: p.check(self.name, given[p.name]) if p.name in given else p.default for p in self.parameters}
