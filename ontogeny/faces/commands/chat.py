"""ontogeny chat"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape

from ontogeny.faces.chat import Ask, Chat
from ontogeny.faces.chat_lines import heard
from ontogeny.faces.generated import lasting_fork, session_at
from ontogeny.faces.sources import Author, DataFile
from ontogeny.faces.terminal import AsJson, Paper, answer
from ontogeny.steer.model.endpoint import configured
from ontogeny.steer.model.reader import ModelReader
from ontogeny.steer.phrases.reader import PhraseReader


def command(
    run: Annotated[str, typer.Argument(metavar="[RUN]", help="The run; the one written to last if not said.")] = "",
    words: Annotated[
        list[str] | None, typer.Option("--command", "-c", help="Say this in the place of asking; may be repeated.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do what changes a run without asking.")] = False,
    ask: Annotated[
        Ask, typer.Option("--ask", help="Ask before everything that is no question, before changes, or never.")
    ] = Ask.CHANGES,
    author: Author = "you",
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Steer a run in words, and ask about it; changes are shown first, and confirmed.

    "go back to before it generalised, fork, take the decay off and run 500 steps", "what if the lr had been 0.001?"
    Several things in a sentence are done in order. Questions are answered at once. Type help at the prompt. Nothing
    leaves this machine. With -c, --json or lines on the standard input no prompt is shown.
    """
    endpoint = configured()
    chat = Chat(
        session_at(run, file, author),
        (PhraseReader(), *([ModelReader(endpoint)] if endpoint else [])),
        Paper(),
        heard(prompts=not as_json),
        Ask.NEVER if yes else ask,
        quiet=as_json,
    )
    if words:
        say(chat, words)
    else:
        chat.talk()
    if as_json:
        answer(document(chat), True, lambda console: None)
    if words and chat.refused:
        raise typer.Exit(1)


def say(chat: Chat, words: Sequence[str]) -> None:
    """One line after another; where the last change led into the past, a fork there, since the session ends."""
    for one in words:
        left: str | None = one
        while left:
            left = chat.take(left)
    if made := lasting_fork(chat.session):
        chat.say(f"{escape(made)} goes on from there")


def document(chat: Chat) -> dict[str, Any]:
    """What came of everything that was said, what was asked about first, and what was not done."""
    return {
        "previews": [asdict(one) for one in chat.shown],
        "outcomes": [outcome.model_dump(mode="json") for outcome in chat.outcomes],
        "not_done": chat.refused,
        "could_be_meant": chat.offered,
        "run": chat.session.position.folder.name,
        "step": chat.session.step(),
    }
