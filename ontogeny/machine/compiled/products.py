"""Matrix products of the fast mode on the CPU: our own kernel, compiled and kept on disk with what inductor generates.

MKL runs its AVX2 kernels on processors of other makers, at half of what their wider vectors can do, and on a small
product a library spends long on being called. The kernel adds along the depth in parts, which rounds no more than MKL
does, and shares only columns between threads, so its bits do not depend on how many there are. It leans on inductor's
registry of external kernels, which torch does not promise to keep.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch._inductor import ir
from torch._inductor.codecache import CppPythonBindingsCodeCache
from torch._inductor.lowering import register_lowering
from torch._inductor.select_algorithm import ExternKernelChoice

aten = torch.ops.aten
LARGEST = 1 << 30
"""Multiply-adds of the largest product that our own kernel takes: beyond it, it would have to block for the caches."""

SOURCE = r"""
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>
// A multiplication and an addition rounded once, which inductor's flags forbid.
#ifdef __clang__
#pragma clang fp contract(fast)
#else
#pragma GCC optimize("fp-contract=fast")
#endif
typedef float vec __attribute__((vector_size(64)));
typedef int32_t pick __attribute__((vector_size(64)));
constexpr int64_t W = 16, ROWS = 8, PANEL = 2 * W, LEAST = 8, SHORT = 48, SHARED = 1 << 21;

static inline vec load(const float* p) { vec v; std::memcpy(&v, p, sizeof v); return v; }

// How many terms are added in a row. As many parts as each has terms would round least; but for each part, a block that
// fills the registers goes through memory.
static inline int64_t part_of(int64_t depth, bool narrow) {
    int64_t even = std::max(LEAST, static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(depth)))));
    int64_t size = narrow ? even : std::max(even, std::min(SHORT, (depth + 1) / 2));
    int64_t parts = (depth + size - 1) / size;
    return (depth + parts - 1) / parts;
}

// R rows times C vectors of the result: each part of the depth is summed in registers, and the parts' sums are added.
template <int R, int C>
static inline void block(const float* a, int64_t am, int64_t ak, const float* b, int64_t bk, const float* start,
                         float* out, int64_t row, int64_t depth, int64_t part, int64_t wide) {
    vec total[R][C];
    for (int r = 0; r < R; ++r)
        for (int j = 0; j < C; ++j) total[r][j] = load(start + j * W);
    for (int64_t k = 0; k < depth;) {
        vec sum[R][C] = {};
        for (int64_t end = std::min(depth, k + part); k < end; ++k)
            for (int j = 0; j < C; ++j) {
                vec right = load(b + k * bk + j * W);
                for (int r = 0; r < R; ++r) sum[r][j] += a[r * am + k * ak] * right;
            }
        for (int r = 0; r < R; ++r)
            for (int j = 0; j < C; ++j) total[r][j] += sum[r][j];
    }
    if (wide == C * W)
        for (int r = 0; r < R; ++r) std::memcpy(out + r * row, &total[r][0], C * sizeof(vec));
    else
        for (int r = 0; r < R; ++r) std::memcpy(out + r * row, &total[r][0], wide * sizeof(float));
}

template <int C>
static inline void column(const float* a, int64_t am, int64_t ak, const float* b, int64_t bk, const float* start,
                          float* out, int64_t row, int64_t m, int64_t depth, int64_t wide) {
    int64_t i = 0, part = part_of(depth, C == 1), even = part_of(depth, true);
    for (; i + ROWS <= m; i += ROWS)
        block<ROWS, C>(a + i * am, am, ak, b, bk, start, out + i * row, row, depth, part, wide);
    for (; i < m; ++i) block<1, C>(a + i * am, am, ak, b, bk, start, out + i * row, row, depth, even, wide);
}

#ifndef __clang__
template <int S>
static inline void exchange(vec* rows) {
    pick low, high;
    for (int q = 0; q < W; ++q) { low[q] = q & S ? W + (q ^ S) : q; high[q] = q & S ? W + q : (q ^ S); }
    for (int r = 0; r < W; ++r)
        if (!(r & S)) {
            vec one = rows[r], two = rows[r + S];
            rows[r] = __builtin_shuffle(one, two, low);
            rows[r + S] = __builtin_shuffle(one, two, high);
        }
}
#endif

// W x W elements, turned: what lies along the depth in `from` lies across it in `to`.
static inline void turned(const float* from, int64_t bk, int64_t bn, float* to, int64_t step) {
#ifndef __clang__
    if (bk == 1) {
        vec rows[W];
        for (int r = 0; r < W; ++r) rows[r] = load(from + r * bn);
        exchange<8>(rows); exchange<4>(rows); exchange<2>(rows); exchange<1>(rows);
        for (int r = 0; r < W; ++r) std::memcpy(to + r * step, &rows[r], sizeof(vec));
        return;
    }
#endif
    for (int64_t k = 0; k < W; ++k)
        for (int64_t q = 0; q < W; ++q) to[k * step + q] = from[k * bk + q * bn];
}

// `wide` columns of b, beside one another and filled up with zeros to `step`.
static inline void packed(const float* b, int64_t bk, int64_t bn, float* to, int64_t step, int64_t depth,
                          int64_t wide) {
    for (int64_t q = 0; q < step; q += W) {
        int64_t k = 0, here = std::clamp<int64_t>(wide - q, 0, W);
        if (here == W)
            for (; k + W <= depth; k += W) turned(b + k * bk + q * bn, bk, bn, to + k * step + q, step);
        for (; k < depth; ++k)
            for (int64_t p = 0; p < W; ++p) to[k * step + q + p] = p < here ? b[k * bk + (q + p) * bn] : 0.0f;
    }
}

extern "C" void kernel(const float* bias, const float* a, const float* b, float* out, const int64_t biased,
                       const int64_t m, const int64_t n, const int64_t depth,
                       const int64_t am, const int64_t ak, const int64_t bk, const int64_t bn) {
    #pragma omp parallel for if (m * n * depth > SHARED)
    for (int64_t j = 0; j < n; j += PANEL) {
        static thread_local std::vector<float> room;
        if (static_cast<int64_t>(room.size()) < depth * PANEL) room.resize(depth * PANEL);
        int64_t wide = std::min(PANEL, n - j), step = bk, full = wide > W ? PANEL : W;
        const float* from = b + j * bn;
        if (bn != 1 || wide != full) {
            packed(from, bk, bn, room.data(), full, depth, wide);
            from = room.data(), step = full;
        }
        float start[PANEL] = {};
        if (biased) std::copy_n(bias + j, wide, start);
        if (full == PANEL) column<2>(a, am, ak, from, step, start, out + j, n, m, depth, wide);
        else column<1>(a, am, ak, from, step, start, out + j, n, m, depth, wide);
    }
}
"""
TYPES = ["const float*", "const float*", "const float*", "float*", *["const int64_t"] * 8]


@cache
def _kernel() -> Callable[..., None]:
    """Our own kernel, compiled at its first use."""
    kernel: Callable[..., None] = CppPythonBindingsCodeCache.load_pybinding(TYPES, SOURCE)
    return kernel


def ontogeny_mm(a: torch.Tensor, b: torch.Tensor, *, out: torch.Tensor) -> None:
    """`out` = a b, of f32 matrices with any strides; `out` is contiguous."""
    (m, depth), n = a.shape, b.shape[1]
    _kernel()(a, a, b, out, 0, m, n, depth, *a.stride(), *b.stride())


def ontogeny_addmm(bias: torch.Tensor, a: torch.Tensor, b: torch.Tensor, *, out: torch.Tensor) -> None:
    """`out` = bias + a b, the bias a contiguous vector."""
    (m, depth), n = a.shape, b.shape[1]
    _kernel()(bias, a, b, out, 1, m, n, depth, *a.stride(), *b.stride())


@torch.library.custom_op("ontogeny::mm", mutates_args=())
def small_mm(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """A product that our own kernel takes."""
    return torch.mm(a, b)


@torch.library.custom_op("ontogeny::addmm", mutates_args=())
def small_addmm(bias: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """A product and a bias that our own kernel takes."""
    return torch.addmm(bias, a, b)


small_mm.register_fake(lambda a, b: a.new_empty(a.shape[0], b.shape[1]))
small_addmm.register_fake(lambda bias, a, b: a.new_empty(a.shape[0], b.shape[1]))


def _lowered(op: Any, function: Callable[..., None]) -> None:
    """Has inductor call `function` for `op`, with its result in a buffer that inductor plans."""
    choice = ExternKernelChoice(function)

    def lower(*operands: Any) -> Any:
        inputs = [ir.ExternKernel.realize_input(operand) for operand in operands]
        size = [inputs[-2].get_size()[0], inputs[-1].get_size()[1]]
        layout = ir.FixedLayout(inputs[-1].get_device(), inputs[-1].get_dtype(), size)
        return choice.bind(inputs, layout).output_node()

    register_lowering(op, type_promotion_kind=None)(lower)


_lowered(torch.ops.ontogeny.mm.default, ontogeny_mm)
_lowered(torch.ops.ontogeny.addmm.default, ontogeny_addmm)


def _mm(a: torch.Tensor, b: torch.Tensor) -> Any:
    if not _ours(a, b):
        return NotImplemented
    return torch.ops.ontogeny.mm(a, b)


def _addmm(bias: torch.Tensor, a: torch.Tensor, b: torch.Tensor, **scales: Any) -> Any:
    if scales or bias.shape != b.shape[1:] or not bias.is_contiguous() or not _ours(a, b):
        return NotImplemented
    return torch.ops.ontogeny.addmm(bias, a, b)


def _ours(a: torch.Tensor, b: torch.Tensor) -> bool:
    plain = a.device.type == "cpu" and a.dtype is torch.float32 and b.dtype is torch.float32
    return plain and 0 < a.shape[0] * a.shape[1] * b.shape[1] <= LARGEST


PRODUCTS: dict[Any, Callable[..., Any]] = {aten.mm.default: _mm, aten.addmm.default: _addmm}
"""What each product becomes while the fast mode traces; NotImplemented leaves it as it is."""
