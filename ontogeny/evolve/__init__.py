"""Programs searched for: candidates, fitness, methods; circuits, which are gate networks as a person handles them.

search.py     the one driver; workers.py: processes or Ray's that judge for it
method.py     what a method is; its state, what it asks, chance
genome.py     what candidates are made of, for methods that keep populations
spaces.py     what kind of thing is searched for: netlists, vectors, tapes
methods/      CGP, regularised evolution, a genetic algorithm, MAP-Elites, NSGA-II, ES, CMA-ES, growth; islands of any
fitness/      truth tables, Python functions with a time limit, traces, rewards, data, runs; several at once
gates/        netlists as genes; fewer gates by resynthesis, windows, decomposition; classifiers of gates, soft gates
tapes/        learners from empty programs: their genes, their evolution, what was found explained and run
weights/      flat weights with named shapes, judged as a small network's, on all examples or on batches
recording/    a search that is written down, resumed, steered, replayed; which steps led to a candidate
circuits/     formats, simplification, proofs
"""

from ontogeny.evolve.fitness.behaviour import by_behaviour
from ontogeny.evolve.fitness.classifying import accuracy
from ontogeny.evolve.fitness.judged import Judged, batch, each
from ontogeny.evolve.fitness.of_runs import after_run
from ontogeny.evolve.fitness.over_time import follows, reward
from ontogeny.evolve.fitness.several import several, weighed
from ontogeny.evolve.fitness.tables import Table, equals, outputs_of, table
from ontogeny.evolve.gates.decompose import decomposed
from ontogeny.evolve.gates.genes import Gates
from ontogeny.evolve.gates.resynthesis import Walk, resynthesised
from ontogeny.evolve.gates.smallest import Smallest, smallest
from ontogeny.evolve.gates.windows import windowed
from ontogeny.evolve.methods.ageing import Ageing
from ontogeny.evolve.methods.cgp import CGP
from ontogeny.evolve.methods.cma_es import CMAES
from ontogeny.evolve.methods.elites import Elites
from ontogeny.evolve.methods.genetic import Genetic
from ontogeny.evolve.methods.growth import Growth
from ontogeny.evolve.methods.islands import Islands
from ontogeny.evolve.methods.low_rank_es import LowRankES
from ontogeny.evolve.methods.openai_es import OpenAIES
from ontogeny.evolve.methods.pareto import Pareto
from ontogeny.evolve.recording.recorded import RecordedSearch, open_search, record
from ontogeny.evolve.search import Found, search
from ontogeny.evolve.tapes.ageing import TapeAgeing
from ontogeny.evolve.tapes.candidates import Instructions, Learning, learning
from ontogeny.evolve.weights.batches import Batched, batched
from ontogeny.evolve.weights.candidates import Weights
from ontogeny.evolve.weights.genes import Reals
from ontogeny.evolve.weights.network import Network, network

__all__ = [
    "CGP",
    "CMAES",
    "Ageing",
    "Batched",
    "Elites",
    "Found",
    "Gates",
    "Genetic",
    "Growth",
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
    "batched",
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
