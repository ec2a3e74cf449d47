"""Sharpness-aware minimisation: the gradient is that of the worst point nearby (Foret et al. 2021, arXiv 2010.01412).

Each step goes forward and backward twice: once to find the direction in which the loss rises, once at the point that
lies `sam_rho` further along it. What the rule then changes are the parameters as they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ontogeny.front.author import Value
from ontogeny.front.passes import passed_again
from ontogeny.front.rules.rule import Rule
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import ProgramError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr, Note
from ontogeny.isa.types import DType

ASCENT, RHO = "sam", "sam_rho"
TINY = 1e-12


def sam(rule: Rule, *, rho: float = 0.05) -> Rule:
    """The same rule on gradients of the ascended point; the dial `sam_rho` is its distance, over all parameters.

    The random draws of a step, such as a dropout's, are the same in both passes; buffers, such as a batch norm's, and
    the metrics are those of the first. Raises ProgramError for a distance that is none, and for a rule that ascends
    already or goes without gradients.
    """
    if not rho > 0:
        raise ProgramError(f"sam: rho={rho:g}; expected the distance to ascend, above 0")
    if rule.estimate or rule.ascends:
        raise ProgramError(f"sam: the rule {rule.name} has no plain gradients to ascend by; give it one that does")
    return replace(rule, name=f"sam_{rule.name}", dials={**rule.dials, RHO: rho}, ascends=True)


def ascended(builder: Builder, body: Sequence[Instr], gradients: Mapping[str, Value]) -> dict[str, Value]:
    """The gradients, named like the parameters, at the point to which these lead; `body` has made them.

    p + rho * g / |g|, where |g| is the norm of all gradients together, in f32.
    """
    builder.note = Note("backward", ASCENT)
    squares = [(g * g).sum().cast(DType.F32) for g in gradients.values()]
    norm = sum(squares[1:], squares[0]).sqrt().cast(DType.F64)
    distance = Value(builder, builder.read(RHO)) / (norm + TINY)
    at = {name: Value(builder, builder.read(name)).axpy(g, distance) for name, g in gradients.items()}
    names = {name: value.name for name, value in gradients.items()}
    return passed_again(builder, tuple(body), builder.types, names, at, ASCENT)


def ascents(body: Sequence[Instr]) -> dict[str, str]:
    """For each parameter that a routine ascends in, the gradient that it does so by; empty where it does not."""
    reads = {instr.out[0]: str(instr.attr("name")) for instr in body if instr.op is Op.READ}
    own = (instr for instr in body if instr.note == Note("backward", ASCENT) and instr.op is Op.AXPY)
    return {reads[instr.args[0]]: instr.args[1] for instr in own}
