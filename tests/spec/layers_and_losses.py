"""What people commonly write in PyTorch: layers, functions of a tensor, and losses, each with an input for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ROWS, PICTURE, SERIES, SEQUENCE = (6, 8), (2, 4, 8, 8), (2, 4, 12), (3, 5, 8)

LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "conv1d": (lambda: nn.Conv1d(4, 6, 3, padding=1, stride=2), SERIES),
    "conv1d, dilation, groups": (lambda: nn.Conv1d(4, 8, 3, dilation=2, groups=2), SERIES),
    "conv1d, same": (lambda: nn.Conv1d(4, 4, 3, padding="same"), SERIES),
    "conv1d, same, even": (lambda: nn.Conv1d(4, 4, 4, padding="same"), SERIES),
    "conv1d, circular": (lambda: nn.Conv1d(4, 4, 3, padding=1, padding_mode="circular"), SERIES),
    "conv1d, reflect": (lambda: nn.Conv1d(4, 4, 3, padding=1, padding_mode="reflect"), SERIES),
    "conv2d": (lambda: nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), bias=False), PICTURE),
    "conv2d, depthwise": (lambda: nn.Conv2d(4, 4, 3, groups=4, dilation=2), PICTURE),
    "conv2d, replicate": (lambda: nn.Conv2d(4, 4, 3, padding=1, padding_mode="replicate"), PICTURE),
    "conv2d, reflect": (lambda: nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"), PICTURE),
    "conv3d": (lambda: nn.Conv3d(2, 3, 2, stride=2), (2, 2, 4, 4, 4)),
    "conv2d, no batch": (lambda: nn.Conv2d(4, 6, 3), (4, 6, 6)),
    "transposed 1d": (lambda: nn.ConvTranspose1d(4, 3, 4, stride=2, padding=1), SERIES),
    "transposed 2d": (lambda: nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1), PICTURE),
    "transposed 2d, groups": (lambda: nn.ConvTranspose2d(4, 6, 3, groups=2, dilation=2, bias=False), PICTURE),
    "transposed 3d": (lambda: nn.ConvTranspose3d(2, 3, 2, stride=2), (2, 2, 3, 3, 3)),
    "max pool 1d": (lambda: nn.MaxPool1d(2), SERIES),
    "max pool 2d": (lambda: nn.MaxPool2d(3, stride=2, padding=1), PICTURE),
    "max pool 2d, ceil": (lambda: nn.MaxPool2d(3, stride=2, ceil_mode=True), PICTURE),
    "max pool 2d, dilation": (lambda: nn.MaxPool2d(2, stride=1, dilation=2), PICTURE),
    "max pool 3d": (lambda: nn.MaxPool3d(2), (2, 2, 4, 4, 4)),
    "average pool 1d": (lambda: nn.AvgPool1d(2), SERIES),
    "average pool 2d": (lambda: nn.AvgPool2d(2), PICTURE),
    "average pool 2d, padding left out": (lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False), PICTURE),
    "average pool 2d, ceil": (lambda: nn.AvgPool2d(3, 2, ceil_mode=True), PICTURE),
    "average pool 3d": (lambda: nn.AvgPool3d(2), (2, 2, 4, 4, 4)),
    "adaptive average 1d": (lambda: nn.AdaptiveAvgPool1d(1), SERIES),
    "adaptive average 1d, uneven": (lambda: nn.AdaptiveAvgPool1d(5), SERIES),
    "adaptive average 2d": (lambda: nn.AdaptiveAvgPool2d(2), PICTURE),
    "adaptive average 2d, uneven": (lambda: nn.AdaptiveAvgPool2d((3, 5)), PICTURE),
    "adaptive average 2d, one": (lambda: nn.AdaptiveAvgPool2d(1), PICTURE),
    "adaptive max 1d": (lambda: nn.AdaptiveMaxPool1d(3), SERIES),
    "adaptive max 2d": (lambda: nn.AdaptiveMaxPool2d(2), PICTURE),
    "adaptive max 2d, one": (lambda: nn.AdaptiveMaxPool2d(1), PICTURE),
    "lp pool": (lambda: nn.LPPool2d(2, 2), PICTURE),
    "batch norm 1d": (lambda: nn.BatchNorm1d(8), ROWS),
    "batch norm 1d, series": (lambda: nn.BatchNorm1d(4), SERIES),
    "batch norm 2d": (lambda: nn.BatchNorm2d(4), PICTURE),
    "batch norm 2d, plain": (lambda: nn.BatchNorm2d(4, affine=False, track_running_stats=False), PICTURE),
    "group norm": (lambda: nn.GroupNorm(2, 4), PICTURE),
    "group norm, plain": (lambda: nn.GroupNorm(2, 4, affine=False), PICTURE),
    "instance norm": (lambda: nn.InstanceNorm2d(4), PICTURE),
    "instance norm, affine": (lambda: nn.InstanceNorm2d(4, affine=True), PICTURE),
    "instance norm, tracked": (lambda: nn.InstanceNorm2d(4, affine=True, track_running_stats=True), PICTURE),
    "layer norm": (lambda: nn.LayerNorm(8), ROWS),
    "layer norm, no bias": (lambda: nn.LayerNorm((5, 8), bias=False), SEQUENCE),
    "layer norm, plain": (lambda: nn.LayerNorm(8, elementwise_affine=False), ROWS),
    "rms norm": (lambda: nn.RMSNorm(8), ROWS),
    "rms norm, eps": (lambda: nn.RMSNorm(8, eps=1e-5, elementwise_affine=False), SEQUENCE),
    "local response norm": (lambda: nn.LocalResponseNorm(2), PICTURE),
    "attention": (lambda: _Self(nn.MultiheadAttention(8, 2, batch_first=True)), SEQUENCE),
    "attention, weights asked": (lambda: _Self(nn.MultiheadAttention(8, 2, add_bias_kv=True), True), SEQUENCE),
    "attention, causal mask": (lambda: _Causal(), SEQUENCE),
    "encoder": (lambda: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True), SEQUENCE),
    "encoder, norm first": (lambda: nn.TransformerEncoderLayer(8, 2, 16, 0.1, "gelu", norm_first=True), SEQUENCE),
    "encoder stack": (lambda: nn.TransformerEncoder(_encoder_layer(), 2), SEQUENCE),
    "decoder": (lambda: _Pair(nn.TransformerDecoderLayer(8, 2, 16, 0.0, batch_first=True)), SEQUENCE),
    "transformer": (lambda: _Pair(nn.Transformer(8, 2, 1, 1, 16, 0.0, batch_first=True)), SEQUENCE),
    "rnn": (lambda: nn.RNN(8, 6, batch_first=True), SEQUENCE),
    "rnn, relu": (lambda: nn.RNN(8, 6, nonlinearity="relu"), SEQUENCE),
    "gru": (lambda: nn.GRU(8, 6, batch_first=True), SEQUENCE),
    "gru, two layers, both ways": (lambda: nn.GRU(8, 6, 2, bidirectional=True), SEQUENCE),
    "lstm": (lambda: nn.LSTM(8, 6), SEQUENCE),
    "lstm, both ways": (lambda: nn.LSTM(8, 6, bidirectional=True, batch_first=True), SEQUENCE),
    "lstm, projection": (lambda: nn.LSTM(8, 6, proj_size=3), SEQUENCE),
    "lstm cell": (lambda: nn.LSTMCell(8, 6), ROWS),
    "gru cell": (lambda: nn.GRUCell(8, 6), ROWS),
    "rnn cell": (lambda: nn.RNNCell(8, 6), ROWS),
    "bilinear": (lambda: _Pair(nn.Bilinear(8, 8, 3)), ROWS),
    "prelu": (lambda: nn.PReLU(4), PICTURE),
    "prelu, one": (lambda: nn.PReLU(), ROWS),
    "pixel shuffle": (lambda: nn.PixelShuffle(2), PICTURE),
    "pixel unshuffle": (lambda: nn.PixelUnshuffle(2), PICTURE),
    "channel shuffle": (lambda: nn.ChannelShuffle(2), PICTURE),
    "unfold": (lambda: nn.Unfold(3, padding=1, stride=2), PICTURE),
    "fold": (lambda: nn.Sequential(nn.Unfold(2, stride=2), nn.Fold(8, 2, stride=2)), PICTURE),
    "upsample, nearest 1d": (lambda: nn.Upsample(scale_factor=2), SERIES),
    "upsample, nearest": (lambda: nn.Upsample(scale_factor=2), PICTURE),
    "upsample, nearest, down": (lambda: nn.Upsample(size=(5, 11)), PICTURE),
    "upsample, nearest 3d": (lambda: nn.Upsample(scale_factor=2), (2, 2, 3, 3, 3)),
    "upsample, linear": (lambda: nn.Upsample(scale_factor=2, mode="linear"), SERIES),
    "upsample, bilinear": (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), PICTURE),
    "upsample, bilinear, corners": (lambda: nn.Upsample(size=(5, 11), mode="bilinear", align_corners=True), PICTURE),
    "upsample, bicubic": (lambda: nn.Upsample(scale_factor=2, mode="bicubic"), PICTURE),
    "upsample, trilinear": (lambda: nn.Upsample(scale_factor=2, mode="trilinear"), (2, 2, 3, 3, 3)),
    "dropout": (lambda: nn.Dropout(0.3), ROWS),
    "dropout 2d": (lambda: nn.Dropout2d(0.3), PICTURE),
    "alpha dropout": (lambda: nn.AlphaDropout(0.3), ROWS),
    "weight norm": (lambda: torch.nn.utils.parametrizations.weight_norm(nn.Linear(8, 4)), ROWS),
    "spectral norm": (lambda: torch.nn.utils.parametrizations.spectral_norm(nn.Linear(8, 4)), ROWS),
    "reflection pad": (lambda: nn.ReflectionPad2d(2), PICTURE),
    "replication pad": (lambda: nn.ReplicationPad1d(2), SERIES),
    "circular pad": (lambda: nn.CircularPad2d(2), PICTURE),
    "zero pad": (lambda: nn.ZeroPad2d((1, 2, 0, 1)), PICTURE),
    "cosine similarity": (lambda: _Pair(nn.CosineSimilarity()), ROWS),
    "pairwise distance": (lambda: _Pair(nn.PairwiseDistance()), ROWS),
}
"""Layers, with the shape of their input."""

ACTIVATIONS = [
    nn.ReLU, nn.ReLU6, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish, nn.Hardsigmoid, nn.Hardtanh,
    nn.Hardshrink, nn.Softshrink, nn.Tanhshrink, nn.LeakyReLU, nn.Softplus, nn.Softsign, nn.LogSigmoid, nn.Sigmoid,
    nn.Tanh,
]  # fmt: skip
LAYERS |= {one.__name__: (one, ROWS) for one in ACTIVATIONS}
LAYERS |= {
    "GELU, tanh": (lambda: nn.GELU("tanh"), ROWS),
    "GLU": (nn.GLU, ROWS),
    "Threshold": (lambda: nn.Threshold(0.1, 0.5), ROWS),
    "Softmax": (lambda: nn.Softmax(-1), ROWS),
    "Softmin": (lambda: nn.Softmin(1), ROWS),
    "LogSoftmax": (lambda: nn.LogSoftmax(0), ROWS),
}

TENSORS: dict[str, Callable[[Tensor], Any]] = {
    "slice by a step": lambda x: x[::2, 1::3],
    "slice by a step, series": lambda x: x[1:5:2] * 3,
    "eye": lambda x: x[:, :6] + torch.eye(6),
    "eye, oblong": lambda x: x * torch.eye(6, 8),
    "tril": lambda x: torch.tril(x, 1) + torch.triu(x, -1),
    "diagonal": lambda x: torch.diagonal(x[:, :6]).square(),
    "diagonal, made": lambda x: torch.diag(x[0]) + torch.diag_embed(x[1]),
    "trace": lambda x: torch.trace(x[:, :6]),
    "cumsum": lambda x: torch.cumsum(x, 1),
    "cumprod": lambda x: torch.cumprod(x, 1),
    "cummax": lambda x: torch.cummax(x, 1)[0],
    "logcumsumexp": lambda x: torch.logcumsumexp(x, 1),
    "einsum, product": lambda x: torch.einsum("ij,kj->ik", x, x),
    "einsum, outer": lambda x: torch.einsum("i,j->ij", x[0], x[1]),
    "einsum, batch": lambda x: torch.einsum("bij,bjk->bik", x.view(2, 3, 8), x.view(2, 8, 3)),
    "einsum, diagonal": lambda x: torch.einsum("ii->i", x[:, :6]),
    "einsum, three": lambda x: torch.einsum("ij,jk,kl->il", x, x.t(), x),
    "matmul, broadcast": lambda x: x.view(2, 3, 8) @ x.t(),
    "outer": lambda x: torch.outer(x[0], x[1]),
    "cross": lambda x: torch.cross(x[:, :3], x[:, 3:6], 1),
    "kron": lambda x: torch.kron(x[:2, :2], x[2:4, :2]),
    "bmm": lambda x: torch.baddbmm(torch.ones(2, 3, 3), x.view(2, 3, 8), x.view(2, 8, 3), beta=0.5, alpha=2),
    "tensordot": lambda x: torch.tensordot(x, x, ([1], [1])),
    "index_select": lambda x: torch.index_select(x, 1, torch.tensor([3, 0, 3])),
    "index_add": lambda x: torch.zeros(4, 8).index_add(0, torch.tensor([0, 1, 1, 3, 2, 0]), x),
    "index_copy": lambda x: x.index_copy(0, torch.tensor([1, 0]), x[2:4] * 2),
    "index_fill": lambda x: x.index_fill(1, torch.tensor([1, 3]), 2.0),
    "index, two": lambda x: x[torch.tensor([0, 2]), torch.tensor([1, 5])],
    "index, last": lambda x: x[:, torch.tensor([[0, 2], [1, 5]])],
    "index, middle": lambda x: x.view(3, 2, 2, 4)[:, torch.tensor([1, 0]), torch.tensor([1, 1])],
    "index, apart": lambda x: x.view(3, 2, 8)[torch.tensor([1, 0]), :, torch.tensor([1, 1])],
    "gather": lambda x: x.gather(1, torch.tensor([[0, 1], [7, 7], [2, 0]])),
    "take_along_dim": lambda x: torch.take_along_dim(x, x.argsort(1), 1),
    "take": lambda x: torch.take(x, torch.tensor([0, 9, 9])),
    "scatter": lambda x: torch.zeros(6, 8).scatter(1, torch.arange(6).view(6, 1), x[:, :1]),
    "scatter, number": lambda x: x.scatter(1, torch.arange(6).view(6, 1), 2.0),
    "scatter_add": lambda x: torch.zeros(6, 3).scatter_add(1, torch.arange(48).view(6, 8) % 3, x),
    "scatter_reduce": lambda x: torch.zeros(6, 3).scatter_reduce(1, torch.arange(48).view(6, 8) % 3, x, "sum"),
    "masked_fill": lambda x: x.masked_fill(x > 0, 2.0),
    "clamp": lambda x: x.clamp(-0.5, 0.5) + x.clamp(min=0.1) + x.clamp(max=x.mean()),
    "where": lambda x: torch.where(x > 0, x, x.exp()),
    "sort": lambda x: torch.sort(x, 1, descending=True)[0] * torch.arange(8),
    "argsort": lambda x: x * x.argsort(0),
    "topk": lambda x: torch.topk(x, 3, dim=1)[0],
    "topk, smallest": lambda x: torch.topk(x, 2, dim=0, largest=False)[0],
    "kthvalue": lambda x: torch.kthvalue(x, 3, 1)[0],
    "median": lambda x: torch.median(x, 1)[0],
    "argmax": lambda x: x * F.one_hot(x.argmax(1), 8),
    "argmin": lambda x: x * F.one_hot(x.argmin(1), 8),
    "max": lambda x: x.max() + x.min(),
    "max over a dimension": lambda x: x.max(1)[0] + x.min(1, keepdim=True)[0].squeeze(1),
    "amax": lambda x: x.amax((0, 1)) + x.amin(0).sum(),
    "aminmax": lambda x: x.aminmax()[0],
    "maximum": lambda x: torch.maximum(x[:3], x[3:]) + torch.minimum(x[:3], x[3:]).square(),
    "var": lambda x: x.var(1) + x.var(1, unbiased=False),
    "std": lambda x: x.std(0) * x.std(),
    "var_mean": lambda x: torch.var_mean(x, 1)[0] * torch.var_mean(x, 1)[1],
    "std_mean": lambda x: torch.std_mean(x)[0],
    "norm": lambda x: x.norm() + x.norm(dim=1),
    "norm, one": lambda x: x.norm(1, dim=1) + torch.linalg.norm(x, ord=float("inf"), dim=1),
    "norm, three": lambda x: torch.linalg.vector_norm(x, 3, dim=0),
    "norm, matrix": lambda x: torch.linalg.matrix_norm(x),
    "normalize": lambda x: F.normalize(x, dim=1),
    "normalize, one": lambda x: F.normalize(x, p=1.0, dim=0),
    "cdist": lambda x: torch.cdist(x, x[:3] + 1.0),
    "dist": lambda x: torch.dist(x[0], x[1]),
    "prod": lambda x: x.prod(1),
    "prod, all": lambda x: x[:2, :2].prod(),
    "logsumexp": lambda x: x.logsumexp(1),
    "logaddexp": lambda x: torch.logaddexp(x[:3], x[3:]),
    "softplus, beta": lambda x: F.softplus(x, beta=2.0),
    "exponents": lambda x: x.exp() + torch.expm1(x) + torch.exp2(x),
    "logarithms": lambda x: (x.abs() + 1).log2() + (x.abs() + 1).log10() + torch.log1p(x.abs()),
    "powers": lambda x: x.pow(2) + x.pow(3) + x.abs().pow(1.5) + 2.0**x + x.abs().sqrt() + x.square().rsqrt(),
    "power of tensors": lambda x: (x.abs() + 0.5) ** x,
    "trigonometry": lambda x: x.sin() + x.cos() + torch.tan(x),
    "hyperbolic": lambda x: torch.sinh(x) + torch.cosh(x) + x.tanh() + torch.asinh(x) + torch.atanh(x / 9),
    "rounding": lambda x: x * (x.floor() + x.ceil() + x.round() + x.trunc() + x.frac()),
    "sigmoids": lambda x: x.sigmoid() + torch.logit(x.sigmoid() * 0.9) + F.logsigmoid(x),
    "error function": lambda x: torch.erf(x) + torch.erfc(x),
    "xlogy": lambda x: torch.xlogy(x.abs(), x.abs() + 1) + torch.sinc(x),
    "signs": lambda x: x.sign() * x + x.abs() + torch.copysign(x, -x.detach()),
    "fmod": lambda x: torch.fmod(x, 0.7) + torch.remainder(x, 0.7),
    "divide": lambda x: torch.div(x, 0.3, rounding_mode="floor") + x / (x.abs() + 1) + 1 / (x * x + 1),
    "lerp": lambda x: torch.lerp(x[:3], x[3:], 0.3) + torch.lerp(x[:3], x[3:], x[:3].sigmoid()),
    "hypot": lambda x: torch.hypot(x[:3], x[3:]),
    "addcmul": lambda x: torch.addcmul(x, x, x, value=0.5) + torch.addcdiv(x, x, x.abs() + 1),
    "nan_to_num": lambda x: torch.nan_to_num(x),
    "isnan": lambda x: torch.where(x.isnan() | x.isinf() | ~x.isfinite(), 0.0, x),
    "count_nonzero": lambda x: x * (x > 0).count_nonzero(),
    "any": lambda x: x * (x > 1).any() + x * (x > -1).all(1, keepdim=True),
    "logical": lambda x: x * torch.logical_xor(x > 0, x < 1).float(),
    "bits and a number": lambda x: x * ((((100 * x).long() & 12) ^ 5) | 2).float(),
    "roll": lambda x: torch.roll(x, (1, -2), (0, 1)),
    "roll, flat": lambda x: torch.roll(x, 3) * x,
    "flip": lambda x: x.flip(0) * torch.fliplr(x),
    "rot90": lambda x: torch.rot90(x).square(),
    "repeat": lambda x: x.repeat(2, 3).square(),
    "repeat_interleave": lambda x: x.repeat_interleave(2, dim=1).square(),
    "tile": lambda x: torch.tile(x, (2, 1)),
    "stack, chunk, split": lambda x: torch.stack(x.chunk(2, 1)).sum(0) + torch.cat(x.split([3, 5], 1), 1)[:, :4],
    "unbind": lambda x: sum(x.unbind(1)),
    "unfold": lambda x: x.unfold(1, 3, 2),
    "meshgrid": lambda x: x.t()[:6].t() * torch.meshgrid(torch.arange(6), torch.arange(6), indexing="ij")[0],
    "movements": lambda x: x.t().unsqueeze(0).squeeze().movedim(0, 1).swapaxes(0, 1).flatten().unflatten(0, (4, 12)),
    "expand": lambda x: x[:, :1].expand(6, 4) * x[:1, :4].expand_as(x[:, :4]),
    "select in place": lambda x: _assigned(x),
    "mask in place": lambda x: x.clone().masked_fill_(x > 0, 0.5),
    "linspace": lambda x: x * torch.linspace(0, 1, 8) + torch.logspace(0, 1, 8),
    "arange": lambda x: x * torch.arange(0, 4, 0.5) + torch.arange(8, 0, -1),
    "full": lambda x: x * torch.full((8,), 2.0) + x.new_full((8,), 3) + torch.zeros_like(x) + torch.ones(8),
    "half and back": lambda x: (x.to(torch.bfloat16) * 2).float() + x.double().float(),
    "one_hot": lambda x: x @ F.one_hot(torch.arange(8) % 3, 3).float(),
    "bucketize": lambda x: x * torch.bucketize(x, torch.tensor([-0.5, 0.5])),
    "searchsorted": lambda x: x * torch.searchsorted(torch.tensor([-0.5, 0.5]), x, right=True),
    "detach": lambda x: x * x.detach(),
    "gradient stopped": lambda x: (x.round() - x).detach() + x,
    "dropout function": lambda x: F.dropout(x, 0.2),
    "noise": lambda x: x * torch.rand_like(x) + torch.rand(8),
    "normal noise": lambda x: x * torch.randn_like(x) + torch.randn(6, 1),
    "attention function": lambda x: F.scaled_dot_product_attention(x.view(1, 2, 3, 8), *[x.view(1, 2, 3, 8)] * 2),
    "attention, grouped": lambda x: F.scaled_dot_product_attention(
        x.view(1, 2, 3, 8), *[x.view(1, 2, 3, 8)[:, :1]] * 2, is_causal=True, enable_gqa=True
    ),
    "grid_sample": lambda x: F.grid_sample(
        x.view(1, 1, 6, 8), x[:4, :4].reshape(1, 4, 2, 2).tanh(), align_corners=False
    ),
}
"""Functions of a float tensor [6, 8]."""

LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross entropy": lambda a, y: F.cross_entropy(a, y),
    "cross entropy, weights": lambda a, y: F.cross_entropy(a, y, weight=torch.arange(1.0, 9.0)),
    "cross entropy, smoothing": lambda a, y: F.cross_entropy(a, y, label_smoothing=0.1),
    "cross entropy, weights, smoothing": lambda a, y: F.cross_entropy(
        a, y, weight=torch.arange(1.0, 9.0), label_smoothing=0.1
    ),
    "cross entropy, sum": lambda a, y: F.cross_entropy(a, y, reduction="sum"),
    "cross entropy, none": lambda a, y: (F.cross_entropy(a, y, reduction="none") * torch.arange(6)).mean(),
    "cross entropy, weights, sum": lambda a, y: F.cross_entropy(a, y, torch.arange(1.0, 9.0), reduction="sum"),
    "cross entropy, weights, none": lambda a, y: F.cross_entropy(a, y, torch.arange(1.0, 9.0), reduction="none").var(),
    "cross entropy, ignored": lambda a, y: F.cross_entropy(a, torch.where(y > 3, y, -100)),
    "cross entropy, ignored, weights": lambda a, y: F.cross_entropy(a, y, torch.arange(1.0, 9.0), ignore_index=2),
    "cross entropy, ignored, none": lambda a, y: F.cross_entropy(a, y, ignore_index=2, reduction="none").sum(),
    "cross entropy, ignored, smoothing": lambda a, y: F.cross_entropy(a, y, ignore_index=2, label_smoothing=0.2),
    "cross entropy, probabilities": lambda a, y: F.cross_entropy(a, F.one_hot(y, 8).float() * 0.9 + 0.0125),
    "cross entropy, places": lambda a, y: F.cross_entropy(a.view(2, 3, 8).transpose(1, 2), y.view(2, 3)),
    "cross entropy, places, weights": lambda a, y: F.cross_entropy(
        a.view(2, 3, 8).transpose(1, 2), y.view(2, 3), torch.arange(1.0, 9.0)
    ),
    "cross entropy, picture": lambda a, y: F.cross_entropy(a.view(1, 8, 2, 3), y.view(1, 2, 3), reduction="sum"),
    "cross entropy, one example": lambda a, y: F.cross_entropy(a[0], y[0]),
    "nll": lambda a, y: F.nll_loss(F.log_softmax(a, 1), y),
    "binary cross entropy, logits": lambda a, y: F.binary_cross_entropy_with_logits(a, F.one_hot(y, 8).float()),
    "binary cross entropy, logits, weights": lambda a, y: F.binary_cross_entropy_with_logits(
        a, F.one_hot(y, 8).float(), weight=torch.arange(8.0), pos_weight=torch.arange(1.0, 9.0), reduction="sum"
    ),
    "binary cross entropy": lambda a, y: F.binary_cross_entropy(a.sigmoid(), F.one_hot(y, 8).float()),
    "binary cross entropy, weights": lambda a, y: F.binary_cross_entropy(
        a.sigmoid(), F.one_hot(y, 8).float(), torch.arange(8.0), reduction="sum"
    ),
    "kl": lambda a, y: F.kl_div(a.log_softmax(1), F.one_hot(y, 8) * 0.9 + 0.0125, reduction="batchmean"),
    "kl, log": lambda a, y: F.kl_div(
        a.log_softmax(1), a.detach().flip(1).log_softmax(1), log_target=True, reduction="sum"
    ),
    "mse": lambda a, y: F.mse_loss(a, F.one_hot(y, 8).float()),
    "mse, sum": lambda a, y: F.mse_loss(a, F.one_hot(y, 8).float(), reduction="sum"),
    "mse, none": lambda a, y: F.mse_loss(a, F.one_hot(y, 8).float(), reduction="none").max(),
    "l1": lambda a, y: F.l1_loss(a, F.one_hot(y, 8).float()),
    "l1, sum": lambda a, y: F.l1_loss(a, F.one_hot(y, 8).float(), reduction="sum"),
    "smooth l1": lambda a, y: F.smooth_l1_loss(a, F.one_hot(y, 8).float()),
    "smooth l1, beta": lambda a, y: F.smooth_l1_loss(a, F.one_hot(y, 8).float(), beta=0.3, reduction="sum"),
    "smooth l1, none": lambda a, y: F.smooth_l1_loss(a, F.one_hot(y, 8).float(), reduction="none").square().mean(),
    "huber": lambda a, y: F.huber_loss(a, F.one_hot(y, 8).float()),
    "huber, delta": lambda a, y: F.huber_loss(a, F.one_hot(y, 8).float(), delta=0.3, reduction="sum"),
    "huber, none": lambda a, y: F.huber_loss(a, F.one_hot(y, 8).float(), reduction="none").square().mean(),
    "poisson": lambda a, y: F.poisson_nll_loss(a, F.one_hot(y, 8).float()),
    "poisson, full": lambda a, y: F.poisson_nll_loss(a, y.view(6, 1) * torch.ones(8), full=True),
    "gaussian": lambda a, y: F.gaussian_nll_loss(a, F.one_hot(y, 8).float(), a.exp()),
    "cosine": lambda a, y: 1 - F.cosine_similarity(a, F.one_hot(y, 8).float()).mean(),
    "cosine embedding": lambda a, y: F.cosine_embedding_loss(a[:3], a[3:], torch.tensor([1, -1, 1])),
    "margin ranking": lambda a, y: F.margin_ranking_loss(a[:3], a[3:], torch.tensor([[1.0], [-1.0], [1.0]])),
    "hinge embedding": lambda a, y: F.hinge_embedding_loss(a, F.one_hot(y, 8) * 2 - 1),
    "soft margin": lambda a, y: F.soft_margin_loss(a, (F.one_hot(y, 8) * 2 - 1).float()),
    "triplet": lambda a, y: F.triplet_margin_loss(a[:2], a[2:4], a[4:]),
    "multilabel soft margin": lambda a, y: F.multilabel_soft_margin_loss(a, F.one_hot(y, 8).float()),
}
"""Losses of scores [6, 8] and targets i64[6] below 8."""

REFUSED: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "atan2": (lambda x: torch.atan2(x, x + 1), "'atan2'"),
    "inverse": (lambda x: torch.linalg.inv(x[:, :6]), "'linalg_inv_ex'"),
    "cholesky": (lambda x: torch.linalg.cholesky(x @ x.t()), "'linalg_cholesky_ex'"),
    "multi margin": (lambda x: F.multi_margin_loss(x, torch.arange(6)), "'multi_margin_loss_backward'"),
    "adaptive max pool, uneven": (lambda x: F.adaptive_max_pool2d(x[None], (4, 3)), "'adaptive_max_pool2d'"),
    "randomised leaky relu": (lambda x: F.rrelu(x, training=True), "'rrelu_with_noise_functional'"),
    "one_hot of any width": (lambda x: x * F.one_hot(x.argmax(1)), "give it num_classes"),
    "largest norm": (lambda x: F.embedding(torch.arange(6), x.clone(), max_norm=1.0), "leave max_norm out"),
    "bag with offsets": (lambda x: F.embedding_bag(torch.arange(6), x, torch.tensor([0, 3])), "padding_idx"),
    "scatter_reduce": (lambda x: x.scatter_reduce(0, torch.zeros(1, 8).long(), x[:1], "amax"), "'sum'"),
    "nonzero": (lambda x: x[x.nonzero()[:, 0]], "depends on the value of a tensor"),
    "mask": (lambda x: torch.masked_select(x, x > 0), "depends on the value of a tensor"),
}
"""What cannot be captured of a tensor [6, 8], and words that the error has."""

WORDS: dict[str, Callable[[], nn.Module]] = {
    "embedding": lambda: nn.Embedding(8, 5),
    "embedding, padding": lambda: nn.Embedding(8, 5, padding_idx=2),
    "embedding, by frequency": lambda: nn.Embedding(8, 5, scale_grad_by_freq=True),
    "bag, sum": lambda: nn.EmbeddingBag(8, 5, mode="sum"),
    "bag, mean": lambda: nn.EmbeddingBag(8, 5, mode="mean"),
    "bag, max": lambda: nn.EmbeddingBag(8, 5, mode="max"),
    "bag, padding": lambda: nn.EmbeddingBag(8, 5, mode="mean", padding_idx=2),
}
"""Layers over i64[6, 4] below 8."""


def _assigned(x: Tensor) -> Tensor:
    y = x.clone()
    y[:, 0] = 2.0
    y[1] = x[0] * 3
    y[2:4, ::2] += 1.0
    return y


def _encoder_layer() -> nn.Module:
    return nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)


class _Self(nn.Module):
    """Attention of a sequence to itself."""

    def __init__(self, inner: nn.Module, weights: bool = False) -> None:
        super().__init__()
        self.inner, self.weights = inner, weights

    def forward(self, x: Tensor) -> Any:
        return self.inner(x, x, x, need_weights=self.weights)


class _Causal(nn.Module):
    """Attention to what came before."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: Tensor) -> Any:
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        padded = torch.tensor([[False] * 4 + [True]] * 3)
        return self.inner(x, x, x, attn_mask=mask.isinf(), key_padding_mask=padded, is_causal=True)


class _Pair(nn.Module):
    """A module of two tensors, given one and its mirror image."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Any:
        return self.inner(x, x.flip(0) + 0.5)
