"""Times one kind of instruction at one size: a routine of equal instructions, less the same routine without them.

Seconds are of CPU and the least of some turns, so that what else runs on the machine counts as little as can be.
Operands are warm: what a value that has left the caches costs beyond that is `surcharge.py`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from ontogeny.ask.price.kinds import Kind, Point, Sample
from ontogeny.data.base import Array
from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl, Instr, Program, Routine
from ontogeny.isa.types import DType, Type
from ontogeny.machine.base import Machine
from ontogeny.machine.formats import NUMPY
from ontogeny.record.machines import make

TRIES, SLICE, MOST, WORK = 2, 1e-3, 32, 1 << 20
"""Turns of which the least counts, CPU seconds that one lasts; instructions in a routine, and their work."""
NUMBERS = 64
SOME = np.random.default_rng(0).uniform(0.5, 1.0, (1 << 18) + 7)
"""So many that no processor learns by heart which of them is the larger of two, as it does of a thousand."""


class Bench:
    """Times samples on machines of one kind."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._build: Callable[[Program], Machine] = partial(make, "compiled", options=dict(options))
        self._without: dict[tuple[int, ...], float] = {}

    def build(self, program: Program) -> Machine:
        """A machine for a program."""
        return self._build(program)

    def seconds(self, kind: Kind, point: Point) -> float:
        """Seconds of one instruction of a kind."""
        sample = kind.sample(*point)
        count = max(1, min(MOST, WORK // max(1, kind.work(*point))))
        about = (len(sample.operands), len(sample.turned), len(sample.moved))
        if about not in self._without:
            self._without[about] = least(self.build, sample, 0)
        return max(least(self.build, sample, count) - self._without[about], 1e-9) / count


def least(build: Callable[[Program], Machine], sample: Sample, count: int) -> float:
    """Seconds of a call of `count` equal instructions."""
    decls = [Decl("param", f"p{place}", type) for place, type in enumerate(sample.operands)]
    body = [Instr((f"v{n}",), Op.READ, (), (("name", decl.name),)) for n, decl in enumerate(decls)]
    given = [f"v{n}" for n in range(len(sample.operands))]
    for place in sample.turned:
        body.append(Instr((f"t{place}",), Op.PERMUTE, (given[place],), (("dims", (1, 0)),)))
        given[place] = f"t{place}"
    if sample.moved:
        body.append(Instr(("moved",), Op.PERMUTE, (given[0],), (("dims", sample.moved),)))
        given[0] = "moved"
    outs = [tuple(f"r{number}_{place}" for place in range(sample.results)) for number in range(count)]
    body.extend(Instr(out, sample.op, tuple(given), sample.attrs) for out in outs)
    machine = build(Program("calibration", tuple(decls), (Routine("timed", (), tuple(body), ()),)))
    machine.load({decl.name: some_of(decl.type) for decl in decls})
    return least_call(machine, "timed")


def some_of(type: Type) -> Array:
    """Numbers between 1/2 and 1; of whole ones 0 and 1 in turn, which every index and label can be."""
    if not type.dtype.is_float:
        return (np.arange(type.size) % 2).reshape(type.shape).astype(NUMPY[type.dtype])
    return np.resize(SOME, type.shape).astype(NUMPY[type.dtype])


def least_call(machine: Machine, routine: str, tries: int = TRIES) -> float:
    """CPU seconds of a call, the least of some turns that last long enough to be measured."""
    machine.call(routine, {}, {})
    began = time.process_time()
    machine.call(routine, {}, {})
    calls = int(min(200, max(1, SLICE / max(time.process_time() - began, 1e-7))))
    found = []
    for _ in range(tries):
        began = time.process_time()
        for _ in range(calls):
            machine.call(routine, {}, {})
        found.append((time.process_time() - began) / calls)
    return min(found)


def call_seconds(build: Callable[[Program], Machine]) -> float:
    """A call that takes an input, and commits and returns a number, as a step of learning does."""
    decls = (Decl("input", "x", Type(DType.F32, (64,))), Decl("state", "s", Type(DType.F32, (64,))))
    body = (Instr(("v",), Op.READ, (), (("name", "x"),)), Instr((), Op.COMMIT, ("v",), (("name", "s"),)))
    machine = build(Program("calibration", decls, (Routine("one", (), body, (("loss", "v"),)),)))
    given = {"x": np.ones(64, np.float32)}
    machine.load({"s": given["x"]})
    found = []
    for _ in range(10 * TRIES):
        began = time.process_time()
        for _ in range(20):
            machine.call("one", given, {})
        found.append((time.process_time() - began) / 20)
    return min(found)


def read_seconds(build: Callable[[Program], Machine]) -> float:
    """A piece of an arena."""
    arena = Decl("param", "all", Type(DType.F32, (NUMBERS * 16,)))
    pieces = [Decl("param", f"p{n}", Type(DType.F32, (4, 4)), None, "all", 16 * n) for n in range(NUMBERS)]
    reads = tuple(Instr((f"v{n}",), Op.READ, (), (("name", f"p{n}"),)) for n in range(NUMBERS))
    routines = (Routine("none", (), reads[:1], ()), Routine("many", (), reads, ()))
    machine = build(Program("calibration", (arena, *pieces), routines))
    machine.load({"all": np.ones(NUMBERS * 16, np.float32)})
    return max(least_call(machine, "many") - least_call(machine, "none"), 1e-9) / (NUMBERS - 1)


def host_seconds(build: Callable[[Program], Machine]) -> float:
    """An operation on numbers."""
    decl = Decl("state", "s", Type(DType.F64))
    read = Instr(("v0",), Op.READ, (), (("name", "s"),))
    adds = tuple(Instr((f"v{n + 1}",), Op.ADD, (f"v{n}", "v0")) for n in range(NUMBERS))
    routines = (Routine("none", (), (read,), ()), Routine("many", (), (read, *adds), ()))
    machine = build(Program("calibration", (decl,), routines))
    machine.load({"s": np.array(1.0)})
    return max(least_call(machine, "many") - least_call(machine, "none"), 1e-9) / NUMBERS
