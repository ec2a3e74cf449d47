"""Programs searched for: candidates, fitness, methods; circuits, which are gate networks as a person handles them.

search.py        the one driver
cgp.py           Cartesian genetic programming, with its compiled loops in cgp_kernels.py
fitness.py       what a search goes by: a truth table, a Python function from number to number
judged.py        fitness by any Python function, with a time limit
circuits/        formats, simplification, proofs
"""

from ontogeny.evolve.cgp import CGP
from ontogeny.evolve.fitness import Table, equals, outputs_of, table
from ontogeny.evolve.judged import Judged, batch, each
from ontogeny.evolve.search import Found, search

__all__ = ["CGP", "Found", "Judged", "Table", "batch", "each", "equals", "outputs_of", "search", "table"]
