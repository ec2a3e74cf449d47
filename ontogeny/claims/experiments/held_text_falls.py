"""What is held of real text beyond a reference, which rises with the text while there is room, and then falls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ontogeny.ask.capacity import Capacity, capacity
from ontogeny.ask.target_bits import Reference
from ontogeny.ask.unintended import Curve, curves
from ontogeny.claims.claim import Claim, Expectation, Form, Measured, Series
from ontogeny.claims.tasks.passage_runs import FEW, given, larger, sequences, shape, small
from ontogeny.claims.tasks.passages import Named, drawn, for_nobody, for_reference, to_learn
from ontogeny.claims.tasks.strings import Shape
from ontogeny.machine.learner import Learner
from ontogeny.record.temporary import temporary


def measure(
    seed: int,
    *,
    widths: Sequence[int],
    depth: int,
    data: Sequence[float],
    chance: float,
    steps: int,
    reference: Mapping[str, int],
) -> Measured:
    """Networks of these widths on so many characters of text for each parameter, and on `chance` bits of random ones.

    Each seed has a reference of its own.
    """
    learner = larger(seed, reference["width"], reference["depth"], reference["steps"])
    figures, lines = dict[str, float](), list[Series]()
    with temporary(learner, given(for_reference(), seed, FEW), seed=seed, options={"threads": 1}) as read:
        read.advance(reference["steps"])
        other = Reference(read)
        found = [_of_size(seed, shape(width, depth), data, chance, steps, other) for width in widths]
    for curve, room in found:
        figures |= _figures(curve, room)
        along = [point.data for point in curve.points]
        lines.append(Series(f"{curve.parameters:,} parameters", along, [point.held for point in curve.points]))
    figures |= {
        "little_held": min(curve.points[0].share for curve, _ in found),
        "peak_of_capacity": min(curve.peak.held / room for curve, room in found),
        "fall": min(curve.fall for curve, _ in found),
        "reference_a_character": found[0][0].points[-1].theirs,
    }
    return Measured(figures, tuple(lines))


def _of_size(
    seed: int, size: Shape, data: Sequence[float], chance: float, steps: int, other: Reference
) -> tuple[Curve, float]:
    """The curve of a network over text, and the bits for each parameter that it holds of random strings."""
    learner = small(seed, size, steps)
    texts = {f"{one:g}": to_learn(seed, sequences(one, size)) for one in data}
    ends = {name: _learned(learner, text, seed, steps, other) for name, text in texts.items()}
    (curve,) = curves(ends)
    strings = drawn(seed, size.strings(chance))
    return curve, _learned(learner, strings, seed, steps).per_parameter


def _learned(learner: Learner, examples: Named, seed: int, steps: int, other: Reference | None = None) -> Capacity:
    """What is held in the end of examples."""
    with temporary(learner, given(examples, seed), valid=for_nobody(), seed=seed, options={"threads": 1}) as run:
        run.advance(steps)
        return capacity(run, against=other)


def _figures(curve: Curve, room: float) -> dict[str, float]:
    """Of one size, named by its parameters."""
    last, size = curve.points[-1], curve.parameters
    return {
        f"most_{size}": curve.peak.held,
        f"most_at_{size}": curve.peak.data,
        f"last_{size}": last.held,
        f"last_at_{size}": last.data,
        f"random_{size}": room,
        f"luck_{size}": max(point.luck or 0.0 for point in curve.points),
        f"unseen_at_most_{size}": curve.peak.unseen or 0.0,
        f"own_at_last_{size}": last.own,
        f"unseen_at_last_{size}": last.unseen or 0.0,
    }


CLAIM = Claim(
    name="held-text-falls",
    sentence="What a network holds of real text that it need not rises to its capacity, and falls once the text "
    "exceeds it.",
    how="Sequences of 64 characters of Python's documentation, learned by GPTs of 3,072 and 9,216 parameters: a "
    "quarter to four characters for each parameter, as many steps for all. A reference, of some 110,000 parameters, "
    "reads other passages. Held is what each sequence costs less by the network than by the reference, never below 0 "
    "(Morris et al.'s unintended memorisation). Capacity is what the same network holds of random strings in as many "
    "steps.",
    measure=measure,
    expects=(
        Expectation("little_held", ">=", 0.8, "of text that it has room for it holds at least four fifths", (0, 1)),
        Expectation("peak_of_capacity", ">=", 0.75, "at its peak it holds at least three quarters of its capacity"),
        Expectation("fall", ">=", 0.5, "of the most text it holds at most half as much as that", (0, 1)),
    ),
    quick=Form(
        (0, 1),
        2.0,
        {
            "widths": [8], "depth": 1, "data": [0.03, 0.1], "chance": 0.5, "steps": 3,
            "reference": {"width": 8, "depth": 1, "steps": 2},
        },
    ),
    full=Form(
        (0, 1, 2),
        110.0,
        {
            "widths": [8, 16], "depth": 2, "data": [0.25, 0.5, 1.0, 2.0, 4.0], "chance": 4.8, "steps": 400,
            "reference": {"width": 64, "depth": 2, "steps": 800},
        },
    ),
    limits="What is held depends on the reference: a better one leaves less that need not be held. In as many steps "
    "the larger network comes nowhere near its capacity for random strings, so that the smaller one decides of that. "
    "The most text is gone through the least often (44 times). Sequences are cut anywhere, so their first characters "
    "cost much. Pilots on another seed, of 300 and of 1,000 steps, were seen before the bounds were set.",
    axes=("bits of text for each parameter, by the reference", "bits held beyond it for each parameter"),
    logarithmic="x",
    source="Morris et al. 2025, arXiv 2505.24832",
)  # fmt: skip
