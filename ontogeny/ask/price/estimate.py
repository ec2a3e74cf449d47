"""Operations, and a machine of the table -> machines, hours, money and energy; every assumption has its source.

    accelerators  as many as the state of training fits on (memory decides), unless it is said how many
    hours         operations / (accelerators x peak x utilisation) / availability
    money         accelerators x hours x the price of one
    energy        accelerators x hours x watts of one, the machine about it counted, x overhead of the building

Utilisation is of all operations that are listed. Not counted: storage, network traffic between sites, people, the runs
that came before the one that is priced.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ontogeny.ask.hardware import MACHINES, Accelerator, Machine, machine_named, with_accelerators
from ontogeny.isa.errors import RecordError

MACHINE, PRECISION = "8xH100", "bf16"
UTILISATION, AVAILABILITY, OVERHEAD, STATE_BYTES, FILLED = 0.40, 0.9, 1.1, 16.0, 0.9
HOUR, YEAR = 3600.0, 365.25 * 24
LLAMA = "the Llama 3 paper, 2024 (arXiv 2407.21783)"
SOURCES = {
    "utilisation": f"between the 38% and 43% of peak in bf16 that {LLAMA}, table 4, reports of 405B",
    "availability": f"'higher than 90% effective training time', {LLAMA}, section 3.3.4",
    "overhead": "of all power to that of machines: 1.1 of the largest operators; 1.56 was the average of "
    "the Uptime Institute's survey of 2024",
    "state bytes": "mixed precision with Adam: weight and gradient in 2 bytes, master weight and two averages in 4 "
    "(ZeRO, arXiv 1910.02054)",
    "filled": "of an accelerator's memory, the share that holds state; assumed here, activations take the rest",
}
DEFAULTS = {
    "utilisation": UTILISATION,
    "availability": AVAILABILITY,
    "overhead": OVERHEAD,
    "state bytes": STATE_BYTES,
    "filled": FILLED,
}
GIVEN = "as asked"


@dataclass(frozen=True, slots=True)
class Assumption:
    """A number that the price hangs on, as it was taken, and where it is from."""

    name: str
    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class Terms:
    """How it is computed. `accelerators` 0: as few as the memory allows; `dollars`: of one for an hour, else listed."""

    machine: str = MACHINE
    precision: str = PRECISION
    utilisation: float = UTILISATION
    availability: float = AVAILABILITY
    overhead: float = OVERHEAD
    state_bytes: float = STATE_BYTES
    filled: float = FILLED
    accelerators: int = 0
    dollars: float | None = None

    def __post_init__(self) -> None:
        if self.machine not in with_accelerators():
            what = "has no accelerators" if self.machine in MACHINES else "is not in the table"
            raise RecordError(f"the machine {self.machine!r} {what}; choose one of {', '.join(with_accelerators())}")
        known = self.accelerator.peak
        if self.precision not in known:
            raise RecordError(f"{self.accelerator.name} has no {self.precision}; choose one of {', '.join(known)}")
        if not all(0 < one <= 1 for one in (self.utilisation, self.availability, self.filled)):
            raise RecordError("utilisation, availability and the filled share must be more than 0 and at most 1")
        if not 1 <= self.overhead < math.inf:
            raise RecordError("the overhead is all power by that of machines: 1 or more")
        if not 0 <= self.state_bytes < math.inf or self.accelerators < 0:
            raise RecordError("bytes of state and accelerators must be 0 or more, and finite")
        if self.dollars is not None and not 0 <= self.dollars < math.inf:
            raise RecordError("the price of an hour must be 0 or more, and finite")

    @property
    def kind(self) -> Machine:
        """The machine."""
        return machine_named(self.machine)

    @property
    def accelerator(self) -> Accelerator:
        """Its accelerator."""
        found = self.kind.accelerator
        assert found is not None
        return found

    @property
    def rate(self) -> float:
        """Operations that one accelerator does in a second."""
        return self.accelerator.peak[self.precision] * self.utilisation

    @property
    def hourly(self) -> float:
        """Dollars of one accelerator for an hour."""
        return self.kind.dollars / self.kind.accelerators if self.dollars is None else self.dollars

    @property
    def watts(self) -> float:
        """Of one accelerator at the most, its share of the machine and of the building counted."""
        return self.kind.watts / self.kind.accelerators * self.overhead


@dataclass(frozen=True, slots=True)
class Price:
    """What it comes to. `hours` are by the clock; `state` is in bytes, energy in watt hours."""

    operations: float
    state: float
    accelerators: int
    memory_decides: bool
    accelerator_hours: float
    hours: float
    dollars: float
    watt_hours: float
    assumptions: tuple[Assumption, ...]


def price(operations: float, parameters: float, terms: Terms) -> Price:
    """What so many operations on a network of so many parameters come to. Raises RecordError for what is no number."""
    if not (0 <= operations < math.inf and 0 < parameters < math.inf):
        raise RecordError(
            f"{operations:g} operations of {parameters:g} parameters have no price; give 0 or more of more than 0, "
            "and both must be finite"
        )
    state = parameters * terms.state_bytes
    needed = max(1, math.ceil(state / (terms.accelerator.memory * terms.filled)))
    if 0 < terms.accelerators < needed:
        raise RecordError(
            f"the state takes {state:.3g} bytes, which {terms.accelerators:,} of {terms.accelerator.name} do not "
            f"hold; it takes {needed:,} or more, or fewer bytes of state a parameter"
        )
    count = terms.accelerators or needed
    used = operations / terms.rate / HOUR / terms.availability
    return Price(
        operations,
        state,
        count,
        needed > 1 and not terms.accelerators,
        used,
        used / count,
        used * terms.hourly,
        used * terms.watts,
        assumed(terms),
    )


def assumed(terms: Terms) -> tuple[Assumption, ...]:
    """Everything that a price by these terms hangs on."""
    kind, accelerator = terms.kind, terms.accelerator
    source = kind.source if terms.dollars is None else GIVEN
    taken = {
        "utilisation": (terms.utilisation, "of the peak"),
        "availability": (terms.availability, "of the hours"),
        "overhead": (terms.overhead, "times the machines' power"),
        "state bytes": (terms.state_bytes, "a parameter"),
        "filled": (terms.filled, "of the memory"),
    }
    return (
        Assumption(f"peak, {terms.precision}", accelerator.peak[terms.precision], "FLOP/s", accelerator.source),
        Assumption("memory", accelerator.memory, "bytes", accelerator.source),
        Assumption("price", terms.hourly, "dollars for an hour of one accelerator", source),
        Assumption("power", kind.watts / kind.accelerators, "W an accelerator, with its machine", kind.drawn),
        *(
            Assumption(name, value, unit, SOURCES[name] if value == DEFAULTS[name] else GIVEN)
            for name, (value, unit) in taken.items()
        ),
    )
