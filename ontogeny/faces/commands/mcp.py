"""ontogeny mcp"""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from ontogeny.faces.sources import DataFile
from ontogeny.faces.terminal import AsJson, answer, tell
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.runs_folder import VARIABLE, RunsFolder

PORT = 8765


def command(
    http: Annotated[bool, typer.Option("--http", help="Serve over HTTP, for this machine alone.")] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="With --http; 0: any that is free.")] = PORT,
    host: Annotated[str, typer.Option("--host", help="With --http: the loopback address to serve at.")] = "127.0.0.1",
    token_file: Annotated[
        str, typer.Option("--token-file", help="With --http: where the token is kept; made where there is none.")
    ] = "",
    allow_changes: Annotated[
        bool, typer.Option("--allow-changes", help="Let clients change runs unasked: only for those that you trust.")
    ] = False,
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Let a program that speaks the Model Context Protocol question and steer the runs.

    Over its standard input and output, or with --http for clients of this machine that have the token. --json prints
    what a client's settings need to start it, and with --http where it serves.
    """
    if as_json and not http:
        return answer(started_by(allow_changes, file), True, lambda console: None)
    desk = _needed("desk").Desk(RunsFolder.default(), allow_changes, file)
    server = _needed("server").SteeringServer(desk)
    if not http:
        asyncio.run(server.run_stdio_async())
        return

    def told(url: str, path: Path, new: str) -> None:
        if as_json:
            return answer({"url": url, "token_file": path, "made": bool(new)}, True, lambda console: None)
        tell(f"serving [bold]{escape(url)}[/], for clients that send the header Authorization: Bearer TOKEN")
        tell(f"the token, told this once: [bold]{new}[/]" if new else "the token is the one that was told before")
        tell(f"[dim]it is kept in {escape(str(path))}; Ctrl-C ends this[/]")

    _needed("http").serve(server, host, port, token_file, told)


def started_by(allow_changes: bool, file: str) -> dict[str, Any]:
    """How a client starts the server for the runs that are meant here."""
    words = [*(["--allow-changes"] if allow_changes else []), *(["--file", str(Path(file).resolve())] if file else [])]
    runs = {VARIABLE: str(RunsFolder.default().root.resolve())}
    return {"command": sys.executable, "args": ["-m", "ontogeny", "mcp", *words], "env": runs}


def _needed(name: str) -> Any:
    """A module of the server; the shell needs none of its library."""
    try:
        return import_module(f"ontogeny.faces.mcp.{name}")
    except ImportError as error:
        raise OntogenyError("this needs the protocol's library: pip install 'ontogeny[mcp]'") from error
