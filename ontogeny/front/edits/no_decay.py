"""Tensors that do not decay: for their elements the rule is worked out once more, with a decay of zero.

Only what depends on the decay is, and only for those elements; so this costs little where they are few, such as biases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ontogeny.front.author import Value, constant
from ontogeny.front.edits.edit import Edit, Kind, Parameter
from ontogeny.front.edits.notes import NO_DECAY, Standing, kind
from ontogeny.front.edits.places import Part, beside, matching, parts
from ontogeny.front.edits.rewrite import INLINE, Rewrite
from ontogeny.front.update import UPDATE
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import EditError
from ontogeny.isa.op import Group, Op
from ontogeny.isa.program import Instr
from ontogeny.isa.types import DType

DIAL = "weight_decay"
ELEMENTWISE = frozenset({Op.SIGN, Op.RSQRT, Op.RECIPROCAL, Op.LERP, Op.ADDCMUL, Op.ADDCDIV, Op.AXPY, Op.SCALE})


def make(rewrite: Rewrite, tensors: Sequence[str], only_matrices: bool) -> str:
    """These tensors, or all that are no matrices, without decay, beside those that are."""
    if bool(tensors) == only_matrices:
        raise EditError("name the tensors that are not to decay, or ask for only_matrices=true; one of the two")
    if only_matrices:
        tensors = [decl.name for decl in rewrite.program.named_params() if decl.type.rank < 2]
        if not tensors:
            raise EditError("every parameter is a matrix, so all would go on decaying")
    before = [pattern for found in rewrite.standing if found.name == NO_DECAY for pattern in found.patterns]
    for found in rewrite.standing:
        if found.name == NO_DECAY:
            rewrite.strip(found.where)
    _set(rewrite, tuple(dict.fromkeys((*before, *tensors))))
    return "only matrices decay" if only_matrices else f"no decay of {', '.join(tensors)}"


def again(rewrite: Rewrite, standing: Standing) -> None:
    """The same tensors, by whatever rule there is now."""
    _set(rewrite, standing.patterns)


def _set(rewrite: Rewrite, patterns: tuple[str, ...]) -> None:
    decayed = _decayed(rewrite)
    if not decayed:
        dials = ", ".join(decl.name for decl in rewrite.program.of("dial")) or "none"
        raise EditError(f"no dial {DIAL!r} enters the update, so nothing is known to decay; its dials are {dials}")
    where = Standing(NO_DECAY, patterns).where
    for part in parts(rewrite, matching(rewrite.program, patterns)):
        for decl in (part.register, *beside(rewrite, part.register)):
            if rewrite.raw(decl.name) not in decayed:
                continue
            if decl.type != part.register.type:
                raise EditError(f"the decay enters {decl.name!r}, which is not kept element by element; edit the text")
            own = Part(decl, part.ranges, part.whole)
            rewrite.wrap(decl.name, where, partial(_without, rewrite, own, decayed))


def _decayed(rewrite: Rewrite) -> dict[str, Instr]:
    """What the rule makes of the decay, by name."""
    found: dict[str, Instr] = {}
    for instr in rewrite.body:
        reads = instr.op is Op.READ and str(instr.attr("name")).partition(".")[0] == DIAL
        if reads or (not kind(instr) and any(arg in found for arg in instr.args)):
            if instr.note.phase not in (UPDATE, ""):
                raise EditError(f"the dial {DIAL!r} is used in the {instr.note.phase} too; edit the text")
            found.update(dict.fromkeys(instr.out, instr))
    return found


def _without(rewrite: Rewrite, part: Part, decayed: dict[str, Instr], builder: Builder, new: Value) -> Value:
    """The new value, with that of no decay where the part is."""
    known: dict[str, Value] = {}

    def undecayed(name: str) -> Value:
        if name not in known:
            known[name] = _again(part, decayed.get(name), builder, name, undecayed)
        return known[name]

    return part.put(builder, new, undecayed(rewrite.raw(part.register.name)))


def _again(part: Part, instr: Instr | None, builder: Builder, name: str, undecayed: Callable[[str], Value]) -> Value:
    """A value for the part's elements: one that the decay does not enter is cut out, another is made anew."""
    own = Value(builder, name)
    if instr is None:
        return part.of(own) if own.shape == part.register.type.shape else own
    if instr.op is Op.READ:
        return constant(builder, 0.0, DType.F64)
    if not part.whole and not _elementwise(instr, own, part):
        raise EditError(
            f"the decay enters {instr.op.text} of {part.register.name!r}, which is not worked out element by element, "
            "so some of them cannot be left out; edit the text"
        )
    args = [undecayed(arg).name for arg in instr.args]
    return Value(builder, builder.emit(instr.op, *args, **dict(instr.attrs))[instr.out.index(name)])


def _elementwise(instr: Instr, value: Value, part: Part) -> bool:
    plain = instr.op in ELEMENTWISE or instr.op.group in (Group.ARITHMETIC, Group.SELECT, Group.BITS)
    return instr.op in INLINE or (plain and value.shape in ((), part.register.type.shape))


EDIT = Edit(
    NO_DECAY,
    "weight decay for some tensors only",
    (
        Parameter("tensors", Kind.NAMES, "the parameters that do not decay, by name or pattern", ()),
        Parameter("only_matrices", Kind.SWITCH, "whether all that are no matrices are left out", False),
    ),
    make,
    again,
)
