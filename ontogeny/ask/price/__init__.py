"""What learning costs: operations, hours, machines, money and energy, and every assumption beside them.

operations.py   exact operations of a program's products; those of a shape, by 6ND and what that leaves out
estimate.py     operations and a machine of the table -> how many are needed, hours, money, energy
calibration.py  this machine's own seconds by kind of instruction and size, measured in about a minute
kinds.py        the kinds that are measured, and the small programs by which they are
strides.py      how values lie in memory: which reshapes have to copy
predict.py      seconds of a routine, by a calibration
quality.py      published laws of loss against parameters and data: what would be as good, and what that costs
"""

from __future__ import annotations
