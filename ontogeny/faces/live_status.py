"""How a live run stands, for a person: what `ontogeny live` and `ontogeny runs --live` print."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape

from ontogeny.faces.terminal import number


def say(console: Console, status: dict[str, Any]) -> None:
    """How a live run stands, on one line."""
    metrics = "  ".join(f"{escape(name)} [bold]{number(value)}[/]" for name, value in status["metrics"].items())
    goal = f", on its way to {status['goal']}" if status["goal"] else ""
    about = f"step {status['step']}, {status['state']}{goal} [dim](process {status['process']})[/]"
    console.print(f"[bold]{escape(status['run'])}[/] {about}  {metrics}", soft_wrap=True)
    if status["trouble"]:
        console.print(f"[red]{escape(status['trouble'])}[/]", soft_wrap=True)
