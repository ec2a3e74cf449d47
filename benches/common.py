"""What the benches share: interleaved CPU time at one thread, the peers and the machine, and the closing JSON line.

Contenders take turns within every round, in an order that rotates, so that a busy machine slows all of them
alike; what is reported is the median over rounds of a ratio within the round. CPU time, not wall-clock: threads that
wait count nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol, TypeVar

ROOT = Path(__file__).resolve().parent.parent
Figures = dict[str, float | int | None]
Targets = dict[str, tuple[str, float]]
Times = dict[str, list[float]]
CAPABILITIES = ("avx512f", "avx2", "avx", "asimd")


def arguments(about: str) -> argparse.Namespace:
    """The options that every bench takes: --full."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--full", action="store_true", help="more rounds, and the peers that take minutes to compile")
    return parser.parse_args()


class Named(Protocol):
    """What a bench goes through: a task, by its name."""

    @property
    def name(self) -> str: ...


Task = TypeVar("Task", bound=Named)


def of_tasks(
    bench: str,
    about: str,
    quick: Sequence[Task],
    further: Sequence[Task],
    measure: Callable[[Task, Path, int, Figures], None],
    rounds: int,
    none: str,
) -> None:
    """A whole bench that measures several tasks, each in a folder that is thrown away, at one thread.

    With --full there are the `further` tasks and 15 rounds. The figure `none` of each task must be 0.
    """
    options = arguments(about)
    one_thread()
    figures: Figures = {}
    tasks = (*quick, *(further if options.full else ()))
    for task in tasks:
        with tempfile.TemporaryDirectory() as folder:
            measure(task, Path(folder), 15 if options.full else rounds, figures)
    close(bench, figures, {f"{none}.{task.name}": ("<=", 0) for task in tasks}, peers("torch"))


def one_thread() -> None:
    """Pins torch to one thread within operations."""
    import torch

    torch.set_num_threads(1)


def version(package: str) -> str | None:
    """The installed version of a package, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def peers(*packages: str) -> dict[str, str | None]:
    """Versions of what is compared with; says on the screen what is not installed."""
    found = {package: version(package) for package in packages}
    for package, number in found.items():
        if number is None:
            print(f"  {package} is not installed: skipped")
    return found


def machine() -> dict[str, Any]:
    """Where the figures were taken."""
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8", errors="replace") if info.exists() else ""
    models = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")]
    words = set(text.split())
    return {
        "cpu": models[0] if models else platform.processor(),
        "capability": next((name for name in CAPABILITIES if name in words), "unknown"),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def interleaved(
    contenders: Mapping[str, Callable[[], object]], rounds: int = 9, slice_seconds: float = 0.05, warm: int = 3
) -> Times:
    """CPU seconds per call of each contender in each round. Each turn lasts about `slice_seconds` of CPU time."""
    calls = {name: _calls(call, slice_seconds, warm) for name, call in contenders.items()}
    times: Times = {name: [] for name in contenders}
    names = list(contenders)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            times[name].append(_timed(contenders[name], calls[name]))
    return times


def _calls(call: Callable[[], object], slice_seconds: float, warm: int) -> int:
    for _ in range(warm):
        call()
    return max(1, round(slice_seconds / max(_timed(call, 2), 1e-7)))


def _timed(call: Callable[[], object], calls: int) -> float:
    started = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - started) / calls


def ratio(times: Times, over: str, under: Sequence[str]) -> float | None:
    """The median over rounds of `over` against the best of `under` in the same round; None where one was not run."""
    present = [times[name] for name in under if name in times]
    if over not in times or not present:
        return None
    return round(statistics.median(mine / min(theirs) for mine, *theirs in zip(times[over], *present, strict=True)), 4)


def show_times(what: str, times: Times) -> None:
    """Milliseconds of CPU per call, for people."""
    cells = ", ".join(f"{name} {1000 * statistics.median(values):.3f}" for name, values in times.items())
    print(f"  {what}: ms of CPU per step: {cells}", flush=True)


def fresh(arguments: Sequence[str], repeats: int = 1) -> tuple[float, float, str]:
    """A command in fresh processes at one thread: least CPU and least wall seconds, and what was printed last."""
    cpu, wall, printed = [], [], ""
    for _ in range(repeats):
        before, started = _children(), time.perf_counter()
        done = subprocess.run(arguments, capture_output=True, text=True, cwd=ROOT, env=one_thread_environment())
        wall.append(time.perf_counter() - started)
        cpu.append(_children() - before)
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
        printed = done.stdout
    return min(cpu), min(wall), printed


def python(code: str, *rest: str, repeats: int = 1) -> tuple[float, float, str]:
    """Python code in fresh processes, as `fresh`."""
    return fresh([sys.executable, "-c", code, *rest], repeats)


def one_thread_environment() -> dict[str, str]:
    """The environment with one thread everywhere and the project importable."""
    paths = [str(ROOT), str(ROOT / "benches"), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def missed(figures: Mapping[str, Any], targets: Mapping[str, Sequence[Any]]) -> list[str]:
    """A line for each figure that falls short of its target or was not measured."""
    lines = []
    for name, (sign, value) in targets.items():
        found = figures.get(name)
        if found is None:
            lines.append(f"{name}: not measured (target {sign} {value})")
        elif not (found >= value if sign == ">=" else found <= value):
            lines.append(f"{name}: {found}, target {sign} {value}")
    return lines


def close(bench: str, figures: Figures, targets: Targets, versions: Mapping[str, str | None]) -> None:
    """What falls short, then the one JSON line that every bench ends in."""
    for line in missed(figures, targets):
        print(f"  short: {line}")
    closing = {"bench": bench, "figures": figures, "targets": targets, "peers": dict(versions), "machine": machine()}
    print(json.dumps(closing), flush=True)
