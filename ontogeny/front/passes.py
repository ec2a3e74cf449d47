"""The forward and backward pass of `learn` once more, at other parameters: what `sam` and `sleep` are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ontogeny.front.author import Value
from ontogeny.isa.build import Builder
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr, Note
from ontogeny.isa.types import Type

LEFT_OUT = (Op.COMMIT, Op.PROBE, Op.ASSERT)
"""What a further pass leaves out, since it keeps nothing and has said what it has to say."""


def passed_again(
    builder: Builder,
    body: Sequence[Instr],
    types: Mapping[str, Type],
    gradients: Mapping[str, str],
    at: Mapping[str, Value],
    name: str,
) -> dict[str, Value]:
    """The gradients of a routine's loss where the registers and inputs `at` have other values, by parameter.

    `body` is the routine with the `types` of its values, and `gradients` are the names of theirs. What does not depend
    on `at` and is there already, such as the mask of a dropout, is taken as it is. What is new is noted as the
    backward pass of `name`, with the line that it was made for.
    """
    note = builder.note
    new: dict[str, str] = {}
    for instr in leading(body, set(gradients.values())):
        read = str(instr.attr("name")) if instr.op is Op.READ else ""
        if read in at:
            new[instr.out[0]] = at[read].name
        elif any(arg in new for arg in instr.args) or instr.out[0] not in builder.types:
            builder.note = Note("backward", f"{name}: {instr.note.where}" if instr.note.where else name)
            out = tuple(builder.fresh() for _ in instr.out)
            builder.types.update((made, types[old]) for made, old in zip(out, instr.out, strict=True))
            args = tuple(new.get(arg, arg) for arg in instr.args)
            builder.body.append(Instr(out, instr.op, args, instr.attrs, builder.note))
            new.update(zip(instr.out, out, strict=True))
    builder.note = note
    return {param: Value(builder, new.get(value, value)) for param, value in gradients.items()}


def leading(body: Sequence[Instr], wanted: set[str]) -> list[Instr]:
    """The instructions that lead to some values, in order."""
    found = []
    for instr in reversed(body):
        if instr.op not in LEFT_OUT and wanted.intersection(instr.out):
            found.append(instr)
            wanted.update(instr.args)
    return found[::-1]
