"""Commands of steering as commands of the shell: their arguments become words and options of the same names.

`ontogeny mark RUN early` is `Mark(run="RUN", name="early")`. What a command must have stands after the run, what it may
have are options. A command with a file of its own in `faces/commands` is not made here.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from rich.console import Console
from rich.markup import escape

from ontogeny.faces.experiments import pairs
from ontogeny.faces.foretelling import tell
from ontogeny.faces.sources import Author, DataFile, Dry, recording
from ontogeny.faces.terminal import AsJson, answer
from ontogeny.isa.hints import typed
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.command import Command, Outcome, Preview
from ontogeny.steer.live.client import find
from ontogeny.steer.registry import command
from ontogeny.steer.session import Session

RUN = "run"
PLAIN = (str, int, float, bool)
SEVERAL = re.compile(r"[A-Za-z_]\w*=[^,\s{}]*(?:,[A-Za-z_]\w*=[^,\s{}]*)+")
"""Several NAME=VALUE in one word, with commas between: values that hold a comma themselves stand alone."""


def session_at(name: str, file: str = "", author: str = "you", options: Sequence[str] = (), **settings: Any) -> Session:
    """A session that stands at a run, of which live ones take their commands themselves."""
    runs = RunsFolder.default()
    folder = runs.find(name) if name else None
    root = runs if folder is None or folder.parent.resolve() == runs.root.resolve() else RunsFolder(folder.parent)
    return Session(
        root,
        folder.name if folder else "",
        author=author,
        host=find,
        open=lambda one: recording(str(one), file, options),
        **settings,
    )


def function_of(kind: type[Command]) -> Callable[..., None]:
    """The function of a command of the shell, with a signature that the shell shows and parses."""
    fields = {name: field for name, field in kind.model_fields.items() if name != RUN}

    def run_it(**words: Any) -> None:
        name, author, file = words.pop(RUN), words.pop("author"), words.pop("file")
        as_json, dry = words.pop("as_json"), words.pop("dry")
        given = {key: _value(fields[key], value) for key, value in words.items() if value not in (None, [])}
        session = session_at(name if kind.STANDS else "", file, author)
        asked = command(kind.NAME, given if kind.STANDS else {**given, RUN: name})
        if dry:
            return tell([_lastingly(asked, session.foretell(asked))], as_json)
        outcome = _lasting(session, session.do(asked))
        answer(outcome.model_dump(mode="json"), as_json, lambda console: say(console, outcome))

    parameters = [
        _parameter(RUN, Annotated[str, typer.Argument(metavar="RUN", help="The run's name.")]),
        *(_of_field(name, field) for name, field in fields.items() if field.is_required()),
        *(_of_field(name, field) for name, field in fields.items() if not field.is_required()),
        _parameter("author", Author, "you"),
        _parameter("file", DataFile, ""),
        _parameter("dry", Dry, False),
        _parameter("as_json", AsJson, False),
    ]
    run_it.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run_it.__annotations__ = {one.name: one.annotation for one in parameters}
    run_it.__doc__ = f"{kind.MEANING}\n\n{inspect.getdoc(kind)}"
    return run_it


def _lastingly(asked: Command, foretold: Preview) -> Preview:
    """The same of a command that changes and leads into the past: a fork there, since the session ends here."""
    if not asked.EFFECT.confirmed or foretold.changes:
        return foretold
    return foretold.model_copy(update={"text": f"{foretold.text}; where that is in the past, on a fork made there"})


def _lasting(session: Session, outcome: Outcome) -> Outcome:
    """Where a command that changes led into the past, a fork there: the session ends here, and would be forgotten."""
    if not outcome.past or session.done[-1:] == []:  # a live run's process stays where it went
        return outcome
    if not session.done[-1].command.EFFECT.confirmed:
        how = f"this only shows that step; `{typed('fork', outcome.run, str(outcome.step))}` is to change from there"
        return outcome.model_copy(update={"text": f"{outcome.text}; {how}"})
    made = lasting_fork(session)
    return outcome.model_copy(update={"text": f"{outcome.text}; {made} goes on from there"}) if made else outcome


def lasting_fork(session: Session) -> str:
    """The fork made where its last change led a session that ends into the past, which is forgotten, or empty."""
    last = session.done[-1] if session.done else None
    if last is None or not last.command.noted(last.outcome) or not session.in_past():
        return ""
    child = session.head()
    session.let_go()
    return child.folder.name


def say(console: Console, outcome: Outcome) -> None:
    """What came of a command, for a person."""
    console.print(escape(outcome.text), soft_wrap=True)
    for file in outcome.files:
        console.print(f"[dim]{escape(file)}[/]", soft_wrap=True)


def _of_field(name: str, field: FieldInfo) -> inspect.Parameter:
    shape, help = _shape(field.annotation), field.description or ""
    if field.is_required():
        return _parameter(name, Annotated[shape, typer.Argument(metavar=name.upper(), help=help)])
    option = f"--{name.replace('_', '-')}"
    default = None if shape is not bool else bool(field.default)
    kind = shape if shape is bool else shape | None
    return _parameter(name, Annotated[kind, typer.Option(option, help=help)], default)


def _shape(annotation: Any) -> Any:
    """What the shell parses a field's words into."""
    if annotation in PLAIN:
        return annotation
    options = [one for one in get_args(annotation) if one is not type(None)]
    if get_origin(annotation) in (tuple, list, dict):
        return list[str]
    if len(options) == 1 and options[0] in PLAIN:
        return options[0]
    return str


def _value(field: FieldInfo, value: Any) -> Any:
    if get_origin(field.annotation) is not dict:
        return value
    words = [one for word in value for one in (word.split(",") if SEVERAL.fullmatch(word) else [word])]
    return {name: given_as(word) for name, word in pairs(words).items()}


def given_as(word: str) -> Any:
    """A value as the shell has it: a number, several (3,4,97 or [3,4,97]), true or false, else the words themselves."""
    for text in (word, f"[{word}]"):
        try:
            value = json.loads(text)
        except ValueError:
            continue
        if isinstance(value, int | float | bool | list):
            return value
    return word


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
