"""The reference machine: what every operation means, in NumPy, one instruction at a time.

meaning.py      the table of all meanings that need only their operands, and how they are called
elementwise.py  arithmetic, comparison, selection, conversion, bits
movement.py     constants, and moving elements about
reduce.py       contraction, windows, reduction, scan, sorting
index.py        gathering, scattering, random bits
control.py      registers, calls, loops, branches, macros, probes, asserts: what needs the execution
machine.py      frames, executions that go one instruction at a time, and the machine
"""

from ontogeny.machine.reference.machine import Execution, Frame, ReferenceMachine
from ontogeny.machine.reference.meaning import MEANING

__all__ = ["MEANING", "Execution", "Frame", "ReferenceMachine"]
