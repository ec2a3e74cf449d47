"""A Python function traced onto wires gives Python's own numbers on every case; what it does not do is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ontogeny.evolve.circuits.traced import is_function, traced
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist, cases, numbers_of, truth

BITS = 6


def halves(number: Any) -> tuple[Any, Any]:
    return number & 7, number >> 3


def chosen(number: Any) -> Any:
    a, b = halves(number)
    if a == b or a == 5:
        return a * b
    return b - a if a < b else a + 8 * b


def counted(number: Any) -> Any:
    ones = 0
    for place in range(BITS):
        ones += number >> place & 1
    return ones


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "sum": lambda n: n + 5 - (3 - n),
    "difference": lambda n: halves(n)[0] - halves(n)[1],
    "product": lambda n: halves(n)[0] * halves(n)[1],
    "product of negatives": lambda n: (halves(n)[0] - 4) * (3 - halves(n)[1]) * -3,
    "bits": lambda n: (n ^ 0b101010 | n >> 2) & ~(n << 1),
    "shifts": lambda n: (halves(n)[0] << halves(n)[1]) + (1 << halves(n)[0]) - (-100 >> halves(n)[1]),
    "power of two": lambda n: (n - 20) % 8 * 100 + (n - 20) // 4,
    "order": lambda n: (n < 9) + 2 * (n <= 9) + 4 * (n > 40) + 8 * (n >= 40) + 16 * (n != 3) + 32 * (n - 30 < 7),
    "conditions": chosen,
    "opposites": lambda n: 3 if n == 9 else [4][n == 9] if n != 9 else [][0],
    "loop": counted,
    "index": lambda n: (3, 1, 4, 1, 5, 9, 2, 6)[n & 7] + int(n >> 5),
    "negative index": lambda n: "abcdefgh".index("abcdefgh"[(n & 7) - 8]),
    "constant": lambda n: 7,
}


def numbers(net: Netlist) -> list[int]:
    """What the netlist gives for each case, the last output being the sign."""
    found, sign = numbers_of(truth(net, cases(net.inputs)), 1 << net.inputs), 1 << len(net.outputs) - 1
    return [int(given) - 2 * (int(given) & sign) for given in found]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_on_wires_gives_its_own_numbers(name: str) -> None:
    function = FUNCTIONS[name]
    assert numbers(traced(function, BITS)) == [int(function(case)) for case in range(1 << BITS)]


def test_a_netlist_is_a_function_or_a_case_shows_where_not() -> None:
    net = traced(counted, BITS)
    assert is_function(net, counted)
    assert is_function(net, lambda n: n).case == (0, 1, 0, 0, 0, 0)
    assert not is_function(replace(net, outputs=net.outputs[:2]), counted)  # a number that does not fit
    assert not is_function(traced(lambda n: n & 1, BITS), lambda n: -(n & 1))


@pytest.mark.parametrize(
    "function, told",
    [
        (lambda n: n % 3, "expected a power of two"),
        (lambda n: n // n, "expected a power of two"),
        (lambda n: n >> n - 1, "may be negative"),
        (lambda n: n << n * 2048, "more than 16 bits"),
    ],
)
def test_what_cannot_be_traced_is_told(function: Callable[[Any], Any], told: str) -> None:
    with pytest.raises(NetlistError, match=told):
        traced(function, BITS)
