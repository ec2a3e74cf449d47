"""Machines for rent: what they hold, do in a second, cost an hour and draw, each with its source.

Prices are list prices at the date that stands with them, without discounts or taxes: look them up again before you
rely on them. `ontogeny price` and `ontogeny scale` both go by this table; a further machine is a further line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ontogeny.isa.errors import RecordError


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One processor of tensors. `peak` is FLOP/s by precision, dense; memory in bytes; bandwidth and link in bytes/s.

    `link` is what it exchanges with processors of other machines, in each direction.
    """

    name: str
    peak: Mapping[str, float]
    memory: float
    bandwidth: float
    link: float
    source: str


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine for rent. Bytes a second are those of its own disks; dollars are for an hour, watts at the most."""

    name: str
    cores: int
    memory: float
    dollars: float
    source: str
    disk: float = 0.0
    read: float = 0.0
    write: float = 0.0
    watts: float = 0.0
    drawn: str = ""
    """Where the watts are from."""
    accelerators: int = 0
    accelerator: Accelerator | None = field(default=None)

    @property
    def peak(self) -> float:
        """Of its accelerators together at bf16, in FLOP/s; 0 without."""
        return self.accelerators * self.accelerator.peak["bf16"] if self.accelerator else 0.0

    @property
    def accelerator_memory(self) -> float:
        """Of its accelerators together, in bytes."""
        return self.accelerators * self.accelerator.memory if self.accelerator else 0.0


A100_PEAK = {"f32": 19.5e12, "tf32": 156e12, "bf16": 312e12, "f16": 312e12}
HOPPER_PEAK = {"f32": 67e12, "tf32": 494.7e12, "bf16": 989e12, "f16": 989e12, "fp8": 1979e12}
B200_PEAK = {"bf16": 2250e12, "f16": 2250e12, "fp8": 4500e12}
LINK = 50e9
"""400 Gbit/s for each accelerator: p5.48xlarge has 3200 for 8 (aws.amazon.com), DGX B200 as much (NVIDIA, 2024)."""
A100_40 = Accelerator("A100 SXM 40 GB", A100_PEAK, 40e9, 1.555e12, 6.25e9, "NVIDIA A100 data sheet, 2021, dense")
A100_80 = Accelerator("A100 SXM 80 GB", A100_PEAK, 80e9, 2.039e12, 25e9, "NVIDIA A100 data sheet, 2021, dense")
H100 = Accelerator("H100 SXM 80 GB", HOPPER_PEAK, 80e9, 3.35e12, LINK, "NVIDIA H100 data sheet, 2023, dense")
H200 = Accelerator("H200 SXM 141 GB", HOPPER_PEAK, 141e9, 4.8e12, LINK, "NVIDIA H200 data sheet, 2024, dense")
B200 = Accelerator("B200 SXM 180 GB", B200_PEAK, 180e9, 8e12, LINK, "NVIDIA DGX B200 data sheet, 2024, dense")

LAMBDA = "a GPU, on demand; lambda.ai/instances as of 2026-09-20"
DGX_A100 = "NVIDIA DGX A100 data sheet: 6.5 kW at the most"
DGX_H100 = "NVIDIA DGX H100 data sheet: 10.2 kW at the most"
DGX_B200 = "NVIDIA DGX B200 data sheet: 14.3 kW at the most"
GIB = 2.0**30

MACHINES = {
    machine.name: machine
    for machine in (
        Machine("i3en.24xlarge", 48, 768 * GIB, 10.848, "on demand; aerospike.com, 2022", 60e12, 8.2e9, 6.5e9),
        Machine("i4i.32xlarge", 64, 1024 * GIB, 10.892, "on demand; aerospike.com, 2022", 30e12, 13e9, 7.2e9),
        Machine(
            "p4d.24xlarge", 48, 1152 * GIB, 21.957642, "on demand, us-east-1; AWS price list as of 2026-11-09",
            watts=6500, drawn=DGX_A100, accelerators=8, accelerator=A100_40,
        ),
        Machine(
            "8xA100", 120, 1800 * GIB, 8 * 2.79, f"2.79 {LAMBDA}",
            watts=6500, drawn=DGX_A100, accelerators=8, accelerator=A100_80,
        ),
        Machine(
            "p5.48xlarge", 96, 2048 * GIB, 39.33, "capacity block; aws.amazon.com, end of 2024", 30.7e12, 18e9, 9e9,
            watts=10200, drawn=DGX_H100, accelerators=8, accelerator=H100,
        ),
        Machine(
            "p5.48xlarge-on-demand", 96, 2048 * GIB, 55.04, "on demand, us-east-1; AWS price list as of 2026-11-09",
            30.7e12, 18e9, 9e9, watts=10200, drawn=DGX_H100, accelerators=8, accelerator=H100,
        ),
        Machine(
            "8xH100", 104, 1800 * GIB, 8 * 3.99, f"3.99 {LAMBDA}",
            watts=10200, drawn=DGX_H100, accelerators=8, accelerator=H100,
        ),
        Machine(
            "8xH100-community", 104, 1800 * GIB, 8 * 2.69,
            "2.69 a GPU, RunPod community hosts, which have no fast link between machines; runpod.io as of 2026-11-09",
            watts=10200, drawn=DGX_H100, accelerators=8, accelerator=H100,
        ),
        Machine(
            "8xH200", 96, 2048 * GIB, 43.26, "capacity block of 8 H200, Ohio; aws.amazon.com, end of 2024", 30.7e12,
            watts=10200, drawn="NVIDIA DGX H200 data sheet: 10.2 kW at the most", accelerators=8, accelerator=H200,
        ),
        Machine(
            "8xB200", 104, 2900 * GIB, 8 * 6.69, f"6.69 {LAMBDA}",
            watts=14300, drawn=DGX_B200, accelerators=8, accelerator=B200,
        ),
    )
}  # fmt: skip
"""Cores are half the virtual ones. Disk rates are those of random reads and writes of 4 KiB; they stream more."""


def machine_named(name: str) -> Machine:
    """A machine of the table. Raises RecordError with those that there are."""
    if name not in MACHINES:
        raise RecordError(f"the machine {name!r} is not in the table; choose one of {', '.join(MACHINES)}")
    return MACHINES[name]


def with_accelerators() -> tuple[str, ...]:
    """The machines that train large networks, by name."""
    return tuple(name for name, machine in MACHINES.items() if machine.accelerator)
