"""The swarm machine: thousands of small programs at once. Netlists of gates, 64 cases to a word.

vectors.py   a gate on a slot of words, as LLVM vectors
kernels.py   all gates of all programs, block by block
encoded.py   netlists as two-input gates in slots, without the dead ones
swarm.py     a swarm: outputs, bits that are wrong, ticks
"""

from ontogeny.machine.swarm.swarm import Swarm, swarm

__all__ = ["Swarm", "swarm"]
