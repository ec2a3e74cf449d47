"""Random networks of the kinds, to learn what instructions cost beside one another, beyond what each costs alone.

Alone, a kernel finds its code and its operands in the caches. In a step it follows others, its operands were made by
some of them, and what is kept for the way back is long gone. A medley goes forward through random layers, back through
them, and changes all parameters at once, as learning does; its sizes and layers are drawn, not those of any network.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from ontogeny.isa.op import Op
from ontogeny.isa.program import Attribute, Decl, Instr, Program, Routine
from ontogeny.isa.types import DType, Type


@dataclass
class Medley:
    """A routine that is being written."""

    shape: tuple[int, ...]
    decls: list[Decl] = field(default_factory=list)
    body: list[Instr] = field(default_factory=list)
    gradients: list[str] = field(default_factory=list)
    size: int = 0

    def put(self, op: Op, *args: str, results: int = 1, **attrs: Attribute) -> str:
        """An instruction; the name of its first result, NAME.1 of its second..."""
        name = f"v{len(self.body)}"
        out = (name, *(f"{name}.{place}" for place in range(1, results)))
        self.body.append(Instr(out, op, args, tuple(attrs.items())))
        return name

    def number(self, value: float, dtype: DType = DType.F32) -> str:
        """A constant."""
        return self.put(Op.CONST, value=value, dtype=dtype, shape=())

    def parameter(self, *shape: int) -> str:
        """A piece of the arena, read."""
        name, type = f"p{len(self.decls)}", Type(DType.F32, shape)
        self.decls.append(Decl("param", name, type, None, "all", self.size))
        self.size += type.size
        return self.put(Op.READ, name=name)

    def gradient(self, value: str, size: int) -> None:
        """The gradient of the parameter that was read last but as many as have none yet."""
        self.gradients.append(self.put(Op.RESHAPE, value, shape=(size,)))


Back = Callable[[str], str]
Layer = Callable[[Medley, str, random.Random], tuple[str, Back]]


def _dense(medley: Medley, x: str, chance: random.Random) -> tuple[str, Back]:
    columns = medley.shape[1]
    bias, weight = medley.parameter(columns), medley.parameter(columns, columns)
    y = medley.put(Op.LINEAR, bias, x, medley.put(Op.PERMUTE, weight, dims=(1, 0)))

    def back(g: str) -> str:
        turned = medley.put(Op.PERMUTE, g, dims=(1, 0))
        medley.gradient(medley.put(Op.SUM, g, dims=(0,), keep=True), columns)
        medley.gradient(medley.put(Op.DOT, turned, x), columns * columns)
        return medley.put(Op.DOT, g, weight)

    return y, back


def _norm(medley: Medley, x: str, chance: random.Random) -> tuple[str, Back]:
    columns = medley.shape[1]
    weight, bias = medley.parameter(columns), medley.parameter(columns)
    y = medley.put(Op.LAYER_NORM, x, weight, bias, results=3, rank=1, eps=1e-5)

    def back(g: str) -> str:
        found = medley.put(Op.LAYER_NORM_BACKWARD, g, x, f"{y}.1", f"{y}.2", weight, results=3, rank=1)
        medley.gradient(f"{found}.1", columns)
        medley.gradient(f"{found}.2", columns)
        return found

    return y, back


def _bent(medley: Medley, x: str, chance: random.Random) -> tuple[str, Back]:
    if chance.random() < 0.5:
        return medley.put(Op.RELU, x), lambda g: medley.put(Op.RELU_BACKWARD, g, x, threshold=0.0)
    y = medley.put(Op.GELU, x, approximate="none")
    return y, lambda g: medley.put(Op.GELU_BACKWARD, g, x, approximate="none")


def _share(medley: Medley, x: str, chance: random.Random) -> tuple[str, Back]:
    y = medley.put(Op.SOFTMAX, x, dim=1)
    return y, lambda g: medley.put(Op.SOFTMAX_BACKWARD, g, y, dim=1)


def _beside(medley: Medley, x: str, chance: random.Random) -> tuple[str, Back]:
    """A sum with another path, which comes back to the same gradient."""
    other = medley.put(Op.TANH, x)
    y = medley.put(Op.ADD, x, other)
    return y, lambda g: medley.put(Op.ADD, g, medley.put(Op.TANH_BACKWARD, g, other))


def _heads(medley: Medley, x: str, chance: random.Random) -> tuple[str, Back]:
    """Products within four parts of the columns, whose parts are brought together and back by copies."""
    rows, columns = medley.shape
    parted = (rows, 4, columns // 4)

    def part(value: str) -> str:
        return medley.put(Op.PERMUTE, medley.put(Op.RESHAPE, value, shape=parted), dims=(1, 0, 2))

    def whole(value: str) -> str:
        return medley.put(Op.RESHAPE, medley.put(Op.PERMUTE, value, dims=(1, 0, 2)), shape=(rows, columns))

    mixed = part(x)
    inner = medley.put(Op.DOT, medley.put(Op.PERMUTE, mixed, dims=(0, 2, 1)), mixed)
    y = whole(medley.put(Op.DOT, mixed, inner))

    def back(g: str) -> str:
        given = part(g)
        left = medley.put(Op.DOT, given, medley.put(Op.PERMUTE, inner, dims=(0, 2, 1)))
        return medley.put(Op.ADD, whole(left), whole(medley.put(Op.DOT, given, inner)))

    return y, back


def _conv(medley: Medley, x: str, chance: random.Random) -> tuple[str, Back]:
    channels = medley.shape[1]
    weight, bias = medley.parameter(channels, channels, 3, 3), medley.parameter(channels)
    y = medley.put(Op.CONV, x, weight, bias, stride=(1, 1), padding=(1, 1), dilation=(1, 1), groups=1)

    def back(g: str) -> str:
        given = (g, x, weight)
        found = medley.put(
            Op.CONV_BACKWARD, *given, results=3, stride=(1, 1), padding=(1, 1), dilation=(1, 1), groups=1
        )
        medley.gradient(f"{found}.1", channels * channels * 9)
        medley.gradient(f"{found}.2", channels)
        return found

    return y, back


def _plane_norm(medley: Medley, x: str, chance: random.Random) -> tuple[str, Back]:
    channels = medley.shape[1]
    weight, bias, mean, spread = (medley.parameter(channels) for _ in range(4))
    y = medley.put(Op.BATCH_NORM, x, weight, bias, mean, spread, results=5, train=True, momentum=0.1, eps=1e-5)

    def back(g: str) -> str:
        given = (g, x, weight, mean, spread, f"{y}.1", f"{y}.2")
        found = medley.put(Op.BATCH_NORM_BACKWARD, *given, results=3, train=True, eps=1e-5)
        for place in (1, 2, 1, 2):
            medley.gradient(f"{found}.{place}", channels)
        return found

    return y, back


def _masked(medley: Medley, x: str, chance: random.Random) -> tuple[str, Back]:
    """Shares where a mask allows them, which is made on the way."""
    rows, columns = medley.shape
    places = medley.put(Op.IOTA, shape=(rows, columns), dim=1, dtype=DType.I64)
    first = medley.put(Op.IOTA, shape=(rows, columns), dim=0, dtype=DType.I64)
    seen = medley.put(Op.LE, places, medley.put(Op.ADD, first, medley.number(columns // 2, DType.I64)))
    mask = medley.put(Op.WHERE, seen, medley.number(0.0), medley.number(-30.0))
    scores = medley.put(Op.ADD, medley.put(Op.MUL, x, medley.number(0.3)), mask)
    most = medley.put(Op.REDUCE_MAX, scores, dims=(1,), keep=True)
    none = medley.put(Op.EQ, most, medley.number(-30.0))
    y = medley.put(Op.SOFTMAX, scores, dim=1)
    y = medley.put(Op.WHERE, none, medley.number(0.0), y)

    def back(g: str) -> str:
        inner = medley.put(Op.SOFTMAX_BACKWARD, medley.put(Op.WHERE, none, medley.number(0.0), g), y, dim=1)
        return medley.put(Op.MUL, inner, medley.number(0.3))

    return y, back


def _cut(medley: Medley, x: str, chance: random.Random) -> tuple[str, Back]:
    """Halves of the columns, one times the other, beside one of them."""
    rows, columns = medley.shape
    half = columns // 2

    def halves(value: str) -> tuple[str, str]:
        first, second = ((0, 0), (rows, half)), ((0, half), (rows, columns))
        one, other = (medley.put(Op.SLICE, value, starts=a, stops=b, steps=(1, 1)) for a, b in (first, second))
        return one, other

    left, right = halves(x)
    y = medley.put(Op.CAT, medley.put(Op.MUL, left, right), right, dim=1)

    def back(g: str) -> str:
        mixed, straight = halves(g)
        gate = medley.put(Op.PAD, medley.put(Op.MUL, mixed, right), low=(0, 0), high=(0, half), value=0.0)
        rest = medley.put(Op.ADD, medley.put(Op.MUL, mixed, left), straight)
        return medley.put(Op.ADD, gate, medley.put(Op.PAD, rest, low=(0, half), high=(0, 0), value=0.0))

    return y, back


def _scored(medley: Medley, x: str) -> str:
    """The loss of rows by their labels, how many are right, and the gradient."""
    labels = medley.put(Op.READ, name="labels")
    right = medley.put(Op.EQ, medley.put(Op.ARGMAX, x, dim=1, keep=False), labels)
    medley.put(Op.MEAN, medley.put(Op.CAST, right, dtype=DType.F32), dims=(0,), keep=False)
    logs = medley.put(Op.LOG_SOFTMAX, x, dim=1)
    loss = medley.put(Op.NLL_LOSS, logs, labels, results=2, ignore=-100)
    one = medley.number(1.0)
    g = medley.put(Op.NLL_LOSS_BACKWARD, one, logs, labels, f"{loss}.1", ignore=-100)
    return medley.put(Op.LOG_SOFTMAX_BACKWARD, g, logs, dim=1)


MATRICES: tuple[Layer, ...] = (_dense, _dense, _norm, _bent, _share, _beside, _heads, _masked, _cut)
IN_PLANES: tuple[Layer, ...] = (_conv, _plane_norm, _bent, _beside)


def medley(seed: int) -> Program:
    """A random network and its step, of a size drawn from the seed."""
    chance = random.Random(seed)
    planes = chance.random() < 0.25
    made = Medley(_planes(chance) if planes else _matrix(chance))
    layers = [chance.choice(IN_PLANES if planes else MATRICES) for _ in range(chance.choice((3, 6, 12, 24)))]
    through(made, (*layers, _conv if planes else _dense), chance)
    _updated(made)
    arenas = [Decl("param", "all", Type(DType.F32, (made.size,)))]
    arenas += [Decl("state", name, Type(DType.F32, (made.size,))) for name in ("mean", "square")]
    given = [Decl("param", "x", Type(DType.F32, made.shape))]
    given += [Decl("state", name, Type(DType.I64, made.shape[:1])) for name in ("labels", "places")]
    return Program("medley", (*arenas, *given, *made.decls), (Routine("learn", (), tuple(made.body), ()),))


def through(made: Medley, layers: tuple[Layer, ...], chance: random.Random) -> None:
    """Forward and back. Rows are looked up in a table of parameters and scored by labels; planes are given."""
    x, backs = made.put(Op.READ, name="x"), []
    rows = len(made.shape) == 2
    if rows:
        table, places = made.parameter(64, made.shape[1]), made.put(Op.READ, name="places")
        x = made.put(Op.GATHER, table, places)
    for layer in layers:
        x, back = layer(made, x, chance)
        backs.append(back)
    x = _scored(made, x) if rows else x
    for back in reversed(backs):
        x = back(x)
    if rows:
        made.gradient(made.put(Op.EMBEDDING_BACKWARD, x, places, rows=64, padding=-1), 64 * made.shape[1])


def _matrix(chance: random.Random) -> tuple[int, ...]:
    """Up to half a million elements."""
    rows = chance.choice((16, 48, 100, 256, 700, 2048))
    return rows, chance.choice([columns for columns in (16, 48, 96, 160, 320) if rows * columns <= 1 << 19])


def _planes(chance: random.Random) -> tuple[int, ...]:
    side = chance.choice((6, 10, 14))
    return chance.choice((4, 16, 48)), chance.choice((3, 8, 24)), side, side


def _updated(made: Medley) -> None:
    """A rule of two averages on everything at once."""
    g = made.put(Op.CAT, *made.gradients, dim=0)
    all, mean, square = (made.put(Op.READ, name=name) for name in ("all", "mean", "square"))
    number = made.put(Op.CONST, value=0.1, dtype=DType.F64, shape=())
    small = made.put(Op.CONST, value=1e-8, dtype=DType.F32, shape=())
    mean = made.put(Op.LERP, mean, g, number)
    square = made.put(Op.ADDCMUL, made.put(Op.SCALE, square, number), g, g, number)
    under = made.put(Op.ADD, made.put(Op.SQRT, square), small)
    all = made.put(Op.ADDCDIV, made.put(Op.SCALE, all, number), mean, under, number)
    for name, value in (("all", all), ("mean", mean), ("square", square)):
        made.body.append(Instr((), Op.COMMIT, (value,), (("name", name),)))
