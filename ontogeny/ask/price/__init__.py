"""What learning costs: operations, hours, machines, money and energy, and every assumption beside them.

operations.py   exact operations of a program's products; those of a shape, by 6ND and what that leaves out
learner.py      what a learner's own step takes, and 6ND beside it
estimate.py     operations and a machine of the table -> how many are needed, hours, money, energy
asked.py        the two together: what is asked of a learner or a shape, and the answer in words
words.py        numbers with their units as a person reads them
brain.py        the figures of docs/brain-scale.md
calibration.py  this machine's own seconds by kind of instruction and size, measured in about a minute
kinds.py        the kinds that are measured, and a small instruction for each point of their grids
timing.py       times one of them
charges.py      what kinds, and of what size, a routine's instructions are
strides.py      how values lie in memory: which reshapes have to copy
rates.py        seconds between and beyond the points of a grid
medley.py       random networks, and surcharge.py, what instructions cost beside one another, learnt from them
predict.py      seconds of a routine, by a calibration
"""

from __future__ import annotations
