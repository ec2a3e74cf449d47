"""BLIF, the Berkeley Logic Interchange Format: one flat model of `.names` and `.latch`.

A latch that begins undefined (2 or 3, or nothing said) begins at 0, since a netlist knows no third value. Its clock is
read over: all registers of a netlist tick together. Subcircuits and library gates are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ontogeny.evolve.circuits.draft import CircuitFileError, Draft
from ontogeny.evolve.circuits.naming import named
from ontogeny.evolve.circuits.tables import OR, full
from ontogeny.isa.netlist import WIDEST, Netlist

Line = tuple[int, list[str]]
Cover = list[tuple[str, str, int]]


def to_blif(net: Netlist, name: str = "circuit") -> str:
    """The netlist as BLIF. Blanks and `#` in names become `_`, as does a last backslash."""
    names = named(net, _legal)
    lines = [
        f".model {_legal(name)}",
        _listed(".inputs", names.wires[: net.inputs]),
        _listed(".outputs", names.outputs),
    ]
    for register, next, initial in zip(names.registers(net), net.next, net.initial, strict=True):
        lines.append(f".latch {names.wires[next]} {register} {initial}")
    for gate in range(net.gates):
        takes = [names.wires[wire] for wire in net.takes(gate)]
        lines.append(" ".join([".names", *takes, names.wires[net.sources + gate]]))
        lines += _rows(int(net.table[gate]), len(takes))
    for output, wire in names.buffers:
        lines += [f".names {wire} {output}", "1 1"]
    return "\n".join([*lines, ".end", ""])


def _legal(name: str) -> str:
    return re.sub(r"[\s#\x00]|\\$", "_", name) or "_"


def _listed(head: str, names: tuple[str, ...]) -> str:
    rows = [" ".join(names[i : i + 12]) for i in range(0, len(names), 12)]
    return " \\\n  ".join([head, *rows]) if len(rows) > 1 else " ".join([head, *rows])


def _rows(table: int, arity: int) -> Iterator[str]:
    """The rows where the table is one, or zero where those are fewer; one of blanks where it is the same everywhere.

    abc refuses a table with fanins that has no row.
    """
    ones = table.bit_count()
    if arity and table in (0, full(arity)):
        yield f"{'-' * arity} {int(table > 0)}"
        return
    value = "0" if arity and ones > (1 << arity) // 2 else "1"
    for row in range(1 << arity):
        if str(table >> row & 1) == value:
            bits = "".join(str(row >> place & 1) for place in range(arity))
            yield f"{bits} {value}".strip()


def from_blif(text: str) -> Netlist:
    """The netlist of BLIF text. Raises CircuitFileError with the line and what was expected."""
    draft, lines = Draft(), list(_lines(text))
    place, model = 0, False
    while place < len(lines):
        number, words = lines[place]
        place += 1
        if words[0] == ".end":
            break
        if not model and words[0] != ".model":
            raise CircuitFileError(f"{words[0]!r}; expected .model first", number)
        if words[0] == ".model" and model:
            raise CircuitFileError("a second .model; expected one flat model and .end", number)
        model = True
        if words[0] == ".names":
            rows = _cover(lines, place, len(words) - 2)
            place += len(rows)
            _names(draft, words[1:], rows, number)
        else:
            _directive(draft, words, number)
    if not model:
        raise CircuitFileError("the file has no .model; expected BLIF text, which begins with one")
    return draft.netlist()


def _lines(text: str) -> Iterator[Line]:
    """Lines with what continues them, without comments and empty ones, by words."""
    begun, first = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        line = line.split("#")[0].rstrip()
        first = first or number
        if line.endswith("\\"):
            begun += line[:-1] + " "
            continue
        words = (begun + line).split()
        if words:
            yield first, words
        begun, first = "", 0
    if begun.split():
        raise CircuitFileError("the last line ends in a backslash; expected the line that continues it", first)


def _directive(draft: Draft, words: list[str], number: int) -> None:
    head, rest = words[0], words[1:]
    if head == ".inputs":
        for name in rest:
            draft.input(name, number)
    elif head == ".outputs":
        for name in rest:
            draft.output(name, number)
    elif head == ".latch":
        _latch(draft, rest, number)
    elif head in (".subckt", ".gate", ".mlatch", ".exdc", ".search"):
        raise CircuitFileError(f"{head} is not read; expected a flat model of .names and .latch", number)
    elif head != ".model" and not re.match(
        r"\.(clock|default_|area|delay|wire_load|input_|output_|cycle|attr|param|cname)", head
    ):
        raise CircuitFileError(
            f"{head!r} means nothing here; expected .names, .latch, .inputs, .outputs or .end", number
        )


def _latch(draft: Draft, rest: list[str], number: int) -> None:
    if len(rest) not in (2, 3, 4, 5):
        raise CircuitFileError(
            f".latch with {len(rest)} words; expected: next, output, [type, control], [0 to 3]", number
        )
    initial = rest[-1] if len(rest) in (3, 5) else "3"
    if initial not in ("0", "1", "2", "3"):
        raise CircuitFileError(f"the latch {rest[1]!r} begins at {initial!r}; expected 0, 1, 2 or 3", number)
    if len(rest) >= 4 and rest[2] not in ("fe", "re", "ah", "al", "as"):
        raise CircuitFileError(f"the latch {rest[1]!r} is of type {rest[2]!r}; expected fe, re, ah, al or as", number)
    draft.register(rest[1], rest[0], int(initial == "1"), number)


def _cover(lines: list[Line], place: int, arity: int) -> Cover:
    rows: Cover = []
    for number, words in lines[place:]:
        if words[0].startswith("."):
            break
        cube, value = ("", words[0]) if arity == 0 else (words[0], words[-1])
        if len(words) != (2 if arity else 1) or len(cube) != arity or value not in ("0", "1") or set(cube) - set("01-"):
            told = f"{arity} of 0, 1 or -, a blank, " if arity else ""
            raise CircuitFileError(f"the row {' '.join(words)!r}; expected {told}and 0 or 1", number)
        if rows and value != rows[0][1]:
            raise CircuitFileError(f"rows for {rows[0][1]} and for {value}; expected all of one kind", number)
        rows.append((cube, value, number))
    return rows


def _names(draft: Draft, wires: list[str], rows: Cover, number: int) -> None:
    if not wires:
        raise CircuitFileError(".names without a wire; expected the wires taken, and last the one driven", number)
    takes, name = wires[:-1], wires[-1]
    inverted = bool(rows) and rows[0][1] == "0"
    if len(takes) <= WIDEST:
        table = sum(1 << i for i in range(1 << len(takes)) if any(_meets(i, cube) for cube, _, _ in rows))
        draft.gate(name, table ^ full(len(takes)) if inverted else table, takes, number)
        return
    cubes = [_cube(draft, cube, takes, line) for cube, _, line in rows] or [draft.inner(0, [], number)]
    draft.joined(name, cubes * 2 if len(cubes) == 1 else cubes, number, OR, OR ^ 15 if inverted else OR)


def _meets(case: int, cube: str) -> bool:
    return all(bit == "-" or int(bit) == case >> place & 1 for place, bit in enumerate(cube))


def _cube(draft: Draft, cube: str, takes: list[str], line: int) -> str:
    """A wire that is one where the cube holds, of gates of two."""
    literals = [
        wire if bit == "1" else draft.inner(1, [wire], line)
        for bit, wire in zip(cube, takes, strict=True)
        if bit != "-"
    ]
    if len(literals) < 2:
        return literals[0] if literals else draft.inner(1, [], line)
    whole = draft.inner(8, literals[:2], line)
    for literal in literals[2:]:
        whole = draft.inner(8, [whole, literal], line)
    return whole
