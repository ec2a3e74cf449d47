"""And-inverter graphs, what AIGER files hold: literal 2v is variable v, 2v + 1 its inverse, 0 and 1 the constants.

Variables are numbered inputs, latches, ands. Format: Biere, "The AIGER And-Inverter Graph (AIG) Format Version
20071012", and the reset values of latches of version 1.9. A latch reset to itself, which is no value, begins at 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ontogeny.evolve.circuits.convert import two_input
from ontogeny.evolve.circuits.draft import CircuitFileError, Draft
from ontogeny.evolve.circuits.tables import IDENTITY, reduced
from ontogeny.isa.netlist import Names, Netlist, checked

Symbols = dict[str, dict[int, str]]


@dataclass(frozen=True, slots=True)
class Graph:
    """An AIG whose ands stand in order: each takes literals of variables before its own."""

    inputs: int
    latches: tuple[tuple[int, int], ...]
    outputs: tuple[int, ...]
    ands: tuple[tuple[int, int], ...]
    symbols: Symbols = field(default_factory=dict)

    @property
    def variables(self) -> int:
        """The number of the last variable."""
        return self.inputs + len(self.latches) + len(self.ands)


class _Ands:
    """Ands in the making, each made once; the larger literal stands first, as the binary form wants it."""

    def __init__(self, sources: int) -> None:
        self.sources = sources
        self.ands: list[tuple[int, int]] = []
        self.made: dict[tuple[int, int], int] = {}

    def both(self, a: int, b: int) -> int:
        pair = max(a, b), min(a, b)
        if pair[1] < 2 or pair[0] ^ pair[1] < 2:
            return pair[0] if pair[1] == 1 or a == b else 0
        if pair not in self.made:
            self.ands.append(pair)
            self.made[pair] = 2 * (self.sources + len(self.ands))
        return self.made[pair]

    def gate(self, table: int, takes: Sequence[int]) -> int:
        """The literal of a gate of at most two literals that depends on each of its fanins."""
        if not takes:
            return table
        if len(takes) == 1:
            return takes[0] ^ (table == 0b01)
        ones = table.bit_count()
        if ones == 2:
            a, b = takes
            either = self.both(self.both(a, b) ^ 1, self.both(a ^ 1, b ^ 1) ^ 1)
            return either ^ (table == 0b1001)
        odd = next(i for i in range(4) if (table >> i & 1) == (ones == 1))
        return self.both(takes[0] ^ (not odd & 1), takes[1] ^ (not odd & 2)) ^ (ones == 3)


def graph(net: Netlist) -> Graph:
    """The AIG of a netlist: an and for each gate of two, three for an exclusive or; wider gates are cut first."""
    narrow = two_input(net) if (net.arity > 2).any() else net
    ands = _Ands(net.sources)
    literals, known = [2 * (wire + 1) for wire in range(net.sources)], dict[int, int]()
    for gate in range(narrow.gates):
        table, wires = reduced(int(narrow.table[gate]), narrow.takes(gate), known)
        literals.append(ands.gate(table, [literals[wire] for wire in wires]))
        if literals[-1] < 2:
            known[narrow.sources + gate] = literals[-1]
    names = net.names
    symbols: Symbols = {}
    if names:
        each = {"i": names.inputs, "l": names.registers, "o": names.outputs}
        symbols = {kind: dict(enumerate(of)) for kind, of in each.items()}
    latches = tuple((literals[wire], int(bit)) for wire, bit in zip(narrow.next, net.initial, strict=True))
    return Graph(net.inputs, latches, tuple(literals[wire] for wire in narrow.outputs), tuple(ands.ands), symbols)


class Rows:
    """What a file says, row by row with its line, in any order of variables; `netlist` is what it means."""

    def __init__(self, variables: int) -> None:
        self.variables = variables
        self.draft = Draft()
        self._ends: dict[str, tuple[int, list[str], int]] = {}  # gates that are no ands, made after these

    def input(self, literal: int, line: int) -> None:
        """An input's literal."""
        self.draft.input(_called(self._own(literal, line)), line)

    def latch(self, literal: int, next: int, reset: int, line: int) -> None:
        """A latch: its own literal, the one that it takes, and 0, 1 or its own for what it is reset to."""
        if reset not in (0, 1, literal):
            raise CircuitFileError(
                f"latch {literal} is reset to {reset}; expected 0, 1, or {literal} for no value", line
            )
        own = _called(self._own(literal, line))
        self.draft.register(own, self._wire(next, line), int(reset == 1), line)

    def output(self, place: int, literal: int, line: int) -> None:
        """The literal of an output."""
        name = f"output {place}"
        self._ends[name] = IDENTITY[1], [self._wire(literal, line)], line
        self.draft.output(name, line)

    def both(self, literal: int, a: int, b: int, line: int) -> None:
        """An and of the literals `a` and `b`."""
        for taken in (a, b):
            self._bounded(taken, line)
        table = sum(((case ^ a) & (case >> 1 ^ b) & 1) << case for case in range(4))
        takes = [taken >> 1 for taken in (a, b)]
        if 0 in takes:
            table, takes = reduced(table, takes, {0: 0})
        self.draft.gate(_called(self._own(literal, line)), table, [_called(2 * v) for v in takes], line)

    def _own(self, literal: int, line: int) -> int:
        self._bounded(literal, line)
        if literal < 2 or literal & 1:
            raise CircuitFileError(f"{literal} is defined; expected an even literal from 2 on", line)
        return literal

    def _bounded(self, literal: int, line: int) -> None:
        if literal > 2 * self.variables + 1:
            raise CircuitFileError(f"literal {literal}, but the header has {self.variables} variables", line)

    def _wire(self, literal: int, line: int) -> str:
        self._bounded(literal, line)
        if literal > 1 and not literal & 1:
            return _called(literal)
        takes = [_called(literal - 1)] if literal > 1 else []
        self._ends.setdefault(_called(literal), (0b01 if takes else literal, takes, line))
        return _called(literal)

    def netlist(self, symbols: Symbols) -> Netlist:
        """The netlist: a gate for each and; inverters and constants only where outputs and latches need them."""
        for name, (table, takes, line) in self._ends.items():
            self.draft.gate(name, table, takes, line)
        made = self.draft.netlist()
        names = None
        if any(symbols.values()):
            counts = {"i": made.inputs, "o": len(made.outputs), "l": made.registers}
            letters = {"i": "i", "o": "o", "l": "r"}
            names = Names(
                *(
                    tuple(symbols[kind].get(place, f"{letters[kind]}{place}") for place in range(count))
                    for kind, count in counts.items()
                )
            )
        return checked(replace(made, names=names))


def _called(literal: int) -> str:
    return f"literal {literal}"


def symbol_lines(given: Graph) -> list[str]:
    """The symbol table: what inputs, latches and outputs are called, line ends in names as blanks."""
    return [
        f"{kind}{place} {' '.join(name.splitlines()) or '_'}"
        for kind in "ilo"
        for place, name in given.symbols.get(kind, {}).items()
    ]


def read_symbols(lines: Sequence[str], first: int, counts: dict[str, int]) -> Symbols:
    """The symbol table in `lines`, the first of which is line `first`, up to the comment."""
    symbols: Symbols = {kind: {} for kind in counts}
    for number, line in enumerate(lines, first):
        if line.strip() == "c":
            break
        if not line:
            continue
        head, _, name = line.partition(" ")
        kind, place = head[:1].replace("b", "o"), head[1:]
        if kind not in counts or not place.isdecimal() or not name:
            raise CircuitFileError(f"{line!r}; expected a symbol such as 'i0 name', or c before comments", number)
        if int(place) >= counts[kind]:
            raise CircuitFileError(f"a symbol for {head}, but there are {counts[kind]} of {kind}", number)
        symbols[kind][int(place)] = name
    return symbols


def header(line: str, magic: str) -> list[int]:
    """The counts of a file's first line: variables, inputs, latches, outputs, ands. Bad states count as outputs.

    abc writes the outputs of a clocked circuit as bad states of AIGER 1.9, under the names of outputs.
    """
    words = line.split()
    if len(words) < 6 or words[0] != magic or not all(word.isdecimal() for word in words[1:]):
        told = f"expected '{magic} M I L O A', whole numbers of variables, inputs, latches, outputs, ands"
        raise CircuitFileError(f"the header {line[:60]!r}; {told}", 1)
    counts = [int(word) for word in words[1:]]
    if any(counts[6:]) or (counts[3] and any(counts[5:6])):
        told = "constraints, justice, fairness, and bad states beside outputs are not read"
        raise CircuitFileError(f"{told}; expected 0 of each", 1)
    counts[3] += sum(counts[5:6])
    if counts[0] < counts[1] + counts[2] + counts[4]:
        raise CircuitFileError(
            f"{counts[0]} variables for {counts[1]} inputs, {counts[2]} latches, {counts[4]} ands", 1
        )
    return counts[:5]


class Lines:
    """Lines of numbers, taken one after another; `at` is how many were, so the number of the last."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.at = 1

    def numbers(self, what: str, *counts: int) -> list[int]:
        """The numbers of the next line, one of `counts` many, and last the line's own number."""
        self.at += 1
        if self.at > len(self.lines):
            raise CircuitFileError(f"the file ends; expected {what}", self.at)
        words = self.lines[self.at - 1].split()
        if len(words) not in counts or not all(word.isdecimal() and len(word) < 12 for word in words):
            raise CircuitFileError(f"{self.lines[self.at - 1][:60]!r}; expected {what}", self.at)
        return [*map(int, words), self.at]
