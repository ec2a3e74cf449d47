"""The shell: `ontogeny COMMAND`.

What the commands are stands in `registry`; here they are found, and whatever goes wrong becomes one clear line.
Where a command is asked for JSON, so is what goes wrong: one object with error, hint and exit_code.
Exit codes: 0 done, 1 it could not be done, 2 the command was not understood, 130 interrupted.
"""

from __future__ import annotations

import re
import warnings
from importlib.metadata import version as installed_version
from typing import Annotated, Any, TextIO

import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from ontogeny.faces import environment
from ontogeny.faces.registry import BY_NAME, COMMANDS, ELSEWHERE, Entry
from ontogeny.faces.terminal import DEBUG, IN_JSON, complain, explain, tell
from ontogeny.isa.errors import OntogenyError

MISUNDERSTOOD = 2
BEFORE = re.compile(r"-\d+")
SETTINGS = {"help_option_names": ["-h", "--help"]}


class Commands(TyperGroup):
    """The commands of the registry: listed from there, loaded when used, with their errors turned into messages."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for entry in COMMANDS:
            self.commands[entry.name] = TyperCommand(
                entry.name, callback=None, help=entry.meaning, rich_help_panel=entry.heading
            )

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that the arguments name, in full; `help` shows what a command's own --help does."""
        if args[0] == "help":
            args = [*args[1:2], "--help"]
        if args[0] in ELSEWHERE:
            meant = BY_NAME[ELSEWHERE[args[0]]]
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{meant.name}'? {meant.meaning}")
        name, command, rest = super().resolve_command(ctx, args)
        return name, loaded(BY_NAME[name]) if name in BY_NAME else command, rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error for a person becomes one line and exit code 1, for a program a JSON object."""
        IN_JSON.set(asks_for_json([*ctx._protected_args, *ctx.args]))
        DEBUG.set(ctx.params["debug"])
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (OntogenyError, OSError) as error:
            explain(error, said(error))
        except Exception as error:  # the last resort: a person is told in one line, whatever it was
            if type(error).__module__.startswith(("typer", "click")):
                if not (IN_JSON.get() and hasattr(error, "format_message")):
                    raise
                complain(error.format_message(), code=MISUNDERSTOOD)
                raise typer.Exit(MISUNDERSTOOD) from None
            message = f"something unexpected happened: {type(error).__name__}: {error}"
            explain(error, message, "ontogeny --debug COMMAND shows where")
        raise typer.Exit(1)


def asks_for_json(words: list[str]) -> bool:
    """Whether the words of a command ask it for JSON; what comes after a script's name is the script's."""
    if words[:1] and words[0] in BY_NAME and BY_NAME[words[0]].passes_on:
        ends = (at for at, word in enumerate(words) if word.endswith(".py"))
        words = words[: next(ends, len(words))]
    return "--json" in words[: words.index("--") if "--" in words else None]


def said(error: Exception) -> str:
    """The error in words; one of the system begins with the file that it is about."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    return str(error)


class Command(TyperCommand):
    """A command that takes -10 for ten before the last step, where a step is meant and no option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Words into arguments and options."""
        behind = zip(["", *args], args, strict=False)
        words = [f"last{word}" if BEFORE.fullmatch(word) and to[:1] != "-" else word for to, word in behind]
        return super().parse_args(ctx, words)


def loaded(entry: Entry) -> Any:
    """The command with its arguments, ready to be invoked."""
    holder = typer.Typer(add_completion=False, rich_markup_mode="rich")
    settings = {**SETTINGS, "allow_interspersed_args": not entry.passes_on}
    function = entry.load()
    kind = TyperCommand if entry.passes_on else Command
    holder.command(entry.name, cls=kind, help=flowing(function.__doc__ or ""), context_settings=settings)(function)
    return get_command(holder)


def flowing(text: str) -> str:
    """A docstring with each paragraph in one line, to be wrapped where it is shown."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _remark(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """A run's own warnings as a line for a person; those of libraries are for developers, and left out."""
    if category.__module__.startswith("ontogeny"):
        tell(f"[yellow]note:[/] {escape(str(message))}")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"ontogeny {installed_version('ontogeny')}")
        raise typer.Exit


app = typer.Typer(
    cls=Commands, add_completion=False, no_args_is_help=True, context_settings=SETTINGS, rich_markup_mode="rich"
)


@app.callback(
    help="Learning as a program: run it, rewind it, fork it, read it, cost it, prove it.", epilog=environment.told()
)
def root(
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """What stands before the command."""


def main() -> None:
    """The console script."""
    warnings.showwarning = _remark
    app(prog_name="ontogeny")
