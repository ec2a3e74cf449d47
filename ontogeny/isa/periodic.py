"""Routines that a program has called now and then: each beside a dial of its name, such as `sleep` and `sleep_every`.

The dial counts steps. Before every step whose number is a multiple of it, but not before the first, a run calls the
routine with the batch of that step; below 1 it never does.
"""

from __future__ import annotations

from ontogeny.isa.program import Program

EVERY = "_every"
OWN = ("init", "learn", "evaluate", "predict")
"""Routines that are called at times of their own."""


def periodic(program: Program) -> dict[str, str]:
    """The outermost routines that a dial has called, in the program's order, each with that dial."""
    dials = {decl.name for decl in program.of("dial")}
    names = [routine.name for routine in program.routines if not routine.params and routine.name not in OWN]
    return {name: f"{name}{EVERY}" for name in names if f"{name}{EVERY}" in dials}


def is_due(every: float, step: int) -> bool:
    """Whether what happens every so many steps, of which the whole part counts, happens before a step."""
    return 1 <= every < 1 << 62 and step > 0 and step % int(every) == 0
