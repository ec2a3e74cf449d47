"""Changing the rule: edits of the routine `learn`, each verified before anything runs by it, on a fork made for it.

The edits are those of `front/edits`; a further one there can be asked for here without another line.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from ontogeny.front.edits.courses import COURSES, USUAL, course_edits
from ontogeny.front.edits.edit import Kind, Parameter
from ontogeny.front.edits.edited import Edited
from ontogeny.front.edits.rule import RULES
from ontogeny.front.edits.table import EDITS, apply, apply_all
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.run import Run
from ontogeny.steer import costs
from ontogeny.steer.command import Command, Effect, Heading, Outcome, Preview, Tensors
from ontogeny.steer.sentences import arguments, clipped
from ontogeny.steer.session import Session, fork_name

YES = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
PLAIN = tuple(name for name, edit in EDITS.items() if not edit.parameters)
"""Edits without arguments."""
EVERY = (*EDITS, *RULES, *COURSES, *USUAL)
FROM_HERE = {"rule": "since", "momentum": "since", "schedule": "start"}
"""Edits that count steps from where they begin, each with the argument that says where: here, unless it is given."""


class Editing(Command):
    """A command that edits the rule: on a fork at the step where the session stands, to which it moves."""

    EFFECT: ClassVar[Effect] = Effect.CHANGES
    HEADING: ClassVar[Heading] = Heading.RULE

    def edited(self, program_of: Run, step: int) -> Edited:
        """The program as it will be."""
        raise NotImplementedError

    def called(self) -> str:
        """What the fork is called, behind the run's name."""
        return self.NAME

    def asked(self) -> str:
        """What was asked for, where what changes does not say all of it."""
        return ""

    def foretell(self, session: Session) -> Preview:
        """What changes in the rule, sentence by sentence."""
        run, step = session.native(self.run), session.step(self.run)
        edited = self.edited(run, step)
        text = f"fork {run.folder.name} at step {step} with another rule{self.asked()}: {edited.description}"
        steps = costs.replayed(run, step)
        return Preview(
            text=text, effect=self.EFFECT, steps=steps, seconds=costs.seconds(run, steps), remarks=edited.changes
        )

    def act(self, session: Session) -> Outcome:
        """Makes the fork; a live run goes on by it."""
        run, step, going = session.native(self.run), session.step(self.run), session.running
        edited = self.edited(run, step)
        lines = session.position.lines if session.in_past(self.run) else None
        child = session.fork(
            run,
            step,
            fork_name(run, self.called()),
            lines=lines,
            dials=edited.dials,
            program=edited.program,
            values=edited.values,
            author=session.author,
        )
        if going:
            session.resume()
        text = (
            f"{child.folder.name} goes on from step {step} of {run.folder.name} by another rule: {edited.description}"
        )
        return Outcome(
            text=text, run=child.folder.name, figures={"changes": list(edited.changes), "diff": edited.diff()}
        )


class Rule(Editing):
    """The rule is edited: another optimizer, clipping, momentum, no decay of some tensors, the update's sign..."""

    NAME: ClassVar[str] = "rule"
    MEANING: ClassVar[str] = (
        "Change the learning rule: another optimizer, momentum, clipping, decay of matrices only..."
    )

    edit: Annotated[
        str, Field(description=f"{', '.join(PLAIN)}, one with arguments, or a rule: {', '.join([*RULES, *COURSES])}")
    ]
    arguments: Annotated[
        dict[str, Any],
        Field(
            description="the edit's arguments: "
            + "; ".join(
                f"{edit.name}({', '.join(p.name for p in edit.parameters if p.name != FROM_HERE.get(edit.name))})"
                for edit in EDITS.values()
                if edit.parameters
            )
        ),
    ] = Field(default={})

    def called(self) -> str:
        """The edit's name."""
        return self.edit.replace("_", "-")

    def asked(self) -> str:
        """The edit and its arguments."""
        return f", {self.edit}{f' ({clipped(arguments(self.arguments))})' if self.arguments else ''}"

    def edited(self, run: Run, step: int) -> Edited:
        """The program after the edit."""
        name, usual = USUAL.get(self.edit, (self.edit, {}))
        given = {**usual, **self.arguments}
        if name in COURSES:
            return apply_all(run.as_of(step).program, course_edits(name, step, given))
        if name in RULES:
            name, given = "rule", {"to": name, **_options(given)}
        if name not in EDITS:
            near = difflib.get_close_matches(name, EVERY, 1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise OntogenyError(f"no edit of a rule is called {name!r}; {meant}there are {', '.join(EVERY)}")
        if name in FROM_HERE:
            given.setdefault(FROM_HERE[name], step)
        typed = {one.name: _typed(one, given.pop(one.name)) for one in EDITS[name].parameters if one.name in given}
        return apply(run.as_of(step).program, name, **typed, **given)


class Named(Editing):
    """An edit of the same name as the command, of some parameters."""

    tensors: Tensors

    def edited(self, run: Run, step: int) -> Edited:
        """The program after the edit."""
        return apply(run.as_of(step).program, self.NAME, tensors=self.tensors)


class Freeze(Named):
    """Parameters, and their optimizer state, stay bit for bit as they are."""

    NAME: ClassVar[str] = "freeze"
    MEANING: ClassVar[str] = "Let parameters stay as they are from here on, by name or pattern."


class Unfreeze(Named):
    """Frozen parameters learn again."""

    NAME: ClassVar[str] = "unfreeze"
    MEANING: ClassVar[str] = "Let frozen parameters learn again."


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Plain numbers become dials of the rule; the rest are arguments of the edit."""
    own = {one.name for one in EDITS["rule"].parameters}
    dials = {name: float(value) for name, value in given.items() if name not in own}
    kept = {name: value for name, value in given.items() if name in own}
    return {**kept, **({"options": {**kept.get("options", {}), **dials}} if dials else {})}


def _typed(parameter: Parameter, value: Any) -> Any:
    """A value as its parameter takes it, where it came as a word."""
    if parameter.kind is Kind.NAMES and isinstance(value, str):
        return tuple(one.strip() for one in value.split(",") if one.strip())
    if not isinstance(value, str):
        return int(value) if parameter.kind is Kind.WHOLE and isinstance(value, float) and value.is_integer() else value
    try:
        if parameter.kind is Kind.SWITCH:
            return YES[value.lower()]
        if parameter.kind in (Kind.NUMBER, Kind.WHOLE):
            return float(value) if parameter.kind is Kind.NUMBER else int(value)
    except (ValueError, KeyError) as error:
        raise OntogenyError(f"{parameter.name}={value!r}: {parameter.kind.value} was expected") from error
    return value
