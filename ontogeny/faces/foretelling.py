"""What commands of the shell would do, said and not done: `--dry-run`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from ontogeny.faces.terminal import answer, takes
from ontogeny.steer.command import Command, Preview
from ontogeny.steer.session import Session


def foretell(session: Session, commands: Sequence[Command], as_json: bool) -> None:
    """Says what several commands would do that are given at once, where one stands."""
    tell([session.foretell(one) for one in commands], as_json)


def tell(foretold: Sequence[Preview], as_json: bool) -> None:
    """Says what was foretold, as one."""
    whole = joined(foretold)
    answer(whole.model_dump(mode="json"), as_json, lambda console: say_preview(console, whole))


def joined(foretold: Sequence[Preview]) -> Preview:
    """Several previews as one: all that is done, and what it takes together."""
    known = [one.seconds for one in foretold if one.seconds is not None]
    return Preview(
        text="; ".join(one.text for one in foretold),
        effect=foretold[0].effect,
        steps=sum(one.steps for one in foretold),
        seconds=sum(known) if known else None,
        remarks=tuple(remark for one in foretold for remark in one.remarks),
    )


def say_preview(console: Console, foretold: Preview) -> None:
    """What a command would do, for a person."""
    console.print(f"would {escape(foretold.text)}", soft_wrap=True)
    if how_long := takes(foretold.steps, foretold.seconds):
        console.print(f"[dim]{how_long}[/]")
    for remark in foretold.remarks:
        console.print(f"[dim]{escape(remark)}[/]", soft_wrap=True)
