"""The compiled machine: a whole routine as one torch graph.

convert.py          NumPy arrays and torch tensors
scalars.py          what is computed on the host in double precision
base_kernels.py     the torch function of each base operation
macro_kernels.py    the fused ATen kernel of each macro
control_kernels.py  calls, loops and branches
threefry.py         random bits
threefry_cpu.py     the same on the CPU, by numba
lower.py            a routine as host steps and tensor steps, and as one Python function
machine.py          the machine and its modes
"""

from ontogeny.machine.compiled.machine import MODES, CompiledMachine

__all__ = ["MODES", "CompiledMachine"]
