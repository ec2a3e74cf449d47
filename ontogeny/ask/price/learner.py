"""What a learner's own steps take, exactly from its program, and 6ND beside it."""

from __future__ import annotations

from dataclasses import dataclass

from ontogeny.ask.price.operations import products, tokens_of
from ontogeny.isa.cost import routine_cost
from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Program

LEARN = "learn"


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a routine. `products` are operations of products and convolutions, `others` element by element.

    `six` is 6ND of all parameters and the call's tokens; `uses` how often a parameter is used for an example, forward;
    `state` the bytes that are kept between calls and of one gradient.
    """

    routine: str
    products: int
    others: int
    parameters: int
    tokens: int
    examples: int
    six: float
    uses: float
    state: int
    remark: str

    @property
    def over_six(self) -> float:
        """The products by 6ND, less 1: what 6ND leaves out, or counts too much."""
        return self.products / self.six - 1 if self.six else 0.0


def step_of(program: Program, name: str = LEARN) -> Step:
    """What one call of a routine takes. Raises RecordError where the program has none of that name."""
    if not program.has(name):
        names = ", ".join(one.name for one in program.routines) or "none"
        raise RecordError(f"program {program.name!r} has no routine {name!r}; there are {names}")
    routine, cost = program.routine(name), routine_cost(program, name)
    sizes = {decl.name: decl.type.size for decl in program.named_params()}
    parameters, tokens, counted = sum(sizes.values()), tokens_of(program, routine), products(program, routine)
    gradients = sum(decl.type.bytes for decl in program.named_params())
    uses = sum(sizes.get(one, 0) * times for one, times in cost.uses.items()) / parameters if parameters else 0.0
    return Step(
        name,
        counted,
        cost.total.operations - counted,
        parameters,
        tokens,
        cost.batch,
        6.0 * parameters * tokens,
        uses,
        sum(decl.type.bytes for decl in program.kept()) + gradients,
        cost.remark,
    )
