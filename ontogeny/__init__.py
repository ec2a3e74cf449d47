"""A machine in which learning itself is a program that can be read, recorded, questioned and steered.

    import ontogeny as og
    learner = og.capture(model, loss, og.adamw(lr=1e-3), example_batch)
    run = og.create("runs/first", learner, og.Arrays({"x": x, "y": y}, batch_size=64))
    run.advance(1000)

Names are imported when they are first used, so that this module takes no time and needs no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ontogeny.ask.alike import alike
    from ontogeny.ask.chart import chart
    from ontogeny.ask.diagnose import Watcher, diagnose
    from ontogeny.ask.explain import explain
    from ontogeny.ask.groups import groups
    from ontogeny.ask.left_out import left_out
    from ontogeny.ask.memorised import memorised
    from ontogeny.ask.recall import recall
    from ontogeny.ask.waste import waste
    from ontogeny.ask.what_if import what_if
    from ontogeny.data.arrays import Arrays
    from ontogeny.data.canaries import plant
    from ontogeny.faces.notebook import in_notebook
    from ontogeny.front.capture import capture
    from ontogeny.front.rules import (
        adamw,
        bursts,
        cosine,
        custom,
        cycles,
        es,
        grokfast,
        lion,
        muon,
        perpendicular,
        sam,
        sgd,
        soap,
        warmup,
    )
    from ontogeny.front.rules.torch_optim import torch_optim
    from ontogeny.front.to_module import to_module
    from ontogeny.front.to_onnx import to_onnx
    from ontogeny.isa.cost import routine_cost
    from ontogeny.isa.errors import OntogenyError
    from ontogeny.isa.text import from_text, to_text
    from ontogeny.machine.learner import Learner
    from ontogeny.record.attach.attached import Attached
    from ontogeny.record.attach.loop import attach
    from ontogeny.record.attach.moments import watch_moments
    from ontogeny.record.experiment import Experiment, Goal
    from ontogeny.record.run import Run, create, open_run
    from ontogeny.steer.api import steering
    from ontogeny.steer.live.loop import steerable
    from ontogeny.train.regimes.catapult import catapult
    from ontogeny.train.regimes.muon_catapult import muon_catapult
    from ontogeny.train.regimes.shrink_perturb import with_shrink_perturb
    from ontogeny.train.regimes.sleep import with_sleep

__version__ = "0.1.0"

HOMES = {
    "Arrays": "ontogeny.data.arrays",
    "Attached": "ontogeny.record.attach.attached",
    "Experiment": "ontogeny.record.experiment",
    "Goal": "ontogeny.record.experiment",
    "Learner": "ontogeny.machine.learner",
    "OntogenyError": "ontogeny.isa.errors",
    "Run": "ontogeny.record.run",
    "Watcher": "ontogeny.ask.diagnose",
    "adamw": "ontogeny.front.rules",
    "alike": "ontogeny.ask.alike",
    "attach": "ontogeny.record.attach.loop",
    "bursts": "ontogeny.front.rules",
    "capture": "ontogeny.front.capture",
    "catapult": "ontogeny.train.regimes.catapult",
    "chart": "ontogeny.ask.chart",
    "cosine": "ontogeny.front.rules",
    "create": "ontogeny.record.run",
    "custom": "ontogeny.front.rules",
    "cycles": "ontogeny.front.rules",
    "diagnose": "ontogeny.ask.diagnose",
    "es": "ontogeny.front.rules",
    "explain": "ontogeny.ask.explain",
    "from_text": "ontogeny.isa.text",
    "grokfast": "ontogeny.front.rules",
    "groups": "ontogeny.ask.groups",
    "in_notebook": "ontogeny.faces.notebook",
    "left_out": "ontogeny.ask.left_out",
    "lion": "ontogeny.front.rules",
    "memorised": "ontogeny.ask.memorised",
    "muon": "ontogeny.front.rules",
    "muon_catapult": "ontogeny.train.regimes.muon_catapult",
    "open_run": "ontogeny.record.run",
    "perpendicular": "ontogeny.front.rules",
    "plant": "ontogeny.data.canaries",
    "recall": "ontogeny.ask.recall",
    "routine_cost": "ontogeny.isa.cost",
    "sam": "ontogeny.front.rules",
    "sgd": "ontogeny.front.rules",
    "soap": "ontogeny.front.rules",
    "steerable": "ontogeny.steer.live.loop",
    "steering": "ontogeny.steer.api",
    "to_module": "ontogeny.front.to_module",
    "to_onnx": "ontogeny.front.to_onnx",
    "to_text": "ontogeny.isa.text",
    "torch_optim": "ontogeny.front.rules.torch_optim",
    "warmup": "ontogeny.front.rules",
    "waste": "ontogeny.ask.waste",
    "watch_moments": "ontogeny.record.attach.moments",
    "what_if": "ontogeny.ask.what_if",
    "with_shrink_perturb": "ontogeny.train.regimes.shrink_perturb",
    "with_sleep": "ontogeny.train.regimes.sleep",
}

__all__ = [
    "Arrays",
    "Attached",
    "Experiment",
    "Goal",
    "Learner",
    "OntogenyError",
    "Run",
    "Watcher",
    "adamw",
    "alike",
    "attach",
    "bursts",
    "capture",
    "catapult",
    "chart",
    "cosine",
    "create",
    "custom",
    "cycles",
    "es",
    "diagnose",
    "explain",
    "from_text",
    "grokfast",
    "groups",
    "in_notebook",
    "left_out",
    "lion",
    "memorised",
    "muon",
    "muon_catapult",
    "open_run",
    "perpendicular",
    "plant",
    "recall",
    "routine_cost",
    "sam",
    "sgd",
    "soap",
    "steerable",
    "steering",
    "to_module",
    "to_onnx",
    "to_text",
    "torch_optim",
    "warmup",
    "waste",
    "watch_moments",
    "what_if",
    "with_shrink_perturb",
    "with_sleep",
]


def __getattr__(name: str) -> Any:
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    raise AttributeError(f"ontogeny has no {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
