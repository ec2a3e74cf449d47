"""What the questions would cost at a size that was never run: bytes, machines, hours and prices, from measured rates.

Every lane (an element of a parameter) is recorded, indexed and summed by itself, and the work is done shard by shard of
lanes, each no larger than what was measured. Times are therefore the measured time of a shard times their number; what
is not linear, or was not measured, is named in `ASSUMED`. A stage takes as long as its processors do, or its disks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ontogeny.ask.hardware import MACHINES, Machine, machine_named
from ontogeny.isa.errors import RecordError

SPREAD = 0.7
"""The share of a machine's disks that is planned to be filled."""
UTILISATION = 0.4
"""The share of an accelerator's peak that training reaches."""
ADAM_BYTES = 16
"""Bytes of one parameter while it is trained: weight, gradient and two averages in f32."""
STORAGE_DOLLARS = 0.023e-9
"""Of a byte for a month in an object store."""
FORMATS = {2: "bf16", 4: "f32"}
ASSUMED = (
    "a processor core of the rented machine is as quick as one here, and two virtual ones are one core",
    "values reach the machines that record them without waiting: no network is counted",
    "lanes are independent, so that twice the cores take half the time; disks deliver what their table says",
    "trajectories of a large model compress as those of the small one measured here",
    f"training reaches {UTILISATION:.0%} of the peak, 6 operations a parameter and token (arXiv 2001.08361)",
    "explaining replays each iteration once, on accelerators, and then processors account for it, as they do here",
    "an index of charts grows with the model, as it does while small: an upper bound, since its bins fill up",
    "a query for alike charts reads every head of its index from disks: an upper bound, since whole leaves are skipped",
)


@dataclass(frozen=True, slots=True)
class Interval:
    """A quantity with its quartiles: a quarter of the measurements lie below `low`, a quarter above `high`."""

    low: float
    mid: float
    high: float

    def scaled(self, factor: float) -> Interval:
        """Times a factor."""
        return Interval(self.low * factor, self.mid * factor, self.high * factor)

    def at_least(self, floor: float) -> Interval:
        """Where something else takes that long."""
        return Interval(max(self.low, floor), max(self.mid, floor), max(self.high, floor))

    def time(self, work: float) -> Interval:
        """How long so much work takes, at this rate."""
        return Interval(work / self.high, work / self.mid, work / self.low)

    def plus(self, other: Interval) -> Interval:
        """One after the other."""
        return Interval(self.low + other.low, self.mid + other.mid, self.high + other.high)


NOTHING = Interval(0.0, 0.0, 0.0)


STORE, TRAINER = "i3en.24xlarge", "p5.48xlarge"
STORES = tuple(name for name, machine in MACHINES.items() if machine.disk and machine.read)
"""The machines whose disks a record can be kept on."""


@dataclass(frozen=True, slots=True)
class Size:
    """What is asked about."""

    parameters: float
    iterations: int
    bytes_per_value: int
    tokens: float = 2**21
    queries: int = 100

    @property
    def values(self) -> float:
        """Recorded numbers: the state before the first iteration, and after each."""
        return self.parameters * (self.iterations + 1)


@dataclass(frozen=True, slots=True)
class Stage:
    """One kind of work: hours of one core, bytes off and onto disks, hours on `machines`, what limits it, its price."""

    name: str
    core_hours: Interval
    read: float
    write: float
    machines: int
    machine: str
    hours: Interval
    limit: str
    dollars: Interval


@dataclass(frozen=True)
class Plan:
    """All stages, one after another, and what stays on disks. `month` is the price of keeping the record for one."""

    size: Size
    raw: float
    store: Interval
    indexes: float
    stages: tuple[Stage, ...]
    hours: Interval
    dollars: Interval
    month: Interval
    slowest: str


def plan(rates: Mapping[str, Interval], size: Size, machine: str = STORE, count: int | None = None) -> Plan:
    """What recording a model and asking every question of it takes. `count` machines; by default those that it fits on.

    `rates` are of one core: values a second for encode.N, decode.N (N bytes a value), moments, chart, alike_build
    and explain; elements a second for alike_query; pure numbers for ratio.N, bytes for chart_bytes (a value),
    alike_bytes and alike_head_bytes (an element). Raises RecordError for sizes and machines that are none.
    """
    _check(size, machine, count)
    kind, raw = MACHINES[machine], size.values * size.bytes_per_value
    ratio = rates[f"ratio.{size.bytes_per_value}"]
    store = ratio.time(raw)
    indexes = size.parameters * rates["alike_bytes"].mid + size.values * rates["chart_bytes"].mid
    needed = math.ceil((store.mid + indexes) / (SPREAD * kind.disk))
    stages = (*_stages(rates, size, kind, needed if count is None else count, store.mid), _explain(rates, size))
    hours, dollars = NOTHING, NOTHING
    for stage in stages:
        hours, dollars = hours.plus(stage.hours), dollars.plus(stage.dollars)
    slowest = max(stages, key=lambda stage: stage.hours.mid).name
    return Plan(size, raw, store, indexes, stages, hours, dollars, store.scaled(STORAGE_DOLLARS), slowest)


def _check(size: Size, machine: str, count: int | None) -> None:
    if machine_named(machine).name not in STORES:
        raise RecordError(f"the disks of {machine!r} are not in the table; choose one of {', '.join(STORES)}")
    if size.bytes_per_value not in FORMATS:
        raise RecordError(f"{size.bytes_per_value} bytes a value were asked for; rates were measured for 2 and 4")
    if not (1 <= size.parameters < math.inf and size.iterations >= 3 and 1 <= size.tokens < math.inf):
        raise RecordError("parameters and tokens must be 1 or more, and iterations 3 or more")
    if size.queries < 0 or (count is not None and count < 1):
        raise RecordError("queries cannot be negative, and there must be one machine or more")


def _stages(rates: Mapping[str, Interval], size: Size, machine: Machine, count: int, store: float) -> tuple[Stage, ...]:
    """What is done on the machines that hold the record."""
    width, values = size.bytes_per_value, size.values

    def seconds(name: str, work: float) -> Interval:
        return rates[name].time(work)

    decode = seconds(f"decode.{width}", values)
    chart_bytes = values * rates["chart_bytes"].mid
    alike_bytes, head = (size.parameters * rates[name].mid for name in ("alike_bytes", "alike_head_bytes"))
    return (
        _stage("record", machine, count, seconds(f"encode.{width}", values), 0.0, store),
        _stage("chart", machine, count, decode.plus(seconds("chart", values)), store, chart_bytes),
        _stage("moments", machine, count, decode.plus(seconds("moments", values)), store, 0.0),
        _stage("alike, index", machine, count, decode.plus(seconds("alike_build", values)), store, 2 * alike_bytes),
        _stage(
            f"alike, {size.queries} queries",
            machine,
            count,
            seconds("alike_query", size.parameters * size.queries),
            head * size.queries,
            0.0,
        ),
    )


def _stage(name: str, machine: Machine, count: int, seconds: Interval, read: float, write: float) -> Stage:
    """A stage on machines of one kind: as long as its processors take, or its disks."""
    working = seconds.scaled(1 / (count * machine.cores))
    disks = read / (count * machine.read) + write / (count * machine.write)
    hours = working.at_least(disks).scaled(1 / 3600)
    limit = "disks" if disks > working.mid else "processors"
    cost = hours.scaled(count * machine.dollars)
    return Stage(name, seconds.scaled(1 / 3600), read, write, count, machine.name, hours, limit, cost)


def _explain(rates: Mapping[str, Interval], size: Size) -> Stage:
    """Replaying every iteration, on as many accelerators as the training state takes, and accounting beside it."""
    machine = MACHINES[TRAINER]
    count = max(1, math.ceil(size.parameters * ADAM_BYTES / machine.accelerator_memory))
    work = 6.0 * size.parameters * size.tokens * size.iterations
    replay = work / (count * machine.peak * UTILISATION)
    seconds = rates["explain"].time(size.parameters * size.iterations)
    account = seconds.scaled(1 / (count * machine.cores))
    hours = account.plus(Interval(replay, replay, replay)).scaled(1 / 3600)
    limit = "accelerators" if replay > account.mid else "processors"
    cost = hours.scaled(count * machine.dollars)
    return Stage("explain", seconds.scaled(1 / 3600), 0.0, 0.0, count, machine.name, hours, limit, cost)
