"""A step as a clocked circuit, and a clocked circuit as a step: a circuit is searched as one, and runs as the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Names, Netlist, checked


def registered(
    step: Netlist, registers: int, *, shown: Sequence[int] = (), names: Names | None = None,
    initial: Sequence[int] | None = None,
) -> Netlist:  # fmt: skip
    """The step clocked: its last inputs are registers, its last outputs what they take at a tick.

    Its outputs are those that are left, and then the registers `shown`, counted from 0. Right on every input and state
    is right at every tick. Raises NetlistError where it has registers, or fewer inputs or outputs than asked for.
    """
    if step.registers or not 0 < registers <= min(step.inputs, len(step.outputs)):
        raise NetlistError(
            f"{registers} registers of a step with {step.inputs} inputs, {len(step.outputs)} outputs and "
            f"{step.registers} registers; expected no registers yet, and no more than its inputs and outputs"
        )
    inputs, rest = step.inputs - registers, len(step.outputs) - registers
    outputs = np.array([*step.outputs[:rest], *(inputs + place for place in shown)], np.int32)
    begins = np.array(initial if initial is not None else [0] * registers, np.uint8)
    return checked(
        replace(step, inputs=inputs, registers=registers, outputs=outputs, next=step.outputs[rest:], initial=begins,
                names=names)
    )  # fmt: skip


def stepped(net: Netlist) -> Netlist:
    """One tick without a clock: registers are further inputs, what they take further outputs."""
    outputs, none = np.concatenate([net.outputs, net.next]), np.empty(0, np.int32)
    return replace(net, inputs=net.sources, registers=0, outputs=outputs, next=none, initial=np.empty(0, np.uint8),
                   names=None)  # fmt: skip
