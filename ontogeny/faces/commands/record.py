"""ontogeny record"""

from __future__ import annotations

import runpy
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from ontogeny.faces.running import INTERRUPTED
from ontogeny.faces.sources import fresh
from ontogeny.faces.terminal import AsJson, answer, duration, size, tell
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.attach.policy import Policy, Setup
from ontogeny.record.attach.script import Recorded, ScriptRecorder


def command(
    script: Annotated[str, typer.Argument(metavar="SCRIPT.py", help="The script, run as python would run it.")],
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORD]...", help="What the script is given.")] = None,
    name: Annotated[str, typer.Option("--name", help="What to call the record; else as the script.")] = "",
    every: Annotated[int, typer.Option("--every", help="Record every n-th step.")] = 1,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Only these tensors; * stands for anything.")
    ] = None,
    error: Annotated[float, typer.Option("--error", help="The relative error values may have; 0 is exact.")] = 0.0,
    checkpoint_every: Annotated[int, typer.Option("--checkpoint-every", help="Steps between checkpoints.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Record a PyTorch script as it trains, unchanged: every parameter at every step.

    Options stand before the script; what stands after it is the script's own, and so is the exit code.
    """
    if not Path(script).is_file():
        raise OntogenyError(f"there is no file {script}; name the Python script that trains")
    policy = Policy(every, tuple(only) if only else None, error=error)
    recorder = ScriptRecorder(fresh(name or Path(script).stem), Setup(policy, checkpoint_every))
    with recorder:
        code = run(script, words or [])
    found = recorder.result()
    answer({**asdict(found), "exit_code": code}, as_json, lambda _: say(found))
    raise typer.Exit(code)


def run(script: str, words: list[str]) -> int:
    """Runs a script as `python SCRIPT WORDS` would, and gives its exit code; its traceback is its own."""
    kept = sys.argv, sys.path[:]
    sys.argv, sys.path[0:1] = [script, *words], [str(Path(script).resolve().parent)]
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as ended:
        return code_of(ended)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BaseException as error:
        frames = traceback.TracebackException.from_exception(error)
        own = [number for number, frame in enumerate(frames.stack) if frame.filename == script]
        frames.stack = traceback.StackSummary.from_list(frames.stack[own[0] if own else 0 :])
        print("".join(frames.format()), end="", file=sys.stderr)  # noqa: T201
        return 1
    finally:
        sys.stdout.flush()
        sys.argv, sys.path[:] = kept
    return 0


def code_of(ended: SystemExit) -> int:
    """The exit code that Python gives for it."""
    if ended.code is None or isinstance(ended.code, int):
        return ended.code or 0
    print(ended.code, file=sys.stderr)  # noqa: T201
    return 1


def say(found: Recorded) -> None:
    """What came of it, on the standard error: the standard output is the script's."""
    for note in found.notes:
        tell(f"[yellow]note:[/] {escape(note)}")
    if found.folder is None:
        return
    waited = f", for which the script waited {duration(found.waited)}" if found.waited >= 0.001 else ", without a wait"
    steps = f"{found.steps} step{'' if found.steps == 1 else 's'}"
    tell(f"recorded [bold]{escape(found.folder.name)}[/]: {steps} in {size(found.bytes)}{waited}")
    tell(f"[dim]{escape(str(found.folder))}[/]")
