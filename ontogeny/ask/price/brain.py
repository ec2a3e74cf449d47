"""The figures of docs/brain-scale.md: a network with as many parameters as a brain has synapses, on a human's words.

Everything is worked out from what stands here with its source, by `Shape`, `Terms` and `price`, and by published laws
of loss (`ask/laws/published.py`). Nothing of this size was run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ontogeny.ask.laws.published import published
from ontogeny.ask.price.estimate import HOUR, Price, Terms, price
from ontogeny.ask.price.operations import Shape

WORDS, EPOCHS, SYNAPSES, MORE_SYNAPSES = 130e6, 16, 1e14, 3e14
TERMS = Terms(utilisation=0.35)
"""35% of the peak, less than published runs of large networks reach, since none was as large."""
FIRST = replace(TERMS, availability=1.0, overhead=1.0, dollars=3.0)
"""As the first estimate had it: no failures, no building, three dollars an hour."""
BRAIN_WATTS, YEARS, AWAKE = 20.0, 18.0, 16.0
LOOKS = 256
"""Tokens of one look in a second, as image encoders cut a picture into 16 x 16 pieces (arXiv 2010.11929)."""
TOKENS_A_PARAMETER = 20
CHEAPER = 2.46
"""Years in which operations for a dollar double: Hobbhahn and Besiroglu, Epoch, 2022, on 470 GPUs."""
WRITTEN = 3e14
"""Tokens of public text by humans (Villalobos et al. 2024, arXiv 2211.04325)."""
LAYERS, CONTEXT = 200, 4096
DATA_GAIN = 5.17
"""How many times the data tuned decay and ensembles were worth, at 200 million tokens (Kim et al. 2025)."""
LLAMA = Shape(405e9, 15.6e12, layers=126, width=16384, context=8192, embedding=128_256 * 16384)
LLAMA_HOURS, LLAMA_UTILISATION = 30.84e6, (0.41, 0.38, 0.43)
"""H100 hours of its model card; shares of the peak by its paper (arXiv 2407.21783, table 4), 41% for most of them."""
LARGEST = {name: published(name).largest["parameters"] for name in ("besiroglu", "muennighoff")}
"""Parameters of the largest network that a law was fitted to."""


def seen() -> float:
    """Tokens of all that eyes look at, awake, until grown up, once."""
    return YEARS * 365.25 * AWAKE * HOUR * LOOKS


def brain_watt_hours() -> float:
    """What a brain takes until it is grown up."""
    return BRAIN_WATTS * YEARS * 365.25 * 24


def priced(shape: Shape, terms: Terms = TERMS) -> Price:
    """A run."""
    return price(shape.operations, shape.parameters, terms)


def llama_off(utilisation: float) -> float:
    """By what share the hours that are computed for Llama 3.1 405B are above those that were published."""
    return priced(LLAMA, replace(TERMS, utilisation=utilisation)).accelerator_hours / LLAMA_HOURS - 1


def first_estimate() -> Price:
    """The run that the discussion began with, by the assumptions of its first estimate."""
    return priced(Shape(SYNAPSES, WORDS, EPOCHS), FIRST)


def runs() -> dict[str, Shape]:
    """The runs that are compared, by what they are."""
    return {
        "words, once": Shape(SYNAPSES, WORDS),
        "words, 16 times": Shape(SYNAPSES, WORDS, EPOCHS),
        "words, 100 times": Shape(SYNAPSES, WORDS, 100),
        "words, 16 times, three times the synapses": Shape(MORE_SYNAPSES, WORDS, EPOCHS),
        "all that is looked at, once": Shape(SYNAPSES, seen()),
        "as many tokens as Chinchilla asks": Shape(SYNAPSES, TOKENS_A_PARAMETER * SYNAPSES),
    }


def attention_share() -> float:
    """What attention adds to 6ND at this size, in LAYERS layers of 12 w^2 parameters, over CONTEXT tokens."""
    width = math.sqrt(SYNAPSES / 12 / LAYERS)
    shape = Shape(SYNAPSES, WORDS, EPOCHS, LAYERS, width, CONTEXT)
    return shape.operations / runs()["words, 16 times"].operations - 1


@dataclass(frozen=True, slots=True)
class Traffic:
    """Of a step with all weights gathered by every accelerator: seconds of arithmetic, of traffic, and tokens.

    `enough` is how many tokens a step needs before arithmetic takes as long.
    """

    arithmetic: float
    traffic: float
    tokens: float
    enough: float


def traffic(tokens: float = 1e6) -> Traffic:
    """Weights in 2 bytes gathered forward and back, and gradients scattered: 6 bytes a parameter through the link."""
    run = priced(Shape(SYNAPSES, WORDS, EPOCHS))
    moving = 6 * SYNAPSES / TERMS.accelerator.link
    working = 6 * SYNAPSES * tokens / (run.accelerators * TERMS.rate)
    return Traffic(working, moving, tokens, tokens * moving / working)


@dataclass(frozen=True, slots=True)
class Equal:
    """A loss that a law foretells of the large run, and the cheapest run on fresh data of the same loss by that law."""

    law: str
    taken: str
    loss: float
    floor: float
    parameters: float
    tokens: float
    cheapest: Price

    @property
    def token_worth(self) -> float:
        """Dollars of a further token at which both cost the same."""
        large = priced(Shape(SYNAPSES, WORDS, EPOCHS)).dollars
        return max(0.0, large - self.cheapest.dollars) / (self.tokens - WORDS)


def equal(law: str, taken: str, tokens: float, unique: float, parameters: float = SYNAPSES) -> Equal:
    """By a published law. The least 6ND at a loss x above the floor has A/N^a = x b/(a+b) and B/D^b = x a/(a+b)."""
    found = published(law)
    number = {name: one.value for name, one in found.numbers().items()}
    a, b = number["alpha"], number["beta"]
    loss = found.predict(parameters, tokens, unique).loss.value
    above = loss - number["E"]
    size = (number["A"] * (a + b) / (above * b)) ** (1 / a)
    data = (number["B"] * (a + b) / (above * a)) ** (1 / b)
    return Equal(law, taken, loss, number["E"], size, data, priced(Shape(size, data)))


def equals() -> tuple[Equal, ...]:
    """As published laws take repetition: worth nothing, worth what was measured, worth as much as fresh data."""
    gained = DATA_GAIN * WORDS
    return (
        equal("besiroglu", "repetition worth nothing", WORDS, WORDS),
        equal("muennighoff", "repetition and size worth what was measured", WORDS * EPOCHS, WORDS),
        equal("besiroglu", f"decay tuned and ensembles, worth {DATA_GAIN} times the words", gained, gained),
        equal("besiroglu", "repetition worth as much as fresh data", WORDS * EPOCHS, WORDS * EPOCHS),
    )


@dataclass(frozen=True, slots=True)
class Student:
    """A network that learns from the large one's answers on so many tokens: what labelling takes, and learning."""

    parameters: float
    tokens: float
    labels: Price
    learning: Price
    by_teacher: float


def teacher() -> Price:
    """The run whose network is distilled."""
    return priced(Shape(SYNAPSES, WORDS, EPOCHS))


def student(parameters: float, tokens: float = 0.0) -> Student:
    """A student on so many tokens, else 20 a parameter."""
    count = tokens or TOKENS_A_PARAMETER * parameters
    weights = replace(TERMS, state_bytes=2.0)
    labels = price(2 * SYNAPSES * count, SYNAPSES, weights)
    return Student(
        parameters, count, labels, priced(Shape(parameters, count)), labels.operations / teacher().operations
    )


def break_even() -> float:
    """Tokens whose labels cost as much as the teacher: three times its token-passes."""
    return teacher().operations / (2 * SYNAPSES)


def own_logits() -> float:
    """The share of the teacher's cost that one forward pass over its own tokens takes."""
    return 2 * SYNAPSES * WORDS / teacher().operations


def years_until(budget: float, cost: float) -> float:
    """Until a cost has come down to a budget, if operations for a dollar go on doubling as they did."""
    return max(0.0, CHEAPER * math.log2(cost / budget))
