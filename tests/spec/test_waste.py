"""Waste is counted exactly: against waste that was planted, and zeros against counting one multiplication at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import ontogeny as og
from ontogeny.ask import idle
from ontogeny.ask.balance import Balance
from ontogeny.ask.redundant import repeated, unused
from ontogeny.ask.waste import (
    CONSTANT,
    DEAD,
    IGNORED,
    LOST,
    MASKED,
    MEMORY,
    PADDING,
    REMEDIES,
    TWICE,
    UNUSED,
    ZERO,
    Waste,
    waste,
)
from ontogeny.ask.zeros import products
from ontogeny.isa.cost import Cost
from ontogeny.isa.errors import RecordError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr
from ontogeny.isa.text import from_text
from ontogeny.machine.learner import Learner
from ontogeny.record.trace.traces import Window
from tests.spec.training import GPT, cross_entropy

STEPS, SAMPLED = 6, 3
HALF = np.dtype(ml_dtypes.bfloat16)

PLANTED = """
program planted
param w: f32[4,3]
param dead: f32[3]
param coarse: bf16[6]
dial lr: f64[] = 0.5
input x: f32[8,4]

routine learn() -> loss:
  %x = read {name=x}
  %w = read {name=w}
  %p = dot %x %w                                                                   ; forward | model.py:1
  %again = dot %x %w                                                               ; forward | model.py:2
  %unused = exp %x                                                                 ; forward | model.py:3
  %ones = const {value=1.0, dtype=f32, shape=[7]}
  %same = exp %ones                                                                ; forward | model.py:4
  %total = sum %same {dims=[0], keep=false}                                        ; forward | model.py:5
  %both = add %p %again                                                            ; forward | model.py:6
  %loss = mean %both {dims=[0,1], keep=false}                                      ; forward | model.py:7
  %all = mul %loss %total                                                          ; forward | model.py:8
  %column = sum %p {dims=[0], keep=false}                                          ; backward
  %mask = const {value=[1.0, 0.0, 0.0], dtype=f32, shape=[3]}
  %g = mul %column %mask                                                           ; backward
  %most = reduce_max %x {dims=[0,1], keep=false}                                   ; backward
  %one = cast %most {dtype=bf16}                                                   ; backward
  %steep = const {value=[0.5, 0.0001, 0.0, 0.0001, 0.25, 0.0001], dtype=bf16, shape=[6]}
  %c = mul %steep %one                                                             ; backward
  %lr = read {name=lr}                                                             ; update
  %rate = neg %lr                                                                  ; update
  %old = read {name=dead}                                                          ; update
  %new = axpy %old %g %rate                                                        ; update
  %rough = read {name=coarse}                                                      ; update
  %rougher = axpy %rough %c %rate                                                  ; update
  commit %new {name=dead}                                                          ; update
  commit %rougher {name=coarse}                                                    ; update
  return loss=%all
"""


def planted(folder: Path, machine: str) -> og.Run:
    """x has two columns of zeros and w a row of them; the largest x is 1."""
    x = np.ones((16, 4), np.float32)
    x[:, :2] = 0
    w = np.arange(12, dtype=np.float32).reshape(4, 3) + 1
    w[3] = 0
    values = {"w": w, "dead": np.ones(3, np.float32), "coarse": np.ones(6, HALF)}
    run = og.create(folder, Learner(from_text(PLANTED), values), og.Arrays({"x": x}, 8), machine=machine)
    run.advance(STEPS)
    return run


@pytest.fixture(params=["reference", "compiled"])
def found(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Waste]:
    with planted(tmp_path / "run", request.param) as run:
        yield waste(run, samples=SAMPLED)


def by_line(found: Waste, kind: str) -> dict[str, tuple[int, int, float]]:
    return {line.where or line.what: (line.count, line.of, line.operations) for line in found.of(kind)}


def test_zero_operands_are_counted(found: Waste) -> None:
    # Columns 0 and 1 of x are zero, and row 3 of w: only k = 2 of four is left, so 3 in 4 of 8*4*3 are with a zero.
    assert found.steps == (0, 2, 5)
    assert (found.multiply_adds, found.zero) == (2 * 96 * SAMPLED, 2 * 72 * SAMPLED)
    lines = by_line(found, ZERO)
    assert lines["model.py:1"] == lines["model.py:2"] == (72 * SAMPLED, 96 * SAMPLED, 144)
    mask, steep = (next(v for k, v in lines.items() if text in k) for text in ("%column %mask", "%steep %one"))
    assert mask == (2 * SAMPLED, 3 * SAMPLED, 2) and steep == (SAMPLED, 6 * SAMPLED, 1)


def test_updates_lost_to_rounding_are_counted(found: Waste) -> None:
    tensors = {tensor.name: tensor for tensor in found.tensors}
    assert tensors["coarse"].lost == (3, 3, 3) and tensors["coarse"].updates == (5, 5, 5)
    assert tensors["dead"].lost == (0, 0, 0) and tensors["dead"].updates == (1, 1, 1)
    (line,) = found.of(LOST)
    assert (line.what, line.count, line.of) == ("coarse", 9, 15)
    assert line.operations == pytest.approx(0.5 * (6 * 2 + 1))  # half of the axpy and of the rate's sign


def test_parameters_without_a_gradient_are_counted(found: Waste) -> None:
    counted = {line.what: (line.count, line.of) for line in found.of(DEAD)}
    assert counted == {"dead": (2, 3), "coarse": (1, 6)}


def test_updates_are_worked_out_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with planted(tmp_path / "run", "reference") as run:
        whole = waste(run, samples=SAMPLED).tensors
        monkeypatch.setattr(idle, "PIECE", 2)
        assert waste(run, samples=SAMPLED).tensors == whole


def test_what_could_be_left_out_is_named(found: Waste) -> None:
    assert set(by_line(found, UNUSED)) == {"model.py:3"} and by_line(found, UNUSED)["model.py:3"][2] == 32
    assert set(by_line(found, TWICE)) == {"model.py:2"} and by_line(found, TWICE)["model.py:2"][2] == 192
    assert "as instruction 3" in found.of(TWICE)[0].what
    constant = by_line(found, CONSTANT)
    assert "model.py:4" in constant and "model.py:1" in constant and "model.py:3" not in constant  # x never changes


def test_lines_stand_for_seconds_and_say_what_would_remove_them(found: Waste) -> None:
    seconds = [line.seconds for line in found.lines]
    assert seconds == sorted(seconds, reverse=True) and 0 < max(seconds) <= found.seconds
    assert all(line.remedy and 0 <= line.share <= 1 for line in found.lines) and set(REMEDIES) >= {ZERO, MEMORY}
    total = og.routine_cost(from_text(PLANTED), "learn").total.operations
    assert found.operations == total


# Zeros, one multiplication at a time


def sparse(*shape: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (random.standard_normal(shape) * (random.random(shape) < 0.6)).astype(np.float32)


def test_zeros_of_products_are_those_of_every_multiplication() -> None:
    a, b = sparse(2, 3, 4), sparse(2, 4, 5, seed=1)
    counted = products(Instr(("y",), Op.DOT, ("a", "b")), (a, b))
    one_by_one = [not (a[i, m, k] and b[i, k, n]) for i, m, k, n in product(range(2), range(3), range(4), range(5))]
    assert counted and (counted.count, counted.zero, counted.added) == (len(one_by_one), sum(one_by_one), True)
    linear = products(Instr(("y",), Op.LINEAR, ("c", "a", "b")), (sparse(5), a[0], b[0]))
    assert linear == products(Instr(("y",), Op.DOT, ("a", "b")), (a[0], b[0]))
    row, scalar = sparse(4, seed=3), np.array(0.0)
    times = products(Instr(("y",), Op.MUL, ("a", "b")), (a, row))
    assert times and (times.count, times.zero, times.added) == (24, int(((a == 0) | (row == 0)).sum()), False)
    scaled = products(Instr(("y",), Op.SCALE, ("a", "b")), (a, scalar))
    assert scaled and scaled.zero == scaled.count == 24
    assert products(Instr(("y",), Op.ADD, ("a", "b")), (a, a)) is None


@pytest.mark.parametrize(("groups", "stride", "dilation"), [(1, (1, 1), (1, 1)), (2, (2, 1), (1, 2))])
def test_zeros_of_convolutions_are_those_of_every_multiplication(groups: int, stride: Any, dilation: Any) -> None:
    x, w = sparse(2, 4, 6, 7), sparse(6, 4 // groups, 3, 2, seed=1)
    padding = (1, 0)
    attrs = (("stride", stride), ("padding", padding), ("dilation", dilation), ("groups", groups))
    y = F.conv2d(torch.from_numpy(x), torch.from_numpy(w), None, stride, padding, dilation, groups)
    g = sparse(*y.shape, seed=2)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0)))
    forward = backward = count = 0
    for n, o, i, j, c, k, m in product(*map(range, (*y.shape, 4 // groups, 3, 2))):
        channel = o // (6 // groups) * (4 // groups) + c
        value = padded[n, channel, i * stride[0] + k * dilation[0], j * stride[1] + m * dilation[1]]
        count += 1
        forward += not (value and w[o, c, k, m])
        backward += int(not (g[n, o, i, j] and w[o, c, k, m])) + int(not (g[n, o, i, j] and value))
    found = products(Instr(("y",), Op.CONV, ("x", "w"), attrs), (x, w))
    assert found and (found.count, found.zero) == (count, forward)
    found = products(Instr(("a", "b", "c"), Op.CONV_BACKWARD, ("g", "x", "w"), attrs), (g, x, w))
    assert found and (found.count, found.zero) == (2 * count, backward)


# What is told from the text, from inputs and from masks


def test_what_is_made_of_repeated_values_is_repeated_too() -> None:
    text = """
program p
input x: f32[4]

routine r() -> y:
  %x = read {name=x}
  %a = exp %x
  %x2 = read {name=x}
  %b = exp %x2
  %c = mul %a %x
  %d = mul %b %x2
  %e = mul %x %a
  %y = add %c %d
  return y=%y
"""
    routine = from_text(text).routine("r")
    assert repeated(routine) == {3: 1, 4: 2, 6: 5}
    assert unused(routine) == {7}


class Padded(nn.Module):
    """Tokens to classes, by the sum of their rows."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(9, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.embed(x).sum(1)


def test_padding_and_ignored_targets_are_counted(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    x = random.integers(1, 8, (24, 6))
    x[:, 0] = 8  # in every row: no padding
    lengths = random.integers(2, 7, 24)
    for row, length in zip(x, lengths, strict=True):
        row[length:] = 0
    y = random.integers(0, 4, 24)
    y[::4] = -100
    learner = og.capture(Padded(), cross_entropy, og.sgd(lr=0.1), {"x": x[:8], "y": y[:8]})
    with og.create(tmp_path / "run", learner, og.Arrays({"x": x, "y": y}, 8)) as run:
        run.advance(3)  # one epoch: every example once
        found = waste(run)
    (padding,), (ignored,) = found.of(PADDING), found.of(IGNORED)
    assert (padding.count, padding.of) == (int((6 - lengths).sum()), 24 * 6) and "filled with 0" in padding.what
    assert (ignored.count, ignored.of) == (6, 24)


def test_masks_and_padding_at_the_beginning_are_counted(tmp_path: Path) -> None:
    text = """
program p
param w: f32[9]
input x: i64[4,5]
input keep: bool[4,5]
input loss_mask: f32[4,5]

routine learn() -> loss:
  %x = read {name=x}
  %keep = read {name=keep}
  %mask = read {name=loss_mask}
  %w = read {name=w}
  %h = gather %w %x
  %none = const {value=0.0, dtype=f32, shape=[]}
  %k = where %keep %h %none
  %m = mul %k %mask
  %loss = mean %m {dims=[0,1], keep=false}
  return loss=%loss
"""
    x = np.full((8, 5), 3)
    x[:, 4] = 1
    for row, pad in enumerate((0, 1, 3, 2, 0, 0, 1, 1)):
        x[row, :pad] = 8
    keep = x != 8
    columns = {"x": x, "keep": keep, "loss_mask": keep.astype(np.float32)}
    learner = Learner(from_text(text), {"w": np.ones(9, np.float32)})
    with og.create(tmp_path / "run", learner, og.Arrays(columns, 4), machine="reference") as run:
        run.advance(2)  # one epoch
        found = {line.what: (line.count, line.of) for line in waste(run).of(PADDING)}
    assert found == {
        "positions of x at the beginning of rows, filled with 8": (8, 40),
        "positions that the mask keep leaves out": (8, 40),
        "positions that the mask loss_mask leaves out": (8, 40),
    }


def test_masked_attention_is_counted(tmp_path: Path) -> None:
    torch.manual_seed(0)
    x = np.random.default_rng(0).integers(0, 65, (8, 16))
    learner = og.capture(GPT(depth=2), cross_entropy, og.sgd(lr=0.1), {"x": x[:4], "y": x[:4]})
    with og.create(tmp_path / "run", learner, og.Arrays({"x": x, "y": x}, 4)) as run:
        run.advance(2)
        found = waste(run)
    masked = found.of(MASKED)
    heads, length, size = 4, 16, 8
    assert [(line.count, line.of) for line in masked] == [(2 * 4 * heads * 120, 2 * 4 * heads * 256)] * 2
    both = 2 * 2 * 4 * heads * length * length * size  # two products of multiply-adds
    assert all(both * 120 / 256 < line.operations < 2 * both * 120 / 256 for line in masked)
    assert all("scaled_dot_product_attention" in line.where for line in masked)


# Memory, and what goes wrong


def test_memory_bounds_what_has_more_bytes_than_operations() -> None:
    measured = Balance(1e9, ((1000, 1e9), (10_000, 1e8)))
    assert measured.waiting(Cost(999, 600, 400)) == pytest.approx(1e-6)
    assert measured.waiting(Cost(1001, 600, 400)) == 0
    assert measured.waiting(Cost(0, 20_000, 0)) == pytest.approx(2e-4)


def test_a_copy_waits_for_memory_and_a_large_product_does_not(tmp_path: Path) -> None:
    text = """
program p
param w: f32[512,512]
input x: f32[512,512]

routine learn() -> loss:
  %x = read {name=x}
  %w = read {name=w}
  %y = dot %x %w     ; forward | product
  %z = neg %y        ; forward | copy
  %loss = mean %z {dims=[0,1], keep=false}
  return loss=%loss
"""
    square = np.ones((512, 512), np.float32)
    learner = Learner(from_text(text), {"w": square})
    with og.create(tmp_path / "run", learner, og.Arrays({"x": square}, 512)) as run:
        run.advance(2)
        found = waste(run)
    where = {line.where for line in found.of(MEMORY)}
    assert found.balance is not None and "copy" in where and "product" not in where


def test_windows_without_steps_and_loops_of_others_are_refused(tmp_path: Path) -> None:
    with planted(tmp_path / "run", "reference") as run:
        assert waste(run, Window(2, 4)).steps == (2, 3)
        with pytest.raises(RecordError, match="no step is taken"):
            waste(run, Window(STEPS, None))
    with pytest.raises(RecordError, match="a loop that is not ours"):
        waste(object())  # type: ignore[arg-type]
