"""Machines by name. A machine's own file is imported when it is first asked for, so that torch waits until then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Program
from ontogeny.machine.base import Machine
from ontogeny.machine.debugger import Begins
from ontogeny.machine.reference import ReferenceMachine
from ontogeny.record.environment import threads
from ontogeny.record.interrupts import Interrupts

Factory = Callable[..., Machine]

MACHINES: dict[str, str] = {
    "reference": "ontogeny.machine.reference:ReferenceMachine",
    "compiled": "ontogeny.machine.compiled:CompiledMachine",
}
STEPPING: dict[str, str] = {"CompiledMachine": "ontogeny.machine.compiled.stepping:SteppingMachine"}
"""For the class of a machine whose calls cannot be stopped midway, one whose can."""
HEAVY = "torch"
"""What nearly all of the loading is."""
LOADED: dict[str, float] = {}
"""Seconds that the modules took which were loaded here, by this process; where others had loaded HEAVY, they tell
nothing of what loading takes, and there are none."""
DEFAULTS: dict[str, dict[str, Any]] = {"compiled": {"mode": "exact"}}


def make(name: str, program: Program, options: Mapping[str, Any] | None = None) -> Machine:
    """The machine called `name` for a program. Raises RecordError for a name that is not in MACHINES."""
    if name not in MACHINES:
        raise RecordError(f"no machine is called {name!r}; there are {', '.join(MACHINES)}. Or pass machine= a factory")
    module, attribute = MACHINES[name].split(":")
    factory: Factory = getattr(_imported(module), attribute)
    return factory(program, **{**DEFAULTS.get(name, {}), **(options or {})})


def build(machine: str | Factory, program: Program, options: Mapping[str, Any] | None = None) -> Machine:
    """The machine of a name, or of a factory that is called with the program and the options."""
    return make(machine, program, options) if isinstance(machine, str) else machine(program, **(options or {}))


def pinned(machine: str | Factory, options: Mapping[str, Any] | None) -> dict[str, Any]:
    """The options as a journal keeps them: the defaults filled in, and the present thread count where none was said.

    Portable mode needs no count: it goes by the one of the process that it runs in.
    """
    filled = {**DEFAULTS.get(called(machine), {}), **(options or {})}
    if machine == "compiled" and not filled.get("threads") and filled["mode"] != "portable":
        _imported(HEAVY)
        filled["threads"] = threads()
    return filled


def stepping(machine: Machine, program: Program) -> tuple[Begins, str]:
    """A machine that goes through calls as `machine` does, or as nearly as can be; and whose values it has."""
    if type(machine) is ReferenceMachine:
        return ReferenceMachine(program), "values are the run's own, from the reference machine"
    if called(type(machine)) not in STEPPING:
        says = f"values are the reference machine's, and may be rounded otherwise than in {called(type(machine))}"
        return ReferenceMachine(program), says
    module, attribute = STEPPING[called(type(machine))].split(":")
    options = {name: getattr(machine, name) for name in ("mode", "device", "threads")}
    made: Begins = getattr(_imported(module), attribute)(program, **options)
    own = "are the run's own, from its compiled machine"
    rounded = "are the compiled machine's in exact mode, and may be rounded otherwise than in the run's fast mode"
    inside = "; inside calls and definitions, the reference machine's"
    return made, f"values {rounded if options['mode'] == 'fast' else own}{inside}"


def called(machine: str | Factory) -> str:
    """What a journal calls a machine: its name, or its factory's."""
    return machine if isinstance(machine, str) else getattr(machine, "__name__", type(machine).__name__)


def _imported(module: str) -> ModuleType:
    """A module, whole: torch that Ctrl-C stopped halfway through its import could not be imported again."""
    others = module in sys.modules or (HEAVY in sys.modules and HEAVY not in LOADED)
    started = time.perf_counter()
    with Interrupts(patient=True):
        found = import_module(module)
    if not others:
        LOADED[module] = time.perf_counter() - started
    return found


def is_loaded(name: str) -> bool:
    """Whether this process has loaded what the machine of a name, or of a factory, is made of."""
    return name not in MACHINES or MACHINES[name].split(":")[0] in sys.modules
