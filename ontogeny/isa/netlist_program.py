"""A netlist is a program: bit operations over u64 words of 64 cases, registers as state, a tick the routine; and back.

`and`, `or`, `xor`, `not` and `nand` are instructions of those names, and a gate without fanin is a constant. Any other
table is a routine of its own, called for each such gate, so that the way back gives the same gates.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ontogeny.isa.build import Builder
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import NAND, ONES, PATTERNS, WIDEST, Names, Netlist, netlist
from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl, Instr, Program, Routine
from ontogeny.isa.types import UNSIGNED, DType, Type
from ontogeny.isa.verify import MAX_NAME, verify

TICK, PREDICT, INIT = "tick", "predict", "init"
OPS: dict[tuple[int, int], Op] = {
    (1, 0b01): Op.NOT,
    (2, 0b1000): Op.AND,
    (2, 0b1110): Op.OR,
    (2, 0b0110): Op.XOR,
    (2, NAND): Op.NAND,
}
TABLES = {op: of for of, op in OPS.items()}


def program(net: Netlist, words: int | None = None, name: str = "circuit") -> Program:
    """The netlist's program: inputs and registers u64[], or u64[words]; `tick` where it has registers, else `predict`.

    `init` sets the registers to their initial values. Characters that a program's names cannot have become `_`.
    """
    shape = () if words is None else (words,)
    names = legal(net.named)
    word = Type(DType.U64, shape)
    decls = (*(Decl("state", n, word) for n in names.registers), *(Decl("input", n, word) for n in names.inputs))
    made = Program(name, decls, tuple(_lut(of, word) for of in sorted(_tables(net) - set(OPS)) if of[0]))
    if net.registers:
        made = made.with_routine(_init(net, made, names, shape))
    made = made.with_routine(_step(net, made, names, shape))
    verify(made)
    return made


def legal(names: Names) -> Names:
    """The names as a program may have them, distinct as before."""
    sources = _legal((*names.inputs, *names.registers))
    return Names(sources[: len(names.inputs)], _legal(names.outputs), sources[len(names.inputs) :])


def _legal(names: tuple[str, ...]) -> tuple[str, ...]:
    given: dict[str, None] = {}
    for name in names:
        plain = bare = re.sub(r"[^A-Za-z0-9_.-]", "_", name)[: MAX_NAME - 8] or "_"
        count = 0
        while plain in given:
            count += 1
            plain = f"{bare}_{count}"
        given[plain] = None
    return tuple(given)


def _tables(net: Netlist) -> set[tuple[int, int]]:
    return {(int(arity), int(table)) for arity, table in zip(net.arity, net.table, strict=True)}


def _lut(of: tuple[int, int], word: Type) -> Routine:
    arity, table = of
    params = [(f"x{i}", word) for i in range(arity)]
    build = Builder(Program("", (), ()), params)
    bits = [table >> i & 1 for i in range(1 << arity)]
    names = {bit: _constant(build, bit, word.shape) for bit in sorted(set(bits))}
    leaves = [names[bit] for bit in bits]
    for name, _ in params:
        leaves = [_choice(build, name, a, b) for a, b in zip(leaves[::2], leaves[1::2], strict=True)]
    return build.routine(f"lut{arity}_{table:0{max(1, (1 << arity) // 4)}x}", [("y", leaves[0])])


def _constant(build: Builder, bit: int, shape: tuple[int, ...]) -> str:
    value = build.one(Op.CONST, value=ONES if bit else 0, dtype=DType.U64, shape=())
    return build.one(Op.BROADCAST, value, shape=shape) if shape else value


def _choice(build: Builder, by: str, low: str, high: str) -> str:
    """`high` where the bit of `by` is one, else `low`."""
    if low == high:
        return low
    return build.one(Op.XOR, low, build.one(Op.AND, build.one(Op.XOR, low, high), by))


def _init(net: Netlist, made: Program, names: Names, shape: tuple[int, ...]) -> Routine:
    build = Builder(made)
    for name, bit in zip(names.registers, net.initial, strict=True):
        build.commit(name, _constant(build, int(bit), shape))
    return build.routine(INIT, [])


def _step(net: Netlist, made: Program, names: Names, shape: tuple[int, ...]) -> Routine:
    build = Builder(made)
    luts = {(len(r.params), int(r.name.split("_")[1], 16)): r.name for r in made.routines if r.params}
    wires = [build.read(name) for name in (*names.inputs, *names.registers)]
    for gate in range(net.gates):
        takes, table = [wires[wire] for wire in net.takes(gate)], int(net.table[gate])
        if not takes:
            wires.append(_constant(build, table, shape))
        elif (op := OPS.get((len(takes), table))) is not None:
            wires.append(build.one(op, *takes))
        else:
            wires.append(build.one(Op.CALL, *takes, body=luts[len(takes), table]))
    for name, wire in zip(names.registers, net.next, strict=True):
        build.commit(name, wires[wire])
    returns = [(name, wires[wire]) for name, wire in zip(names.outputs, net.outputs, strict=True)]
    return build.routine(TICK if net.registers else PREDICT, returns)


def from_program(made: Program, routine: str | None = None) -> Netlist:
    """The netlist of a routine of bit operations: `tick` or `predict` where none is named.

    Its inputs are the program's, its registers the states, which begin as `init` commits them, else at 0. A call of a
    routine of up to six operands is a gate. Raises NetlistError for any other operation, naming the instruction.
    """
    verify(made)
    name = routine or (TICK if made.has(TICK) else PREDICT)
    body = made.routine(name)
    sources = (*made.of("input"), *made.kept())
    reader = _Reader(made, {decl.name: wire for wire, decl in enumerate(sources)})
    reader.routine(body)
    registers = tuple(decl.name for decl in made.kept())
    known = reader.sources
    k = max(map(len, reader.fanin), default=0)
    return netlist(
        len(sources) - len(registers),
        reader.table,
        [[*takes, *[-1] * (k - len(takes))] for takes in reader.fanin],
        [reader.values[value] for _, value in body.returns],
        next=[reader.commits.get(register, known[register]) for register in registers],
        initial=[_initial(made, register) for register in registers],
        names=Names(tuple(decl.name for decl in made.of("input")), tuple(n for n, _ in body.returns), registers),
    )


class _Reader:
    """Instructions to gates, one after another: which wire each value is."""

    def __init__(self, made: Program, sources: dict[str, int]) -> None:
        self.made, self.sources = made, sources
        self.table: list[int] = []
        self.fanin: list[list[int]] = []
        self.values: dict[str, int] = {}
        self.commits: dict[str, int] = {}

    def routine(self, body: Routine) -> None:
        for count, instr in enumerate(body.body, 1):
            wires = [self.values[arg] for arg in instr.args if arg in self.values]
            if instr.op is Op.COMMIT:
                self.commits[str(instr.attr("name"))] = wires[0]
            else:
                self.values[instr.out[0]] = self.value(instr, wires, f"routine {body.name!r}, instruction {count}")

    def value(self, instr: Instr, wires: list[int], where: str) -> int:
        if instr.op is Op.READ:
            name = str(instr.attr("name"))
            if name not in self.sources:
                raise NetlistError(f"{where}: {name!r} is no input or state; expected no dials or pieces in a netlist")
            return self.sources[name]
        if instr.op in (Op.BROADCAST, Op.PROBE):
            return wires[0]
        if instr.op is Op.CONST:
            return self.gate(_bit(instr, where), [])
        if instr.op in TABLES:
            return self.gate(TABLES[instr.op][1], wires)
        if instr.op is Op.CALL:
            return self.gate(_table(self.made, self.made.routine(str(instr.attr("body"))), where), wires)
        known = ", ".join(op.text for op in (*TABLES, Op.CONST, Op.CALL))
        raise NetlistError(f"{where}: {instr.op.text} is no bit operation; a netlist is made of {known}")

    def gate(self, table: int, takes: list[int]) -> int:
        self.table.append(table)
        self.fanin.append(takes)
        return len(self.sources) + len(self.table) - 1


def _bit(instr: Instr, where: str) -> int:
    value, dtype = instr.attr("value"), instr.attr("dtype")
    ones = (1 << 8 * dtype.bytes) - 1 if isinstance(dtype, DType) and dtype in UNSIGNED else None
    if value not in (0, ones):
        raise NetlistError(f"{where}: the constant {value} of {dtype}; expected 0, or all bits of an unsigned format")
    return int(value != 0)


OF_WORDS: dict[Op, Callable[..., int]] = {
    Op.NOT: lambda a: a ^ ONES,
    Op.AND: lambda a, b: a & b,
    Op.OR: lambda a, b: a | b,
    Op.XOR: lambda a, b: a ^ b,
    Op.NAND: lambda a, b: a & b ^ ONES,
    Op.BROADCAST: lambda a: a,
    Op.PROBE: lambda a: a,
}


def _table(made: Program, body: Routine, where: str) -> int:
    """The truth table of a routine with operands, of its value for all 64 cases at once."""
    if len(body.params) > WIDEST or len(body.returns) != 1:
        counts = f"{len(body.params)} operands and {len(body.returns)} results"
        raise NetlistError(f"{where}: {body.name!r} has {counts}; a gate has at most {WIDEST} and one")
    values = {name: PATTERNS[i] for i, (name, _) in enumerate(body.params)}
    for count, instr in enumerate(body.body, 1):
        here = f"routine {body.name!r}, instruction {count}"
        if instr.op is Op.CONST:
            values[instr.out[0]] = ONES * _bit(instr, here)
        elif instr.op in OF_WORDS:
            values[instr.out[0]] = OF_WORDS[instr.op](*(values[arg] for arg in instr.args))
        else:
            raise NetlistError(f"{here}: {instr.op.text} is no bit operation; expected those in a gate's routine")
    return values[body.returns[0][1]] & (1 << (1 << len(body.params))) - 1


def _initial(made: Program, register: str) -> int:
    if not made.has(INIT):
        return 0
    bits: dict[str, int] = {}
    for count, instr in enumerate(made.routine(INIT).body, 1):
        where = f"routine {INIT!r}, instruction {count}"
        if instr.op is Op.CONST:
            bits[instr.out[0]] = _bit(instr, where)
        elif instr.op is Op.BROADCAST:
            bits[instr.out[0]] = bits[instr.args[0]]
        elif instr.op is not Op.COMMIT:
            raise NetlistError(f"{where}: {instr.op.text}; expected constants that registers begin at")
        elif instr.attr("name") == register:
            return bits[instr.args[0]]
    return 0
