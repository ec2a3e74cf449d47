"""What journal entries say, in words, one by one and as a table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from rich.markup import escape
from rich.table import Table

from ontogeny.data.without import written
from ontogeny.faces.terminal import table
from ontogeny.record.alterations import NOISE, PRUNE, RESET, SCALE, ZERO
from ontogeny.record.attach.attached import GROUPS
from ontogeny.record.composition import LEARN_ALSO, MIX, STOP_ALSO, TAKE_BACK, WITHOUT, runs_of
from ontogeny.record.journal import Entry
from ontogeny.record.lineage import FORK, PROGRAM
from ontogeny.record.schedule import ALTER, DIAL

LONGEST = 60
UNSAID = {"id", "hash", "program", "parent_id", "parent_hash", "lines"}


def _turned(entry: Entry) -> str:
    if not (over := entry.content.get("over")):
        return f"{entry['name']} = {entry['value']:g}"
    return f"{entry['name']} to {entry['value']:g} over {over} steps, {entry['shape']}"


def _altered(entry: Entry) -> str:
    how = {
        SCALE: "{tensors} times {amount:g}",
        RESET: "{tensors} as at step 0",
        ZERO: "{tensors} to zero",
        NOISE: "{tensors} plus {amount:g} of its deviation times noise, seed {seed}",
        PRUNE: "{tensors} with the smallest {share:.6g}% to zero",
    }[entry["how"]]
    named = {**entry.content, "tensors": ", ".join(entry["tensors"]), "share": 100 * entry.content.get("amount", 0)}
    return how.format(**named) + (", and the state of its update to zero" if "and_state" in named else "")


def _examples(entry: Entry) -> str:
    return written(runs_of(entry)) if "examples" in entry.content else "all"


def _also(entry: Entry) -> str:
    rows = f"{entry['rows']} row{'' if entry['rows'] == 1 else 's'} more in every batch"
    return f"{rows} from {_examples(entry)}{', which are new' if 'content' in entry.content else ''}"


def _mixed(entry: Entry) -> str:
    if not entry["share"]:
        return f"{_examples(entry)} no longer"
    return f"{100 * entry['share']:.6g}% of every batch from {_examples(entry)}"


def _grouped(entry: Entry) -> str:
    return "; ".join(f"{one['optimizer']}: {_several(one['tensors'])}" for one in entry["groups"]) or "no optimizer"


def _several(names: list[str]) -> str:
    return ", ".join(names) if len(", ".join(names)) <= LONGEST // 2 else f"{len(names)} tensors"


WORDS: dict[str, Callable[[Entry], str]] = {
    DIAL: _turned,
    ALTER: _altered,
    WITHOUT: lambda entry: f"{_examples(entry)} out of every batch",
    TAKE_BACK: lambda entry: f"{_examples(entry)} in the batches again",
    LEARN_ALSO: _also,
    STOP_ALSO: lambda entry: f"{_examples(entry)} no longer",
    MIX: _mixed,
    GROUPS: _grouped,
}
"""Entries that are more than their values in a row."""


def said(entry: Entry) -> str:
    """An entry in a line: its short values; those that only a machine reads are left out."""
    if entry.kind in WORDS:
        return WORDS[entry.kind](entry)
    told = (item for item in entry.content.items() if item[0] not in UNSAID and item[1] is not None)
    shown = {name: value for name, value in told if value != "" and not isinstance(value, dict)}
    words = [f"{name} {value}" for name, value in shown.items() if len(str(value)) <= LONGEST]
    return ", ".join([*words, *(["by another program"] if entry.kind == FORK and PROGRAM in entry.content else [])])


def journal(entries: Iterable[Entry]) -> Table:
    """Entries as a table: at which step, what, by whom, when."""
    shown = table("journal", step="right", what="left", how="left", by="left", when="left")
    for entry in entries:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.time))
        shown.add_row(str(entry.at), escape(entry.kind), escape(said(entry)), escape(entry.author), when)
    return shown
