"""Clients of the Model Context Protocol as tests need them: the SDK's own over its transports, and who is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult, Implementation

from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.live.client import find
from ontogeny.steer.registry import command

SERVER = [sys.executable, "-m", "ontogeny", "mcp"]


class Refused(Exception):
    """A tool said that it could not."""


@dataclass(eq=False)
class Talk:
    """A client that asks, and that confirms what it is asked to."""

    client: Client
    progress: list[tuple[float, float | None]] = field(default_factory=list)

    async def ask(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """One call's structured answer. Raises Refused with what the tool said."""
        result = await self.client.call_tool(tool, arguments, progress_callback=self._heard)
        if result.is_error:
            raise Refused(result.content[0].text)
        assert json.loads(result.content[0].text) == result.structured_content
        return dict(result.structured_content or {})

    async def do(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The same; a change that was only previewed is confirmed by its token, and what became a job is waited for."""
        answer = await self.ask(tool, **arguments)
        if answer.get("token"):
            answer = await self.ask(tool, **arguments, confirm=True, token=answer["token"])
        while job := answer.get("job"):
            time.sleep(0.1)
            found = (await self.ask("runs", job=job))["figures"]
            assert found["state"] != "failed", found
            answer = found["answer"] if found["state"] == "done" else answer
        return answer

    async def _heard(self, progress: float, total: float | None, message: str | None) -> None:
        self.progress.append((progress, total))


@dataclass(eq=False)
class Person:
    """Who is asked by the client, agrees or not, and remembers what was asked."""

    agrees: bool = True
    asked: list[str] = field(default_factory=list)

    async def answer(self, context: Any, params: Any) -> ElicitResult:
        """What the SDK's client calls."""
        self.asked.append(params.message)
        return (
            ElicitResult(action="accept", content={"agreed": True}) if self.agrees else ElicitResult(action="decline")
        )


def environment(runs: Path) -> dict[str, str]:
    return {**os.environ, "ONTOGENY_RUNS": str(runs), "OMP_NUM_THREADS": "1"}


@asynccontextmanager
async def stdio(runs: Path, *words: str, person: Person | None = None, mode: str = "auto") -> AsyncIterator[Talk]:
    """A client that starts the server itself."""
    server = StdioServerParameters(
        command=SERVER[0], args=[*SERVER[1:], *words], env=environment(runs), cwd=runs.parent
    )
    async with Client(server, mode=mode, **_told(person, "stdio test")) as client:
        yield Talk(client)


@dataclass(frozen=True)
class Address:
    """A server over HTTP: its URL, and its token."""

    url: str
    token: str
    port: int
    process: int


@contextmanager
def served(runs: Path, *words: str) -> Iterator[Address]:
    """A server over HTTP at a free port, as a process of its own."""
    file = runs.parent / f"{runs.name}-token"
    asked = [*SERVER, "--http", "--port", "0", "--token-file", str(file), "--json", *words]
    child = subprocess.Popen(asked, env=environment(runs), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stderr is not None
    try:
        said = ""
        while not said.endswith("}\n"):
            line = child.stdout.readline()
            assert line, child.stderr.read()
            said += line
        url = json.loads(said)["url"]
        yield Address(url, file.read_text().strip(), int(url.split(":")[2].split("/")[0]), child.pid)
    finally:
        child.terminate()
        child.communicate(timeout=120)


@asynccontextmanager
async def http(
    address: Address, name: str = "http test", person: Person | None = None, mode: str = "auto"
) -> AsyncIterator[Talk]:
    """A client of a server over HTTP."""
    headers = {"Authorization": f"Bearer {address.token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=httpx2.Timeout(60, read=300)) as connection:
        transport = streamable_http_client(address.url, http_client=connection)
        async with Client(transport, mode=mode, **_told(person, name)) as client:
            yield Talk(client)


def end_live_runs(runs: Path) -> None:
    """Ends the processes of all live runs of a folder."""
    for folder in RunsFolder(runs).all():
        client = find(folder)
        if client is not None:
            with client:
                client.do(command("stop"))
            while Path(f"/proc/{client.address.process}").exists():
                time.sleep(0.02)


def _told(person: Person | None, name: str) -> dict[str, Any]:
    told: dict[str, Any] = {"client_info": Implementation(name=name, version="1")}
    return {**told, "elicitation_callback": person.answer} if person is not None else told
