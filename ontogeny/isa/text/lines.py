"""The text form is a list of lines; this file has a record for each sort of line, and how it is printed.

A declaration is `Decl` itself. The parser makes the same records, so formatting is parsing and printing line by line.
"""

from __future__ import annotations

from dataclasses import dataclass

from ontogeny.isa.program import Decl, Instr, Note
from ontogeny.isa.sizes import Size
from ontogeny.isa.text.words import attribute, name, number, quote, shaped, value_name
from ontogeny.isa.types import Type

NOTE_COLUMN = 64
"""Notes stand below one another from here on, where the instruction leaves room."""


@dataclass(frozen=True, slots=True)
class ProgramLine:
    """`program perceptron`"""

    name: str


@dataclass(frozen=True, slots=True)
class SizeLine:
    """`size batch = 64`"""

    size: Size


@dataclass(frozen=True, slots=True)
class RoutineLine:
    """`routine body(%i: i64[], %c: f32[3]) -> c:`; the names of the results may be left out."""

    name: str
    params: tuple[tuple[str, Type], ...]
    results: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class InstrLine:
    """`%0: f32[2] = mul %w %x  ; forward | model.py:12 y = w * x`; a type is None where the line gives none."""

    instr: Instr
    types: tuple[Type | None, ...]


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """`return y=%0, loss=%1`"""

    returns: tuple[tuple[str, str], ...]


Line = ProgramLine | SizeLine | Decl | RoutineLine | InstrLine | ReturnLine


def print_line(line: Line) -> str:
    """The canonical text of one line. Raises ProgramError for a value that has no text form."""
    match line:
        case InstrLine(instr, types):
            return _instruction(instr, types)
        case Decl():
            return _declaration(line)
        case ProgramLine(label):
            return f"program {name(label)}"
        case SizeLine(size):
            return f"size {name(size.name)} = {number(size.n)}"
        case RoutineLine():
            return _routine(line)
        case ReturnLine(returns):
            return f"  return {', '.join(f'{name(key)}={value_name(value)}' for key, value in returns)}".rstrip()


def _declaration(decl: Decl) -> str:
    text = f"{decl.kind} {name(decl.name)}: {shaped(decl.type)}"
    if decl.arena:
        text += f" = {name(decl.arena)}[{number(decl.offset)}]"
    return text if decl.default is None else f"{text} = {number(decl.default)}"


def _routine(line: RoutineLine) -> str:
    params = ", ".join(f"{value_name(param)}: {shaped(of)}" for param, of in line.params)
    results = f" -> {', '.join(map(name, line.results))}" if line.results else ""
    return f"routine {name(line.name)}({params}){results}:"


def _instruction(instr: Instr, types: tuple[Type | None, ...]) -> str:
    results = ", ".join(
        value_name(out) + (f": {shaped(of)}" if of else "") for out, of in zip(instr.out, types, strict=True)
    )
    words = [f"  {results} = {instr.op.text}" if results else f"  {instr.op.text}", *map(value_name, instr.args)]
    if instr.attrs:
        words.append(f"{{{', '.join(f'{key}={attribute(value)}' for key, value in instr.attrs)}}}")
    text = " ".join(words)
    return text if instr.note == Note() else f"{text:<{NOTE_COLUMN}}  ; {_note(instr.note)}"


def _note(note: Note) -> str:
    phase = note.phase if _is_bare(note.phase) and "|" not in note.phase else quote(note.phase)
    return f"{phase} | {note.where if _is_bare(note.where) else quote(note.where)}".lstrip() if note.where else phase


def _is_bare(text: str) -> bool:
    return text.isprintable() and text == text.strip() and not text.startswith('"')
