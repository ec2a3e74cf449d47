"""What a price says: operations against formulas by hand, the arithmetic of money, and published training runs."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import ontogeny as og
from ontogeny.ask.hardware import MACHINES, with_accelerators
from ontogeny.ask.price.calibration import Calibration
from ontogeny.ask.price.charges import Charge, charges
from ontogeny.ask.price.estimate import HOUR, Terms, price
from ontogeny.ask.price.kinds import CALL, HOST, KINDS, READ
from ontogeny.ask.price.learner import step_of
from ontogeny.ask.price.medley import medley
from ontogeny.ask.price.operations import Shape, products
from ontogeny.ask.price.predict import predict
from ontogeny.ask.price.rates import Rates
from ontogeny.ask.price.strides import rows, viewed
from ontogeny.ask.price.surcharge import Footprint, Surcharge
from ontogeny.ask.price.timing import Bench
from ontogeny.isa.errors import RecordError
from ontogeny.isa.text import from_text
from ontogeny.isa.verify import verify

BATCH, LENGTH, WIDTH, LAYERS, WORDS, HEADS = 2, 8, 12, 2, 7, 3


class Attention(nn.Module):
    """Two layers of causal attention, each with a network of four times the width behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.out = nn.Embedding(WORDS, WIDTH), nn.Linear(WIDTH, WORDS, bias=False)
        self.taken = nn.ModuleList(nn.Linear(WIDTH, 3 * WIDTH) for _ in range(LAYERS))
        self.mixed = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(LAYERS))
        self.up = nn.ModuleList(nn.Linear(WIDTH, 4 * WIDTH) for _ in range(LAYERS))
        self.down = nn.ModuleList(nn.Linear(4 * WIDTH, WIDTH) for _ in range(LAYERS))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.embed(x)
        for taken, mixed, up, down in zip(self.taken, self.mixed, self.up, self.down, strict=True):
            parts = taken(h).chunk(3, -1)
            q, k, v = (part.view(*x.shape, HEADS, -1).transpose(1, 2) for part in parts)
            seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            h = h + mixed(seen.transpose(1, 2).reshape(h.shape))
            h = h + down(F.gelu(up(h)))
        return self.out(h)


def by_hand() -> tuple[int, int]:
    """Operations of products, forward and in a whole step: tokens x weights, and scores and sums of attention."""
    tokens = BATCH * LENGTH
    weights = LAYERS * (3 + 1 + 4 + 4) * WIDTH * WIDTH + WIDTH * WORDS
    pairs = LAYERS * 2 * BATCH * LENGTH * LENGTH * WIDTH
    return 2 * (tokens * weights + pairs), 6 * (tokens * weights + pairs)


def attention_learner() -> og.Learner:
    torch.manual_seed(0)
    batch = {"x": np.zeros((BATCH, LENGTH), np.int64), "y": np.zeros((BATCH, LENGTH), np.int64)}

    def loss(model: nn.Module, given: dict[str, torch.Tensor]) -> torch.Tensor:
        return F.cross_entropy(model(given["x"]).flatten(0, 1), given["y"].flatten())

    return og.capture(Attention(), loss, og.sgd(lr=0.1), batch, predict=lambda model, given: model(given["x"]))


@pytest.fixture(scope="module")
def learner() -> og.Learner:
    return attention_learner()


def test_products_are_those_of_the_formula_attention_counted(learner: og.Learner) -> None:
    program = learner.program
    forward, whole = by_hand()
    assert products(program, program.routine("predict")) == forward
    assert products(program, program.routine("learn")) == whole
    step = step_of(program)
    assert step.products == whole and step.tokens == BATCH * LENGTH and step.examples == BATCH
    assert step.parameters == sum(one.numel() for one in Attention().parameters())
    assert step.six == 6 * step.parameters * step.tokens
    assert 0 <= step.state - 8 * step.parameters < 1000  # of SGD: a weight and its gradient in f32, arenas filled up
    assert step.uses > LENGTH / 2  # a sequence meets most parameters once for each token


def test_convolutions_loops_and_conditions_count() -> None:
    text = """program p
param w: f32[4,3,3,3]
param b: f32[4]
param m: f32[5,5]
input x: f32[2,3,6,6]

routine body(%i: i64[], %a: f32[5,5]):
  %0 = dot %a %a
  return a=%0

routine learn():
  %0 = read {name=x}
  %1 = read {name=w}
  %2 = read {name=b}
  %3 = conv %0 %1 %2 {stride=[1,1], padding=[1,1], dilation=[1,1], groups=1}
  %4 = const {value=7, dtype=i64, shape=[]}
  %5 = read {name=m}
  %6 = loop %4 %5 {body=body}
  %7 = linear %5 %5 %6
  return y=%3
"""
    program = from_text(text)
    conv, each = 2 * (2 * 4 * 6 * 6) * (3 * 3 * 3), 2 * 5 * 5 * 5
    assert products(program, program.routine("learn")) == conv + 7 * each + each


def test_a_shape_is_6nd_and_its_corrections() -> None:
    plain = Shape(1e9, 2e9, epochs=3)
    assert plain.operations == 6 * 1e9 * 6e9 and plain.forward == 2e9
    whole = Shape(1e9, 1e9, layers=10, width=100, context=50)
    found = {term.name: term.operations for term in whole.terms()}
    assert found == {"6ND": 6e18, "attention": 12 * 10 * 100 * 50 * 1e9 / 2}
    every = Shape(1e9, 1e9, layers=10, width=100, context=50, causal=False)
    assert every.operations - 6e18 == 2 * (whole.operations - 6e18)
    met = Shape(1e9, 1e9, embedding=2e8, active=0.25, loops=3)
    assert met.operations == pytest.approx(6 * 8e8 * 0.25 * 3 * 1e9)
    assert Shape(1e9, 1e9, recompute=1).operations == 8e18
    assert Shape(1e9, 1e9, recompute=1).forward == 2e9


def test_a_shape_counts_as_the_program_of_that_shape_does(learner: og.Learner) -> None:
    step = step_of(learner.program)
    biases = LAYERS * (3 + 1 + 4 + 1) * WIDTH
    shape = Shape(step.parameters - biases, step.tokens, 1, LAYERS, WIDTH, LENGTH, WORDS * WIDTH, causal=False)
    assert shape.operations == step.products


@pytest.mark.parametrize(
    "given",
    [(0, 1), (1, 0), (float("nan"), 1), (1, float("inf")), (1, 1, 1, 3), (1, 1, 1, 0, 0, 0, 2), (1, 1, -1)],
)
def test_what_is_no_shape_is_refused(given: tuple[float, ...]) -> None:
    with pytest.raises(RecordError):
        Shape(*given)  # type: ignore[arg-type]


def test_a_price_is_arithmetic() -> None:
    terms = Terms("8xH100", "bf16", 0.5, 0.8, 1.2, 16, 0.9)
    found = price(989e12 * 0.5 * HOUR * 0.8 * 100, 1e9, terms)
    assert found.accelerator_hours == pytest.approx(100) and found.accelerators == 1 and not found.memory_decides
    assert found.dollars == pytest.approx(100 * 3.99) and found.watt_hours == pytest.approx(100 * 10200 / 8 * 1.2)
    large = price(1e24, 1e14, terms)
    assert large.memory_decides and large.accelerators == np.ceil(1.6e15 / (80e9 * 0.9))
    assert large.hours == pytest.approx(large.accelerator_hours / large.accelerators)
    assert price(1e20, 1e9, Terms(dollars=1.0)).dollars == price(1e20, 1e9, Terms()).accelerator_hours
    with pytest.raises(RecordError, match="do not hold"):
        price(1e24, 1e14, Terms(accelerators=100))


def test_every_assumption_is_told_with_its_value_and_source() -> None:
    told = {one.name: one for one in price(1e20, 1e9, Terms(utilisation=0.3, dollars=2.0)).assumptions}
    assert told["utilisation"].value == 0.3 and told["utilisation"].source == "as asked"
    assert told["price"].value == 2.0 and told["price"].source == "as asked"
    assert "arXiv" in told["availability"].source and all(one.source and one.unit for one in told.values())
    for name in with_accelerators():
        machine = MACHINES[name]
        assert machine.watts and machine.drawn and machine.source and machine.accelerator and machine.accelerator.source


@pytest.mark.parametrize(
    "given",
    [{"machine": "abacus"}, {"machine": "i4i.32xlarge"}, {"precision": "f8"}, {"utilisation": 0}, {"overhead": 0.9},
     {"state_bytes": -1}, {"dollars": -1}, {"accelerators": -1}, {"availability": 1.1}],
)  # fmt: skip
def test_what_is_no_price_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(RecordError):
        Terms(**given)  # type: ignore[arg-type]


def test_published_training_runs_come_out() -> None:
    """Llama 3.1 405B: 30.84 million H100 hours by its model card, 3.8e25 operations by its paper."""
    llama = Shape(405e9, 15.6e12, layers=126, width=16384, context=8192, embedding=128256 * 16384)
    assert pytest.approx(3.8e25, rel=0.01) == 6 * 405e9 * 15.6e12
    for utilisation in (0.38, 0.40, 0.41):
        found = price(llama.operations, llama.parameters, Terms(utilisation=utilisation, accelerators=16384))
        assert found.accelerator_hours == pytest.approx(30.84e6, rel=0.15)


def test_views_are_told_from_copies() -> None:
    shapes = [((4, 6), (1, 0), (24,)), ((4, 6), (0, 1), (2, 12)), ((2, 3, 4), (0, 2, 1), (2, 12)),
              ((2, 3, 4), (1, 0, 2), (3, 8)), ((2, 3, 4), (1, 0, 2), (3, 2, 2, 2)), ((5, 1, 4), (1, 0, 2), (20,)),
              ((8, 4), (1, 0), (4, 2, 4)), ((1, 1), (1, 0), (1,))]  # fmt: skip
    for shape, dims, other in shapes:
        moved = torch.zeros(shape).permute(dims)
        try:
            expected: tuple[int, ...] | None = moved.view(other).stride()
        except RuntimeError:
            expected = None
        found = viewed(tuple(moved.shape), moved.stride(), other)
        assert (found is None) == (expected is None), (shape, dims, other)
        if found is not None and expected is not None:
            sizes = zip(found, expected, other, strict=True)
            assert all(mine == theirs for mine, theirs, size in sizes if size > 1)
    assert rows((2, 3, 4)) == (12, 4, 1)


def flat(seconds: float = 1e-6) -> dict[str, dict[tuple[int, ...], float]]:
    """A machine on which every kind takes as long as its work, and a view nothing to speak of."""
    found = {name: {point: seconds * kind.work(*point) if point else 1e-9 for point in kind.points()}
             for name, kind in KINDS.items()}  # fmt: skip
    return {**found, CALL: {(): 1e-3}, READ: {(): 0.0}, HOST: {(): 0.0}}


def test_sizes_between_and_beyond_the_grids_follow() -> None:
    rates = Rates(flat())
    assert rates.of(Charge("add", (777,))) == pytest.approx(777e-6)
    assert rates.of(Charge("product", (100, 50, 30))) == pytest.approx(150e-3)
    assert rates.of(Charge("product", (5000, 5000, 5000))) == pytest.approx(125e3)
    assert rates.of(Charge("max_pool", (2, 4, 8))) == pytest.approx(2 * 4 * 64 * 1e-6)  # below its grid
    assert rates.of(Charge("add", (0,))) == rates.of(Charge("add", (1,)))
    assert rates.of(Charge("conv", (8, 4, 4, 8), 2.0)) == pytest.approx(2 * 8 * 16 * 64 * 9e-6)


def test_a_prediction_is_the_sum_of_what_is_charged(learner: og.Learner) -> None:
    program, routine = learner.program, learner.program.routine("learn")
    surcharge = Surcharge(1e-6, 0.0, 0.0)
    found = predict(program, routine, Calibration("2026-01-01", "a machine", 1.0, flat(), surcharge))
    matrices = [charge for charge in charges(program, routine) if charge.kind.startswith("product,")]
    assert {charge.point for charge in matrices} >= {(BATCH * LENGTH, WIDTH, 3 * WIDTH)}
    alone = sum(map(Rates(flat()).of, charges(program, routine))) + 1e-3
    assert found.seconds == pytest.approx(alone + 1e-6 * Footprint.of(program, routine).instructions)
    assert sum(found.by_kind.values()) == pytest.approx(found.seconds) and found.unknown == 0


def test_what_was_measured_is_kept_and_read(learner: og.Learner) -> None:
    calibration = Calibration("2026-01-01", "a machine", 1.5, flat(), Surcharge(1e-6, 2e-6, 3e-11, 1e6, 8e6, 0.1))
    assert Calibration.of_json(json.loads(json.dumps(calibration.as_json()))) == calibration
    less = calibration.as_json()
    less["measured"].pop("conv")
    with pytest.raises(ValueError, match="no conv"):
        Calibration.of_json(less)


def test_every_kind_can_be_timed() -> None:
    """At the first point of its grid, which names the same kind again when it is charged."""
    bench = Bench({"threads": 1})
    for kind in KINDS.values():
        assert 0 < bench.seconds(kind, next(iter(kind.points()))) < 1, kind.name


def test_medleys_are_programs_whose_instructions_are_all_known() -> None:
    sizes = set()
    for seed in range(12):
        program = medley(seed)
        verify(program)
        assert all(charge.known for charge in charges(program, program.routine("learn")))
        sizes.add(program.decl("x").type)
    assert len(sizes) > 6
