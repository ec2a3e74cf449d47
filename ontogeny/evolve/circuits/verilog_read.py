"""Structural Verilog, read: one module of gates, assigns, and registers at the rising edge of one clock.

An expression over at most six wires is one gate. Vectors are their bits, `a[0]` the lowest and first. Instances of
other modules, and `if` and `case` in `always`, are refused: what is structural only wires. A register with no initial
value begins at 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from ontogeny.evolve.circuits.draft import CircuitFileError, Draft
from ontogeny.evolve.circuits.tables import AND, IF, INVERTED, OR, XOR
from ontogeny.evolve.circuits.verilog_words import KEYWORDS, Bit, Reader, bit
from ontogeny.isa.netlist import ONES, PATTERNS, WIDEST, Netlist

One = TypeVar("One")
JOINS = {"and": AND, "or": OR, "xor": XOR}
PRIMITIVES = {"and": "and", "nand": "and", "or": "or", "nor": "or", "xor": "xor", "xnor": "xor", "not": "", "buf": ""}
DIRECTIONS = ("input", "output")
NETS = ("wire", "reg", "logic", "tri")


def from_verilog(text: str) -> Netlist:
    """The netlist of Verilog text. Raises CircuitFileError with the line and what was expected."""
    return _Module(text).netlist()


class _Module:
    """What the module has said so far."""

    def __init__(self, text: str) -> None:
        self.reader = Reader(text)
        self.draft = Draft()
        self.ports: list[str] = []
        self.inputs: dict[str, int] = {}
        self.outputs: dict[str, int] = {}
        self.next: dict[str, tuple[Bit, int]] = {}
        self.initial: dict[str, int] = {}
        self.clock = ""

    def netlist(self) -> Netlist:
        self._header()
        while not self.reader.meets("endmodule"):
            self._item()
        if self.reader.next.kind != "end":
            raise self.reader.wrong("the end of the file after one module")
        return self._finished()

    def _finished(self) -> Netlist:
        for port in self.ports:
            bits = self.reader.bits_of(port)
            if not (self.inputs.keys() | self.outputs.keys()).issuperset(bits):
                raise CircuitFileError(f"port {port!r} is declared neither input nor output")
        for name in sorted(self.inputs, key=self._place):
            if name != self.clock:
                self.draft.input(name, self.inputs[name])
        for name in sorted(self.outputs, key=self._place):
            self.draft.output(name, self.outputs[name])
        if self.clock and self.clock not in self.inputs:
            raise CircuitFileError(f"the clock {self.clock!r} is no input; expected a port")
        for name, (value, line) in self.next.items():
            self.draft.register(name, self._wire(value, line), self.initial.get(name, 0), line)
        for name in self.initial:
            if name not in self.next:
                raise CircuitFileError(f"{name!r} begins at a value but takes none; expected 'always @(posedge ...)'")
        return self.draft.netlist()

    def _place(self, name: str) -> tuple[int, int]:
        """Where a port stands in the module's head, and which of its bits this is."""
        bare = name if name in self.ports else name.rpartition("[")[0]
        bits = self.reader.bits_of(bare)
        return self.ports.index(bare) if bare in self.ports else 0, bits.index(name) if name in bits else 0

    def _header(self) -> None:
        read = self.reader
        read.expect("module", "first")
        read.name("the module's name")
        if read.meets("(") and not read.meets(")"):
            direction = ""
            while True:
                direction = self._port(direction)
                if not read.meets(","):
                    break
            read.expect(")")
        read.expect(";", "after the ports")

    def _port(self, direction: str) -> str:
        read = self.reader
        said = next((one for one in DIRECTIONS if read.meets(one)), "")
        chosen = self._range() if said else self._chosen
        line, name = read.next.line, read.name("input, output or a port's name")
        self._chosen = chosen
        self.ports.append(name)
        if said or direction:
            self._declared(said or direction, name, chosen, line)
        return said or direction

    _chosen: tuple[int, int] | None = None

    def _range(self) -> tuple[int, int] | None:
        while self.reader.meets(*NETS):
            pass
        return self.reader.range()

    def _declared(self, direction: str, name: str, chosen: tuple[int, int] | None, line: int) -> None:
        if chosen is not None:
            self.reader.widths[name] = chosen
        ports = {"input": self.inputs, "output": self.outputs}.get(direction, {})
        if name in self.ports or direction in NETS:
            ports.pop(name, None)
            ports.update(dict.fromkeys(self.reader.bits_of(name), line))
            return
        raise CircuitFileError(f"{direction} {name!r} is not among the module's ports", line)

    def _item(self) -> None:
        read = self.reader
        word = read.next
        if word.kind != "name" or word.text not in KEYWORDS | {"logic", "always_ff"}:
            raise read.wrong("a declaration, a gate, assign, initial, always or endmodule (instances are not read)")
        read.take()
        if word.text in (*DIRECTIONS, *NETS):
            self._declaration(word.text)
        elif word.text in PRIMITIVES:
            self._primitive(word.text, word.line)
        elif word.text == "assign":
            self._listed(lambda: self._driven(read.target(), word.line))
        elif word.text == "initial":
            self._block("=")
        elif word.text in ("always", "always_ff"):
            self._edge()
            self._block("<=")
        else:
            read.at -= 1
            raise read.wrong("a declaration, a gate, assign, initial or always")

    def _listed(self, one: Callable[[], None]) -> None:
        one()
        while self.reader.meets(","):
            one()
        self.reader.expect(";")

    def _declaration(self, direction: str) -> None:
        read, chosen = self.reader, self._range()

        def one() -> None:
            line, name = read.next.line, read.name("a name to declare")
            self._declared(direction, name, chosen, line)
            if read.next.text == "=" and direction == "reg":
                read.take()
                self._begins(read.bits_of(name), line)
            elif read.next.text == "=":
                self._driven(read.bits_of(name), line)

        self._listed(one)

    def _driven(self, names: list[str], line: int) -> None:
        for name, value in self._values(names, "=", line):
            self._gate(name, value, line)

    def _values(self, names: list[str], mark: str, line: int) -> Iterator[tuple[str, Bit]]:
        self.reader.expect(mark)
        plain = self.reader.next.kind == "number" and "'" not in self.reader.next.text
        found = self.reader.expression()
        if plain and len(found) < len(names):
            found += [Bit("0")] * (len(names) - len(found))
        if len(found) != len(names):
            raise CircuitFileError(f"{len(found)} bits for the {len(names)} of {names[-1]!r}; expected as many", line)
        return zip(names, found, strict=True)

    def _begins(self, names: list[str], line: int) -> None:
        self.reader.at -= 1
        for name, value in self._values(names, "=", line):
            if value.op not in ("0", "1"):
                raise CircuitFileError(f"{name!r} begins at an expression; expected a constant", line)
            self.initial[name] = int(value.op)

    def _primitive(self, kind: str, line: int) -> None:
        """One or several gates: their output first, an instance name before the brackets or none."""
        read = self.reader

        def one() -> None:
            if read.next.text != "(":
                read.name("an instance's name or '('")
            read.expect("(")
            (target,) = self._single(read.target(), line)
            takes = []
            while read.meets(","):
                takes += self._single(read.expression(), line)
            read.expect(")")
            if len(takes) < (2 if PRIMITIVES[kind] else 1) or (len(takes) > 1 and not PRIMITIVES[kind]):
                expected = "two or more" if PRIMITIVES[kind] else "one"
                raise CircuitFileError(f"{kind} of {len(takes)} inputs; expected {expected}", line)
            self._joined(target, kind, takes, line)

        self._listed(one)

    def _single(self, bits: list[One], line: int) -> list[One]:
        if len(bits) != 1:
            raise CircuitFileError(f"a gate's wire of {len(bits)} bits; expected one", line)
        return bits

    def _joined(self, target: str, kind: str, takes: list[Bit], line: int) -> None:
        """A primitive of wires keeps each as a fanin of its own, even one that it takes twice."""
        op, inverted = PRIMITIVES[kind], kind in ("nand", "nor", "xnor", "not")
        if all(one.op == "wire" for one in takes) and len(takes) <= WIDEST:
            whole = Bit(op, tuple(Bit("wire", name=f"{place}") for place in range(len(takes)))) if op else takes[0]
            places = [f"{place}" for place in range(len(takes))] if op else [takes[0].name]
            table = _table(whole, places) ^ ((1 << (1 << len(takes))) - 1 if inverted else 0)
            self.draft.gate(target, table, [one.name for one in takes], line)
            return
        whole = bit(op, *takes, line=line) if op else takes[0]
        self._gate(target, bit("not", whole, line=line) if inverted else whole, line)

    def _edge(self) -> None:
        read = self.reader
        read.expect("@")
        read.expect("(")
        read.expect("posedge", "of the clock")
        line, clock = read.next.line, read.name("the clock's name")
        read.expect(")")
        if self.clock not in ("", clock):
            raise CircuitFileError(f"a second clock {clock!r} beside {self.clock!r}; expected one", line)
        self.clock = clock

    def _block(self, mark: str) -> None:
        """One assignment, or several between begin and end."""
        if not self.reader.meets("begin"):
            self._assigned(mark)
            return
        while not self.reader.meets("end"):
            self._assigned(mark)

    def _assigned(self, mark: str) -> None:
        read, line = self.reader, self.reader.next.line
        names = read.target()
        if mark == "=":
            read.expect("=")
            self._begins(names, line)
        else:
            for name, value in self._values(names, "<=", line):
                if name in self.next:
                    raise CircuitFileError(
                        f"register {name!r} is assigned twice, in line {self.next[name][1]} too", line
                    )
                self.next[name] = value, line
        read.expect(";")

    def _wire(self, value: Bit, line: int) -> str:
        if value.op == "wire":
            return value.name
        return self._gate("", value, line)

    def _gate(self, target: str, value: Bit, line: int) -> str:
        """A gate for an expression; one of more than six wires is cut into those of its parts."""
        takes = list(dict.fromkeys(_leaves(value)))
        if len(takes) <= WIDEST:
            return self._made(target, _table(value, takes), takes, line)
        parts = [self._wire(part, line) for part in value.parts]
        if value.op == "not":
            return self._made(target, INVERTED[1], parts, line)
        if value.op == "if":
            return self._made(target, IF, parts, line)
        return self.draft.joined(target or self.draft.unnamed(), parts, line, JOINS[value.op])

    def _made(self, target: str, table: int, takes: list[str], line: int) -> str:
        return self.draft.gate(target or self.draft.unnamed(), table, takes, line)


def _leaves(value: Bit) -> Iterator[str]:
    if value.op == "wire":
        yield value.name
    for part in value.parts:
        yield from _leaves(part)


def _table(value: Bit, takes: list[str]) -> int:
    patterns = {name: PATTERNS[place] for place, name in enumerate(takes)}
    return _word(value, patterns) & (1 << (1 << len(takes))) - 1


def _word(value: Bit, patterns: dict[str, int]) -> int:
    """The expression on the words of all cases at once."""
    if value.op == "wire":
        return patterns[value.name]
    if value.op in ("0", "1"):
        return ONES * int(value.op)
    parts = [_word(part, patterns) for part in value.parts]
    if value.op == "not":
        return parts[0] ^ ONES
    if value.op == "if":
        return parts[0] & parts[1] | ~parts[0] & parts[2]
    found = parts[0]
    for part in parts[1:]:
        found = found & part if value.op == "and" else found | part if value.op == "or" else found ^ part
    return found
