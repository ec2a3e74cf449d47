"""What a price is asked of, a learner's steps or a shape, and the answer: its count, its price, and both in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ontogeny.ask.price.estimate import Assumption, Price, Terms, price
from ontogeny.ask.price.learner import LEARN, Step, step_of
from ontogeny.ask.price.operations import Shape
from ontogeny.ask.price.words import operations, summary
from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Program

BOTH = "a learner has its own parameters and tokens; name it, or a shape, but not both"


@dataclass(frozen=True, slots=True)
class OfLearner:
    """So many calls of a routine of a program, and what they come to by some terms."""

    step: Step
    steps: int
    price: Price
    terms: Terms

    @property
    def sentence(self) -> str:
        """What it comes to."""
        what = f"{self.steps:,} step{'s' * (self.steps != 1)} of {self.step.routine}"
        return f"{what}: {summary(self.price, self.terms.accelerator.name)}"

    @property
    def lines(self) -> list[str]:
        """The same, how it was counted, and all that it hangs on."""
        counted = (
            f"a step's products, counted by the program: {operations(self.step.products)} operations; 6ND of its "
            f"{self.step.parameters:,} parameters and {self.step.tokens:,} tokens would be {operations(self.step.six)}"
        )
        return [self.sentence, counted, assumed_words(self.price.assumptions)]

    def as_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {"step": asdict(self.step), "steps": self.steps, "price": asdict(self.price)}


@dataclass(frozen=True, slots=True)
class OfShape:
    """A network that is not there, and what training it comes to by some terms."""

    shape: Shape
    price: Price
    terms: Terms

    @property
    def sentence(self) -> str:
        """What it comes to."""
        return summary(self.price, self.terms.accelerator.name)

    @property
    def lines(self) -> list[str]:
        """The same, the terms of the count, and all that it hangs on."""
        counted = "; ".join(f"{one.name} {operations(one.operations)} ({one.formula})" for one in self.shape.terms())
        return [self.sentence, f"operations: {counted}", assumed_words(self.price.assumptions)]

    def as_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {"terms": [asdict(term) for term in self.shape.terms()], "price": asdict(self.price)}


def of_learner(name: str, program: Program, terms: Terms, steps: int = 1, routine: str = LEARN) -> OfLearner:
    """What steps of a program come to; `name` is what it is called. RecordError where there is nothing to learn."""
    step = step_of(program, routine)
    if not step.parameters:
        raise RecordError(f"{name} has no parameters, so that there is nothing to learn")
    return OfLearner(step, steps, price(float(step.products * steps), step.parameters, terms), terms)


def of_shape(shape: Shape, terms: Terms) -> OfShape:
    """What training a network of a shape comes to."""
    return OfShape(shape, price(shape.operations, shape.parameters, terms), terms)


def assumed_words(found: Sequence[Assumption]) -> str:
    """Assumptions in a line; where each is from stands in the figures."""
    return "assumed: " + ", ".join(f"{one.name} {f'{one.value:.6g}'.replace('e+', 'e')} {one.unit}" for one in found)
