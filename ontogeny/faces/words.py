"""What journal entries say, in words, one by one and as a table."""

from __future__ import annotations

import time
from collections.abc import Iterable

from rich.markup import escape
from rich.table import Table

from ontogeny.faces.terminal import table
from ontogeny.record.journal import Entry

LONGEST = 60
UNSAID = {"id", "hash", "program", "parent_id", "parent_hash", "lines"}


def said(entry: Entry) -> str:
    """An entry in a line: its short values; those that only a machine reads are left out."""
    if entry.kind == "dial":
        return f"{entry['name']} = {entry['value']:g}"
    shown = {name: value for name, value in entry.content.items() if name not in UNSAID and not isinstance(value, dict)}
    return ", ".join(f"{name} {value}" for name, value in shown.items() if len(str(value)) <= LONGEST)


def journal(entries: Iterable[Entry]) -> Table:
    """Entries as a table: at which step, what, by whom, when."""
    shown = table("journal", step="right", what="left", how="left", by="left", when="left")
    for entry in entries:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.time))
        shown.add_row(str(entry.at), escape(entry.kind), escape(said(entry)), escape(entry.author), when)
    return shown
