"""What runs hold of their data, one beside another, in figures and in sentences; `capacity.py` measures each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ontogeny.ask.capacity import Capacity
from ontogeny.ask.unintended import Curve, curve_words, curves


@dataclass(frozen=True)
class Held:
    """Runs by name, at least one, and what each holds at a step."""

    ends: Mapping[str, Capacity]

    def as_json(self) -> dict[str, Any]:
        """The run's own figures; of several all, the most that any holds for each parameter, and the `sizes`."""
        if len(self.ends) == 1:
            (only,) = self.ends.values()
            return only.as_json()
        runs = [{"run": name, **one.as_json()} for name, one in self.ends.items()]
        most = max(one.per_parameter for one in self.ends.values())
        sizes = {"sizes": [one.as_json() for one in self.sizes]} if self.sizes else {}
        return {"runs": runs, "most_per_parameter": most, **sizes}

    @property
    def sizes(self) -> tuple[Curve, ...]:
        """Of several runs that were held against another one, what they hold beyond it, over sizes; else nothing."""
        if len(self.ends) == 1 or any(one.against is None for one in self.ends.values()):
            return ()
        return curves(self.ends)

    @property
    def least_data_first(self) -> list[tuple[str, Capacity]]:
        """The runs by how much data they have for each parameter."""
        return sorted(self.ends.items(), key=lambda pair: pair[1].uniform / pair[1].parameters)

    @property
    def lines(self) -> list[str]:
        """What is found."""
        if len(self.ends) == 1:
            (only,) = self.ends.values()
            return [*held_words(only), _codes(only), _whole(only)]
        if self.sizes:
            return [f"{name}: {' '.join(_beyond(one))}" for name, one in self.least_data_first] + self.size_lines
        each = [
            f"{name}: {one.per_parameter:.4g} bits a parameter, of {one.uniform / one.parameters:.4g} bits of data for "
            f"each of its {one.parameters:,} parameters, at step {one.step}"
            for name, one in self.least_data_first
        ]
        return [*each, most_words(self)]

    @property
    def size_lines(self) -> list[str]:
        """What the `sizes` come to, and of which runs too little is told."""
        known = {name: known_words(one) for name, one in self.ends.items()}
        return [*map(curve_words, self.sizes), *(f"{name}: {said}" for name, said in known.items() if said)]


def held_words(one: Capacity) -> list[str]:
    """How much a run holds, and how much of that another run does not know."""
    said = [
        f"{one.per_parameter:.4g} bits a parameter over the raw code ({one.memorised:,.0f} bits in {one.parameters:,} "
        f"parameters of {one.parameter_bits} bits)"
    ]
    return said + _beyond(one)


def _beyond(one: Capacity) -> list[str]:
    """How much a run holds beyond the other one, where there is one."""
    if one.unintended is None:
        return []
    luck = "" if one.luck is None else f", {one.luck / one.parameters:.4g} of them by luck"
    share = f"{one.unintended / one.parameters:.4g} bits a parameter are memorised beyond what the other run knows"
    return [said for said in (share + luck, known_words(one)) if said]


def known_words(one: Capacity) -> str:
    """That the other run has seen examples itself, so that what is held of them is not told; "" where it has not."""
    if not one.known:
        return ""
    return (
        f"the other run has learned from {one.known:,} of the {one.examples:,} examples itself, so that what is held "
        "of them is not told; take one that has not seen them"
    )


def most_words(found: Held) -> str:
    """Which run holds most."""
    name = max(found.ends, key=lambda name: found.ends[name].per_parameter)
    return f"the most is {found.ends[name].per_parameter:.4g}, by {name}"


def codes(one: Capacity) -> list[tuple[str, float]]:
    """The codes of the targets in words, with the bits of all."""
    known = [
        ("all classes alike", one.uniform),
        ("by how frequent they are", one.frequencies),
        ("by the run", one.model),
    ]
    return known if one.against is None else [*known, ("by the other run", one.against)]


def _codes(one: Capacity) -> str:
    each = ", ".join(f"{bits / one.targets:.4g} {words}" for words, bits in codes(one))
    return f"bits for each of {one.targets:,} targets of {one.classes} classes, at step {one.step}: {each}"


def _whole(one: Capacity) -> str:
    ways = sorted(one.descriptions, key=lambda way: way.bits)
    each = ", ".join(f"{way.name.replace('_', ' ')} {way.bits / one.uniform:.1%}" for way in ways)
    return f"whole descriptions of the targets, of the raw code: {each}"
