"""Appends a learning rule to a routine: gradients in, registers committed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from ontogeny.front.author import Value, minimum
from ontogeny.front.layout import Arena
from ontogeny.front.normals import joined
from ontogeny.front.rules import Rule
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import CaptureError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl, Note
from ontogeny.isa.types import DType, Type

TINY = 1e-6
UPDATE = "update"
CLIP, SCHEDULE, SINCE = "clip", "schedule", "since"
"""What the notes of these parts of an update say, so that they are known again (front/edits)."""


def rule_dials(rule: Rule, arenas: Sequence[Arena]) -> list[Decl]:
    """The dials that a rule declares, with `clip` where it bounds the gradients' norm.

    One of which all parameters have their group's own is none.
    """
    used = {name for arena in arenas for name in rule.own_dials(arena.group).values()} or {*rule.dials}
    named = {name: value for name, value in rule.all_dials.items() if name in used}
    named |= {"clip": rule.clip} if rule.clip else {}
    return [Decl("dial", name, Type(DType.F64), default=value) for name, value in named.items()]


def slot_decls(rule: Rule, registers: Sequence[Decl]) -> list[Decl]:
    """The state that a rule keeps: one register for each slot and each register that it updates."""
    many = len(registers) > 1
    scalar = Type(DType.F64)
    shapes = {reg.name: rule.slot_shapes(reg.type.shape) for reg in registers}
    types = {reg.name: reg.type for reg in registers}
    return [
        Decl(
            "state",
            f"{slot}.{name}" if many else slot,
            scalar if slot in rule.scalars else types[name].with_shape(shape),
        )
        for slot in rule.slots
        for name, shape in ((name, found[slot]) for name, found in shapes.items() if slot in found)
    ]


def slot_starts(rule: Rule, registers: Sequence[Decl]) -> dict[str, float]:
    """The registers of a rule's state that do not start at zero, by name, with the number that fills them."""
    many = len(registers) > 1
    return {
        f"{slot}.{reg.name}" if many else slot: rule.starts[slot]
        for slot in rule.starts
        for reg in registers
        if slot in rule.slot_shapes(reg.type.shape)
    }


def append_update(
    builder: Builder, rule: Rule, arenas: Sequence[Arena], gradients: Mapping[str, Value], since: int = 0
) -> None:
    """Commits what the rule makes of the gradients, which are named like the parameters, and counts the step.

    The rule's own count of steps begins at step `since`.
    """
    builder.note = Note(UPDATE, rule.where or rule.name)
    step = Value(builder, builder.read("step"))
    dials = _dials(builder, rule, step, since, [arena.group for arena in arenas])
    registers = _registers(rule, arenas, gradients)
    groups = {decl.name: arena.group for arena in arenas for decl in (arena.decl, *arena.pieces)}
    pairs = _clipped(builder, rule, registers)
    many = len(pairs) > 1
    for decl, gradient in pairs:
        names = {slot: f"{slot}.{decl.name}" if many else slot for slot in rule.slot_shapes(decl.type.shape)}
        state = {slot: Value(builder, builder.read(name)) for slot, name in names.items()}
        param, state = rule.update(gradient, Value(builder, builder.read(decl.name)), state, dials[groups[decl.name]])
        builder.commit(decl.name, param.name)
        for slot, value in state.items():
            if slot not in names:
                raise CaptureError(
                    f"the rule {rule.name} gave a state {slot!r}, but its slots are {', '.join(names) or 'none'}"
                )
            if value.name != builder.read(names[slot]):
                builder.commit(names[slot], value.name)
    builder.commit("step", (step + 1).name)


@contextmanager
def noted(builder: Builder, where: str) -> Iterator[None]:
    """What is appended meanwhile is noted as this part of the update."""
    note, builder.note = builder.note, Note(UPDATE, where)
    try:
        yield
    finally:
        builder.note = note


def is_rate(name: str) -> bool:
    """Whether a dial is a learning rate, a group's too, which a schedule acts on."""
    base = name.partition(".")[0]
    return base == "lr" or base.endswith("_lr")


def _dials(builder: Builder, rule: Rule, step: Value, since: int, groups: Sequence[str]) -> dict[str, dict[str, Value]]:
    """The dials by group and by the name that the rule knows them by."""
    names = {group: rule.own_dials(group) for group in groups}
    used = {name for own in names.values() for name in own.values()}
    dials = {name: Value(builder, builder.read(name)) for name in rule.all_dials if name in used}
    before = step.cast(DType.F64)
    if since:
        with noted(builder, f"{SINCE} {since}"):
            before = before - float(since)
    if rule.schedule:
        with noted(builder, SCHEDULE):
            factor = rule.schedule(before)
            dials.update({name: dials[name] * factor for name in dials if is_rate(name)})
    count = before + 1.0
    return {group: {**{name: dials[own[name]] for name in own}, "step": count} for group, own in names.items()}


def _registers(rule: Rule, arenas: Sequence[Arena], gradients: Mapping[str, Value]) -> list[tuple[Decl, Value]]:
    """What the rule updates with its gradient: whole arenas, or single parameters."""
    if not rule.elementwise:
        return [(piece, gradients[piece.name]) for arena in arenas for piece in arena.pieces]
    return [(arena.decl, joined(arena, [gradients[piece.name] for piece in arena.pieces])) for arena in arenas]


def _clipped(builder: Builder, rule: Rule, pairs: list[tuple[Decl, Value]]) -> list[tuple[Decl, Value]]:
    """The gradients, bounded where the rule bounds them."""
    if not rule.clip:
        return pairs
    with noted(builder, CLIP):
        return list(zip((decl for decl, _ in pairs), clipped(builder, [g for _, g in pairs]), strict=True))


def clipped(builder: Builder, gradients: Sequence[Value]) -> list[Value]:
    """Gradients scaled so that their joint norm is at most the dial `clip` (Pascanu et al. 2013)."""
    squares = [(g * g).sum().cast(DType.F32) for g in gradients]
    norm = sum(squares[1:], squares[0]).sqrt()
    bound = Value(builder, builder.read(CLIP)).cast(DType.F32)
    factor = minimum(bound / (norm + TINY), 1.0)
    return [g.op(Op.MUL, factor.cast(g.dtype)) for g in gradients]
