"""The folders are the architecture: who may import whom, and nothing hidden inside functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "ontogeny"
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))

# Each room, and the rooms that it may import beside itself. `isa` is open to everyone.
MAY_IMPORT: dict[str, set[str]] = {
    "isa": set(),
    "machine": set(),
    "data": set(),
    "front": {"machine"},
    "record": {"machine", "data"},
    "ask": {"record", "machine", "data"},
    "steer": {"ask", "record", "front", "machine", "data"},
    "train": {"front", "machine", "data", "record"},
    "evolve": {"front", "machine", "data", "record"},
    "claims": {"front", "machine", "data", "record", "ask", "train", "evolve"},
    "faces": {"front", "machine", "data", "record", "ask", "steer", "train", "evolve", "claims"},
}
FOUNDATION = {"isa"}

# A heavy or optional library that a function may import for itself, so that starting stays quick and torch optional.
# (file or folder, library): everything else stands at the top of its file.
IMPORTED_INSIDE: set[tuple[str, str]] = {
    ("__init__.py", "importlib"),
    ("faces/commands", "torch"),
    ("evolve/methods/cma_es.py", "cma"),
}

# Files that are about a library which their room does without, loaded only by those who have it.
ABOUT: set[tuple[str, str]] = {("record/attach/huggingface.py", "transformers")}

# The isa and the reference machine define the meaning: they run without torch.
NEVER: dict[str, set[str]] = {
    "isa": {"torch", "numba", "transformers", "matplotlib", "rich", "typer"},
    "data": {"torch", "transformers", "matplotlib", "rich", "typer"},
    "record": {"transformers", "matplotlib", "rich", "typer"},
    "machine/reference": {"torch"},
}


def parsed(file: str) -> ast.Module:
    return ast.parse((PACKAGE / file).read_text(encoding="utf-8"), file)


def modules(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"line {node.lineno}: imports are absolute"
        yield node.module or ""


def place_of(file: str, node: ast.AST) -> str:
    return f"{file}:{getattr(node, 'lineno', 0)}"


def rooms(module: str) -> set[str]:
    parts = module.split(".")
    return {parts[1]} if parts[0] == "ontogeny" and len(parts) > 1 else set()


def is_typing_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def allowed_inside(file: str, module: str) -> bool:
    library = module.split(".")[0]
    return any(library == name and file.startswith(place) for place, name in IMPORTED_INSIDE)


@pytest.mark.parametrize("file", FILES)
def test_a_room_imports_only_what_the_table_allows(file: str) -> None:
    room = file.split("/")[0] if "/" in file else ""
    if not room:
        return
    assert room in MAY_IMPORT, f"{room}/ is not in the table of rooms"
    for node in ast.walk(parsed(file)):
        for module in modules(node):
            for other in rooms(module):
                allowed = MAY_IMPORT[room] | FOUNDATION | {room}
                assert other in allowed, f"{place_of(file, node)}: {room} may not import {other}"


@pytest.mark.parametrize("file", FILES)
def test_nothing_is_imported_inside_a_function(file: str) -> None:
    for function in ast.walk(parsed(file)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        for node in ast.walk(function):
            for module in modules(node):
                assert allowed_inside(file, module), f"{place_of(file, node)}: {module} is imported inside a function"


@pytest.mark.parametrize("place", sorted(NEVER))
def test_a_place_stays_free_of_the_libraries_it_must_not_need(place: str) -> None:
    for file in FILES:
        if not file.startswith((place + "/", place + ".")):
            continue
        for node in ast.walk(parsed(file)):
            for module in modules(node):
                library = module.split(".")[0]
                assert library not in NEVER[place] or (file, library) in ABOUT, f"{file} imports {module}"


def test_rooms_form_no_circle() -> None:
    done: set[str] = set()
    while len(done) < len(MAY_IMPORT):
        ready = {room for room, needs in MAY_IMPORT.items() if room not in done and needs <= done}
        assert ready, f"a circle among {set(MAY_IMPORT) - done}"
        done |= ready
