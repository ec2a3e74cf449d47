"""How many operations learning takes: exactly from a program, or from a shape, by 6ND and what that leaves out.

What a processor is sold and utilisation is counted by are the multiply-adds of products (matrix products and
convolutions), two operations each; `products` counts those of a routine, instruction by instruction. Element by element
work is counted by `isa/cost.py` and stands beside them.

Of a shape, a step over D tokens takes 6ND (Kaplan et al. 2020, arXiv 2001.08361): a multiply-add forward and two
backward for each parameter and token. Corrections, each a row of its own:

attention    4 T w forward for each token and layer (scores, and their sum over values), 3 times that with the
             backward pass; T is the context, w the width of all heads. Half of it where a mask lets a token see only
             those before it, and kernels leave out the rest
embedding    a table that is looked up, not multiplied, takes nothing: -6 v w
active       of the parameters, the share that a token meets (experts)
loops        how often a token goes through each layer's parameters: looped networks and convolutions reuse them
recompute    the share of the forward pass that is done again to save memory, 2ND and its attention
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from math import prod

from ontogeny.isa import attrs
from ontogeny.isa.cost import CALLS, called
from ontogeny.isa.errors import RecordError
from ontogeny.isa.macros import expand
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr, Program, Routine
from ontogeny.isa.rules import result_types
from ontogeny.isa.tables import routines
from ontogeny.isa.types import Type
from ontogeny.isa.uses import fixed_rounds
from ontogeny.isa.verify import value_types

Types = tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """One term of a count: what it is, and how many operations, which may be fewer than none."""

    name: str
    operations: float
    formula: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A network that is not there, as far as its cost goes, and what it is trained on.

    `tokens` are distinct; each is seen `epochs` times. `embedding` counts the parameters that are only looked up.
    """

    parameters: float
    tokens: float
    epochs: float = 1.0
    layers: float = 0.0
    width: float = 0.0
    context: float = 0.0
    embedding: float = 0.0
    loops: float = 1.0
    active: float = 1.0
    recompute: float = 0.0
    causal: bool = True

    def __post_init__(self) -> None:
        sizes = (self.parameters, self.tokens, self.epochs, self.loops)
        if not all(0 < one < math.inf for one in sizes):
            raise RecordError("parameters, tokens, epochs and loops must be more than 0, and finite")
        if not (0 < self.active <= 1 and 0 <= self.recompute <= 1):
            raise RecordError("the active share must be more than 0 and at most 1, and recompute between 0 and 1")
        asked = (self.layers, self.width, self.context)
        if not all(0 <= one < math.inf for one in asked) or len({one > 0 for one in asked}) > 1:
            raise RecordError("attention is counted from layers, width and context together: give all three, or none")
        if not 0 <= self.embedding < self.parameters:
            raise RecordError("the embedding's parameters are counted among all: 0 or more, and fewer than all")

    @property
    def passes(self) -> float:
        """Tokens times epochs."""
        return self.tokens * self.epochs

    def terms(self) -> tuple[Term, ...]:
        """6ND and its corrections. Those that are nothing are left out."""
        body = self.parameters - self.embedding
        met = body * self.active
        attention = 12 * self.layers * self.width * self.context * self.loops * (0.5 if self.causal else 1.0)
        forward = (2 * met * self.loops + attention / 3) * self.recompute
        found = (
            ("6ND", 6 * self.parameters, "6 parameters x tokens x epochs"),
            ("embedding", -6 * self.embedding, "looked up, not multiplied: -6 its parameters x tokens x epochs"),
            ("active", 6 * (met - body), "parameters that a token does not meet"),
            ("loops", 6 * met * (self.loops - 1), "parameters that a token meets again"),
            ("attention", attention, f"12 layers x width x context x tokens x epochs{', half' * self.causal}"),
            ("recompute", forward, "a share of the forward pass, done again"),
        )
        return tuple(Term(name, each * self.passes, formula) for name, each, formula in found if each)

    @property
    def operations(self) -> float:
        """All terms."""
        return sum(term.operations for term in self.terms())

    @property
    def forward(self) -> float:
        """Operations of one forward pass of one token, as when a trained network is asked."""
        return (self.operations / self.passes) / (3 + self.recompute)


def products(program: Program, routine: Routine) -> int:
    """Operations of a call's products and convolutions, a multiply-add as two. The program must verify.

    Loops count as often as they go round where that is a constant, else once; a condition counts its larger side.
    """
    types, rounds = value_types(program, routine), fixed_rounds(routine)
    total = 0
    for instr in routine.body:
        if instr.op in CALLS:
            total += _called(program, instr, rounds.get(instr.args[0]) if instr.op is Op.LOOP else None)
        else:
            operands, results = (tuple(types[name] for name in names) for names in (instr.args, instr.out))
            total += product_operations(instr, operands, results)
    return total


def _called(program: Program, instr: Instr, rounds: int | None) -> int:
    inside = [products(program, routines(program)[name]) for name in called(instr)]
    if instr.op is Op.LOOP:
        return inside[0] * (1 if rounds is None else max(0, rounds))
    return max(inside) if instr.op is Op.COND else sum(inside)


def product_operations(instr: Instr, operands: Types, results: Types) -> int:
    """Operations of one instruction's products: 2 b m k n; 2 for each weight of each place of a convolution."""
    if instr.op is Op.DOT:
        return 2 * results[0].size * operands[0].shape[-1]
    if instr.op is Op.CONV:
        return 2 * results[0].size * prod(operands[1].shape[1:])
    if instr.op is Op.CONV_BACKWARD:
        return 4 * operands[0].size * prod(operands[2].shape[1:])
    return _expanded(_renamed(instr), operands) if instr.op.is_macro else 0


def _renamed(instr: Instr) -> Instr:
    names = tuple(f"a{place}" for place in range(len(instr.args)))
    return Instr(tuple(f"y{place}" for place in range(len(instr.out))), instr.op, names, instr.attrs)


@lru_cache(maxsize=4096)
def _expanded(instr: Instr, operands: Types) -> int:
    """Those of a macro, by its definition."""
    types, total = dict(zip(instr.args, operands, strict=True)), 0
    for each in expand(instr, operands):
        given = tuple(types[name] for name in each.args)
        found = result_types(each, given)
        types.update(zip(each.out, found, strict=True))
        total += product_operations(each, given, found)
    return total


def tokens_of(program: Program, routine: Routine) -> int:
    """How many tokens one call learns from: the elements of its first integer input, else its batch.

    A label for each example is not a sequence: an input counts as tokens where there is one of rank 2 or more.
    """
    names = [attrs.text(instr, "name") for instr in routine.body if instr.op is Op.READ]
    inputs = [decl for decl in program.decls if decl.kind == "input" and decl.name in names]
    sequences = [decl.type.size for decl in inputs if decl.type.dtype.is_int and decl.type.rank >= 2]
    batches = [decl.type.shape[0] for decl in inputs if decl.type.shape]
    return next(iter((*sequences, *batches)), 1)
