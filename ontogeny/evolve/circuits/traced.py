"""A Python function of whole numbers as a netlist, and whether a netlist is that function: it runs on wires.

The function is given a `Number`, which stands for every whole number of so many bits, and does with it what it does:
adds, shifts, compares. Where it asks whether something is so, it is run once for each answer, and the results are
joined by the wire that was asked about. So a function that asks often takes long, and it is run with answers, too, that
no number gives together: what it raises then is raised, and a loop that only they do not end has no end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ontogeny.evolve.circuits.equivalent import Equivalence, equivalent
from ontogeny.evolve.circuits.grower import Grower
from ontogeny.evolve.circuits.tables import AND, IF, INVERTED, OR, XOR
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist

SUM, MAJORITY = 0b10010110, 0b11101000
"""A full adder's tables, of three fanins."""
WIDEST_SHIFT = 16


def traced(function: Callable[[Number], Number | int], inputs: int) -> Netlist:
    """The function of a number of so many bits, the lowest the first input; outputs are its number's, the sign last.

    Raises NetlistError for what `Number` does in part only, and TypeError, as Python does, for what it does not.
    """
    grown, number = _traced(function, inputs)
    return grown.finished(number.bits)


def is_function(net: Netlist, function: Callable[[Number], Number | int]) -> Equivalence:
    """Whether the outputs, then the next registers, are the function's number of the inputs, then the registers.

    That the number fits them and is not negative is asked as well. Raises what `traced` and `equivalent` raise.
    """
    grown, wanted = _traced(function, net.sources)
    wires = grown.placed(net, range(net.sources))
    wires += [grown.made(0, [])] * (max(len(wires) + 1, len(wanted.bits)) - len(wires))
    bits = [wanted.bit(place) for place in range(len(wires))]
    return equivalent(grown.finished(wires), grown.finished(bits))


class _Asked(Exception):
    """The function asks whether a wire is 1, which is not decided."""

    def __init__(self, wire: int) -> None:
        self.wire = wire


@dataclass
class _Run:
    """What is grown, and what the wires are that this run has been asked about."""

    grown: Grower
    decided: dict[int, bool] = field(default_factory=dict)

    def number(self, value: Number | int) -> Number:
        if isinstance(value, Number):
            return value
        bits = (value >> place & 1 for place in range(value.bit_length() + 1))
        return Number(self, tuple(self.grown.made(bit, []) for bit in bits))

    def is_one(self, wire: int) -> bool:
        """What the wire is in this run."""
        gate = wire - self.grown.sources
        if wire in self.grown.known:
            return bool(self.grown.known[wire])
        if gate >= 0 and len(self.grown.fanin[gate]) == 1:  # an inverter, the only such gate that is made
            return not self.is_one(self.grown.fanin[gate][0])
        if wire not in self.decided:
            raise _Asked(wire)
        return self.decided[wire]


@dataclass(frozen=True, eq=False)
class Number:
    """A whole number on wires, in two's complement: the lowest bit first, the last one goes on for ever.

    Does what an int does: + - * & | ^ ~ << >> and comparisons with numbers and ints; % and // by a power of two. As a
    condition it is asked about; as an index, each of its wires.
    """

    run: _Run
    bits: tuple[int, ...]

    def bit(self, place: int) -> int:
        """The wire of the bit at a place, however high."""
        return self.bits[min(place, len(self.bits) - 1)]

    def where(self, wire: int, other: Number) -> Number:
        """This number where the wire is 1, else the other."""
        return self._made(self._gate(IF, wire, a, b) for a, b in self._pairs(other))

    def _gate(self, table: int, *takes: int) -> int:
        return self.run.grown.made(table, takes)

    def _pairs(self, other: Number, more: int = 0) -> list[tuple[int, int]]:
        return [(self.bit(place), other.bit(place)) for place in range(max(len(self.bits), len(other.bits)) + more)]

    def _made(self, bits: Iterable[int]) -> Number:
        """The number of these bits without those that only repeat the sign."""
        kept = list(bits)
        while len(kept) > 1 and kept[-1] == kept[-2]:
            kept.pop()
        return Number(self.run, tuple(kept))

    def _by_bits(self, table: int, other: Number | int) -> Number:
        return self._made(self._gate(table, a, b) for a, b in self._pairs(self.run.number(other)))

    def _plus(self, other: Number, carry: int) -> Number:
        chain, found = self._gate(carry), []
        for a, b in self._pairs(other, more=1):
            found.append(self._gate(SUM, a, b, chain))
            chain = self._gate(MAJORITY, a, b, chain)
        return self._made(found)

    def _shifted(self, by: Number | int, places: Callable[[Number, int], Iterable[int]]) -> Number:
        count, found = self.run.number(by), self
        if self.run.grown.known.get(count.bits[-1]) != 0:
            raise NetlistError("a shift by what may be negative; expected a number that cannot be")
        for power, wire in enumerate(count.bits[:-1]):
            if self.run.grown.known.get(wire) != 0:
                found = self._made(places(found, 1 << power)).where(wire, found)
        return found

    def __and__(self, other: Number | int) -> Number:
        return self._by_bits(AND, other)

    def __or__(self, other: Number | int) -> Number:
        return self._by_bits(OR, other)

    def __xor__(self, other: Number | int) -> Number:
        return self._by_bits(XOR, other)

    def __invert__(self) -> Number:
        return self._made(self._gate(INVERTED[1], wire) for wire in self.bits)

    def __add__(self, other: Number | int) -> Number:
        return self._plus(self.run.number(other), 0)

    def __sub__(self, other: Number | int) -> Number:
        return self._plus(~self.run.number(other), 1)

    def __rsub__(self, other: int) -> Number:
        return self.run.number(other) - self

    def __mul__(self, other: Number | int) -> Number:
        *bits, sign = self.run.number(other).bits
        none = self.run.number(0)
        found = none - (self << len(bits)).where(sign, none)
        for place, wire in enumerate(bits):
            found += (self << place).where(wire, none)
        return found

    def __lshift__(self, by: Number | int) -> Number:
        if len(self.run.number(by).bits) > WIDEST_SHIFT + 1:
            raise NetlistError(f"a shift to the left by a number of more than {WIDEST_SHIFT} bits")
        return self._shifted(by, lambda number, places: (self._gate(0),) * places + number.bits)

    def __rlshift__(self, other: int) -> Number:
        return self.run.number(other) << self

    def __rshift__(self, by: Number | int) -> Number:
        return self._shifted(by, lambda number, places: number.bits[places:] or number.bits[-1:])

    def __rrshift__(self, other: int) -> Number:
        return self.run.number(other) >> self

    def __mod__(self, other: int) -> Number:
        return self & (1 << _power(other)) - 1

    def __floordiv__(self, other: int) -> Number:
        return self >> _power(other)

    def __lt__(self, other: Number | int) -> Number:
        return -((self - other) >> len(self.bits) + len(self.run.number(other).bits))

    def __gt__(self, other: Number | int) -> Number:
        return self.run.number(other) < self

    def __le__(self, other: Number | int) -> Number:
        return 1 - (self > other)

    def __ge__(self, other: Number | int) -> Number:
        return 1 - (self < other)

    def __neg__(self) -> Number:
        return 0 - self

    def __eq__(self, other: Number | int) -> Number:  # type: ignore[override]
        return 1 - (self != other)

    def __ne__(self, other: Number | int) -> Number:  # type: ignore[override]
        return Number(self.run, ((self ^ other)._any(), self._gate(0)))

    def _any(self) -> int:
        """The wire that is 1 where the number is not 0."""
        found = self.bits[0]
        for wire in self.bits[1:]:
            found = self._gate(OR, found, wire)
        return found

    def __bool__(self) -> bool:
        return self.run.is_one(self._any())

    def __index__(self) -> int:
        bits = [self.run.is_one(wire) for wire in self.bits]
        return sum(bit << place for place, bit in enumerate(bits[:-1])) - (bits[-1] << len(bits) - 1)

    __rand__, __ror__, __rxor__, __radd__, __rmul__ = __and__, __or__, __xor__, __add__, __mul__


def _power(number: Number | int) -> int:
    if not isinstance(number, int) or number < 1 or number & number - 1:
        raise NetlistError(f"a number on wires % or // {number!r}; expected a power of two")
    return number.bit_length() - 1


def _traced(function: Callable[[Number], Number | int], inputs: int) -> tuple[Grower, Number]:
    run = _Run(Grower(inputs))
    return run.grown, _joined(function, Number(run, (*range(inputs), run.grown.made(0, []))))


def _joined(function: Callable[[Number], Number | int], given: Number) -> Number:
    """What the function gives with what is decided, and with each answer to what it asks beyond."""
    run, decided = given.run, dict(given.run.decided)
    try:
        return run.number(function(given))
    except _Asked as asked:
        wire = asked.wire
    answers = []
    for answer in (True, False):
        run.decided = decided | {wire: answer}
        answers.append(_joined(function, given))
    return answers[0].where(wire, answers[1])
