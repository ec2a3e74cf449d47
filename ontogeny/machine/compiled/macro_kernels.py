"""What each macro runs in torch: ATen's own fused kernels, so that the bits are those of plain PyTorch.

A macro without an entry is expanded into base operations.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ontogeny.isa.op import Op
from ontogeny.machine.compiled.base_kernels import WIDE, Function, Maker, Site, plain
from ontogeny.machine.compiled.convert import TORCH
from ontogeny.machine.compiled.threefry import uniform

aten = torch.ops.aten


def _relu_backward(site: Site) -> Function:
    threshold = site["threshold"]
    return lambda g, a: aten.threshold_backward(g, a, threshold)


def _gelu(site: Site) -> Function:
    approximate = site["approximate"]
    return lambda a: F.gelu(a, approximate=approximate)


def _gelu_backward(site: Site) -> Function:
    approximate = site["approximate"]
    if site.operands[0].shape != site.operands[1].shape:
        return lambda g, a: aten.gelu_backward(*torch.broadcast_tensors(g, a), approximate=approximate)
    return lambda g, a: aten.gelu_backward(g, a, approximate=approximate)


def _addcmul(a: torch.Tensor, b: torch.Tensor, c: torch.Tensor, value: Any) -> torch.Tensor:
    if isinstance(value, torch.Tensor):
        return (a + value * b * c).to(a.dtype)
    return torch.addcmul(a, b, c, value=value)


def _addcdiv(a: torch.Tensor, b: torch.Tensor, c: torch.Tensor, value: Any) -> torch.Tensor:
    if isinstance(value, torch.Tensor):
        return (a + value * b / c).to(a.dtype)
    return torch.addcdiv(a, b, c, value=value)


def _axpy(a: torch.Tensor, b: torch.Tensor, value: Any) -> torch.Tensor:
    if isinstance(value, torch.Tensor):
        return (a + value * b).to(a.dtype)
    return torch.add(a, b, alpha=value)


def _scale(a: torch.Tensor, value: Any) -> torch.Tensor:
    return torch.mul(a, value).to(a.dtype)


def _lerp(a: torch.Tensor, b: torch.Tensor, weight: Any) -> torch.Tensor:
    if isinstance(weight, torch.Tensor):
        weight = weight.to(a.dtype)
        return torch.where(weight.abs() < 0.5, a + weight * (b - a), b - (b - a) * (1 - weight))
    return torch.lerp(a, b, weight)


def _mean(site: Site) -> Function:
    dims, keep = list(site["dims"]), site["keep"]
    return (lambda a: torch.mean(a, dims, keep)) if dims else (lambda a: a)


def _variance(site: Site) -> Function:
    dims, keep, correction = list(site["dims"]), site["keep"], site["correction"]
    return lambda a: torch.var(a, dims, correction=correction, keepdim=keep)


def _softmax(function: Any) -> Maker:
    return lambda site: lambda a, dim=site["dim"]: function(a, dim, False)


def _softmax_backward(function: Any) -> Maker:
    def make(site: Site) -> Function:
        dim, dtype = site["dim"], TORCH[site.results[0].dtype]
        return lambda g, y: function(g, y, dim, dtype)

    return make


def _layer_norm(site: Site) -> Function:
    shape, eps = site.operands[0].shape[-site["rank"] :], site["eps"]
    if len(site.operands) == 1:
        return lambda a: aten.native_layer_norm(a, shape, None, None, eps)
    return lambda a, w, b: aten.native_layer_norm(a, shape, w, b, eps)


def _layer_norm_backward(site: Site) -> Function:
    shape = site.operands[1].shape[-site["rank"] :]
    if len(site.operands) == 4:
        return lambda g, a, mean, rstd: aten.native_layer_norm_backward(
            g, a, shape, mean, rstd, None, None, [True, False, False]
        )[0]
    return lambda g, a, mean, rstd, w: aten.native_layer_norm_backward(g, a, shape, mean, rstd, w, w, [True] * 3)


def _batch_norm(site: Site) -> Function:
    train, momentum, eps = site["train"], site["momentum"], site["eps"]

    def run(a: Any, w: Any, b: Any, running_mean: Any, running_var: Any) -> Any:
        if not train:
            y, _, _ = aten.native_batch_norm(a, w, b, running_mean, running_var, False, momentum, eps)
            return y, running_mean, torch.rsqrt(running_var + eps), running_mean, running_var
        return aten._native_batch_norm_legit_functional(a, w, b, running_mean, running_var, True, momentum, eps)

    return run


def _batch_norm_backward(site: Site) -> Function:
    train, eps = site["train"], site["eps"]
    return lambda g, a, w, rm, rv, mean, rstd: aten.native_batch_norm_backward(
        g, a, w, rm, rv, mean, rstd, train, eps, [True] * 3
    )


def _conv(site: Site) -> Function:
    how = _conv_options(site)
    if len(site.operands) == 2:
        return lambda a, w: aten.convolution(a, w, None, *how)
    return lambda a, w, b: aten.convolution(a, w, b, *how)


def _conv_options(site: Site) -> tuple[Any, ...]:
    zeros = [0] * len(site["stride"])
    return list(site["stride"]), list(site["padding"]), list(site["dilation"]), False, zeros, site["groups"]


def _conv_backward(site: Site) -> Function:
    how, channels = _conv_options(site), [site.operands[2].shape[0]]
    return lambda g, a, w: aten.convolution_backward(g, a, w, channels, *how, [True] * 3)


def _max_pool(site: Site) -> Function:
    size, stride, padding = site["size"], site["stride"], site["padding"]
    return lambda a: aten.max_pool2d_with_indices(a, size, stride, padding, [1, 1], False)


def _max_pool_backward(site: Site) -> Function:
    size, stride, padding = site["size"], site["stride"], site["padding"]
    return lambda g, a, at: aten.max_pool2d_with_indices_backward(g, a, size, stride, padding, [1, 1], False, at)


def _avg_pool(site: Site) -> Function:
    size, stride, padding = site["size"], site["stride"], site["padding"]
    return lambda a: aten.avg_pool2d(a, size, stride, padding)


def _avg_pool_backward(site: Site) -> Function:
    size, stride, padding = site["size"], site["stride"], site["padding"]
    return lambda g, a: aten.avg_pool2d_backward(g, a, size, stride, padding, False, True, None)


def _nll(site: Site) -> Function:
    ignore = site["ignore"]
    return lambda a, target: aten.nll_loss_forward(a, target, None, 1, ignore)


def _nll_backward(site: Site) -> Function:
    ignore = site["ignore"]
    return lambda g, a, target, count: aten.nll_loss_backward(g, a, target, None, 1, ignore, count)


def _embedding_backward(site: Site) -> Function:
    rows, padding = site["rows"], site["padding"]
    return lambda g, index: aten.embedding_dense_backward(g, index, rows, padding, False)


def _uniform(site: Site) -> Function:
    shape, number, device = site["shape"], site["site"], site.device
    return lambda seed, step: uniform(seed, step, number, shape, device)


def _sign(a: torch.Tensor) -> torch.Tensor:
    """As the definition says it: torch's own makes zeros of NaN and of -0."""
    found = torch.sign(a)
    return torch.where(found.bool(), found, a)


MACROS: dict[Op, Maker] = {
    Op.SIGN: plain(_sign),
    Op.RSQRT: plain(torch.rsqrt),
    Op.RECIPROCAL: plain(torch.reciprocal),
    Op.RELU: plain(torch.relu),
    Op.RELU_BACKWARD: _relu_backward,
    Op.SIGMOID: plain(torch.sigmoid),
    Op.SIGMOID_BACKWARD: plain(aten.sigmoid_backward),
    Op.TANH_BACKWARD: plain(aten.tanh_backward),
    Op.SILU: plain(F.silu),
    Op.SILU_BACKWARD: plain(aten.silu_backward),
    Op.GELU: _gelu,
    Op.GELU_BACKWARD: _gelu_backward,
    Op.LERP: plain(_lerp),
    Op.ADDCMUL: plain(_addcmul),
    Op.ADDCDIV: plain(_addcdiv),
    Op.AXPY: plain(_axpy),
    Op.SCALE: plain(_scale),
    Op.LINEAR: plain(torch.addmm),
    Op.MEAN: _mean,
    Op.VARIANCE: _variance,
    Op.SOFTMAX: _softmax(aten._softmax),
    Op.SOFTMAX_BACKWARD: _softmax_backward(aten._softmax_backward_data),
    Op.LOG_SOFTMAX: _softmax(aten._log_softmax),
    Op.LOG_SOFTMAX_BACKWARD: _softmax_backward(aten._log_softmax_backward_data),
    Op.LAYER_NORM: _layer_norm,
    Op.LAYER_NORM_BACKWARD: _layer_norm_backward,
    Op.BATCH_NORM: _batch_norm,
    Op.BATCH_NORM_BACKWARD: _batch_norm_backward,
    Op.CONV: _conv,
    Op.CONV_BACKWARD: _conv_backward,
    Op.MAX_POOL: _max_pool,
    Op.MAX_POOL_BACKWARD: _max_pool_backward,
    Op.AVG_POOL: _avg_pool,
    Op.AVG_POOL_BACKWARD: _avg_pool_backward,
    Op.NLL_LOSS: _nll,
    Op.NLL_LOSS_BACKWARD: _nll_backward,
    Op.EMBEDDING_BACKWARD: _embedding_backward,
    Op.UNIFORM: _uniform,
}
SCALAR_LAST = frozenset({Op.LERP, Op.ADDCMUL, Op.ADDCDIV, Op.AXPY, Op.SCALE})
POOLS = frozenset({Op.MAX_POOL, Op.MAX_POOL_BACKWARD, Op.AVG_POOL, Op.AVG_POOL_BACKWARD})


def fused(site: Site) -> bool:
    """Whether ATen has this macro for these formats and ranks; where not, it is expanded."""
    if any(t.dtype in WIDE for t in (*site.operands, *site.results)):
        return False
    if site.instr.op is Op.SIGN:
        return site.operands[0].rank > 0
    return site.instr.op not in POOLS or (len(site["size"]) == 2 and site.operands[0].rank == 4)
