"""What a clause may be meant to do: every command by what fills its arguments.

An intent is a command, or one of the several things that a command such as `rule` or `alter` does. Each of its slots is
filled by something that the clause names (`items.py`), or by words alone, or by nothing. Which intent and which fillers
are meant is weighed (`weighed.py`); what is possible is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.command import Command
from ontogeny.steer.phrases.context import Context
from ontogeny.steer.registry import command

Given = dict[str, Any]
Fill = Callable[[Any, Context, str], Given]
"""What a filler gives: of an item's value, the context, and the dial that is named already."""


class Unfit(OntogenyError):
    """A value that this slot cannot take."""

    def __init__(self) -> None:
        super().__init__("that does not fit")


@dataclass(frozen=True, slots=True)
class Filler:
    """A way to fill a slot: by an item of a type, or, where that is empty, by the clause's words alone."""

    name: str
    item: str
    fill: Fill


Slots = Mapping[str, tuple[Filler, ...]]


@dataclass(frozen=True, slots=True)
class Intent:
    """A command with what is fixed of it, its slots, and those of them that must be filled."""

    command: str
    slots: Slots
    needs: tuple[str, ...] = ()
    fixed: Given = field(default_factory=dict)
    finish: Callable[[Given, Context], Given] = lambda given, context: given

    def made(self, filled: Mapping[str, Given], context: Context) -> Command:
        """The command. Raises OntogenyError where it lacks something."""
        given = {name: value for each in filled.values() for name, value in each.items()}
        given = self.finish(given, context)
        if self.command == "rule":
            edit = given.pop("edit", self.fixed.get("edit"))
            run = {"run": given.pop("run")} if "run" in given else {}
            return command("rule", {"edit": edit, "arguments": {**self.fixed.get("arguments", {}), **given}, **run})
        return command(self.command, {**self.fixed, **given})


def whole(value: float) -> int:
    """A whole number. Raises Unfit for any other."""
    if value != int(value) or abs(value) > 1e12:
        raise Unfit
    return int(value)


def positive(value: int) -> int:
    """A number above zero. Raises Unfit for any other."""
    if value <= 0:
        raise Unfit
    return value


def _part(value: float) -> float:
    if not 0 < value <= 1:
        raise Unfit
    return value


def _over(value: float) -> float:
    if not value:
        raise Unfit
    return 1 / value


def one_of(value: Any) -> str:
    """One tensor, or an element."""
    if isinstance(value, str):
        return value
    if len(value) != 1:
        raise Unfit
    return str(value[0])


def others(value: Any, context: Context) -> list[str]:
    """All tensors but these."""
    left = [name for name in context.tensors if not any(fnmatchcase(name, one) for one in value)]
    if not left or len(left) == len(context.tensors):
        raise Unfit
    return left


def _dials(value: Mapping[str, float], context: Context) -> dict[str, float]:
    if any(name not in context.dials for name in value):
        raise Unfit
    return dict(value)


def _window(value: float, context: Context) -> str:
    return f"{max(0, context.step - whole(value))}:"


def by_item(name: str, item: str, argument: str, make: Callable[[Any, Context], Any] = lambda v, c: v) -> Filler:
    """A filler of one argument by an item."""
    return Filler(name, item, lambda value, context, _: {argument: make(value, context)})


def by_words(argument: str, values: Mapping[str, Any]) -> tuple[Filler, ...]:
    """Fillers of one argument by words alone, each by its name."""
    return tuple(Filler(name, "", lambda v, c, d, one=one: {argument: one}) for name, one in values.items())  # type: ignore[misc]


def number(argument: str) -> tuple[Filler, ...]:
    """A number as it stands."""
    return (by_item("number", "number", argument),)


def count(argument: str) -> tuple[Filler, ...]:
    """A whole number, or one by words alone."""
    return (by_item("number", "number", argument, lambda v, c: whole(v)), *by_words(argument, {"one": 1}))


def flag(argument: str, value: Any = True) -> tuple[Filler, ...]:
    """A value that is given by words alone, or not at all."""
    return by_words(argument, {"yes": value})


def steps(argument: str) -> tuple[Filler, ...]:
    """So many steps, or as many as lead to a step."""
    return (
        by_item("steps", "steps", argument, lambda v, c: int(v)),
        by_item("number", "number", argument, lambda v, c: positive(whole(v))),
        by_item("to", "number", argument, lambda v, c: positive(whole(v) - c.step)),
        by_item("to steps", "steps", argument, lambda v, c: positive(int(v) - c.step)),
        *by_words(argument, {"one": 1}),
    )


def place(argument: str) -> tuple[Filler, ...]:
    """A step, a mark, an event."""
    return (
        by_item("place", "place", argument),
        by_item("number", "number", argument, lambda v, c: str(whole(v))),
        by_item("back steps", "steps", argument, lambda v, c: f"-{int(v)}"),
        by_item("back", "number", argument, lambda v, c: f"-{whole(v)}"),
        by_item("before", "number", argument, lambda v, c: str(positive(whole(v)) - 1)),
        by_item("mark", "name", argument, marked),
        by_item("event", "event", argument, lambda v, c: f"when {v}"),
        by_item("before event", "event", argument, lambda v, c: f"before {v}"),
    )


def marked(value: str, context: Context) -> str:
    """A mark of the run. Raises Unfit for any other name."""
    if value not in context.marks:
        raise Unfit
    return value


FACTORS = {
    "half": 0.5, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "ten": 10.0, "hundred": 100.0,
    "third": 1 / 3, "quarter": 0.25, "tenth": 0.1, "hundredth": 0.01, "half more": 1.5,
}  # fmt: skip
VALUE: tuple[Filler, ...] = (
    by_item("to", "number", "to"),
    by_item("by", "number", "by"),
    by_item("divide", "number", "by", lambda v, c: _over(v)),
    by_item("less", "number", "by", lambda v, c: 1 - _part(v)),
    by_item("more", "number", "by", lambda v, c: 1 + v),
    by_item("times more", "number", "by", lambda v, c: 1 + v if v > 1 else _part(-1)),
    by_item("percent", "number", "by", lambda v, c: 1 - _part(v / 100)),
    by_item("percent more", "number", "by", lambda v, c: 1 + v / 100),
    Filler("minus", "number", lambda v, c, dial: {"to": _positive_left(c.dials.get(dial, 0.0) - v)}),
    Filler("plus", "number", lambda v, c, dial: {"to": c.dials.get(dial, 0.0) + v}),
    by_item("factor", "factor", "by", lambda v, c: 1 / _over(v)),
    *by_words("to", {"zero": 0.0}),
    *by_words("by", FACTORS),
)
"""What a dial is turned to, or by."""


def _positive_left(value: float) -> float:
    if value < 0:
        raise Unfit
    return value


def amount(argument: str) -> tuple[Filler, ...]:
    """A factor, a part or a scale."""
    return (
        by_item("by", "number", argument),
        by_item("divide", "number", argument, lambda v, c: _over(v)),
        by_item("less", "number", argument, lambda v, c: 1 - _part(v)),
        by_item("more", "number", argument, lambda v, c: 1 + v),
        by_item("percent", "number", argument, lambda v, c: v / 100),
        by_item("factor", "factor", argument),
        by_item("speed", "speed", argument),
        *by_words(argument, FACTORS),
    )


TENSORS = (
    by_item("these", "tensors", "tensors", lambda v, c: list(v)),
    by_item("others", "tensors", "tensors", others),
)


def examples(argument: str = "examples") -> tuple[Filler, ...]:
    """Examples by number or by value."""
    return (
        by_item("examples", "examples", argument),
        by_item("list", "list", argument),
        by_item("window", "window", argument, lambda v, c: v if v[0] != ":" else f"0{v}"),
        by_item("first", "number", argument, lambda v, c: f"0:{positive(whole(v))}"),
    )


WINDOW = (
    by_item("window", "window", "steps"),
    by_item("from", "number", "steps", lambda v, c: f"{whole(v)}:"),
    by_item("until", "number", "steps", lambda v, c: f":{whole(v)}"),
    by_item("last steps", "steps", "steps", lambda v, c: _window(v, c)),
    by_item("last", "number", "steps", lambda v, c: _window(v, c)),
    by_item("first steps", "steps", "steps", lambda v, c: f":{int(v)}"),
)
RUN = (by_item("run", "run", "run"), by_item("discarded", "discarded", "run"))
DIAL = (by_item("dial", "dial", "dial"),)
NAME = (by_item("name", "name", "name"),)
OVER = flag("over", "values")
SETTINGS = (by_item("settings", "settings", "with"), by_item("setting", "setting", "with"))
MANY = (by_item("settings", "settings", "dials", lambda v, c: _dials(v, c)),)


def turned(given: Given, context: Context) -> Given:
    """A dial and its value as the dials of a run that is supposed or begun."""
    dial, to, by = given.pop("dial", ""), given.pop("to", None), given.pop("by", None)
    if not given.get("dials"):
        given.pop("dials", None)
        if dial and (to is not None or by is not None):
            given["dials"] = {dial: to if to is not None else by * context.dials.get(dial, 1.0)}
    return given


def scheduled(given: Given, context: Context) -> Given:
    """A schedule's start and its last step: of a cosine the step where it ends, of a warm-up how long it lasts."""
    over, end, start = given.pop("over", None), given.pop("end", None), given.get("start", context.step)
    shape = given.pop("cosine", False)
    if over is None and end is None:
        raise Unfit
    last = end if end is not None else start + over
    return {**given, "start": start, "steps": last if shape else last - start}


def cosine(given: Given, context: Context) -> Given:
    """A cosine, whose last step is counted from the beginning of the run."""
    return scheduled({**given, "cosine": True}, context)


def bounded(argument: str) -> Callable[[Given, Context], Given]:
    """A metric and its bound, where they are not said as a condition: goal held-out accuracy, 99.9%."""

    def finish(given: Given, context: Context) -> Given:
        metric, bound = given.pop("metric", ""), given.pop("bound", None)
        if metric and bound is not None and not given.get(argument):
            if metric not in context.metrics:
                raise Unfit
            side, bound = (">=", bound / 100 if bound > 1 else bound) if "accuracy" in metric else ("<", bound)
            given[argument] = f"{metric} {side} {bound:g}"
        return given

    return finish


def never(given: Given, context: Context) -> Given:
    """What is never to be touched, one after the other."""
    parts = [given.pop(f"never {what}", "") for what in (*NEVER, "dial")]
    return {**given, **({"never": ",".join(filter(None, parts))} if any(parts) else {})}


NEVER = ("data", "parameters", "rule")
"""What the autopilot may be told not to touch, beside a dial."""


def ruled(given: Given, context: Context) -> Given:
    """Another optimizer with its settings."""
    return {**{name: value for name, value in given.items() if name != "with"}, **given.get("with", {})}
