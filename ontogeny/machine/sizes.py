"""The sizes that a call's inputs have, and the program at these: how a machine takes a batch of any size."""

from __future__ import annotations

from collections.abc import Mapping

from ontogeny.isa.errors import MachineError
from ontogeny.isa.program import Program, Routine
from ontogeny.isa.resize import resized
from ontogeny.isa.sizes import Size
from ontogeny.isa.tables import ByIdentity, declarations
from ontogeny.isa.text.words import shaped
from ontogeny.machine.reads import reads

KEPT = 16
"""Sizes of one program that are kept, the latest made."""

Following = tuple[tuple[str, int, int, Size], ...]
_following: ByIdentity[Following] = ByIdentity()
_resized: ByIdentity[dict[tuple[int, ...], Program]] = ByIdentity()


def fitted(program: Program, routine: Routine, inputs: Mapping[str, object]) -> Program:
    """The program at the sizes that the inputs of `routine` have; the same object again for the same sizes.

    Raises MachineError where two inputs disagree, ProgramError where the program means nothing at that size.
    """
    if not program.sizes:
        return program
    following = _following.get((program, routine), lambda: _follow(program, routine))
    for name, rank, axis, size in following:
        shape = getattr(inputs.get(name), "shape", ())
        if len(shape) != rank or shape[axis] != size:
            break
    else:
        return program
    found = _sizes(program, following, inputs)
    if all(size.n == found.get(size.name, size.n) for size in program.sizes):
        return program
    made = _resized.get((program,), dict)
    key = tuple(found.get(size.name, size.n) for size in program.sizes)
    if key not in made:
        while len(made) >= KEPT:
            del made[next(iter(made))]
        made[key] = resized(program, found)
    return made[key]


def expected(program: Program, name: str) -> str:
    """The type of an input in words, with what its sizes may be: `f32[batch,8] for any batch of 1 or more`."""
    type_ = declarations(program)[name].type
    named = [size.name for size in type_.shape if isinstance(size, Size)]
    return f"{shaped(type_)} for any {' and '.join(dict.fromkeys(named))} of 1 or more" if named else str(type_)


def _sizes(program: Program, following: Following, inputs: Mapping[str, object]) -> dict[str, int]:
    """What each size is by the first input that follows it. One of another rank says nothing: it is refused later."""
    found: dict[str, int] = {}
    said: dict[str, str] = {}
    for name, rank, axis, size in following:
        shape = getattr(inputs.get(name), "shape", ())
        n = size.n_for(int(shape[axis])) if len(shape) == rank else None
        if n is None:
            continue
        if found.setdefault(size.name, n) != n:
            raise MachineError(
                f"input {name!r} has {size.name} {n}, but input {said[size.name]!r} has {found[size.name]}; {name!r} "
                f"is declared {shaped(declarations(program)[name].type)}, so give all inputs as many examples"
            )
        said.setdefault(size.name, name)
    return found


def _follow(program: Program, routine: Routine) -> Following:
    """The dimensions of the routine's inputs that follow a size: input, rank, dimension, size."""
    declared = (declarations(program)[name] for name in reads(program, routine))
    return tuple(
        (decl.name, decl.type.rank, axis, size)
        for decl in declared
        if decl.kind == "input"
        for axis, size in enumerate(decl.type.shape)
        if isinstance(size, Size)
    )
