"""Netlists as the swarm runs them: two-input gates, the dead ones left out, wires laid into as few slots as they need.

A wider gate becomes a tree of choices by its last fanin (Shannon's expansion), a gate of one or no fanin a gate of two
that looks at less. Each table and fanin gate of an expansion is made once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import NAND, Netlist
from ontogeny.machine.swarm import kernels

Gate = tuple[int, int, int]


@dataclass(frozen=True)
class Encoded:
    """Programs with the same numbers of inputs, registers and outputs, as arrays that `kernels.py` says more about."""

    inputs: int
    registers: int
    code: NDArray[np.int32]
    table: NDArray[np.uint8]
    first: NDArray[np.int64]
    wanted: NDArray[np.int32]
    slots: int

    @property
    def programs(self) -> int:
        """Number of programs."""
        return len(self.wanted)

    @property
    def sources(self) -> int:
        """Inputs and registers of each."""
        return self.inputs + self.registers


def encoded(nets: Sequence[Netlist]) -> Encoded:
    """The programs, encoded. Raises NetlistError for none, or where numbers of inputs, registers or outputs differ."""
    if not nets:
        raise NetlistError("no netlists to run; expected at least one")
    shapes = {(net.inputs, net.registers, len(net.outputs)) for net in nets}
    if len(shapes) > 1:
        raise NetlistError(
            f"netlists of (inputs, registers, outputs) {sorted(shapes)[0]} and {sorted(shapes)[1]} in one swarm; "
            "expected the same of all, so make a swarm of each kind"
        )
    parts = [_program(net) for net in nets]
    first = np.cumsum([0, *(len(code) for code, _, _, _ in parts)], dtype=np.int64)
    table = np.concatenate([part[1] for part in parts])
    if (table == NAND).all():
        table = table[:0]
    return Encoded(
        nets[0].inputs,
        nets[0].registers,
        np.ascontiguousarray(np.concatenate([part[0] for part in parts]), np.int32),
        table,
        first,
        np.stack([part[2] for part in parts]),
        max(part[3] for part in parts),
    )


def _program(net: Netlist) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int32], int]:
    """Slots and operands, tables, the slots of outputs and next values, and how many slots."""
    wanted = np.concatenate([net.outputs, net.next]).astype(np.int32)
    code, table, wanted = _two_input(net, wanted)
    code, table = _live(code, table, wanted, net.sources)
    scratch = (np.empty(net.sources + len(code), np.int32) for _ in range(3))
    return code, table, wanted, kernels.place(code, wanted, net.sources, *scratch)


def _live(code: Any, table: Any, wanted: Any, sources: int) -> tuple[Any, Any]:
    """Without gates that no wanted wire depends on; renumbers the wanted ones in place."""
    live, number = np.zeros(sources + len(code), np.uint8), np.empty(sources + len(code), np.int32)
    kept = kernels.mark(code, wanted, sources, live, number)
    code = number[code[live[sources:] != 0]]
    wanted[:] = number[wanted]
    return np.ascontiguousarray(code.reshape(kept, 3)), table[live[sources:] != 0]


def _two_input(net: Netlist, wanted: NDArray[np.int32]) -> tuple[Any, Any, NDArray[np.int32]]:
    """All gates as gates of two fanins."""
    if net.fanin.shape[1] == 2 and (net.gates == 0 or net.fanin.min() >= 0):
        own = np.arange(net.sources, net.wires, dtype=np.int32)[:, None]
        return np.concatenate([own, net.fanin], axis=1), net.table.astype(np.uint8), wanted
    made: list[Gate] = []
    wires: list[int] = list(range(net.sources))
    known: dict[tuple[int, tuple[int, ...]], int] = {}
    for gate in range(net.gates):
        operands = tuple(wires[wire] for wire in net.takes(gate))
        wires.append(_expanded(int(net.table[gate]), operands, made, known, net.sources))
    table = np.array([bits for bits, _, _ in made], np.uint8)
    code = np.array([(net.sources + i, left, right) for i, (_, left, right) in enumerate(made)], np.int32)
    return code.reshape(-1, 3), table, np.array([wires[wire] for wire in wanted], np.int32)


def _expanded(table: int, operands: tuple[int, ...], made: list[Gate], known: dict[Any, int], sources: int) -> int:
    """The wire of a gate of any width, of gates that are appended to `made`."""
    if (table, operands) not in known:
        known[table, operands] = _last_choice(table, operands, made, known, sources)
    return known[table, operands]


def _last_choice(table: int, operands: tuple[int, ...], made: list[Gate], known: dict[Any, int], sources: int) -> int:
    if len(operands) <= 2:
        left = operands[0] if operands else 0
        bits = table | table << 2 if len(operands) == 1 else 15 * table if not operands else table
        if not operands and not sources and not made:
            raise NetlistError("a constant in a netlist without inputs or registers; expected at least one of them")
        made.append((bits, left, operands[1] if len(operands) == 2 else left))
        return sources + len(made) - 1
    half = 1 << len(operands) - 1
    low, high = (
        _expanded(part, operands[:-1], made, known, sources) for part in (table & (1 << half) - 1, table >> half)
    )
    difference = _expanded(0b0110, (low, high), made, known, sources)
    chosen = _expanded(0b1000, (difference, operands[-1]), made, known, sources)
    return _expanded(0b0110, (low, chosen), made, known, sources)
