"""Regimes by name, and what a person spells: edits of a program before its first step, and dials that are turned.

A regime is spelt `sleep`, `sleep:every=50,scale=0.9`, `weight_decay=3`, or several of these with + between. Every edit
of `front/edits` is one, too, and so is every rule by its name. The numbers here are those of `examples/regimes.py`: a
beginning, and tuned to nobody's task.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ontogeny.front.edits import apply_all
from ontogeny.front.edits.courses import COURSES, USUAL, course_edits
from ontogeny.front.edits.rule import RULES
from ontogeny.front.edits.table import EDITS
from ontogeny.isa.errors import EditError
from ontogeny.isa.program import Program
from ontogeny.record.run import Run

PLAIN = "plain"
EDIT = tuple[str, Mapping[str, Any]]
TABLE: Mapping[str, tuple[EDIT, ...]] = {
    PLAIN: (),
    "sleep": (("sleep", {"every": 10, "scale": 0.97}),),
    "proportional": (("sleep", {"every": 10, "scale": 0.97, "kind": "proportional"}),),
    "replay": (("sleep", {"every": 10, "scale": 0.97, "replays": 2, "rate": 0.02}),),
    "perturb": (("perturb", {"every": 50, "shrink": 0.9, "sigma": 0.01}),),
    "sam": (("sam", {"rho": 0.05}),),
    "perpendicular": (("perpendicular", {}),),
    **{name: (edit,) for name, edit in USUAL.items()},
    **{name: course.edits() for name, course in COURSES.items()},
}
"""What each is; one of a single edit takes that edit's arguments."""


@dataclass(frozen=True, slots=True)
class Regime:
    """What is done to a program before its first step: edits in order, then settings, NAME=VALUE, of its dials."""

    name: str
    edits: tuple[EDIT, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def parse(text: str) -> Regime:
        """The regime that a person spells. Raises EditError for one that is none."""
        edits: list[EDIT] = []
        settings: dict[str, str] = {}
        for part in text.split("+"):
            word, _, rest = part.strip().partition(":")
            name, equals, value = word.partition("=")
            if equals and not rest:
                settings[name.strip()] = value.strip()
            else:
                edits += _edits(word, rest)
        return Regime(text.strip(), tuple(edits), settings)

    def begun(self, run: Run, folder: Path) -> Run:
        """A fork of a run at step 0 that goes by it. Raises OntogenyError where the program cannot be edited so."""
        edited = apply_all(run.as_of(0).program, self.edits)
        program, values = (edited.program, edited.values) if self.edits else (None, None)
        return run.fork(0, folder, {**edited.dials, **self.dials()}, program=program, values=values)

    def dials(self) -> dict[str, float]:
        """The settings as numbers. Raises EditError for one that is none."""
        found: dict[str, float] = {}
        for name, text in self.settings.items():
            try:
                found[name] = float(text)
            except ValueError as error:
                raise EditError(f"{name}={text}: a dial is turned to a number") from error
        return found

    def check(self, program: Program) -> None:
        """Raises EditError where a program cannot be edited so, or has no dial that is turned."""
        dials = [decl.name for decl in apply_all(program, self.edits).program.of("dial")]
        if unknown := [name for name in self.dials() if name not in dials]:
            raise EditError(f"{self.name}: there is no dial {unknown[0]!r}; there are {', '.join(dials)}")


def _edits(word: str, rest: str) -> list[EDIT]:
    """A word of a regime and its arguments, as edits."""
    given = _arguments(word, rest)
    if word in RULES:
        return [("rule", {"to": word, "options": given})]
    if word in COURSES:
        return list(course_edits(word, 0, given))
    known = TABLE.get(word, ((word, {}),) if word in EDITS else None)
    if known is None:
        every = [*TABLE, *RULES, *(name for name in EDITS if name not in TABLE)]
        near = difflib.get_close_matches(word, every, 1)
        raise EditError(f"no regime is called {word!r}; {f'did you mean {near[0]}? ' if near else ''}"
                        f"there are {', '.join(every)}, and DIAL=VALUE")  # fmt: skip
    if given and len(known) != 1:
        raise EditError(f"{word} takes no arguments; it is {', '.join(name for name, _ in known) or 'no edit'}")
    return [(name, {**usual, **given}) for name, usual in known]


def _arguments(word: str, text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, value = one.partition("=")
        if not equals:
            raise EditError(f"{word}:{text}: {one!r} is not NAME=VALUE; write {word}:every=50,scale=0.9 and the like")
        found[name.strip()] = _value(value.strip())
    return found


def _value(text: str) -> int | float | bool | str:
    """A whole number, a number, true or false, else the word."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
