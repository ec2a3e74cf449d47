"""Names for every wire of a netlist that is written to a file: a person's where legal there, else like them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ontogeny.evolve.circuits.tables import IDENTITY
from ontogeny.isa.netlist import Netlist


@dataclass(frozen=True, slots=True)
class Named:
    """A name for each wire and each output, all different; `buffers` are the outputs that no wire has the name of."""

    wires: tuple[str, ...]
    outputs: tuple[str, ...]
    buffers: tuple[tuple[str, str], ...]

    def apart(self, name: str) -> str:
        """The name, or one like it, that is none of these."""
        return _Given({*self.wires, *self.outputs}).fresh(name)

    def registers(self, net: Netlist) -> tuple[str, ...]:
        """The registers' names."""
        return self.wires[net.inputs : net.sources]


def named(net: Netlist, legal: Callable[[str], str], ports: bool = False) -> Named:
    """Names for `net`, `legal` making one of any text. With `ports` an output never has an input's name.

    A gate has the name of the first output that it drives. A gate that is a buffer has not, so that a reader can tell
    the buffers of outputs from gates.
    """
    given = _Given(set())
    wires = [given.fresh(legal(name)) for name in (*net.named.inputs, *net.named.registers)]
    wires += [""] * net.gates
    outputs, buffers = [], []
    for name, number in zip(net.named.outputs, map(int, net.outputs), strict=True):
        name = legal(name)
        if (
            number < net.sources
            and wires[number] == name
            and (number >= net.inputs or not ports)
            and name not in outputs
        ):
            outputs.append(name)
            continue
        outputs.append(given.fresh(name))
        if number >= net.sources and not wires[number] and not _is_buffer(net, number - net.sources):
            wires[number] = outputs[-1]
        else:
            buffers.append((len(outputs) - 1, number))
    for number, name in enumerate(wires):
        wires[number] = name or given.fresh(f"n{number}")
    return Named(tuple(wires), tuple(outputs), tuple((outputs[place], wires[wire]) for place, wire in buffers))


def _is_buffer(net: Netlist, gate: int) -> bool:
    return (len(net.takes(gate)), int(net.table[gate])) == IDENTITY


class _Given:
    """Names given so far; `fresh` gives one that was not."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken

    def fresh(self, name: str) -> str:
        chosen, count = name, 0
        while chosen in self.taken:
            count += 1
            chosen = f"{name}_{count}"
        self.taken.add(chosen)
        return chosen
