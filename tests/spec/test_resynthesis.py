"""Resynthesis: netlists become small from any seed; the first steps of the ladder."""

from __future__ import annotations

import pytest

from ontogeny.evolve import CGP, equals
from ontogeny.evolve.gates.resynthesis import Walk, resynthesised
from ontogeny.evolve.gates.smallest import smallest
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import NAND, netlist
from tests.functions import add, multiply, parity


def test_what_no_output_tells_is_free() -> None:
    """A gate that only counts where both inputs are one: a third input chooses nothing then."""
    both_or = netlist(3, [0b1000, 0b1110, 0b1000], [[0, 1], [0, 2], [3, 4]], [5])
    assert resynthesised(both_or, gates="two-input", steps=50).gates == 1
    constant = netlist(1, [NAND, NAND], [[0, 0], [0, 1]], [2])
    assert resynthesised(constant, steps=50).gates == 2
    through = netlist(2, [NAND, NAND], [[0, 1], [2, 2]], [3], next=(), initial=())
    assert resynthesised(through, gates="two-input", steps=50).gates == 1


@pytest.mark.parametrize(
    "function, inputs, outputs, method, fewest",
    [
        (parity, 5, 1, CGP(70, "nand", 1), 16),
        (add, 6, 4, CGP(70, "nand", 1), 23),
        (multiply, 4, 4, CGP(50, "two-input", 1), 7),
    ],
)
@pytest.mark.parametrize("seed", [0, 7])
def test_the_first_step_of_the_ladder_from_any_seed(
    function: object, inputs: int, outputs: int, method: CGP, fewest: int, seed: int
) -> None:
    assert callable(function)
    fitness = equals(function, inputs, outputs)
    found = smallest(method, fitness, seed=seed, tries=3, steps=15_000)
    assert fitness.errors([found.net])[0] == 0 and found.net.gates == fewest
    assert str(found).startswith(f"{fewest} gates after {found.evaluations:,} evaluations")


def test_the_same_seed_finds_the_same_and_another_something_else() -> None:
    one, again, other = (smallest(CGP(30), equals(multiply, 4, 4), seed=s, tries=2, steps=900).net for s in (1, 1, 2))
    assert one == again and one != other


def test_few_enough_gates_end_the_tries() -> None:
    method, fitness = CGP(30), equals(multiply, 4, 4)
    one = smallest(method, fitness, tries=1, steps=900)
    ended = smallest(method, fitness, tries=3, steps=900, enough=one.net.gates)
    whole = smallest(method, fitness, tries=3, steps=900, enough=one.net.gates - 1)
    assert ended == one and whole.steps > ended.steps


def test_what_makes_no_sense_is_refused() -> None:
    wide = netlist(21, [NAND], [[0, 20]], [21])
    with pytest.raises(NetlistError, match="at most 20"):
        resynthesised(wide)
    with pytest.raises(NetlistError, match="0 to 1"):
        Walk(chances=(2.0,))
    with pytest.raises(NetlistError, match="lengths from 1 to 3"):
        Walk(lengths=(4,))
    with pytest.raises(NetlistError, match="no gate set 'norn'"):
        resynthesised(netlist(1, [], [], [0]), gates="norn")
    with pytest.raises(NetlistError, match="cut the function into parts"):
        smallest(CGP(5, "nand"), equals(add, 6, 4), evaluations=500)
