"""What each base operation runs in torch. A kernel maker gets the instruction with its types and gives a function.

Operands that are constants or host scalars arrive as Python numbers where `NUMBERS` says the function takes them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr
from ontogeny.isa.types import DType, Type
from ontogeny.machine.compiled.convert import TORCH, to_numpy, to_torch
from ontogeny.machine.reference import MEANING

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Site:
    """An instruction with its types, on a device."""

    instr: Instr
    operands: tuple[Type, ...]
    results: tuple[Type, ...]
    device: str

    def __getitem__(self, name: str) -> Any:
        return self.instr.attr(name)


Maker = Callable[[Site], Function]
WIDE = frozenset({DType.U16, DType.U32, DType.U64})
NUMBERS = frozenset({Op.ADD, Op.SUB, Op.MUL, Op.LT, Op.LE, Op.EQ, Op.WHERE, Op.POW})
FIRST_IS_TENSOR = frozenset({Op.DIV})


def by_reference(site: Site) -> Function:
    """The reference machine's own meaning: for what torch does not do in this number format."""
    meaning = MEANING[site.instr.op]

    def run(*args: torch.Tensor) -> Any:
        arrays: Any = tuple(to_numpy(a) for a in args)
        out = meaning(None, site.instr, arrays)  # type: ignore[arg-type]
        results = tuple(to_torch(a, t.dtype, site.device) for a, t in zip(out or (), site.results, strict=True))
        return results[0] if len(results) == 1 else results

    return run


def plain(function: Function) -> Maker:
    """A kernel that needs no attributes."""
    return lambda site: function


def _reshape(site: Site) -> Function:
    shape = site["shape"]
    return lambda a: a.reshape(shape)


def _permute(site: Site) -> Function:
    dims = site["dims"]
    return (lambda a: a.t()) if dims == (1, 0) else (lambda a: a.permute(dims))


def _broadcast(site: Site) -> Function:
    shape = site["shape"]
    return lambda a: a.expand(shape)


def _slice(site: Site) -> Function:
    places = tuple(slice(a, b, s) for a, b, s in zip(site["starts"], site["stops"], site["steps"], strict=True))
    moved = [d for d, p in enumerate(places) if (p.start, p.stop, p.step) != (0, site.operands[0].shape[d], 1)]
    if len(moved) == 1 and places[moved[0]].step == 1:
        dim, start, length = moved[0], places[moved[0]].start, places[moved[0]].stop - places[moved[0]].start
        return lambda a: a.narrow(dim, start, length)
    return lambda a: a[places]


def _pad(site: Site) -> Function:
    amounts = [n for pair in reversed(list(zip(site["low"], site["high"], strict=True))) for n in pair]
    value = site["value"]
    return lambda a: F.pad(a, amounts, value=value)


def _cat(site: Site) -> Function:
    dim = site["dim"]
    return lambda *parts: torch.cat(parts, dim)


def _flip(site: Site) -> Function:
    dims = site["dims"]
    return lambda a: a.flip(dims)


def _iota(site: Site) -> Function:
    shape, dim, dtype, device = site["shape"], site["dim"], TORCH[site["dtype"]], site.device
    column = [-1 if d == dim else 1 for d in range(len(shape))]
    return lambda: torch.arange(shape[dim], device=device).to(dtype).reshape(column).expand(shape)


def _cast(site: Site) -> Function:
    dtype = TORCH[site["dtype"]]
    return lambda a: a.to(dtype)


def _bitcast(site: Site) -> Function:
    dtype = TORCH[site["dtype"]]
    return lambda a: a.view(dtype)


def _dot(site: Site) -> Function:
    rank = site.operands[0].rank
    return torch.mm if rank == 2 else torch.bmm if rank == 3 else torch.matmul


def _window(site: Site) -> Function:
    size, stride, dilation = site["size"], site["stride"], site["dilation"]
    first = site.operands[0].rank - len(size)
    whole = zip(size, dilation, strict=True)
    spans = [(n - 1) * d + 1 for n, d in whole]

    def run(a: torch.Tensor) -> torch.Tensor:
        for place, (span, step) in enumerate(zip(spans, stride, strict=True)):
            a = a.unfold(first + place, span, step)
        steps: Any = (..., *(slice(None, None, d) for d in dilation))
        return a[steps]

    return run


def _sum(site: Site) -> Function:
    dims, keep, dtype = list(site["dims"]), site["keep"], TORCH[site.results[0].dtype]
    return (lambda a: torch.sum(a, dims, keep, dtype=dtype)) if dims else (lambda a: a)


def _reduce_max(site: Site) -> Function:
    dims, keep = list(site["dims"]), site["keep"]
    return (lambda a: torch.amax(a, dims, keep)) if dims else (lambda a: a)


def _argmax(site: Site) -> Function:
    dim, keep = site["dim"], site["keep"]
    return lambda a: torch.argmax(a, dim, keep)


def _scan(site: Site) -> Function:
    dim, dtype = site["dim"], TORCH[site.results[0].dtype]
    if site["kind"] == "max":
        return lambda a: torch.cummax(a, dim).values
    function = torch.cumsum if site["kind"] == "add" else torch.cumprod
    return lambda a: function(a, dim, dtype=dtype)


def _gather(site: Site) -> Function:
    return lambda a, *index: a[tuple(i.long() for i in index)]


def _scatter(accumulate: bool) -> Maker:
    return lambda site: lambda a, b, *index: torch.index_put(a, [i.long() for i in index], b, accumulate)


def _sort(site: Site) -> Function:
    dim, descending = site["dim"], site["descending"]
    return lambda a: tuple(torch.sort(a, dim=dim, descending=descending, stable=True))


BASE: dict[Op, Maker] = {
    Op.RESHAPE: _reshape,
    Op.PERMUTE: _permute,
    Op.BROADCAST: _broadcast,
    Op.SLICE: _slice,
    Op.PAD: _pad,
    Op.CAT: _cat,
    Op.FLIP: _flip,
    Op.IOTA: _iota,
    Op.ADD: plain(operator.add),
    Op.SUB: plain(operator.sub),
    Op.MUL: plain(operator.mul),
    Op.DIV: plain(torch.div),
    Op.REM: plain(torch.remainder),
    Op.NEG: plain(torch.neg),
    Op.ABS: plain(torch.abs),
    Op.SQRT: plain(torch.sqrt),
    Op.EXP: plain(torch.exp),
    Op.LOG: plain(torch.log),
    Op.SIN: plain(torch.sin),
    Op.COS: plain(torch.cos),
    Op.TANH: plain(torch.tanh),
    Op.ERF: plain(torch.erf),
    Op.POW: plain(torch.pow),
    Op.MAX: plain(torch.maximum),
    Op.MIN: plain(torch.minimum),
    Op.FLOOR: plain(torch.floor),
    Op.LT: plain(operator.lt),
    Op.LE: plain(operator.le),
    Op.EQ: plain(torch.eq),
    Op.WHERE: plain(torch.where),
    Op.CAST: _cast,
    Op.BITCAST: _bitcast,
    Op.AND: plain(torch.bitwise_and),
    Op.OR: plain(torch.bitwise_or),
    Op.XOR: plain(torch.bitwise_xor),
    Op.NOT: plain(torch.bitwise_not),
    Op.SHL: by_reference,
    Op.SHR: by_reference,
    Op.POPCOUNT: by_reference,
    Op.DOT: _dot,
    Op.WINDOW: _window,
    Op.SUM: _sum,
    Op.REDUCE_MAX: _reduce_max,
    Op.ARGMAX: _argmax,
    Op.SCAN: _scan,
    Op.GATHER: _gather,
    Op.SCATTER_SET: _scatter(False),
    Op.SCATTER_ADD: _scatter(True),
    Op.SORT: _sort,
    Op.RAND_BITS: by_reference,
}
VIEWS = frozenset({Op.RESHAPE, Op.PERMUTE, Op.BROADCAST, Op.SLICE, Op.CAT, Op.PROBE})
INTEGER_BY_REFERENCE = frozenset({Op.DIV, Op.REM, Op.FLOOR})


def needs_reference(site: Site) -> bool:
    """Whether torch lacks this operation in these number formats, or means something else by it."""
    formats = {t.dtype for t in (*site.operands, *site.results)}
    op = site.instr.op
    if op in VIEWS:
        return False
    if formats & WIDE:
        return True
    return op in INTEGER_BY_REFERENCE and not all(f.is_float for f in formats)
