"""A routine as an ONNX model, built from the program's own instructions, with the registers' values inside.

What ONNX has a name for (softmax, convolution...) keeps it; every other macro is expanded. Not exported: commits,
random numbers, loops and branches, sorting, bit shifts; the error names the first such instruction.

Where the routine follows a size, so does the model: the routine is expanded at two sizes and matched, and each number
that follows is computed from the shape of an input. Where that cannot be, the model is for the program's present size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ontogeny.front.expanded import FixedError, expanded
from ontogeny.front.names import piece
from ontogeny.isa.errors import CaptureError, MachineError
from ontogeny.isa.macros import MACROS
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr, Program, Routine
from ontogeny.isa.resize import unsized
from ontogeny.isa.sizes import PerSize, Size, following
from ontogeny.isa.text.words import follower
from ontogeny.isa.types import DType, Type, broadcast
from ontogeny.machine.formats import NUMPY
from ontogeny.machine.learner import Array, Learner

try:
    import onnx
    from onnx import helper, numpy_helper
except ImportError as error:  # pragma: no cover
    raise MachineError("onnx is not installed: pip install ontogeny[onnx]") from error

OPSET = 18


def to_onnx(
    path: Path | str, learner: Learner, state: Mapping[str, Array] | None = None, routine: str = "predict"
) -> None:
    """Writes the routine to an ONNX file with the registers of `state` (default: the learner's initial ones).

    Inputs and outputs are called as in the program, and take a batch of any size where the routine does; else the model
    is made for the learner's (`learner.resized(batch=1)`). Raises CaptureError for instructions that ONNX cannot say.
    """
    if not learner.program.has(routine):
        raise MachineError(f"the program has no routine {routine!r}; capture with predict=lambda model, batch: ...")
    values, macros = state or learner.values, MACROS - NAMED.keys()
    try:
        model = _Graph(learner.program, values, *expanded(learner.program, routine, macros)).model()
    except FixedError:
        model = _Graph(learner.program, values, *expanded(unsized(learner.program), routine, macros)).model()
    onnx.save(model, str(path))


class _Graph:
    """One ONNX graph under construction."""

    def __init__(
        self, program: Program, state: Mapping[str, Array], routine: Routine, types: Mapping[str, Type]
    ) -> None:
        self.program, self.state = program, state
        self.routine, self.types = routine, types
        self.batch = ""
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []

    def model(self) -> Any:
        """The checked model."""
        for instr in sorted(self.routine.body, key=lambda each: each.op is not Op.READ):
            self._add(instr)
        outputs = []
        for name, value in self.routine.returns:
            self.node("Identity", value, out=f"result.{name}")
            outputs.append(self._info(f"result.{name}", self.types[value]))
        graph = helper.make_graph(self.nodes, self.program.name, self.inputs, outputs, self.constants)
        _rename(graph, {f"result.{name}": name for name, _ in self.routine.returns})
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=9, producer_name="ontogeny")
        onnx.checker.check_model(model)
        return model

    def _add(self, instr: Instr) -> None:
        if instr.op not in SIZED and any(following(value) for _, value in instr.attrs):
            raise FixedError(f"an attribute of {instr.op.text} follows a size")
        table = NAMED if instr.op in NAMED else BASE
        if instr.op is Op.READ:
            self._read(instr)
        elif instr.op in table:
            table[instr.op](self, instr)
        else:
            where = f" ({instr.note.where})" if instr.note.where else ""
            raise CaptureError(f"{instr.op.text}{where} has no form in ONNX; leave it out of what is exported")

    def _read(self, instr: Instr) -> None:
        decl = self.program.decl(str(instr.attr("name")))
        if decl.kind == "input":
            type_ = self.types[instr.out[0]]
            self.inputs.append(self._info(f"input.{decl.name}", type_))
            self._count(f"input.{decl.name}", type_)
            self.node("Identity", f"input.{decl.name}", out=instr.out[0])
        elif decl.kind == "dial":
            self.constant(np.array(decl.default, NUMPY[decl.type.dtype]), instr.out[0])
        else:
            self.constant(np.array(piece(self.program, self.state, decl.name)), instr.out[0])

    def _info(self, name: str, type: Type) -> Any:
        shape = [follower(size) if isinstance(size, Size) else size for size in type.shape]
        return helper.make_tensor_value_info(name, _code(type.dtype), shape)

    def _count(self, name: str, type: Type) -> None:
        """The size that an input has, as a vector of one number, where none is known yet."""
        for axis, size in enumerate(type.shape):
            if isinstance(size, Size) and not self.batch:
                if (size.times, size.plus) != (1, 0):
                    raise FixedError(f"the size of input {name!r} is {follower(size)}")
                shape = self.node("Shape", name)
                self.batch = self.node("Gather", shape, self.numbers([axis]), axis=0)

    def whole(self, size: Size) -> str:
        """A whole number that follows the size, as a vector of one."""
        value = self.node("Mul", self._known(), self.numbers([size.times])) if size.times != 1 else self._known()
        return self.node("Add", value, self.numbers([size.plus])) if size.plus else value

    def fraction(self, value: PerSize) -> str:
        """A fraction that follows the size, as an f64 vector of one."""
        size = self.node("Cast", self.whole(value.size), to=_code(DType.F64))
        return self.node("Div" if value.divides else "Mul", self.constant(np.array([value.factor])), size)

    def _known(self) -> str:
        if not self.batch:
            raise FixedError("a number follows a size before any input that has it is read")
        return self.batch

    def node(self, kind: str, *args: str, out: str = "", **attrs: Any) -> str:
        """A node with one result, whose name is given back."""
        name = out or f"onnx.{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(args), [name], **attrs))
        return name

    def constant(self, value: Array, name: str = "") -> str:
        """A constant array."""
        name = name or f"constant.{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value).reshape(value.shape), name))
        return name

    def numbers(self, values: Any) -> str:
        """Whole numbers as a vector, a constant where none follows a size: shapes, axes."""
        if isinstance(values, tuple) and following(values):
            parts = (self.whole(v) if isinstance(v, Size) else self.numbers([v]) for v in values)
            return self.node("Concat", *parts, axis=0)
        return self.constant(np.array(values, np.int64).reshape(-1))

    def shape(self, value: str) -> tuple[int, ...]:
        """A value's shape."""
        shape: tuple[int, ...] = self.types[value].shape
        return shape


def _rename(graph: Any, names: Mapping[str, str]) -> None:
    """Inputs and outputs under the program's names, values under others."""
    inputs = {i.name: i.name.removeprefix("input.") for i in graph.input}
    both = {**inputs, **names}

    def new(name: str) -> str:
        return str(both.get(name, f"%{name}"))

    for node in graph.node:
        node.input[:] = [new(name) for name in node.input]
        node.output[:] = [new(name) for name in node.output]
    for thing in (*graph.initializer, *graph.input, *graph.output):
        thing.name = new(thing.name)


def _code(dtype: DType) -> int:
    code: int = helper.np_dtype_to_tensor_dtype(np.dtype(NUMPY[dtype]))
    return code


Handler = Callable[[_Graph, Instr], Any]


def _plain(kind: str) -> Handler:
    return lambda graph, i: graph.node(kind, *i.args, out=i.out[0])


def _attrs(kind: str, **renamed: str) -> Handler:
    """A node whose ONNX attributes are the instruction's, by other names."""
    return lambda graph, i: graph.node(
        kind, *i.args, out=i.out[0], **{k: _plain_value(i, v) for k, v in renamed.items()}
    )


def _plain_value(i: Instr, name: str) -> Any:
    value = i.attr(name)
    return list(value) if isinstance(value, tuple) else value


def _const(graph: _Graph, i: Instr) -> None:
    type, value = graph.types[i.out[0]], i.attr("value")
    if following(value) or following(type.shape):
        _following_const(graph, i.out[0], type, value)
        return
    array = np.array(value, NUMPY[type.dtype])
    graph.constant(
        np.broadcast_to(array, type.shape) if array.size != type.size else array.reshape(type.shape), i.out[0]
    )


def _following_const(graph: _Graph, name: str, type: Type, value: Any) -> None:
    if isinstance(value, tuple):
        raise FixedError("a constant of several numbers follows a size")
    if isinstance(value, PerSize):
        number = graph.node("Cast", graph.fraction(value), to=_code(type.dtype))
    elif isinstance(value, Size):
        number = graph.node("Cast", graph.whole(value), to=_code(type.dtype))
    else:
        number = graph.constant(np.array([value], NUMPY[type.dtype]))
    if type.shape:
        graph.node("Expand", number, graph.numbers(type.shape), out=name)
    else:
        graph.node("Squeeze", number, graph.numbers([0]), out=name)


def _iota(graph: _Graph, i: Instr) -> None:
    type, dim = graph.types[i.out[0]], int(_plain_value(i, "dim"))
    size = type.shape[dim]
    if following(type.shape):
        zero, one = (graph.constant(np.array(n, np.int64)) for n in (0, 1))
        last = graph.node("Squeeze", graph.whole(size)) if isinstance(size, Size) else graph.constant(np.array(size))
        line = graph.node("Range", zero, last, one)
        line = graph.node("Reshape", line, graph.numbers([-1 if d == dim else 1 for d in range(type.rank)]))
        graph.node("Cast", graph.node("Expand", line, graph.numbers(type.shape)), out=i.out[0], to=_code(type.dtype))
        return
    column = np.arange(type.shape[dim]).reshape([-1 if d == dim else 1 for d in range(type.rank)])
    graph.constant(np.broadcast_to(column, type.shape).astype(NUMPY[type.dtype]), i.out[0])


def _shaped(kind: str) -> Handler:
    return lambda graph, i: graph.node(kind, i.args[0], graph.numbers(i.attr("shape")), out=i.out[0])


def _slice(graph: _Graph, i: Instr) -> None:
    axes = range(len(graph.shape(i.args[0])))
    parts = [graph.numbers(v) for v in (i.attr("starts"), i.attr("stops"), list(axes), i.attr("steps"))]
    graph.node("Slice", i.args[0], *parts, out=i.out[0])


def _flip(graph: _Graph, i: Instr) -> None:
    dims = _plain_value(i, "dims")
    ends = ([-1] * len(dims), [-(2**62)] * len(dims), dims, [-1] * len(dims))
    graph.node("Slice", i.args[0], *(graph.numbers(v) for v in ends), out=i.out[0])


def _pad(graph: _Graph, i: Instr) -> None:
    if following(i.attr("value")):
        raise FixedError("what pads a value follows a size")
    value = graph.constant(np.array(i.attr("value"), NUMPY[graph.types[i.out[0]].dtype]))
    amounts = (*_plain_value(i, "low"), *_plain_value(i, "high"))
    graph.node("Pad", i.args[0], graph.numbers(amounts), value, out=i.out[0])


def _reduce(kind: str) -> Handler:
    def handler(graph: _Graph, i: Instr) -> None:
        dims, keep = graph.numbers(i.attr("dims")), int(bool(i.attr("keep")))
        graph.node(kind, i.args[0], dims, out=i.out[0], keepdims=keep, noop_with_empty_axes=1)

    return handler


def _cast(graph: _Graph, i: Instr) -> None:
    graph.node("Cast", i.args[0], out=i.out[0], to=_code(graph.types[i.out[0]].dtype))


def _gather(graph: _Graph, i: Instr) -> None:
    if len(i.args) == 2:
        graph.node("Gather", *i.args, out=i.out[0], axis=0)
        return
    shape = broadcast(*(graph.shape(a) for a in i.args[1:]))
    columns = []
    for index in i.args[1:]:
        wide = graph.node("Expand", graph.node("Cast", index, to=_code(DType.I64)), graph.numbers(shape))
        columns.append(graph.node("Unsqueeze", wide, graph.numbers([-1])))
    graph.node("GatherND", i.args[0], graph.node("Concat", *columns, axis=-1), out=i.out[0])


def _where(graph: _Graph, i: Instr) -> None:
    """By `and` and `or` for bools, for which ONNX Runtime has no Where."""
    condition, a, b = i.args
    if graph.types[i.out[0]].dtype is not DType.BOOL:
        graph.node("Where", condition, a, b, out=i.out[0])
        return
    other = graph.node("And", graph.node("Not", condition), b)
    graph.node("Or", graph.node("And", condition, a), other, out=i.out[0])


def _window(graph: _Graph, i: Instr) -> None:
    if following(graph.shape(i.args[0])[-len(_plain_value(i, "size")) :]):
        raise FixedError("windows over the batch follow its size")
    size, stride, dilation = (_plain_value(i, name) for name in ("size", "stride", "dilation"))
    value, shape = i.args[0], list(graph.shape(i.args[0]))
    rank, count = len(shape), len(size)
    for place in reversed(range(count)):
        axis, span = rank - count + place, (size[place] - 1) * dilation[place] + 1
        starts = np.arange((shape[axis] - span) // stride[place] + 1) * stride[place]
        places = graph.constant((starts[:, None] + np.arange(size[place]) * dilation[place]).astype(np.int64))
        value = graph.node("Gather", value, places, axis=axis)
    fixed = list(range(rank - count))
    first = [rank - count + 2 * place for place in range(count)]
    graph.node("Transpose", value, out=i.out[0], perm=[*fixed, *first, *(axis + 1 for axis in first)])


def _scan(graph: _Graph, i: Instr) -> None:
    if i.attr("kind") != "add":
        raise CaptureError(f"a running {i.attr('kind')} has no form in ONNX; leave it out of what is exported")
    graph.node("CumSum", i.args[0], graph.constant(np.array(i.attr("dim"), np.int64)), out=i.out[0])


def _conv(graph: _Graph, i: Instr) -> None:
    how = {"strides": _plain_value(i, "stride"), "dilations": _plain_value(i, "dilation"), "group": i.attr("groups")}
    graph.node("Conv", *i.args, out=i.out[0], pads=_plain_value(i, "padding") * 2, **how)


SIZED = frozenset({Op.CONST, Op.IOTA, Op.RESHAPE, Op.BROADCAST, Op.SLICE, Op.PAD})
"""Operations whose attributes may follow a size."""

BASE: dict[Op, Handler] = {
    Op.CONST: _const,
    Op.IOTA: _iota,
    Op.RESHAPE: _shaped("Reshape"),
    Op.BROADCAST: _shaped("Expand"),
    Op.PERMUTE: _attrs("Transpose", perm="dims"),
    Op.SLICE: _slice,
    Op.FLIP: _flip,
    Op.PAD: _pad,
    Op.CAT: _attrs("Concat", axis="dim"),
    Op.ADD: _plain("Add"),
    Op.SUB: _plain("Sub"),
    Op.MUL: _plain("Mul"),
    Op.DIV: _plain("Div"),
    Op.NEG: _plain("Neg"),
    Op.ABS: _plain("Abs"),
    Op.SQRT: _plain("Sqrt"),
    Op.EXP: _plain("Exp"),
    Op.LOG: _plain("Log"),
    Op.SIN: _plain("Sin"),
    Op.COS: _plain("Cos"),
    Op.TANH: _plain("Tanh"),
    Op.ERF: _plain("Erf"),
    Op.POW: _plain("Pow"),
    Op.MAX: _plain("Max"),
    Op.MIN: _plain("Min"),
    Op.FLOOR: _plain("Floor"),
    Op.LT: _plain("Less"),
    Op.LE: _plain("LessOrEqual"),
    Op.EQ: _plain("Equal"),
    Op.WHERE: _where,
    Op.CAST: _cast,
    Op.AND: _plain("And"),
    Op.OR: _plain("Or"),
    Op.XOR: _plain("Xor"),
    Op.NOT: _plain("Not"),
    Op.DOT: _plain("MatMul"),
    Op.SUM: _reduce("ReduceSum"),
    Op.REDUCE_MAX: _reduce("ReduceMax"),
    Op.ARGMAX: lambda graph, i: graph.node(
        "ArgMax", i.args[0], out=i.out[0], axis=i.attr("dim"), keepdims=int(bool(i.attr("keep")))
    ),
    Op.SCAN: _scan,
    Op.GATHER: _gather,
    Op.WINDOW: _window,
    Op.PROBE: _plain("Identity"),
}
"""Base operations in ONNX."""

NAMED: dict[Op, Handler] = {
    Op.RELU: _plain("Relu"),
    Op.SIGMOID: _plain("Sigmoid"),
    Op.RECIPROCAL: _plain("Reciprocal"),
    Op.SIGN: _plain("Sign"),
    Op.MEAN: _reduce("ReduceMean"),
    Op.SOFTMAX: _attrs("Softmax", axis="dim"),
    Op.LOG_SOFTMAX: _attrs("LogSoftmax", axis="dim"),
    Op.CONV: _conv,
}
"""Macros that ONNX has a name for."""
