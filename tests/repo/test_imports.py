"""The folders are the architecture: who may import whom, nothing hidden inside functions, and no circle.

An import is seen wherever it stands: at the top, inside a function, for type checkers alone, by `import_module`, or as
a name that some table of ours hands to it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parents[2] / "ontogeny"
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
MODULES = {".".join(("ontogeny", *Path(file).with_suffix("").parts)).removesuffix(".__init__"): file for file in FILES}

# Each room, and the rooms that it may import beside itself. `isa` is open to everyone. ARCHITECTURE.md shows the same.
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

# The package itself hands out names of every room, so a room that imports it could reach any. These two may:
THROUGH_THE_PACKAGE = {
    "record/shown.py",  # what a notebook shows is drawn by a face, found by name when the notebook asks
    "faces/specimen.py",  # where the package's own text lies
}

# What a function imports for itself: a heavy or optional library, or a file of ours about one, so that starting stays
# quick and the library optional. (file or folder, start of the module's name); everything else stands at the top.
IMPORTED_INSIDE: set[tuple[str, str]] = {
    ("evolve/methods/cma_es.py", "cma"),
    ("evolve/workers.py", "ray"),
    ("evolve/recording/vector_targets.py", "sklearn"),
    ("steer/autopilot/pool.py", "ray"),
    ("ask/workers.py", "ray"),
    ("ask/streams/files.py", "ontogeny.ask.streams.png"),
    ("machine/compiled/inductor.py", "ontogeny.machine.compiled.products"),
    ("train/small/sizes.py", "ontogeny.train.small.deployed"),
    ("train/small/shrink.py", "ontogeny.train.small.deployed"),
    ("record/trace/compiled.py", "ontogeny.record.trace.kernels"),
    ("record/trace/storage.py", "ontogeny.record.trace.remote"),
    ("record/trace/labelled.py", "xarray"),
    ("record/trace/view.py", "xarray"),
    ("record/trace/zarr_write.py", "zarr"),
    ("faces/commands", "ontogeny.faces."),
    ("faces/commands/export.py", "ontogeny.front."),
}
# Tables of ours, whose entries are loaded when one of them is wanted; their names stand in the same file.
LOADED_BY_NAME = {
    "__init__.py",
    "ask/streams/carried.py",
    "claims/book.py",
    "faces/registry.py",
    "faces/commands/mcp.py",
    "faces/mcp/resources.py",
    "machine/compiled/threefry.py",
    "record/machines.py",
    "record/attach/lightning.py",
}

# Files that need one another's types, and nothing else of one another.
TYPES_OF_EACH_OTHER = {"evolve/method.py", "steer/command.py", "steer/sentences.py"}

# Files that are about a library which their room does without, loaded only by those who have it.
ABOUT: set[tuple[str, str]] = {("record/attach/", "torch"), ("record/attach/huggingface.py", "transformers")}

# The isa and the reference machine define the meaning: they run without torch, and so do data and the record.
NEVER: dict[str, set[str]] = {
    "isa": {"torch", "numba", "transformers", "matplotlib", "rich", "typer"},
    "data": {"torch", "transformers", "matplotlib", "rich", "typer"},
    "record": {"torch", "transformers", "matplotlib", "rich", "typer"},
    "machine/reference": {"torch"},
    "faces/cli": {"torch", "numba", "transformers", "matplotlib", "sklearn"},
}

NAMED = re.compile(r"ontogeny\.([a-z_]+)\b[\w.:]*")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Import(NamedTuple):
    """A module that a line of a file imports, hands to `import_module`, or has in a string."""

    line: int
    module: str  # "" where it is not written out
    names: tuple[str, ...] = ()
    by: str = "import"  # or "call", or "string"
    inside: bool = False  # a function
    types: bool = False  # for type checkers alone


@cache
def imports(file: str) -> tuple[Import, ...]:
    tree = ast.parse((PACKAGE / file).read_text(encoding="utf-8"), file)
    return tuple(found_in(tree, inside=False, types=False))


def found_in(node: ast.AST, inside: bool, types: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(node.lineno, one.name, inside=inside, types=types) for one in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"line {node.lineno}: imports are absolute"
        names = tuple(one.name for one in node.names)
        yield Import(node.lineno, node.module or "", names, inside=inside, types=types)
    elif isinstance(node, ast.Call) and called(node.func) in ("import_module", "__import__"):
        yield Import(node.lineno, handed(node), by="call", inside=inside, types=types)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        named = NAMED.fullmatch(node.value)
        if named and named[1] in MAY_IMPORT:
            yield Import(node.lineno, node.value, by="string", inside=inside, types=types)
    inside = inside or isinstance(node, FUNCTIONS)
    types = types or (isinstance(node, ast.If) and called(node.test) == "TYPE_CHECKING")
    for child in ast.iter_child_nodes(node):
        yield from found_in(child, inside, types)


def called(node: ast.AST) -> str:
    """The last name of what is written: module of `a.module`."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def handed(node: ast.Call) -> str:
    """What a call is handed, as far as it is written out."""
    said = node.args[0] if node.args else None
    if isinstance(said, ast.JoinedStr):
        said = said.values[0]
    return str(said.value) if isinstance(said, ast.Constant) else ""


def rooms(module: str) -> set[str]:
    parts = module.split(".")
    return {parts[1]} if parts[0] == "ontogeny" and len(parts) > 1 else set()


def allowed_inside(file: str, module: str) -> bool:
    return any(f"{module}.".startswith((f"{name}.", name)) and file.startswith(at) for at, name in IMPORTED_INSIDE)


@cache
def needs(file: str, types: bool = False) -> frozenset[str]:
    """The files of ours that a file imports; with `types`, those that it names for type checkers alone, too."""
    found = set()
    for one in imports(file):
        if one.by == "import" and (types or not one.types):
            inner = {MODULES[name] for name in (f"{one.module}.{name}" for name in one.names) if name in MODULES}
            found |= inner or {MODULES[name] for name in (one.module,) if name in MODULES}
    return frozenset(found - {file, "__init__.py"})


@cache
def packages_of(file: str) -> frozenset[str]:
    return frozenset({f"{parent}/__init__.py" for parent in Path(file).parents if str(parent) != "."} & set(FILES))


def all_loaded(files: Iterable[str]) -> set[str]:
    """The files of ours that are loaded with some: what they import, the packages that these are in, and so on."""
    found = set(files)
    left = list(found)
    while left:
        needed = needs(left.pop())
        new = needed.union(*map(packages_of, needed)) - found
        found |= new
        left += new
    return found


WAYS = """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from ontogeny.faces import chat
def late():
    import ontogeny.steer.session
    importlib.import_module(f"ontogeny.evolve.{name}")
    import_module(known)
TABLE = {"claims": "ontogeny.claims.book:BOOK", "no room": "ontogeny.line"}
"""


def test_an_import_is_seen_wherever_it_stands() -> None:
    first, *found = found_in(ast.parse(WAYS), inside=False, types=False)
    assert first.module == "typing"
    seen = [(one.module, one.by, one.inside, one.types) for one in found]
    assert seen == [
        ("ontogeny.faces", "import", False, True),
        ("ontogeny.steer.session", "import", True, False),
        ("ontogeny.evolve.", "call", True, False),
        ("ontogeny.evolve.", "string", True, False),
        ("", "call", True, False),
        ("ontogeny.claims.book:BOOK", "string", False, False),
    ]
    assert [rooms(one.module) for one in found][:4] == [{"faces"}, {"steer"}, {"evolve"}, {"evolve"}]


@pytest.mark.parametrize("file", FILES)
def test_a_room_imports_only_what_the_table_allows(file: str) -> None:
    room = file.split("/")[0] if "/" in file else ""
    if not room:
        return
    assert room in MAY_IMPORT, f"{room}/ is not in the table of rooms"
    for one in imports(file):
        assert one.module != "ontogeny" or file in THROUGH_THE_PACKAGE, f"{file}:{one.line}: name the file you need"
        for other in rooms(one.module):
            allowed = MAY_IMPORT[room] | FOUNDATION | {room}
            assert other in allowed, f"{file}:{one.line}: {room} may not import {other}"


@pytest.mark.parametrize("file", FILES)
def test_nothing_is_imported_inside_a_function(file: str) -> None:
    for one in imports(file):
        if one.inside and one.by != "string" and not (one.by == "call" and file in LOADED_BY_NAME):
            known = one.module and allowed_inside(file, one.module)
            assert known, f"{file}:{one.line}: {one.module or 'something'} is imported inside a function"


def test_what_may_be_imported_inside_still_is() -> None:
    inside = [(file, one) for file in FILES for one in imports(file) if one.inside and one.by != "string"]
    assert {file for file, one in inside if one.by == "call"} >= LOADED_BY_NAME
    for place, start in IMPORTED_INSIDE:
        used = (one for file, one in inside if file.startswith(place) and one.module.startswith(start))
        assert any(used), f"{place} imports no {start} any more; take it out of the table"


@pytest.mark.parametrize("place", sorted(NEVER))
def test_a_place_stays_free_of_the_libraries_it_must_not_need(place: str) -> None:
    """Neither its files nor any file that is loaded with them."""
    own = [file for file in FILES if file.startswith((place + "/", place + "."))]
    assert own, f"there is no {place}"
    for library in NEVER[place]:
        about = tuple(start for start, name in ABOUT if name == library)
        for file in all_loaded(file for file in own if not file.startswith(about)):
            here = [one.line for one in imports(file) if one.by != "string" and one.module.split(".")[0] == library]
            assert not here, f"{place} loads {file}, which imports {library} in line {here[0]}"


def test_rooms_form_no_circle() -> None:
    done: set[str] = set()
    while len(done) < len(MAY_IMPORT):
        ready = {room for room, needed in MAY_IMPORT.items() if room not in done and needed <= done}
        assert ready, f"a circle among {set(MAY_IMPORT) - done}"
        done |= ready


def test_files_form_no_circle() -> None:
    """A few name the types of those that use them; they are known, and load nothing of them."""
    left = {file: needs(file, file not in TYPES_OF_EACH_OTHER) for file in FILES if file != "__init__.py"}
    while done := [file for file in left if not left[file] & set(left)]:
        for file in done:
            del left[file]
    assert not left, f"a circle, and what needs it: {sorted(left)[:20]}"


def test_the_architecture_shows_the_same_table() -> None:
    text = (PACKAGE.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = text.split("| room | may import |")[1].split("\n\n")[0]
    shown: dict[str, set[str]] = {}
    for names, said in re.findall(r"^\| ([a-z, ]+) \| (.+) \|$", table, re.MULTILINE):
        others = set(MAY_IMPORT) if said.startswith("all") else set()
        spoken = set(re.findall(r"[a-z]+", said.split(";")[0])) & set(MAY_IMPORT)
        for room in names.split(", "):
            shown[room] = (others - spoken if others else spoken) - FOUNDATION - {room}
    assert shown == MAY_IMPORT
