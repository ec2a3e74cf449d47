"""Fifty clients of the MCP server ask about a live run, and command it, while it trains.

The run's process has a core of its own; the server, which is a process of its own, and all clients share another.
Silence takes turns with questions, with questions and a command of every client, and with questions about another run,
at rest: what these cost the live one is not its own, but the machine's sharing of caches, memory and cores. A client
asks again as soon as it was answered. What is reported is the median over rounds of the run's speed against that in the
silence before and after: steps in the time that its thread did not wait for a core that others had, steps in all time
(`by_the_clock`: on a machine that does other work, clients drive that work to the run's core), and CPU time of its
process for a step. And how many commands the run's journal lacks, or has twice.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import torch
from common import Figures, arguments, close, one_thread, one_thread_environment, peers
from mcp import Client as McpClient
from mcp.client.streamable_http import streamable_http_client
from mcp_types import Implementation
from torch import nn

import ontogeny as og
from ontogeny.record.run import open_run
from ontogeny.steer.live.client import Client
from ontogeny.steer.live.launch import start
from ontogeny.steer.registry import command
from ontogeny.steer.session import COMMAND

CLIENTS = 50
ROUNDS, MANY = 4, 12
SECONDS = 6.0
WIDTH, EXAMPLES, BATCH = 384, 2048, 128
RUN, OTHER = "trains", "rests"
Question = tuple[str, dict[str, Any]]
Speed = tuple[float, ...]
"""Steps a second of the run's own time, and by the clock; CPU seconds for a step."""


def questions(run: str) -> tuple[Question, ...]:
    """What clients ask about a run, over and over."""
    return (
        ("look", {"command": "status", "run": run}),
        ("runs", {}) if run == RUN else ("look", {"command": "why", "run": run}),
        ("look", {"command": "events", "run": run}),
        ("look", {"command": "curve", "run": run, "of": "loss"}),
        ("look", {"command": "history", "run": run}),
        ("preview", {"command": "set", "arguments": {"run": run, "dial": "lr", "by": 0.5}}),
    )


def main() -> None:
    """All rounds in one folder."""
    options = arguments(__doc__ or "")
    one_thread()
    os.environ.update(one_thread_environment())
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as home:
        os.environ["ONTOGENY_RUNS"] = home
        begin(Path(home, RUN))
        begin(Path(home, OTHER), steps=1000)
        os.sched_setaffinity(0, cores[:1])
        live = start(Path(home, RUN), ["live", str(Path(home, RUN)), "--serve"])
        os.sched_setaffinity(0, cores[1:2] or cores)
        with live:
            try:
                figures = asyncio.run(measured(live, Path(home), MANY if options.full else ROUNDS))
            finally:
                live.do(command("stop"))
        figures |= counted(Path(home, RUN), int(figures["marks"] or 0))
    for name, value in figures.items():
        print(f"  {name:20} {value}")
    targets = {"speed_kept": (">=", 0.95), "lost": ("<=", 0), "doubled": ("<=", 0), "refused": ("<=", 0)}
    close("steer_load", figures, targets, peers("torch", "mcp"))


def begin(folder: Path, steps: int = 0) -> None:
    """A run of so many steps of a network whose step takes some milliseconds."""
    torch.manual_seed(0)
    draw = np.random.default_rng(0)
    x = draw.normal(size=(EXAMPLES, 64)).astype(np.float32)
    y = (np.abs(x[:, :10]).argmax(1)).astype(np.int64)
    net = nn.Sequential(nn.Linear(64, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 10))

    def loss(model: nn.Module, batch: Any) -> dict[str, torch.Tensor]:
        return {"loss": nn.functional.cross_entropy(model(batch["x"]), batch["y"])}

    data = og.Arrays({"x": x, "y": y}, BATCH, seed=0)
    with og.create(folder, og.capture(net, loss, og.adamw(lr=1e-3), data.batch(0), name=RUN), data) as run:
        run.advance(steps)


async def measured(live: Client, home: Path, rounds: int) -> Figures:
    """Speeds in silence, under questions, and under commands too, in turns."""
    quiet: list[Speed] = []
    busy: dict[str, list[Speed]] = {"asked": [], "told": [], "elsewhere": []}
    heard: Counter[str] = Counter()
    with served(home) as (url, token):
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(client(url, token, n)) for n in range(CLIENTS)]
            quiet.append(await speed(live))
            for turn in range(rounds):
                for kind, found in busy.items():
                    ends = time.monotonic() + SECONDS
                    run, mark = OTHER if kind == "elsewhere" else RUN, f"mark {turn}" if kind == "told" else ""
                    asking = [asyncio.create_task(ask(one, n, run, mark, ends, heard)) for n, one in enumerate(clients)]
                    found.append(await speed(live))
                    await asyncio.gather(*asking)
                    quiet.append(await speed(live))
                speeds = ", ".join(f"{kind} {found[-1][0]:.0f}" for kind, found in busy.items())
                print(f"  round {turn + 1}: {speeds} of {quiet[-1][0]:.0f} steps/s", flush=True)
    beside = [tuple((a + b) / 2 for a, b in zip(one, other)) for one, other in itertools.pairwise(quiet)]
    asked, told, elsewhere = (list(zip(found, beside[place::3])) for place, found in enumerate(busy.values()))
    return {
        "steps_per_second": round(statistics.median(one[0] for one in beside), 2),
        "speed_kept": kept(asked, 0),
        "kept_commanded": kept(told, 0),
        "kept_elsewhere": kept(elsewhere, 0),
        "kept_by_the_clock": kept(asked, 1),
        "elsewhere_by_the_clock": kept(elsewhere, 1),
        "cpu_per_step": kept(asked, 2),
        "elsewhere_cpu_per_step": kept(elsewhere, 2),
        "questions_per_second": round(heard["questions"] / (3 * rounds * SECONDS), 1),
        "commands_per_second": round(heard["marks"] / (rounds * SECONDS), 1),
        "marks": heard["marks"],
        "refused": heard["refused"],
    }


def kept(pairs: Sequence[tuple[Sequence[float], Sequence[float]]], place: int) -> float:
    """The median over rounds of one of the speeds against that in the silence beside it."""
    return round(statistics.median(busy[place] / quiet[place] for busy, quiet in pairs), 4)


async def speed(live: Client) -> Speed:
    """Steps a second of the run's own time, and by the clock, and CPU seconds of its process for a step, over a while.

    Its own time is what its thread ran, slept, and waited for locks and disks: not what it waited for a core.
    """
    process = live.address.process
    first, used, stood, began = live.status()["step"], cpu(process), queued(process), time.monotonic()
    await asyncio.sleep(SECONDS)
    steps, seconds = live.status()["step"] - first, time.monotonic() - began
    return steps / (seconds - (queued(process) - stood)), steps / seconds, (cpu(process) - used) / steps


def queued(process: int) -> float:
    """Seconds that a process's first thread was ready and had no core."""
    return int(Path(f"/proc/{process}/task/{process}/schedstat").read_text().split()[1]) / 1e9


def cpu(process: int) -> float:
    """CPU seconds that a process has taken."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def ask(client: McpClient, number: int, run: str, mark: str, ends: float, heard: Counter[str]) -> None:
    """One client's round: questions one after another, and a mark where one is given."""
    mark_at = ends - SECONDS * (number + 0.5) / CLIENTS if mark else math.inf
    for tool, given in itertools.cycle((*questions(run)[number % 6 :], *questions(run)[: number % 6])):
        if time.monotonic() > mark_at:
            marked = await client.call_tool("place", {"command": "mark", "run": RUN, "name": f"{mark} {number}"})
            heard["refused" if marked.is_error else "marks"] += 1
            mark_at = math.inf
        if time.monotonic() > ends:
            return
        answer = await client.call_tool(tool, given)
        heard["refused" if answer.is_error else "questions"] += 1
        if answer.is_error:
            print(f"  {tool} {given}: {answer.content[0].text}")


@asynccontextmanager
async def client(url: str, token: str, number: int) -> AsyncIterator[McpClient]:
    """A client in a session of its own."""
    headers, patience = {"Authorization": f"Bearer {token}"}, httpx2.Timeout(60, read=300)
    async with httpx2.AsyncClient(headers=headers, timeout=patience) as connection:
        transport = streamable_http_client(url, http_client=connection)
        about = Implementation(name=f"client {number}", version="1")
        async with McpClient(transport, mode="legacy", client_info=about) as found:
            yield found


@contextmanager
def served(home: Path) -> Iterator[tuple[str, str]]:
    """The server's URL and token."""
    token = home / "token"
    words = ["mcp", "--http", "--port", "0", "--token-file", str(token), "--json", "--allow-changes"]
    with subprocess.Popen([sys.executable, "-m", "ontogeny", *words], stdout=subprocess.PIPE, text=True) as child:
        said = ""
        while not said.endswith("}\n"):
            said += (child.stdout.readline() if child.stdout else "") or sys.exit("the server did not come up")
        try:
            yield json.loads(said)["url"], token.read_text().strip()
        finally:
            child.terminate()


def counted(folder: Path, given: int) -> Figures:
    """How many marks were lost, and how many came twice."""
    run = open_run(folder)
    names = Counter(one["arguments"]["name"] for one in run.entries if one.kind == COMMAND and one["command"] == "mark")
    marks = Counter(one["name"] for one in run.entries if one.kind == "mark")
    doubled = sum(count - 1 for count in (*names.values(), *marks.values()))
    return {"lost": 2 * given - len(names) - len(marks), "doubled": doubled}


if __name__ == "__main__":
    main()
