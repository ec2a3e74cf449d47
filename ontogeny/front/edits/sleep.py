"""A routine `sleep`: weights are scaled down, and examples replayed to what is left of them, if asked for.

After the synaptic homeostasis hypothesis (Tononi and Cirelli 2006, doi 10.1016/j.smrv.2005.05.002): waking makes
synapses stronger on the whole, sleep makes them weaker, in proportion to what they are. With s the dial `sleep_scale`,

    uniform         w * s
    proportional    w * s / (s + (1 - s) * |w| / rms)        rms: the root mean square of w's tensor

so that a weight as large as most is scaled by s in both, and in the second a larger one by more and a smaller one by
less, none past zero. A replay is a step of plain gradient descent at the rate `sleep_lr` on the batch of the coming
step, with its random draws; the rule's own state and count of steps stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ontogeny.front.author import Value, constant
from ontogeny.front.edits import routines
from ontogeny.front.edits.edit import Edit, Kind, Parameter
from ontogeny.front.edits.gradients import gradients
from ontogeny.front.edits.notes import Standing
from ontogeny.front.edits.rewrite import Rewrite
from ontogeny.front.passes import leading, passed_again
from ontogeny.front.rules.sam import ascents
from ontogeny.front.update import UPDATE
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import EditError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Note, Routine
from ontogeny.isa.types import DType, Type

NAME, SCALE, RATE = "sleep", "sleep_scale", "sleep_lr"
REPLAY, GIVEN = f"{NAME}.replay", "given."
TINY = 1e-30
DEFAULT_SCALE, DEFAULT_RATE = 0.9, 0.1


def _uniform(w: Value, scale: Value) -> Value:
    return w.scale(scale)


def _proportional(w: Value, scale: Value) -> Value:
    wide = w.cast(DType.F32)
    size = abs(wide) / ((wide * wide).mean().sqrt() + TINY)
    return (wide.scale(scale) / (size.scale(1.0 - scale) + (scale + TINY))).cast(w.dtype)


KINDS: Mapping[str, Callable[[Value, Value], Value]] = {"uniform": _uniform, "proportional": _proportional}


def make(
    rewrite: Rewrite,
    scale: float | None,
    every: float | None,
    kind: str,
    replays: int,
    rate: float | None,
    tensors: Sequence[str],
) -> str:
    """The routine, or another in its place; dials that are there and not given keep their values."""
    if scale is not None and not 0 < scale <= 1:
        raise EditError(f"sleep: scale={scale:g}: weights are scaled down, by a factor above 0 up to 1")
    if every is not None and every < 0:
        raise EditError(f"sleep: every={every:g}: give a number of steps, or 0 to sleep only when called")
    said = Standing(NAME, tuple(tensors), {"kind": kind, "replays": str(replays)})
    for dial, value, first, used in ((SCALE, scale, DEFAULT_SCALE, True), (RATE, rate, DEFAULT_RATE, replays > 0)):
        if used:
            rewrite.dial(dial, first if value is None and rewrite.decl(dial) is None else value)
    routines.put(rewrite, NAME, [said], again, every)
    replayed = f", then {replays} replay{'s' if replays > 1 else ''} of the batch" if replays else ""
    return f"a routine {NAME}: {', '.join(tensors) or 'matrices'} scaled down, {kind}{replayed}"


def again(rewrite: Rewrite, said: Sequence[Standing]) -> tuple[Routine, ...]:
    """The routine, and that of a replay."""
    (one,) = said
    replays, kind = int(one.options["replays"]), KINDS[one.options["kind"]]
    replay = (_replay(rewrite, one.where),) if replays else ()
    builder = Builder(routines.without(rewrite, NAME, *replay))
    builder.note = Note(UPDATE, one.where)
    scale = Value(builder, builder.read(SCALE))
    names = [decl.name for decl in routines.chosen(rewrite, one.patterns)]
    new = {name: kind(Value(builder, builder.read(name)), scale) for name in names}
    for routine in replay:
        carried = [name.removeprefix(GIVEN) for name, _ in routine.params[1:]]
        given = [new[name] if name in new else Value(builder, builder.read(name)) for name in carried]
        results = constant(builder, replays, DType.I64).ops(Op.LOOP, *given, body=routine.name)
        inputs = {decl.name for decl in rewrite.program.of("input")}
        new.update((name, value) for name, value in zip(carried, results, strict=True) if name not in inputs)
    routines.commit(builder, new)
    return (*replay, builder.routine(NAME, []))


def _replay(rewrite: Rewrite, where: str) -> Routine:
    """(place, parameters, inputs) -> parameters after a step of gradient descent, and the inputs."""
    still = routines.frozen(rewrite)
    found = {name: g for name, g in (ascents(rewrite.body) or gradients(rewrite)).items() if name not in still}
    reads = {str(i.attr("name")) for i in leading(rewrite.body, set(found.values())) if i.op is Op.READ}
    decls = [d for d in rewrite.program.decls if d.name in found or (d.kind == "input" and d.name in reads)]
    given = [(GIVEN + decl.name, decl.type) for decl in decls]
    builder = Builder(routines.without(rewrite, NAME), [("place", Type(DType.I64)), *given])
    builder.note = Note(UPDATE, where)
    at = {decl.name: Value(builder, GIVEN + decl.name) for decl in decls}
    down = passed_again(builder, rewrite.body, rewrite.types, found, at, NAME)
    rate = -Value(builder, builder.read(RATE))
    new = {name: at[name].axpy(down[name], rate) for name in found}
    return builder.routine(REPLAY, [(name, new.get(name, value).name) for name, value in at.items()])


EDIT = Edit(
    NAME,
    "a routine sleep, which scales weights down and may replay examples, every so many steps or when called",
    (
        Parameter("scale", Kind.NUMBER, "what weights are scaled by, for the dial sleep_scale (new: 0.9)", None),
        Parameter("every", Kind.NUMBER, "steps between two sleeps, for the dial sleep_every (new: 0, never)", None),
        Parameter("kind", Kind.WORD, "uniform, or proportional: larger weights by more", "uniform", tuple(KINDS)),
        Parameter("replays", Kind.WHOLE, "steps of gradient descent on the batch after it", 0),
        Parameter("rate", Kind.NUMBER, "the rate of a replay, for the dial sleep_lr (new: 0.1)", None),
        Parameter("tensors", Kind.NAMES, "the parameters to scale, by name or pattern; else all matrices", ()),
    ),
    make,
)
