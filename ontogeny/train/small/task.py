"""What a run is made smaller on: its examples, which of its inputs is the truth, and what the teacher says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ontogeny.data.arrays import Arrays
from ontogeny.isa.errors import SmallError
from ontogeny.isa.program import Program
from ontogeny.isa.verify import value_types
from ontogeny.machine.learner import Array, Learner
from ontogeny.record.run import Run
from ontogeny.train.small.distil import TEACHER, TEACHER_FEATURES, Lesson, Teaching, frozen
from ontogeny.train.small.lost import target_of
from ontogeny.train.small.sequences import with_written
from ontogeny.train.small.teacher import FEATURES, Named, ensemble, inputs_of, outputs, with_features
from ontogeny.train.small.units import PREDICT

MOST_TAUGHT = 256 << 20
"""Bytes of the teacher's outputs that are kept as data; where they would be more, the teacher stands in the program."""


@dataclass(frozen=True, slots=True)
class Task:
    """A run, its teachers (itself first), its examples, and the first teacher's scores of the held-out ones.

    `writers` write sequences for the student to read, where any are asked for: else the teachers themselves.
    """

    run: Run
    teachers: tuple[Learner, ...]
    train: Named
    valid: Named
    target: str
    classes: bool
    scores: Array
    writers: tuple[Learner, ...] = ()

    @property
    def teacher(self) -> Learner:
        """The network that is made smaller."""
        return self.teachers[0]

    @property
    def truth(self) -> Array:
        """What is true of the held-out examples."""
        return self.valid[self.target]

    @property
    def batch_size(self) -> int:
        """Examples in a batch of the run."""
        return len(next(iter(self.run.data.batch(0).values())))

    @property
    def batch(self) -> dict[str, Array]:
        """Examples for measuring, as many as a batch of `predict` takes."""
        own = inputs_of(self.teacher.program)
        size = self.teacher.program.decl(own[0]).type.shape[0]
        return {name: self.train[name][:size] for name in own}

    @property
    def inside(self) -> bool:
        """Whether the teacher stands in the student's program, since what it says would be too much to keep."""
        each = self.scores.nbytes / len(self.scores)
        return each * len(next(iter(self.train.values()))) > MOST_TAUGHT

    def taught(self, examples: Named, features: bool) -> dict[str, Array]:
        """The examples with what the teachers say of them: the mean of their probabilities where there are several."""
        said = [outputs(each, examples) for each in self.teachers]
        found = {**examples, TEACHER: said[0] if len(said) == 1 else ensemble(said)}
        if features:
            found[TEACHER_FEATURES] = self._features(examples)
        return found

    def reading(self, count: int, seed: int) -> Task:
        """The same task with so many sequences more to learn from, which its writers write (`sequences.py`)."""
        more = (
            with_written(self.train, self.writers or self.teachers, self.target, count, seed) if count else self.train
        )
        return replace(self, train=more)

    def _features(self, examples: Named) -> Array:
        wide = outputs(with_features(self.teacher), examples, FEATURES)
        count = len(next(iter(examples.values())))
        if len(wide) != count:
            raise SmallError(
                "what enters the last product has no row for each example, so it is no data; teach without features"
            )
        return wide

    def lesson(self, teaching: Teaching) -> tuple[Lesson, Named, Named]:
        """The student's loss, and the examples that go with it."""
        if self.inside:
            if len(self.teachers) > 1:
                raise SmallError("several teachers say too much of this much data for it to be kept; name one")
            return Lesson(self.target, self.classes, teaching, frozen(self.teacher)), self.train, self.valid
        features = teaching.features > 0
        train, valid = self.taught(self.train, features), self.taught(self.valid, features)
        return Lesson(self.target, self.classes, teaching), train, valid


def task_of(run: Run, teachers: Sequence[Run] = ()) -> Task:
    """A run to be made smaller, as it is at its present step, with other runs of the same task as further teachers.

    SmallError where the run has no `predict`, no held-out examples, or data that cannot be gone through; and, by its
    name, for a teacher of another task.
    """
    learners = (run.learner, *(other.learner for other in teachers))
    read = inputs_of(learners[0].program)
    if not isinstance(run.data, Arrays):
        raise SmallError(
            f"what the run learns from is {type(run.data).__name__}, not Arrays, so no teacher can go through it"
        )
    if not run.valid:
        raise SmallError("the run has no held-out examples, so what is lost cannot be told; record one with valid=")
    valid = {name.removeprefix("valid."): values for name, values in run.valid.items()}
    if missing := [name for name in read if name not in valid]:
        raise SmallError(f"the held-out examples have no {missing[0]!r}, which predict reads")
    scores = outputs(learners[0], valid)
    for other in teachers:
        _check_alike(run, other, read, scores)
    target, classes = target_of(valid, scores, read)
    if len(learners) > 1 and not classes:
        raise SmallError("several teachers are one by the mean of their probabilities, and these give no classes")
    return Task(run, learners, run.data.arrays, valid, target, classes, scores)


def _check_alike(run: Run, other: Run, read: Sequence[str], scores: Array) -> None:
    """Raises SmallError where another run does not give the same kind of scores for the same inputs."""
    name, mine = other.folder.name, run.folder.name
    try:
        theirs = inputs_of(other.learner.program)
    except SmallError as error:
        raise SmallError(f"{name} cannot teach beside {mine}: {error}") from error
    own, its = (_inputs(one.learner.program, names) for one, names in ((run, read), (other, theirs)))
    gives = _scores(other.learner.program)
    if own != its or gives != list(scores.shape[1:]):
        raise SmallError(
            f"{name} is a run of another task: it gives {gives} for {_said(its)}, {mine} {list(scores.shape[1:])} for "
            f"{_said(own)}; teachers are runs of one task, such as `ontogeny again {mine} --seed 1` makes"
        )


def _inputs(program: Program, names: Sequence[str]) -> dict[str, tuple[str, list[int]]]:
    """What an example is: of each input its type, and its shape without the batch."""
    types = {name: program.decl(name).type for name in names}
    return {name: (str(one.dtype), list(one.shape[1:])) for name, one in types.items()}


def _scores(program: Program) -> list[int]:
    """The shape of what `predict` gives for an example."""
    routine = program.routine(PREDICT)
    return list(value_types(program, routine)[routine.returns[0][1]].shape[1:])


def _said(inputs: Mapping[str, tuple[str, list[int]]]) -> str:
    return ", ".join(f"{name} {kind}{shape}" for name, (kind, shape) in inputs.items())
