"""Builds a routine one instruction at a time, giving every result a fresh name and its type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from ontogeny.isa.op import ATTRIBUTES, Op
from ontogeny.isa.program import Attribute, Instr, Note, Number, Program, Routine
from ontogeny.isa.rules import result_types
from ontogeny.isa.types import DType, Type


class Builder:
    """A routine in the making. `types` knows every value so far; `note` is put on what is emitted next."""

    def __init__(self, program: Program, params: Sequence[tuple[str, Type]] = (), prefix: str = "") -> None:
        self.program = program
        self.params = tuple(params)
        self.prefix = prefix
        self.body: list[Instr] = []
        self.types: dict[str, Type] = dict(self.params)
        self.note = Note()
        self._constants: dict[tuple[DType, str], str] = {}
        self._reads: dict[str, str] = {}
        self._count = 0

    @classmethod
    def continuing(cls, program: Program, body: Sequence[Instr], types: Mapping[str, Type], first: int) -> Builder:
        """A builder that goes on after instructions whose types are known, giving names from number `first` on."""
        builder = cls(program)
        builder.body, builder.types, builder._count = list(body), dict(types), first
        for instr in body:
            if instr.op is Op.READ:
                builder._reads.setdefault(str(instr.attr("name")), instr.out[0])
            elif instr.op is Op.CONST and instr.attr("shape") == ():
                key = (cast(DType, instr.attr("dtype")), repr(instr.attr("value")))
                builder._constants.setdefault(key, instr.out[0])
        return builder

    @property
    def count(self) -> int:
        """How many names have been given: the number of the next."""
        return self._count

    def fresh(self) -> str:
        """A value name not used before."""
        self._count += 1
        return f"{self.prefix}{self._count - 1}"

    def emit(self, op: Op, *args: str, **attrs: Attribute) -> tuple[str, ...]:
        """Appends one instruction and returns its results' names. Raises ProgramError where its type rule does."""
        ordered = tuple((name, attrs[name]) for name in ATTRIBUTES.get(op, {}))
        probe = Instr((), op, args, ordered, self.note)
        types = result_types(probe, tuple(self.types[arg] for arg in args), self.program)
        out = tuple(self.fresh() for _ in types)
        self.types.update(zip(out, types, strict=True))
        self.body.append(Instr(out, op, args, ordered, self.note))
        return out

    def one(self, op: Op, *args: str, **attrs: Attribute) -> str:
        """As `emit`, for the operations with a single result."""
        (out,) = self.emit(op, *args, **attrs)
        return out

    def const(self, value: Number, dtype: DType) -> str:
        """A scalar constant; asked for twice it is emitted once."""
        key = (dtype, repr(value))
        if key not in self._constants:
            self._constants[key] = self.one(Op.CONST, value=value, dtype=dtype, shape=())
        return self._constants[key]

    def read(self, name: str) -> str:
        """A declared register; read twice it is emitted once."""
        if name not in self._reads:
            self._reads[name] = self.one(Op.READ, name=name)
        return self._reads[name]

    def commit(self, name: str, value: str) -> None:
        """The register `name` becomes `value` when the routine ends."""
        self.emit(Op.COMMIT, value, name=name)

    def maker(self, value: str) -> Instr:
        """The instruction that made a value."""
        return next(instr for instr in reversed(self.body) if value in instr.out)

    def routine(self, name: str, returns: Sequence[tuple[str, str]]) -> Routine:
        """The finished routine, with named results."""
        return Routine(name, self.params, tuple(self.body), tuple(returns))
