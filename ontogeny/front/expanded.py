"""A routine without its macros that still follows the size of its inputs: expanded at two sizes, and matched.

A definition computes with plain numbers, so what it makes of a size does not follow it; two expansions tell what does.
"""

from __future__ import annotations

from collections.abc import Container

from ontogeny.isa.errors import CaptureError
from ontogeny.isa.macros import expand_routine
from ontogeny.isa.match import Sizes, UnmatchedError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Program, Routine
from ontogeny.isa.resize import resized, routine_at, unsized
from ontogeny.isa.sizes import Size
from ontogeny.isa.types import Type
from ontogeny.isa.verify import value_types
from ontogeny.machine.reads import reads

POINTS = (37, 77)
THIRD = 118
"""The sizes at which a routine is expanded: hardly any that a model has of its own. The third is to be sure."""


class FixedError(CaptureError):
    """Something follows a size in a way that cannot be said."""


def expanded(program: Program, name: str, macros: Container[Op]) -> tuple[Routine, dict[str, Type]]:
    """The routine with `macros` expanded, and its types, both following the one size that its inputs do.

    Raises FixedError where it follows more than one, or in another way than along a line.
    """
    declared = (program.decl(key) for key in reads(program, program.routine(name)))
    followed = {size.name for decl in declared for size in decl.type.shape if isinstance(size, Size)}
    if not followed:
        return _at(program, name, macros)
    if len(followed) > 1:
        raise FixedError(f"routine {name!r} follows more than one size: {', '.join(sorted(followed))}")
    (size,) = followed
    points = [_at(unsized(resized(program, {size: n})), name, macros) for n in (*POINTS, THIRD)]
    (a, types), (b, others), (third, _) = points
    try:
        routine, found = Sizes(size, *POINTS).routine(a, b), Sizes(size, *POINTS).types(types, others)
    except UnmatchedError as error:
        raise FixedError(str(error)) from error
    if routine_at(routine, {size: THIRD}) != third:
        raise FixedError(f"routine {name!r} follows {size} by no line")
    return routine, found


def _at(program: Program, name: str, macros: Container[Op]) -> tuple[Routine, dict[str, Type]]:
    routine = expand_routine(program, program.routine(name), macros)
    return routine, value_types(program, routine)
