"""Where a command writes a file: the option for it, and a place that can be written to."""

from __future__ import annotations

from pathlib import Path

from ontogeny.isa.errors import OntogenyError

SPELT = ("--output", "--out", "-o")
"""How the option is spelt, of every command that has it."""


def place(named: str, otherwise: str | Path) -> Path:
    """The file `named`, or where nothing is named the other; its folder is made. Raises OntogenyError for a folder."""
    target = Path(named or otherwise)
    if target.is_dir():
        raise OntogenyError(f"{target} is a folder; name a file in it, such as {target / Path(otherwise).name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise OntogenyError(f"{target} cannot be written: {target.parent} is not a folder") from error
    return target


def replaceable(target: Path) -> Path:
    """The same, for a writer that puts a new file in its place. Raises OntogenyError where a device is there."""
    if target.exists() and not target.is_file():
        raise OntogenyError(f"{target} is not a file, and writing would put one in its place; name a file")
    return target
