"""Programs searched for: candidates, fitness, methods; circuits, which are gate networks as a person handles them.

search.py        the one driver
method.py        what a method is; its state, what it asks, chance
cgp.py           Cartesian genetic programming, with its compiled loops in cgp_kernels.py
ageing.py        regularised evolution, over any genome; population.py
genetic.py       a genetic algorithm, elites.py: MAP-Elites, pareto.py: NSGA-II; breeding.py: what they have in common
genome.py        what candidates are made of; gate_genes.py: netlists, with rows.py and gate_kernels.py
spaces.py        what kind of thing is searched for
fitness.py       what a search goes by: a truth table, a Python function from number to number
several.py       several objectives, or their weighed sum
over_time.py     to follow a trace, to earn reward; classifying.py: accuracy on data; of_runs.py: after some learning
behaviour.py     a fitness asked once for each behaviour; vector_genes.py: vectors as genes
weights.py       flat weights with named shapes; network.py: judged as a small network's, with network_kernels.py
openai_es.py     an evolution strategy about a centre (centred.py), low_rank_es.py: by thin changes; cma_es.py: CMA-ES
voting.py        classifiers grown gate by gate, no gradients; soft_gates.py: gates learned by gradients, then hardened
judged.py        fitness by any Python function, with a time limit
resynthesis.py   netlists made smaller by a walk over equal ones, with its loops in resynthesis_kernels.py
decompose.py     a truth table cut into choices by an order of its inputs, which is searched
windows.py       the same for netlists of any size, a window at a time
smallest.py      searched, resynthesised, over again: the smallest
islands.py       several searches side by side that send on their best; workers.py: processes or Ray's
recorded.py      a search that is written down, resumed, steered and replayed; course.py, kept.py, inbox.py, turning.py
lineage.py       which steps led to a candidate, and which changes made them better
targets.py       truth tables, circuits and functions of files as what is searched for; setting.py: methods from words
kinds.py         what a journal can name; recipe.py, store.py
tapes.py         learners as candidates; tape_ageing.py, tape_kernels.py: their evolution, compiled
tape_explained.py what a tape does, row by row; tape_learner.py: as a learner that is run and recorded
circuits/        formats, simplification, proofs
"""

from ontogeny.evolve.ageing import Ageing
from ontogeny.evolve.behaviour import by_behaviour
from ontogeny.evolve.cgp import CGP
from ontogeny.evolve.classifying import accuracy
from ontogeny.evolve.cma_es import CMAES
from ontogeny.evolve.decompose import decomposed
from ontogeny.evolve.elites import Elites
from ontogeny.evolve.fitness import Table, equals, outputs_of, table
from ontogeny.evolve.gate_genes import Gates
from ontogeny.evolve.genetic import Genetic
from ontogeny.evolve.islands import Islands
from ontogeny.evolve.judged import Judged, batch, each
from ontogeny.evolve.low_rank_es import LowRankES
from ontogeny.evolve.network import Network, network
from ontogeny.evolve.of_runs import after_run
from ontogeny.evolve.openai_es import OpenAIES
from ontogeny.evolve.over_time import follows, reward
from ontogeny.evolve.pareto import Pareto
from ontogeny.evolve.recorded import RecordedSearch, open_search, record
from ontogeny.evolve.resynthesis import Walk, resynthesised
from ontogeny.evolve.search import Found, search
from ontogeny.evolve.several import several, weighed
from ontogeny.evolve.smallest import Smallest, smallest
from ontogeny.evolve.tape_ageing import TapeAgeing
from ontogeny.evolve.tapes import Instructions, Learning, learning
from ontogeny.evolve.vector_genes import Reals
from ontogeny.evolve.weights import Weights
from ontogeny.evolve.windows import windowed

__all__ = [
    "CGP",
    "CMAES",
    "Ageing",
    "Elites",
    "Found",
    "Gates",
    "Genetic",
    "Instructions",
    "Islands",
    "Judged",
    "Learning",
    "LowRankES",
    "Network",
    "OpenAIES",
    "Pareto",
    "Reals",
    "RecordedSearch",
    "Smallest",
    "Table",
    "TapeAgeing",
    "Walk",
    "Weights",
    "accuracy",
    "after_run",
    "batch",
    "by_behaviour",
    "decomposed",
    "each",
    "equals",
    "learning",
    "follows",
    "network",
    "open_search",
    "outputs_of",
    "record",
    "resynthesised",
    "reward",
    "search",
    "several",
    "smallest",
    "table",
    "weighed",
    "windowed",
]
