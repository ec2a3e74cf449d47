"""What the chat answers to `help`: the commands by heading, or one of them with the ways to say it."""

from __future__ import annotations

from rich.markup import escape

from ontogeny.steer.command import Heading
from ontogeny.steer.phrases.grammar import SAID
from ontogeny.steer.phrases.phrase import example
from ontogeny.steer.registry import BY_NAME, COMMANDS

SHOWN = 6


def help_about(topic: str) -> str:
    """All commands, or one and how it may be said."""
    name = topic.replace(" ", "-")
    if name in BY_NAME:
        said = "\n".join(f"  {escape(example(phrase))}" for phrase in SAID.get(name, ())[:SHOWN])
        return f"[bold]{name}[/]  {escape(BY_NAME[name].MEANING)}\n{said}"
    lines = ["Say what is to be done or what you want to know; several things in one sentence are done in order."]
    for heading in Heading:
        lines.append(f"[bold]{heading.value}[/]")
        lines += [f"  {one.NAME:14} {escape(one.MEANING)}" for one in COMMANDS if one.HEADING is heading]
    return "\n".join([*lines, "help NAME shows how one may be said; quit leaves"])
