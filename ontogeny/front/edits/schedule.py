"""A schedule written into the rule: a factor that follows the step, on the dial `lr` and those such as `adam_lr`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ontogeny.front.author import Value, maximum
from ontogeny.front.edits.edit import Edit, Kind, Parameter
from ontogeny.front.edits.notes import Standing
from ontogeny.front.edits.rewrite import Rewrite
from ontogeny.front.rules.rule import Schedule
from ontogeny.front.rules.schedule import bursts, cosine, cycles, warmup
from ontogeny.front.update import SCHEDULE, is_rate
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import EditError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr
from ontogeny.isa.types import DType, Type

BURSTS = "bursts"
SHAPES: Mapping[str, Callable[[int, float, int, float, int], Schedule]] = {
    "cosine": lambda steps, floor, start, height, length: cosine(steps, floor, start),
    "cycles": lambda steps, floor, start, height, length: cycles(steps, floor, start),
    "warmup": lambda steps, floor, start, height, length: lambda step: warmup(steps)(maximum(step - float(start), 0.0)),
    BURSTS: lambda steps, floor, start, height, length: bursts(height, length, steps, start),
}
CONSTANT = "constant"


def make(rewrite: Rewrite, shape: str, steps: int, floor: float, start: int, height: float, length: int) -> str:
    """The schedule in the place of the one that there is."""
    there = [found.where for found in rewrite.standing if found.name == SCHEDULE]
    if shape == CONSTANT and not there:
        raise EditError("the learning rate follows no schedule")
    if shape != CONSTANT and steps <= (start if shape == "cosine" else 0):
        raise EditError(f"steps={steps}: give the step at which it is done, after {start}")
    if shape == BURSTS and not (0 < length < steps and height > 0):
        raise EditError(
            f"bursts of {length} steps, every {steps}, of {height:g} times the rate: give a length below steps, and a "
            "height above 0"
        )
    for where in there:
        rewrite.strip(where)
    if shape == CONSTANT:
        return "the learning rate follows no schedule"
    options = {"shape": shape, "steps": str(steps), "floor": repr(float(floor)), "start": str(start)}
    if shape == BURSTS:
        options |= {"height": repr(float(height)), "length": str(length)}
    again(rewrite, Standing(SCHEDULE, (), options))
    if shape == BURSTS:
        return f"the learning rate is {height:g} times itself for {length} steps, every {steps} from step {start}"
    if shape == "cycles":
        return f"the learning rate falls along a cosine to {floor:g} of it, again every {steps} steps from step {start}"
    if shape == "warmup":
        return f"the learning rate rises over {steps} steps from step {start}"
    return f"the learning rate falls along a cosine to {floor:g} of it, from step {start} to step {steps}"


def again(rewrite: Rewrite, standing: Standing) -> None:
    """The factor, on every rate that `learn` reads."""
    if "shape" not in standing.options:
        return _put(rewrite, standing.where, _captured(rewrite.former))
    shape, steps, floor, start = (standing.options[name] for name in ("shape", "steps", "floor", "start"))
    height, length = (standing.options.get(name, "1") for name in ("height", "length"))
    _put(rewrite, standing.where, SHAPES[shape](int(steps), float(floor), int(start), float(height), int(length)))


def _captured(makers: Mapping[str, Instr]) -> Schedule:
    """The schedule that a rule was captured with, from its instructions."""
    own = (i for i in makers.values() if i.note.where == SCHEDULE and i.op is Op.MUL and i.args[0] in makers)
    factor = next(i.args[1] for i in own if makers[i.args[0]].op is Op.READ)
    return lambda step: Value(step.builder, _remade(step.builder, factor, makers))


def _remade(builder: Builder, value: str, makers: Mapping[str, Instr]) -> str:
    """A scalar computed anew by the same instructions."""
    instr = makers[value]
    return builder.one(instr.op, *(_remade(builder, arg, makers) for arg in instr.args), **dict(instr.attrs))


def _put(rewrite: Rewrite, where: str, schedule: Schedule) -> None:
    step = rewrite.decl("step")
    if step is None or step.type != Type(DType.I64) or rewrite.commit("step") is None:
        raise EditError("a schedule follows the register step, and 'learn' counts none; set the dial lr as it goes")
    rates = [i.out[0] for i in rewrite.body if i.op is Op.READ and is_rate(str(i.attr("name")))]
    if not rates:
        raise EditError("'learn' reads no dial lr, so there is no learning rate to follow a schedule")
    for rate in rates:
        users = [place for place, instr in enumerate(rewrite.body) if rate in instr.args]
        at = 1 + next(place for place, instr in enumerate(rewrite.body) if rate in instr.out)
        with rewrite.adding(where, at) as builder:
            factor = schedule(Value(builder, builder.read("step")).cast(DType.F64))
            new = Value(builder, rate) * factor
            count = len(builder.body)
        rewrite.substitute([place + count for place in users], rate, new.name)


EDIT = Edit(
    SCHEDULE,
    "the learning rate follows a schedule of the step",
    (
        Parameter(
            "shape", Kind.WORD, "cosine, cycles of it, warmup, bursts, or constant: none", choices=(*SHAPES, CONSTANT)
        ),
        Parameter(
            "steps",
            Kind.WHOLE,
            "cosine: its last step; cycles: how long one is; warmup: how long; bursts: how far apart",
            0,
        ),
        Parameter("floor", Kind.NUMBER, "cosine and cycles: the share of the rate that it ends at", 0.0),
        Parameter("start", Kind.WHOLE, "the step at which it begins", 0),
        Parameter("height", Kind.NUMBER, "bursts: so many times the rate", 3.0),
        Parameter("length", Kind.WHOLE, "bursts: for so many steps", 5),
    ),
    make,
    again,
)
