"""Another learning rule: the gradients stay, what follows them is made anew by `front/update.py`, as a capture does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from ontogeny.front.author import Value
from ontogeny.front.edits.edit import Edit, Kind, Parameter
from ontogeny.front.edits.edited import LEARN, listed
from ontogeny.front.edits.gradients import gradients
from ontogeny.front.edits.notes import since as rule_since
from ontogeny.front.edits.rewrite import COUNTERS, Rewrite, named
from ontogeny.front.layout import Arena, arenas
from ontogeny.front.rules import Rule, adamw, lion, muon, sgd, soap
from ontogeny.front.update import CLIP, UPDATE, append_update, rule_dials, slot_decls, slot_starts
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import CaptureError, EditError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl, Instr, Routine
from ontogeny.isa.prune import pruned
from ontogeny.isa.types import Type
from ontogeny.machine.formats import NUMPY

RULES: Mapping[str, Callable[[Mapping[str, float]], Rule]] = {
    "adamw": lambda given: adamw(),
    "sgd": lambda given: sgd(momentum=given.get("momentum", 0.0)),
    "nesterov": lambda given: sgd(momentum=given.get("momentum", 0.9), nesterov=True),
    "lion": lambda given: lion(),
    "muon": lambda given: muon(),
    "soap": lambda given: soap(),
}
"""The rules that go by a name; each takes its dials as options."""


def make(rewrite: Rewrite, to: str | Rule, options: Mapping[str, float], since: int) -> str:
    """Another rule. A `Rule` brings the values of its dials; one by name keeps those of dials that there are."""
    old = [decl.name for decl in rewrite.program.of("dial")]
    rule, given = (to, to.all_dials) if isinstance(to, Rule) else _named(rewrite, to, options)
    given = {**given, CLIP: rule.clip} if rule.clip else given
    replaced(rewrite, rule, since)
    rewrite.dials.update(given)
    kept = [name for name in rule.dials if name in old and name not in given]
    keeps = f"; {', '.join(kept)} {'keeps its value' if len(kept) == 1 else 'keep their values'}" if kept else ""
    return f"the rule becomes {rule.name}{keeps}"


def _named(rewrite: Rewrite, to: object, options: Mapping[str, float]) -> tuple[Rule, dict[str, float]]:
    """The rule of a name with its options in its dials, those not given as the program has them."""
    if not isinstance(to, str) or to not in RULES:
        raise EditError(f"there is no rule {to!r}; there are {', '.join(RULES)}, and any Rule of front.rules")
    rule = RULES[to](options)
    if unknown := [name for name in options if name not in rule.dials]:
        raise EditError(f"{to} has no dial {unknown[0]!r}; it has {', '.join(rule.dials)}")
    there = {decl.name: decl.default for decl in rewrite.program.of("dial") if decl.default is not None}
    dials = {name: options.get(name, there.get(name, value)) for name, value in rule.dials.items()}
    if "adam_lr" in dials and "adam_lr" not in {*options, *there}:
        dials["adam_lr"] = dials["lr"]
    return replace(rule, dials=dials), {name: float(value) for name, value in options.items()}


def replaced(rewrite: Rewrite, rule: Rule, since: int) -> None:
    """The update made anew by a rule, whose own count begins at `since` where none of its state is there yet."""
    _check_captured(rewrite)
    found, rewrite.former = gradients(rewrite), rewrite.makers
    kept, first = _rest(rewrite)
    params = {decl.name: decl.type for decl in rewrite.program.named_params() if decl.name in found}
    try:
        laid = arenas(params, rule.groups)
    except CaptureError as error:
        raise EditError(str(error)) from error
    registers = [a.decl for a in laid] if rule.elementwise else [_alone(p) for a in laid for p in a.pieces]
    slots = slot_decls(rule, registers)
    carried = [decl.name for decl in slots if rewrite.decl(decl.name) == decl]
    begins = rule_since(rewrite.body) if carried else since
    rewrite.program = replace(rewrite.program, decls=_decls(rewrite, rule, laid, slots))
    rewrite.declared = frozenset(decl.name for decl in (*slots, *rule_dials(rule, laid)))
    starts = slot_starts(rule, registers)
    new = [decl for decl in slots if decl.name in starts and decl.name not in carried]
    rewrite.values.update({d.name: np.full(d.type.shape, starts[d.name], NUMPY[d.type.dtype]) for d in new})
    builder = Builder.continuing(rewrite.program, kept, _types(rewrite, kept), first)
    append_update(builder, rule, laid, {name: Value(builder, value) for name, value in found.items()}, begins)
    rewrite.become(pruned(Routine(LEARN, (), tuple(builder.body), rewrite.returns)).body)
    rewrite.types, rewrite.number = builder.types, builder.count
    if carried:
        rewrite.changes.append(f"{listed(carried)} of the rule before go on from what they are")


def _types(rewrite: Rewrite, kept: list[Instr]) -> dict[str, Type]:
    return {out: rewrite.types[out] for instr in kept for out in instr.out}


def _check_captured(rewrite: Rewrite) -> None:
    """Raises EditError unless what enters the update is known to be gradients, as in what `front` captures."""
    declared = all(rewrite.decl(name) for name in COUNTERS)
    if not (declared and rewrite.marked and rewrite.updates("step")):
        raise EditError(
            f"program {rewrite.program.name!r} was written by hand: what enters its update need not be the gradient of "
            "a loss, so no other rule can take its place; write the new 'learn' as text"
        )


def _rest(rewrite: Rewrite) -> tuple[list[Instr], int]:
    """What is not update, and the number from which a capture would have named the update's values."""
    kept = [instr for instr in rewrite.body if instr.note.phase != UPDATE]
    made = {out for instr in kept for out in instr.out}
    needs = {arg for instr in kept for arg in instr.args} | {value for _, value in rewrite.returns}
    if lost := sorted(needs - made):
        raise EditError(
            f"%{lost[0]} of the update is used outside of it, so the rule cannot be replaced; edit the text"
        )
    names = [out for instr in rewrite.body for out in instr.out if instr.note.phase == UPDATE]
    first = min((int(name) for name in names if name.isdecimal()), default=rewrite.number)
    return kept, rewrite.number if any(int(name) >= first for name in made if name.isdecimal()) else first


def _decls(rewrite: Rewrite, rule: Rule, laid: list[Arena], slots: list[Decl]) -> tuple[Decl, ...]:
    """The declarations in the order of a capture's."""
    whole = [d for a in laid for d in ((a.decl, *a.pieces) if rule.elementwise else map(_alone, a.pieces))]
    dials = rule_dials(rule, laid)
    ours = {decl.name for decl in (*whole, *slots, *dials)}
    gone = {a.decl.name for a in laid} | _own_state(rewrite) | _emptied(rewrite, ours)
    gone |= {decl.name for decl in rewrite.program.of("dial")} - named(rewrite.program)
    rest = [decl for decl in rewrite.program.decls if decl.name not in ours | gone]
    if clash := {d.name for d in (*slots, *dials)} & {d.name for d in whole}:
        raise EditError(f"{min(clash)!r} is a parameter and a register of {rule.name}; rename it in the rule")
    inputs = [decl for decl in rest if decl.kind == "input"]
    others = [decl for decl in rest if decl.kind not in ("dial", "input")]
    return (*whole, *slots, *others, *dials, *(d for d in rest if d.kind == "dial"), *inputs)


def _emptied(rewrite: Rewrite, ours: set[str]) -> set[str]:
    """The arenas all of whose pieces are laid elsewhere."""
    pieces = [decl for decl in rewrite.program.decls if decl.arena]
    return {decl.arena for decl in pieces} - {decl.arena for decl in pieces if decl.name not in ours}


def _own_state(rewrite: Rewrite) -> set[str]:
    """The registers that nothing but the update uses, and its slots that nothing uses at all: what the rule keeps."""
    others = [i for r in rewrite.program.routines if r.name != LEARN for i in r.body]
    outside = [*others, *(i for i in rewrite.body if i.note.phase != UPDATE)]
    used = {str(i.attr("name")) for i in outside if i.op in (Op.READ, Op.COMMIT)}
    own = {str(i.attr("name")) for i in rewrite.body if i.op is Op.COMMIT and i.note.phase == UPDATE} - used
    slots = {slot for made in RULES.values() for slot in made({}).slots}
    idle = {d.name for d in rewrite.program.of("state") if d.name.split(".")[0] in slots} - named(rewrite.program)
    return {d.name for d in rewrite.program.of("state") if d.name in own | idle and d.name not in COUNTERS}


def _alone(piece: Decl) -> Decl:
    return Decl("param", piece.name, piece.type)


SINCE = Parameter("since", Kind.WHOLE, "the step from which a rule with new state counts its own steps", 0)

RULE = Edit(
    "rule",
    "another learning rule in the place of the present one",
    (
        Parameter("to", Kind.RULE, f"{', '.join(RULES)}, or a Rule"),
        Parameter("options", Kind.NUMBERS, "values of its dials; those not given keep theirs", {}),
        SINCE,
    ),
    make,
)


def add_momentum(rewrite: Rewrite, momentum: float, nesterov: bool, since: int) -> str:
    """Momentum for plain SGD."""
    rules = {i.note.where for i in rewrite.body if i.note.phase == UPDATE and i.op is Op.COMMIT}
    if "sgd" not in rules or momentum <= 0:
        raise EditError("momentum can be added to sgd alone, as more than 0; replace the rule: rule to=sgd")
    make(rewrite, "nesterov" if nesterov else "sgd", {"momentum": momentum}, since)
    return f"sgd with {'Nesterov ' if nesterov else ''}momentum {momentum:g}; the learning rate keeps its value"


MOMENTUM = Edit(
    "momentum",
    "momentum for sgd, the learning rate as it is",
    (
        Parameter("momentum", Kind.NUMBER, "the share of the last step that is carried on", 0.9),
        Parameter("nesterov", Kind.SWITCH, "whether by Nesterov's variant", False),
        SINCE,
    ),
    add_momentum,
)
