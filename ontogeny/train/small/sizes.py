"""How large a network is: parameters and operations by its program, milliseconds by ONNX Runtime on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from ontogeny.isa.cost import routine_cost
from ontogeny.isa.op import Op
from ontogeny.isa.program import Program
from ontogeny.machine.learner import Array, Learner
from ontogeny.train.small.units import PREDICT

Measure = Callable[[Learner], float]
PARAMETERS, OPERATIONS, MILLISECONDS = "parameters", "operations", "milliseconds"


@dataclass(frozen=True, slots=True)
class Budget:
    """At most so much of a measure: parameters, operations for an example, or milliseconds for a batch."""

    measure: str
    most: float

    def of(self, batch: Mapping[str, Array]) -> Measure:
        """The measure as a function of a learner; `batch` is what is timed."""
        return {
            PARAMETERS: lambda learner: float(parameters(learner.program)),
            OPERATIONS: lambda learner: operations(learner.program),
            MILLISECONDS: lambda learner: milliseconds(learner, batch),
        }[self.measure]

    def __str__(self) -> str:
        return f"{self.most:g} {self.measure}"


def parameters(program: Program) -> int:
    """How many numbers `predict` reads that can be learned, each once however often it is used."""
    read = {str(i.attr("name")) for i in program.routine(PREDICT).body if i.op is Op.READ}
    return sum(decl.type.size for decl in program.named_params() if decl.name in read)


def operations(program: Program) -> float:
    """Operations of `predict` for one example; a multiply-add is two."""
    cost = routine_cost(program, PREDICT)
    return cost.total.operations / max(1, cost.batch)


def milliseconds(learner: Learner, batch: Mapping[str, Array]) -> float:
    """What `predict` takes for a batch in ONNX Runtime with one thread. MachineError where that is not installed."""
    timed: Callable[..., float] = import_module("ontogeny.train.small.deployed").milliseconds
    return timed(learner, batch)
