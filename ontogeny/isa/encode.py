"""Programs as bytes: a small header, then the records of the program as JSON, compressed with zstd.

This is the form that `ontogeny asm` writes (`.ontob`). It keeps everything that the records hold, also the notes, and
decoding never runs anything. Bytes from a stranger are refused in bounded time and memory: the header says
how large the JSON is, and it is never inflated further. A decoded program is well formed as data; whether it means
something is for `isa.verify` to say.
"""

from __future__ import annotations

import json
from typing import Any

import zstandard

from ontogeny.isa.errors import ProgramError
from ontogeny.isa.op import BY_NAME
from ontogeny.isa.program import Attribute, Decl, Instr, Note, Number, Program, Routine
from ontogeny.isa.sizes import PerSize, Size
from ontogeny.isa.types import DType, Type

MAGIC = b"ONTOB\x00"
VERSION = 1
MAX_BYTES = 1 << 28
HEADER = len(MAGIC) + 2 + 8


def encode(program: Program) -> bytes:
    """The program as bytes; equal programs with equal notes give equal bytes."""
    notes: dict[tuple[str, str], int] = {}
    document = {
        "name": program.name,
        "sizes": [_put_number(size) for size in program.sizes],
        "decls": [_put_decl(decl) for decl in program.decls],
        "routines": [_put_routine(routine, notes) for routine in program.routines],
    }
    text = json.dumps({**document, "notes": list(notes)}, separators=(",", ":")).encode()
    size = VERSION.to_bytes(2, "little") + len(text).to_bytes(8, "little")
    return MAGIC + size + zstandard.ZstdCompressor(level=9).compress(text)


def decode(data: bytes) -> Program:
    """The program that `encode` wrote. Raises ProgramError for anything else."""
    try:
        document = json.loads(_inflate(data))
        notes = [Note(_text(phase), _text(where)) for phase, where in document["notes"]]
        return Program(
            _text(document["name"]),
            tuple(_get_decl(record) for record in document["decls"]),
            tuple(_get_routine(record, notes) for record in document["routines"]),
            tuple(_get_size(record) for record in document.get("sizes", [])),
        )
    except ProgramError:
        raise
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        OverflowError,
        RecursionError,
        zstandard.ZstdError,
    ) as error:
        raise ProgramError(f"these bytes are not a whole program: {type(error).__name__}: {error}") from error


def is_encoded(data: bytes) -> bool:
    """Whether the bytes begin like an encoded program."""
    return data.startswith(MAGIC)


def _inflate(data: bytes) -> bytes:
    if not is_encoded(data) or len(data) < HEADER:
        raise ProgramError("these bytes are no encoded program; `ontogeny asm` makes one from text")
    version = int.from_bytes(data[len(MAGIC) : len(MAGIC) + 2], "little")
    if version != VERSION:
        raise ProgramError(f"this program is encoded in form {version}; this version of ontogeny reads form {VERSION}")
    size = int.from_bytes(data[len(MAGIC) + 2 : HEADER], "little")
    if size > MAX_BYTES:
        raise ProgramError(f"this program says it is {size} bytes; at most {MAX_BYTES} are read")
    with zstandard.ZstdDecompressor(max_window_size=MAX_BYTES).stream_reader(data[HEADER:]) as reader:
        text = reader.read(size + 1)
    if len(text) != size:
        raise ProgramError(f"this program is damaged: it says it is {size} bytes, and holds {len(text)}")
    return text


def _put_type(kind: Type) -> list[Any]:
    return [kind.dtype.value, [_put_number(size) for size in kind.shape]]


def _put_decl(decl: Decl) -> list[Any]:
    return [decl.kind, decl.name, _put_type(decl.type), decl.default, decl.arena, decl.offset]


def _put_routine(routine: Routine, notes: dict[tuple[str, str], int]) -> list[Any]:
    params = [[name, _put_type(kind)] for name, kind in routine.params]
    return [routine.name, params, [_put_instr(instr, notes) for instr in routine.body], list(routine.returns)]


def _put_instr(instr: Instr, notes: dict[tuple[str, str], int]) -> list[Any]:
    note = notes.setdefault((instr.note.phase, instr.note.where), len(notes))
    attrs = [[name, _put_attribute(value)] for name, value in instr.attrs]
    return [list(instr.out), instr.op.text, list(instr.args), attrs, note]


def _put_attribute(value: Attribute) -> Any:
    if isinstance(value, DType):
        return {"dtype": value.value}
    if isinstance(value, tuple):
        return [_put_number(number) for number in value]
    return value if isinstance(value, str) else _put_number(value)


def _put_number(value: Number) -> Any:
    """A plain number as it is; one that follows a size with everything that it is made of."""
    if isinstance(value, PerSize):
        return {"per": [value.factor, _put_number(value.size), value.divides]}
    return {"size": [value.n, value.name, value.times, value.plus]} if isinstance(value, Size) else value


def _get_size(record: Any) -> Size:
    n, name, times, plus = record["size"]
    return Size(_whole(n), _text(name), *(_integer(value) for value in (times, plus)))


def _get_type(record: Any) -> Type:
    dtype, shape = record
    return Type(DType(dtype), tuple(_get_size(size) if isinstance(size, dict) else _whole(size) for size in shape))


def _get_decl(record: Any) -> Decl:
    kind, name, declared, default, arena, offset = record
    if default is not None and (isinstance(default, bool) or not isinstance(default, int | float)):
        raise ProgramError(f"the default of {name!r} is {default!r}; a number was expected")
    return Decl(_text(kind), _text(name), _get_type(declared), default, _text(arena), _whole(offset))


def _get_routine(record: Any, notes: list[Note]) -> Routine:
    name, params, body, returns = record
    return Routine(
        _text(name),
        tuple((_text(operand), _get_type(declared)) for operand, declared in params),
        tuple(_get_instr(instr, notes) for instr in body),
        tuple((_text(result), _text(value)) for result, value in returns),
    )


def _get_instr(record: Any, notes: list[Note]) -> Instr:
    out, op, args, attrs, note = record
    if _text(op) not in BY_NAME:
        raise ProgramError(f"there is no operation {op!r}; the program was written by a newer version, or is damaged")
    return Instr(
        tuple(map(_text, _list(out))),
        BY_NAME[op],
        tuple(map(_text, _list(args))),
        tuple((_text(name), _get_attribute(value)) for name, value in attrs),
        notes[_whole(note)],
    )


def _get_attribute(value: Any) -> Attribute:
    if isinstance(value, dict) and "dtype" in value:
        return DType(value["dtype"])
    if isinstance(value, list):
        return tuple(_number(element) for element in value)
    return value if isinstance(value, str) else _number(value)


def _number(value: Any) -> Number:
    if isinstance(value, dict):
        return _get_per(*value["per"]) if "per" in value else _get_size(value)
    if not isinstance(value, bool | int | float):
        raise ProgramError(f"{value!r} was found where a number was expected")
    return value


def _get_per(factor: Any, size: Any, divides: Any) -> PerSize:
    if not isinstance(factor, float) or not isinstance(divides, bool):
        raise ProgramError(f"{factor!r} was found where the factor of a size was expected")
    return PerSize(factor, _get_size(size), divides)


def _whole(value: Any) -> int:
    if _integer(value) < 0:
        raise ProgramError(f"{value!r} was found where a whole number from 0 on was expected")
    return int(value)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ProgramError(f"{value!r} was found where a whole number was expected")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ProgramError(f"{value!r} was found where a list of names was expected")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ProgramError(f"{value!r} was found where a name was expected")
    return value
