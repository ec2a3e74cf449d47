"""A netlist in the making from a file: wires by name, gates in any order, every error with its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ontogeny.evolve.circuits.tables import AND, IDENTITY
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import WIDEST, Names, Netlist, find_loop, netlist


class CircuitFileError(NetlistError):
    """A circuit's file that is malformed; `line` counts from one, 0 where the fault is in no single line."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {message}" if line else message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Register:
    """What a register takes at a tick, and begins at."""

    next: str
    initial: int
    line: int


@dataclass(frozen=True, slots=True)
class Gate:
    """A table over wires by name."""

    table: int
    takes: tuple[str, ...]
    line: int


class Draft:
    """Collects what a file declares; `netlist` orders and checks it."""

    def __init__(self) -> None:
        self.inputs: dict[str, int] = {}
        self.outputs: dict[str, int] = {}
        self.registers: dict[str, Register] = {}
        self.gates: dict[str, Gate] = {}
        self._fresh = 0

    def input(self, name: str, line: int) -> None:
        """Declares an input."""
        self._driven_once(name, line)
        self.inputs[name] = line

    def output(self, name: str, line: int) -> None:
        """Declares an output, the wire of its name."""
        if name in self.outputs:
            raise CircuitFileError(f"output {name!r} is declared twice, first in line {self.outputs[name]}", line)
        self.outputs[name] = line

    def register(self, name: str, next: str, initial: int, line: int) -> None:
        """A register that takes the wire `next` at a tick."""
        self._driven_once(name, line)
        self.registers[name] = Register(next, initial, line)

    def gate(self, name: str, table: int, takes: Sequence[str], line: int) -> str:
        """A gate of at most six wires that drives the wire `name`."""
        assert len(takes) <= WIDEST
        self._driven_once(name, line)
        self.gates[name] = Gate(table, tuple(takes), line)
        return name

    def inner(self, table: int, takes: Sequence[str], line: int) -> str:
        """A gate whose wire has no name in the file."""
        return self.gate(self.unnamed(), table, takes, line)

    def unnamed(self) -> str:
        """A name that no file has, for a wire without one."""
        self._fresh += 1
        return f"\0{self._fresh}"

    def joined(self, name: str, takes: Sequence[str], line: int, join: int = AND, last: int | None = None) -> str:
        """Many wires by one two-input gate, in a tree; `last` is the table of the gate that drives `name`."""
        level = list(takes)
        while len(level) > 2:
            pairs = [self.inner(join, level[i : i + 2], line) for i in range(0, len(level) - 1, 2)]
            level = pairs + level[2 * len(pairs) :]
        return self.gate(name, join if last is None else last, level, line)

    def _driven_once(self, name: str, line: int) -> None:
        for what, lines in (("an input", self.inputs), ("a register", self.registers), ("a gate", self.gates)):
            if name in lines:
                first = lines[name]
                at = first if isinstance(first, int) else first.line
                raise CircuitFileError(f"wire {name!r} is driven twice, by {what} in line {at} too", line)

    def netlist(self) -> Netlist:
        """The netlist, its gates in the file's order where that is one of evaluation.

        An output that is only a buffer of another wire is that wire. Raises CircuitFileError for a wire that nothing
        drives and for a loop without a register.
        """
        self._all_driven()
        loop = find_loop({name: tuple(w for w in gate.takes if w in self.gates) for name, gate in self.gates.items()})
        if loop:
            way = " takes ".join(repr(name) if name[0] != "\0" else "a gate" for name in loop)
            raise CircuitFileError(
                f"a loop without a register: {way}; expected a register in it", self.gates[loop[0]].line
            )
        passed = self._buffers()
        order = [*self.inputs, *self.registers, *(name for name in self._ordered() if name not in passed)]
        wires = {name: wire for wire, name in enumerate(order)}
        gates = [self.gates[name] for name in order[len(self.inputs) + len(self.registers) :]]
        k = max((len(gate.takes) for gate in gates), default=0)
        return netlist(
            len(self.inputs),
            [gate.table for gate in gates],
            [[*(wires[w] for w in gate.takes), *[-1] * (k - len(gate.takes))] for gate in gates],
            [wires[passed.get(name, name)] for name in self.outputs],
            next=[wires[register.next] for register in self.registers.values()],
            initial=[register.initial for register in self.registers.values()],
            names=Names(tuple(self.inputs), tuple(self.outputs), tuple(self.registers)),
        )

    def _taken(self) -> Iterator[tuple[str, str, int]]:
        """Every wire that is taken: it, by whom, in which line."""
        for name, gate in self.gates.items():
            yield from ((wire, f"by {name!r}" if name[0] != "\0" else "here", gate.line) for wire in gate.takes)
        yield from (
            (register.next, f"by register {name!r}", register.line) for name, register in self.registers.items()
        )
        yield from ((name, "as an output", line) for name, line in self.outputs.items())

    def _all_driven(self) -> None:
        for wire, by, line in self._taken():
            if wire not in self.gates and wire not in self.inputs and wire not in self.registers:
                told = f"wire {wire!r} is taken {by}, but nothing drives it"
                raise CircuitFileError(f"{told}; expected an input, a register or a gate of that name", line)

    def _buffers(self) -> dict[str, str]:
        """Outputs that are buffers and nothing else takes, with what they pass on."""
        taken = {wire for wire, by, _ in self._taken() if by != "as an output"}
        found = {}
        for name in self.outputs:
            gate = self.gates.get(name)
            if gate and (len(gate.takes), gate.table) == IDENTITY and name not in taken:
                found[name] = gate.takes[0]
        return found

    def _ordered(self) -> list[str]:
        """The gates, each after those that it takes, else as they came."""
        done: dict[str, None] = {}
        for root in self.gates:
            waiting = [root]
            while waiting:
                missing = [w for w in self.gates[waiting[-1]].takes if w in self.gates and w not in done]
                if missing:
                    waiting.append(missing[0])
                else:
                    done.setdefault(waiting.pop())
        return list(done)
