"""What journal entries say, in words."""

from __future__ import annotations

from ontogeny.record.journal import Entry

LONGEST = 60
UNSAID = {"id", "hash", "program", "parent_id", "parent_hash", "lines"}


def said(entry: Entry) -> str:
    """An entry in a line: its short values; those that only a machine reads are left out."""
    if entry.kind == "dial":
        return f"{entry['name']} = {entry['value']:g}"
    shown = {name: value for name, value in entry.content.items() if name not in UNSAID and not isinstance(value, dict)}
    return ", ".join(f"{name} {value}" for name, value in shown.items() if len(str(value)) <= LONGEST)
