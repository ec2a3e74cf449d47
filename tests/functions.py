"""Functions from number to number that tests search netlists of: the first steps of the ladder."""

from __future__ import annotations


def parity(number: int) -> int:
    """1 for an odd number of ones."""
    return number.bit_count() & 1


def add(number: int) -> int:
    """The sum of the lower and the upper three bits."""
    return (number & 7) + (number >> 3)


def multiply(number: int) -> int:
    """The product of the lower and the upper two bits."""
    return (number & 3) * (number >> 2)
