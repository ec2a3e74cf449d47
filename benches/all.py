"""Runs every bench in a process of its own, one after another, and prints what falls short."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

from common import ROOT, arguments, missed, one_thread_environment

BENCHES = (
    "start",
    "step_speed",
    "exact",
    "step_through",
    "replay",
    "record_cost",
    "codec",
    "access",
    "explain",
    "what_if",
    "alike",
    "chart",
    "moments",
    "diagnose",
    "steer_load",
    "gates",
    "cgp",
    "classify",
    "search_scale",
    "size",
    "parts",
    "weights",
    "price",
    "laws",
    "recall",
    "capacity",
    "phase",
    "grok",
    "text_bits",
    "decay",
    "shrink",
    "ensemble",
)


def run(bench: str, full: bool) -> dict[str, Any] | None:
    """One bench's closing JSON object, or None where it ended badly; what it prints is passed on."""
    command = [sys.executable, str(ROOT / "benches" / f"{bench}.py"), *(["--full"] if full else [])]
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=one_thread_environment()) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            last = line.strip() or last
    if process.returncode:
        return None
    closing: dict[str, Any] = json.loads(last)
    return closing


def main() -> None:
    """All of them; exit code 1 where a bench itself failed, not where a figure falls short."""
    options = arguments(__doc__ or "")
    short: list[str] = []
    failed: list[str] = []
    for bench in BENCHES:
        print(f"{bench}", flush=True)
        started = time.perf_counter()
        closing = run(bench, options.full)
        print(f"  took {time.perf_counter() - started:.0f} s")
        if closing is None:
            failed.append(bench)
        else:
            short += [f"{bench}: {line}" for line in missed(closing["figures"], closing["targets"])]
    print("\nWhat falls short:" if short else "\nNothing falls short.")
    for line in short:
        print(f"  {line}")
    if failed:
        sys.exit(f"these benches did not run to their end: {', '.join(failed)}")


if __name__ == "__main__":
    main()
