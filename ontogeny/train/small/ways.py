"""The ways to a smaller network: each makes, of a task, a run whose network fits the budget."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ontogeny.data.arrays import Arrays
from ontogeny.front.edits import apply
from ontogeny.front.rules import Rule, adamw
from ontogeny.front.rules.schedule import cosine, warmup
from ontogeny.isa.errors import EditError, SmallError
from ontogeny.machine.learner import Learner
from ontogeny.record.run import Run, create
from ontogeny.train.small import fewer_units, masks, widths
from ontogeny.train.small.distil import Teaching, student
from ontogeny.train.small.masks import Advance
from ontogeny.train.small.sizes import PARAMETERS, Budget, parameters
from ontogeny.train.small.task import Task

DISTIL, UNITS, SPARSE = "distil", "units", "sparse"
MAGNITUDE, WANDA, GRADUAL, LOTTERY = "magnitude", "wanda", "gradual", "lottery"
WAYS: Mapping[str, str] = {
    DISTIL: "a student of another width, by the experiment's own argument, taught by the network; else as units",
    UNITS: "hidden units, channels and heads taken out of the program, and what is left taught by the whole",
    SPARSE: "as distil at three times the size for half of the steps, then its smallest weights zero, and taught on",
    MAGNITUDE: "the smallest weights zero, and the rest learns on as before",
    WANDA: "the weights zero that times what enters them are smallest, and the rest learns on as before",
    GRADUAL: "the smallest weights zero in rounds, most at first, while the rest learns on by AdamW as a student would",
    LOTTERY: "the smallest weights zero in rounds, each time rewound exactly to an early step and learned again",
}
MASKS = (MAGNITUDE, WANDA, GRADUAL, LOTTERY)
PRUNED = (SPARSE, *MASKS)
WIDER = 3
AUTHOR = "shrink"
WARMUP, FLOOR, DECAYED = 20, 0.02, 0.01


def clipped(lr: float, weight_decay: float) -> Rule:
    """AdamW with its gradient's norm bounded by 1."""
    return adamw(lr=lr, weight_decay=weight_decay).with_clip(1.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much a student learns and how: steps, learning rate, teaching, seed; rounds of pruning, rewind a lottery's.

    `written` sequences of the teacher's own are read beside the examples. `by` makes the rule of the
    rate and the decay.
    """

    steps: int
    lr: float = 3e-3
    weight_decay: float = DECAYED
    teaching: Teaching = field(default_factory=Teaching)
    seed: int = 0
    rounds: int = 3
    rewind: int | None = None
    written: int = 0
    by: Callable[[float, float], Rule] = field(default=clipped)

    def rule(self) -> Rule:
        """The rule at this rate and decay, its rate rising at first and falling to 2% of it at the end."""
        rise = max(1, min(WARMUP, self.steps // 10))
        rule = self.by(self.lr, self.weight_decay)
        return rule.with_schedule(warmup(rise, cosine(self.steps, FLOOR)))

    def early(self, run: Run) -> int:
        """The step that a lottery of a run goes back to."""
        return run.step // 10 if self.rewind is None else self.rewind

    def takes(self, way: str, run: Run) -> int:
        """Steps that a way of making a run smaller takes, in all."""
        return self.rounds * (run.step - self.early(run)) if way == LOTTERY else self.steps

    def check(self, run: Run, ways: Collection[str]) -> None:
        """SmallError for a rate or a teaching that is none, and for rounds that one of the ways cannot take."""
        if not 0 < self.lr < math.inf:
            raise SmallError(f"a learning rate of {self.lr:g} is none; give a number above 0, such as 0.003")
        self.teaching.check()
        if LOTTERY in ways:
            masks.check_rewind(run, self.early(run), self.rounds)
        if GRADUAL in ways:
            masks.check_rounds(self.rounds, self.steps)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What one way comes to before anything is learned: the network that it begins at, and its size in words."""

    way: str
    budget: Budget
    start: Learner
    parameters: int
    words: str


def choose(task: Task, way: str, budget: Budget, build: tuple[str, int, widths.Build] | None = None) -> Chosen:
    """What a way begins at. `build` is the experiment's width: its name, its value and what makes another one.

    SmallError for a way that there is not, and for one that does not fit the budget or this network.
    """
    if way not in WAYS:
        raise SmallError(f"there is no way {way!r}; there are {', '.join(WAYS)}")
    if way in PRUNED and budget.measure != PARAMETERS:
        raise SmallError(f"{way} leaves the shapes as they are, so it saves no {budget.measure}; give --parameters")
    kept = int(budget.most)
    if way in MASKS:
        return Chosen(way, budget, task.teacher, kept, f"{kept:,} weights that are not zero")
    room = replace(budget, most=WIDER * budget.most) if way == SPARSE else budget
    if way in (DISTIL, SPARSE) and build is not None:
        name, width, make = build
        found, start = widths.fitting(make, width, task.teacher, room, task.batch)
        start = widths.begun(start, fewer_units.towards(task.teacher, start.program, task.batch))
        words = f"{name}={found} instead of {width}"
    else:
        start = fewer_units.fitting(task.teacher, room, task.batch)
        words = "fewer units: " + ", ".join(_changed(task.teacher, start))
    if way == SPARSE:
        return Chosen(way, budget, start, kept, f"{words}, then {kept:,} weights that are not zero")
    return Chosen(way, budget, start, parameters(start.program), words)


def _changed(before: Learner, after: Learner) -> list[str]:
    shapes = {decl.name: decl.type.shape for decl in after.program.named_params()}
    return [
        f"{decl.name} {list(decl.type.shape)} -> {list(shapes[decl.name])}"
        for decl in before.program.named_params()
        if decl.name in shapes and len(decl.type.shape) > 1 and shapes[decl.name] != decl.type.shape
    ]


def carry_out(
    task: Task, chosen: Chosen, plan: Plan, folder: Callable[[], Path], advance: Advance = Run.advance
) -> Run:
    """The finished run of a way. `folder` gives a new folder each time, `advance` takes steps."""
    if chosen.way == LOTTERY:
        early = plan.early(task.run)
        return masks.lottery(task.run, early, lambda _: folder(), chosen.parameters, plan.rounds, advance)
    if chosen.way == GRADUAL:
        rule: masks.Edits = (("rule", {"to": plan.rule(), "since": task.run.step}),)
        return masks.gradual(task.run, folder(), chosen.parameters, plan.rounds, plan.steps, AUTHOR, rule, advance)
    if chosen.way in MASKS:
        return _pruned(task, chosen, plan, folder(), advance)
    run = _taught(task, chosen.start, plan, folder())
    first = plan.steps // 2 if chosen.way == SPARSE else plan.steps
    _take(run, first, advance)
    if chosen.way == SPARSE:
        gone = masks.by_magnitude(run.learner, chosen.parameters)
        with run:
            run = masks.masked(run, run.step, folder(), gone, AUTHOR)
        _take(run, plan.steps - first, advance)
    return run


def _taught(task: Task, start: Learner, plan: Plan, folder: Path) -> Run:
    lesson, train, valid = task.reading(plan.written, plan.seed).lesson(plan.teaching)
    learner = student(start, plan.rule(), lesson, train, valid, task.batch_size)
    data = Arrays(train, batch_size=task.batch_size, seed=plan.seed)
    every = max(1, plan.steps // 10)
    return create(folder, learner, data, valid=valid, seed=plan.seed, evaluate_every=every, author=AUTHOR)


def _pruned(task: Task, chosen: Chosen, plan: Plan, folder: Path, advance: Advance) -> Run:
    """A fork of the run itself, by its own rule; its rate falls to the end once more where it has one that can."""
    if chosen.way == MAGNITUDE:
        gone = masks.by_magnitude(task.teacher, chosen.parameters)
    else:
        gone = masks.by_wanda(task.teacher, chosen.parameters, task.batch)
    at = task.run.step
    falling = ("schedule", {"shape": "cosine", "steps": at + plan.steps, "floor": FLOOR, "start": at})
    try:
        apply(task.run.program, *falling[:1], **falling[1])
    except EditError:
        edits: masks.Edits = ()
    else:
        edits = (falling,)
    run = masks.masked(task.run, at, folder, gone, AUTHOR, edits)
    _take(run, plan.steps, advance)
    return run


def _take(run: Run, steps: int, advance: Advance) -> None:
    if steps:
        advance(run, steps)
