"""Every command of the shell, one line each: its name, its heading, its meaning.

A command is a file in `faces/commands` named like it (a dash is `_`), holding a function `command` whose arguments and
docstring the shell shows. The file is imported only when the command is used, so that `ontogeny --help` needs none of
the heavy libraries. A new command is one file and one line here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

PROGRAMS = "Programs"
SEARCHES = "Searches"
RUNS = "Runs"
STEERING = "Steering"
QUESTIONS = "Questions"


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: its name, the heading it is listed under, and its meaning in one line.

    One that `steers` is made from the command of steering of its name (`faces/generated.py`).
    One that `passes_on` takes no options after its first word: they belong to the script that it runs.
    """

    name: str
    heading: str
    meaning: str
    passes_on: bool = False
    steers: bool = False

    @property
    def file(self) -> str:
        """The name of its file, without the ending."""
        return self.name.replace("-", "_")

    def load(self) -> Callable[..., None]:
        """The function that does it."""
        if self.steers:
            kind = importlib.import_module("ontogeny.steer.registry").BY_NAME[self.name]
            function: Callable[..., None] = importlib.import_module("ontogeny.faces.generated").function_of(kind)
        else:
            function = importlib.import_module(f"ontogeny.faces.commands.{self.file}").command
        return function


def _steers(name: str, meaning: str) -> Entry:
    return Entry(name, STEERING, meaning, steers=True)


COMMANDS: tuple[Entry, ...] = (
    Entry("asm", PROGRAMS, "Turn program text into its compact encoded form."),
    Entry("disasm", PROGRAMS, "Turn an encoded program, or the program of a run, into text."),
    Entry("check", PROGRAMS, "Say whether a program is well formed, and what it holds."),
    Entry("fmt", PROGRAMS, "Write program text in its one canonical form."),
    Entry("cost", PROGRAMS, "Count the operations and bytes of every instruction."),
    Entry("circuit", PROGRAMS, "Read, simplify, convert, draw and run a gate network; prove it equal to another."),
    Entry("search", SEARCHES, "Search for a circuit or for numbers without gradients; turn dials, resume, draw it."),
    Entry("run", RUNS, "Start a run of the experiment that a Python file describes."),
    Entry("record", RUNS, "Record a PyTorch script as it trains, unchanged: every parameter at every step.", True),
    Entry("runs", RUNS, "List the runs."),
    Entry("show", RUNS, "Show one run: its journal, its metrics, what it was made with."),
    Entry("resume", RUNS, "Let a run go on from where it is."),
    Entry("set", RUNS, "Turn a dial of a run from its present step on."),
    Entry("rewind", RUNS, "Look at a run's state as it was at a step."),
    Entry("fork", RUNS, "Start a new run from any step of another."),
    Entry(
        "regimes",
        RUNS,
        "Compare regimes of learning on one learner: sleep, SAM, Grokfast, bursts..., beside it as it is.",
    ),
    Entry("compare", RUNS, "Put runs side by side: what they were made with, what they reached, and where they part."),
    Entry("verify", RUNS, "Replay a run and prove it against the hash of every step."),
    Entry("debug", RUNS, "Step through a run, instruction by instruction, forwards and back."),
    Entry("shrink", RUNS, "Make a network smaller: distilled or pruned to a size, as ONNX and in 8 bits."),
    Entry("export", RUNS, "Write what a step has learned: safetensors, for PyTorch, ONNX, or the program as text."),
    Entry(
        "trace", RUNS, "Say which trajectories a run has, or write them for other tools: Zarr v3, as xarray opens it."
    ),
    Entry("page", RUNS, "Write a run as one HTML page that needs no network."),
    Entry("picture", RUNS, "Draw the curves of one or several runs."),
    Entry("chat", STEERING, "Steer a run in words, and ask about it; changes are shown first, and confirmed."),
    Entry("live", STEERING, "Let a run go on in a process of its own that takes commands between steps."),
    Entry("mcp", STEERING, "Let a program that speaks the Model Context Protocol question and steer the runs."),
    _steers("pause", "Let a live run wait after the present step."),
    _steers("stop", "End the process of a live run; the run itself stays as far as it came."),
    _steers("back", "Go back to a step, a mark, or before something happened; what comes next forks there."),
    _steers("again", "Start a new run of the same learner from its beginning, with another seed or other dials."),
    Entry(
        "autopilot",
        STEERING,
        "Look after a run: find its faults, try remedies on forks, keep what is better, and report.",
    ),
    _steers("mark", "Give the present step a name to come back to."),
    _steers("keep", "Keep this run: its journal says so, and it cannot be discarded by mistake."),
    _steers("discard", "Put a run away; its files stay, and it can be taken back."),
    _steers("take-back", "Take a discarded run back."),
    _steers("rule", "Change the learning rule: another optimizer, momentum, clipping, decay of matrices only..."),
    _steers("freeze", "Let parameters stay as they are from here on, by name or pattern."),
    _steers("unfreeze", "Let frozen parameters learn again."),
    _steers("alter", "Alter parameters once: scale, reset, zero, add noise, or prune the smallest."),
    _steers("leave-out", "Leave training examples out of every batch from here on."),
    _steers("learn-again", "Learn again from examples that were left out."),
    _steers("learn", "Learn this: put further rows into every batch, of some examples or of new ones."),
    _steers("stop-learning", "End what `learn` began: no further rows in the batches from here on."),
    _steers("mix", "Draw a share of every batch from a group of examples; a share of 0 ends that."),
    _steers("forget", "Forget training examples exactly: replay without them, as a new run; the cost is told first."),
    _steers("call", "Call a routine of the program, such as `sleep`, once before the next step."),
    _steers("status", "Say where a run stands: step, dials, rule, metrics, and what happened."),
    _steers("curve", "Show a metric, or one parameter, against steps."),
    _steers("events", "Say what happened and when: memorised, generalised, spiked, diverged, catapulted, was best."),
    _steers("why", "Say why a run stands where it does: what was done to it, when, by whom, and their reasons."),
    _steers("undo", "Take the last command back. What was recorded stays; the run goes on from before it."),
    _steers("history", "List what was done to a run: which command, when, by whom, and what came of it."),
    Entry("chart", QUESTIONS, "Draw all parameters against steps as one picture of their density, the loss beneath."),
    Entry("moments", QUESTIONS, "Say how every parameter's chart is distributed: mean, variance, skewness, kurtosis."),
    Entry("explain", QUESTIONS, "Say which term of the rule made a parameter what it is, and which examples."),
    Entry("alike", QUESTIONS, "Find every parameter whose chart has another's shape, and prove that none is missed."),
    Entry("waste", QUESTIONS, "Count what a run computes for nothing, and say what would remove it."),
    Entry("what-if", QUESTIONS, "Replay a run with a dial turned or examples left out: what would have come of it."),
    Entry("diagnose", QUESTIONS, "Say what is wrong with a run: since when, how sure, on what evidence."),
    Entry(
        "phase",
        QUESTIONS,
        "Foretell whether a learning rate is lazy, catapults or diverges, beside what the run then did.",
    ),
    Entry("recall", QUESTIONS, "Say how exactly a run reproduces what it was trained on, and what it memorised."),
    Entry("laws", QUESTIONS, "Fit scaling laws to your own runs: what more parameters, data or epochs would give."),
    Entry("scale", QUESTIONS, "Say what the questions would take at any size: bytes, machines, hours and prices."),
    Entry("capacity", QUESTIONS, "Say how many bits of its data a run holds, and how many per parameter."),
    Entry("streams", QUESTIONS, "Say how much text, sound and images carry once predicted, in bits a second."),
    Entry("claims", QUESTIONS, "Claims about learning as experiments: what was measured, and the verdict."),
    Entry("price", QUESTIONS, "Say what learning costs, of a learner or at any size: hours, machines, money, energy."),
    Entry("groups", QUESTIONS, "Find groups of parameters that move together, and when they formed."),
)
BY_NAME: dict[str, Entry] = {entry.name: entry for entry in COMMANDS}

SHELL = {"run": "resume", "switch": "show"}
"""Commands of steering that the shell calls otherwise; those of one name with a command here are the same there."""

ELSEWHERE = {
    "ls": "runs",
    "list": "runs",
    "log": "show",
    "info": "show",
    "train": "run",
    "start": "run",
    "continue": "resume",
    "checkout": "rewind",
    "branch": "fork",
    "diff": "compare",
    "blame": "explain",
    "plot": "picture",
    "similar": "alike",
    "cluster": "groups",
    "convert": "export",
    "replay": "verify",
    "flops": "cost",
    "profile": "cost",
    "doctor": "diagnose",
    "health": "diagnose",
    "evolve": "search",
    "extract": "recall",
    "memorised": "recall",
    "sharpness": "phase",
}
"""What other tools call such a command; a person who says that is told its name here."""
