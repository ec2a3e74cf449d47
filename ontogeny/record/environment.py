"""Where a run is computed: what the bits may depend on beside the program, recorded and compared."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

CAPABILITIES = ("avx512f", "avx2", "avx", "sse4_2", "asimd")


def environment(machine: object = None) -> dict[str, Any]:
    """Versions, thread count and CPU capability.

    The thread count is the one that the machine is pinned to; for a machine that does not say, the CPUs there are; and
    "any" for a machine that says that its bits are the same with any.
    """
    return {
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "torch": version("torch"),
        "threads": "any" if getattr(machine, "any_threads", False) else getattr(machine, "threads", None) or cpus(),
        "cpu": capability(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def version(package: str) -> str | None:
    """The installed version of a package, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def threads() -> int:
    """Torch's thread count where it is loaded, else the number of CPUs that this process may use."""
    torch = sys.modules.get("torch")
    return int(torch.get_num_threads()) if torch is not None else cpus()


def cpus() -> int:
    """How many CPUs this process may use."""
    return len(os.sched_getaffinity(0))


def capability() -> str:
    """The widest vector instructions of this CPU."""
    info = Path("/proc/cpuinfo")
    words = set(info.read_text(encoding="utf-8", errors="replace").split()) if info.exists() else set()
    return next((name for name in CAPABILITIES if name in words), platform.processor() or "unknown")


def differences(recorded: Mapping[str, Any], present: Mapping[str, Any]) -> str:
    """What differs, in words; empty where nothing does."""
    return ", ".join(
        f"{name} was {recorded.get(name)} and is {present.get(name)}"
        for name in dict.fromkeys([*recorded, *present])
        if recorded.get(name) != present.get(name)
    )
