"""The swarm machine: thousands of small programs at once. Netlists of gates, 64 cases to a word; learners, 16 tasks.

vectors.py   a gate on a slot of words, as LLVM vectors
kernels.py   all gates of all programs, block by block
encoded.py   netlists as two-input gates in slots, without the dead ones
swarm.py     a swarm: outputs, bits that are wrong, ticks

learners_tape.py        a learner as a tape: setup, predict, learn over banks of scalars, vectors, matrices
learners_operations.py  what a tape is made of, each said in the instruction set; learners_codes.py: their numbers
learners_program.py     a tape as a program, and back
learners_encode.py      a tape as rows of code, without what never reaches a prediction
learners_lanes.py       elements of registers of many tasks, as LLVM vectors
learners_kernels.py     a tape's code on one example after another
learners_scoring.py     what a tape is worth; what is known of it
learners.py             many tapes on many tasks
"""

from ontogeny.machine.swarm.swarm import Swarm, swarm

__all__ = ["Swarm", "swarm"]
