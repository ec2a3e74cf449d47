"""How long one waits: for the import, for the shell's help, and for a capture, each in a fresh process.

CPU seconds of the process, the least of some tries; wall seconds of the same tries are reported beside them.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from common import Figures, arguments, close, fresh, peers, python

CAPTURE = """
import sys, time
from models import GPT_TASK
import torch
torch.set_num_threads(1)
model, batch = GPT_TASK.model(), GPT_TASK.batches(1)[0]
cpu, wall = time.process_time(), time.perf_counter()
GPT_TASK.capture()
print(time.process_time() - cpu, time.perf_counter() - wall)
"""


def help_command() -> list[str]:
    """The shell's command, beside this Python or on the path."""
    beside = Path(sys.executable).with_name("ontogeny")
    command = str(beside) if beside.exists() else shutil.which("ontogeny")
    return [command, "--help"] if command else [sys.executable, "-m", "ontogeny.faces.cli", "--help"]


def main() -> None:
    """Measures the three."""
    options = arguments(__doc__ or "")
    tries = 9 if options.full else 5
    bare = python("pass", repeats=tries)
    imported = python("import ontogeny", repeats=tries)
    helped = fresh(help_command(), tries)
    captures = [tuple(map(float, python(CAPTURE)[2].split())) for _ in range(3 if options.full else 1)]
    figures: Figures = {
        "python_seconds": round(bare[0], 3),
        "import_seconds": round(imported[0], 3),
        "import_wall_seconds": round(imported[1], 3),
        "help_seconds": round(helped[0], 3),
        "help_wall_seconds": round(helped[1], 3),
        "capture_seconds": round(min(cpu for cpu, _ in captures), 2),
        "capture_wall_seconds": round(min(wall for _, wall in captures), 2),
    }
    for name, value in figures.items():
        print(f"  {name}: {value}")
    targets = {"import_seconds": ("<=", 0.3), "help_seconds": ("<=", 0.4), "capture_seconds": ("<=", 5.0)}
    close("start", figures, targets, peers("torch"))


if __name__ == "__main__":
    main()
