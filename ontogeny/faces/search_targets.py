"""What a search is after by what was typed: a table, a circuit, a function of circuits or vectors, or examples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ontogeny.evolve.fitness.judged import batch, each
from ontogeny.evolve.fitness.several import MEASURES, several, weighed
from ontogeny.evolve.fitness.tables import equals
from ontogeny.evolve.recording.targets import CIRCUITS, from_circuit, from_table, function_of
from ontogeny.evolve.recording.turning import read
from ontogeny.evolve.recording.vector_targets import ARCHIVE, READY, Layers, examples_of, on_examples, vectors
from ontogeny.evolve.spaces import Netlists
from ontogeny.faces.programs import read_bytes
from ontogeny.isa.errors import SearchError

SEVERAL = ("elites", "pareto")
KINDS = ("equals", "each", "batch", "fitness")
MEASURED = "gates,depth"
"""What circuits are measured by where nobody says."""


@dataclass(frozen=True)
class Target:
    """What was typed about a target: the words of the options of `ontogeny search`."""

    word: str
    method: str = ""
    kind: str = ""
    inputs: int = 0
    outputs: int = 0
    sampled: int = 0
    vector: int = 0
    low: str = ""
    high: str = ""
    start: str = ""
    layers: Layers = field(default_factory=Layers)
    objectives: str = ""
    weights: str = ""
    seed: int = 0
    limit: float = 0.0

    def fitness(self) -> Any:
        """What it stands for. Raises OntogenyError for what is none."""
        return self._with_objectives(self._alone())

    def _alone(self) -> Any:
        path, _, function = self.word.rpartition(":")
        suffix = Path(self.word).suffix.lower()
        if path.endswith(".py"):
            return self._of_function(function_of(Path(path), function))
        if self.vector:
            raise SearchError(f"--vector is for a function of a vector, as tasks.py:loss; {self.word} is none")
        if suffix == ".py":
            raise SearchError(f"{self.word} may have many functions; name one, as {self.word}:FUNCTION")
        if suffix == ARCHIVE or (self.word in READY and not Path(self.word).exists()):
            if suffix == ARCHIVE:
                read_bytes(self.word)  # says what is wrong with the file
            return on_examples(examples_of(self.word), self.layers, self.seed)
        if suffix in CIRCUITS:
            read_bytes(self.word)
            return from_circuit(Path(self.word))
        return from_table(read_bytes(self.word).decode("utf-8", "replace"), self.word)

    def _of_function(self, function: Callable[..., Any]) -> Any:
        """The fitness that a function is, or makes."""
        kind = self.kind or ("each" if self.vector else "equals")
        if kind not in KINDS:
            raise SearchError(f"--as {kind}: a function is one of {', '.join(KINDS)}")
        if kind == "fitness":
            return _made(function, self.word)
        wrap = each if kind == "each" else batch
        if self.vector:
            if kind == "equals":
                raise SearchError("--as equals is for functions of numbers; of a vector give each or batch")
            return wrap(function, vectors(self.vector, self.low, self.high, self.start), 0, self.limit or None)
        if self.inputs < 1 or self.outputs < 1:
            raise SearchError("a function has --inputs and --outputs; give both, or --vector for one of a vector")
        if kind == "equals":
            return equals(function, self.inputs, self.outputs, sampled=self.sampled or None, seed=self.seed)
        return wrap(function, self.inputs, self.outputs, self.limit or None)

    def _with_objectives(self, made: Any) -> Any:
        """With further objectives beside it, for a front or a map, or weighed into one."""
        front = self.method in SEVERAL
        if len(made.objectives) > 1 or not (front or self.objectives or self.weights):
            return made
        if front and self.weights:
            raise SearchError(f"{self.method} keeps objectives apart; give no --weights, or another --method")
        if not (front or self.weights):
            raise SearchError("further objectives are weighed: give --weights as 1,0.01, or --method pareto or elites")
        of_circuits = isinstance(made.space, Netlists)
        if not self.objectives and not of_circuits:
            raise SearchError("there is one objective; give further functions of the vector by --objectives name,name")
        named = [name.strip() for name in (self.objectives or MEASURED).split(",") if name.strip()]
        others = [name if of_circuits and name in MEASURES else self._objective(name, made.space) for name in named]
        if front:
            return several(made, others)
        weights = read(self.weights)
        weights = weights if isinstance(weights, tuple) else (weights,)
        if any(isinstance(one, str | tuple) for one in weights):
            raise SearchError(f"--weights {self.weights}: expected numbers with commas between, as 1,0.01")
        return weighed(made, others, weights)

    def _objective(self, name: str, space: Any) -> Any:
        """A further function, of the target's file unless it says of which."""
        path, _, function = name.rpartition(":")
        file = path or self.word.rpartition(":")[0]
        if not file.endswith(".py"):
            there = f"; measures are {', '.join(MEASURES)}" if isinstance(space, Netlists) else ""
            raise SearchError(f"--objectives {name}: expected a function, as FILE.py:{function}{there}")
        return each(function_of(Path(file), function), space, 0, self.limit or None)


def _made(function: Callable[..., Any], word: str) -> Any:
    """The fitness that a function without arguments gives. Raises SearchError where it gives none."""
    try:
        made = function()
    except Exception as error:  # the function is somebody's own
        raise SearchError(f"{word} was to make a fitness, and raised {type(error).__name__}: {error}") from error
    if not hasattr(made, "errors") or not hasattr(made, "space"):
        raise SearchError(f"{word} gave a {type(made).__name__}; expected a fitness, as equals(...) makes one")
    return made
