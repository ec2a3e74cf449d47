"""Cases of registers, calls, loops, branches, probes and asserts: small programs, written in the text form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ontogeny.isa.op import Op
from ontogeny.isa.text import from_text
from ontogeny.machine.conformance.case import Case
from ontogeny.machine.formats import NUMPY
from ontogeny.machine.learner import Array

Cases = Callable[[Op], Iterator[Case]]

ARENA = """program arena
param all: f32[8]
param w: f32[2,3] = all[1]
param b: f32[] = all[7]
state n: i64[]
dial rate: f64[] = 0.5
input x: f32[2]

routine main() -> all, w, b, n, rate, x:
  %all = read {name=all}
  %w = read {name=w}
  %b = read {name=b}
  %n = read {name=n}
  %rate = read {name=rate}
  %x = read {name=x}
  return all=%all, w=%w, b=%b, n=%n, rate=%rate, x=%x
"""

COMMITS = """program commits
param a: f32[3]
param b: f32[3]
state n: i64[]
param all: bf16[4]
param piece: bf16[2] = all[1]
param none: f64[0,2]

routine main() -> before, piece:
  %a = read {name=a}
  %b = read {name=b}
  commit %b {name=a}
  commit %a {name=b}
  %one = const {value=1, dtype=i64, shape=[]}
  %n = read {name=n}
  %next = add %n %one
  commit %next {name=n}
  %all = read {name=all}
  %turned = flip %all {dims=[0]}
  commit %turned {name=all}
  %after = read {name=a}
  %piece = read {name=piece}
  return before=%after, piece=%piece
"""

STOPPED = """program stopped
state n: i64[]
input go_on: bool[2]

routine main() -> next:
  %n = read {name=n}
  %next = add %n %n
  commit %next {name=n}
  %go_on = read {name=go_on}
  assert %go_on {message="not to go on"}
  return next=%next
"""

CALLS = """program calls
state seen: f32[2]
input x: f32[2]

routine add_mul(%a: f32[2], %b: f32[2]) -> sum, product:
  %s = add %a %b
  %p = mul %a %b
  return sum=%s, product=%p
routine twice(%a: f32[2]) -> y:
  %s, %p = call %a %a {body=add_mul}
  %t, %q = call %s %p {body=add_mul}
  return y=%q
routine keep() -> x:
  %x = read {name=x}
  commit %x {name=seen}
  return x=%x
routine main() -> x, y, z, same:
  %x = call {body=keep}
  %y = call %x {body=twice}
  %z = call %y {body=twice}
  return x=%x, y=%y, z=%z, same=%y
"""

LOOPS = """program loops
input n: i64[]
input x: f64[2]

routine inner(%i: i64[], %a: f64[2], %k: i64[]) -> a, k:
  %f = cast %i {dtype=f64}
  %b = add %a %f
  %l = add %k %i
  return a=%b, k=%l
routine outer(%i: i64[], %a: f64[2], %k: i64[]) -> a, k:
  %b, %l = loop %i %a %k {body=inner}
  %c = mul %b %b
  return a=%c, k=%l
routine nothing(%i: i64[]):
  return
routine main() -> x, k:
  %n = read {name=n}
  %x = read {name=x}
  %zero = const {value=0, dtype=i64, shape=[]}
  %y, %k = loop %n %x %zero {body=outer}
  loop %n {body=nothing}
  return x=%y, k=%k
"""

WHILES = """program whiles
input top: i64[]
input x: i64[3]

routine below(%x: i64[3], %top: i64[]) -> holds:
  %largest = reduce_max %x {dims=[0], keep=false}
  %holds = lt %largest %top
  return holds=%holds
routine double(%x: i64[3], %top: i64[]) -> x, top:
  %y = add %x %x
  return x=%y, top=%top
routine main() -> x:
  %x = read {name=x}
  %top = read {name=top}
  %y, %t = while %x %top {test=below, body=double, limit=5}
  return x=%y
"""

CONDS = """program conds
state a: f32[]
state b: f32[]
input holds: bool[]
input x: f32[]

routine first(%p: f32[], %q: f32[]) -> y:
  return y=%p
routine second(%p: f32[], %q: f32[]) -> y:
  %s = sub %q %p
  return y=%s
routine keep_a():
  %x = read {name=x}
  commit %x {name=a}
  return
routine keep_b():
  %x = read {name=x}
  commit %x {name=b}
  return
routine main() -> y, a:
  %holds = read {name=holds}
  %x = read {name=x}
  %a = read {name=a}
  %y = cond %holds %x %a {then=first, other=second}
  cond %holds {then=keep_a, other=keep_b}
  return y=%y, a=%a
"""

PROBES = """program probes
input x: f32[2,2]
input n: i64[]

routine main() -> y, m:
  %x = read {name=x}
  %y = probe %x {name="what is x"}
  %n = read {name=n}
  %m = probe %n {name=n}
  return y=%y, m=%m
"""


def made(op: Op, name: str, text: str, inputs: Mapping[str, Any], state: Mapping[str, Any] | None = None) -> Case:
    """A case of a program in text, its inputs and state converted to the formats that it declares."""
    program = from_text(text)
    types = {decl.name: decl.type for decl in program.decls}

    def arrays(values: Mapping[str, Any]) -> dict[str, Array]:
        return {key: np.asarray(value).astype(NUMPY[types[key].dtype]) for key, value in values.items()}

    return Case(f"{op.text} {name}", op, program, arrays(inputs), arrays(state or {}), calls=2)


def reads(op: Op) -> Iterator[Case]:
    """A param, an arena and its pieces, a state, a dial by default and given, an input, and what is not given."""
    state = {"all": np.array([0.5, -0.0, 2, np.nan, -np.inf, 5, 6, 7]), "n": np.array(-(1 << 62))}
    whole = made(op, "everything", ARENA, {"x": [1.5, -0.0]}, state)
    yield whole
    yield Case(f"{op.text} a dial", op, whole.program, whole.inputs, whole.state, {"rate": 1e-300})
    yield Case(f"{op.text} an input not given", op, whole.program, {}, whole.state)
    yield Case(f"{op.text} an input misshapen", op, whole.program, {"x": whole.inputs["x"][:1]}, whole.state)
    halved = {"x": whole.inputs["x"].astype(np.float16)}
    yield Case(f"{op.text} an input of another format", op, whole.program, halved, whole.state)
    yield Case(f"{op.text} no such dial", op, whole.program, whole.inputs, whole.state, {"speed": 1.0})


def commits(op: Op) -> Iterator[Case]:
    """All at the end and together, none where the routine stops."""
    state = {"a": [1, 2, 3], "b": [-0.0, np.nan, np.inf], "n": 41, "all": [1, 2, 3, 4], "none": np.zeros((0, 2))}
    yield made(op, "swaps and counts", COMMITS, {}, state)
    yield made(op, "of a routine that ends", STOPPED, {"go_on": [True, True]}, {"n": 3})
    yield made(op, "of a routine that stops", STOPPED, {"go_on": [True, False]}, {"n": 3})


def calls(op: Op) -> Iterator[Case]:
    """Several results, nested, one that commits, results given twice."""
    yield made(op, "nested", CALLS, {"x": [1.5, -2.0]}, {"seen": [0, 0]})


def loops(op: Op) -> Iterator[Case]:
    """Not at all, below zero, once, nested."""
    for count in (-1, 0, 1, 2, 4):
        yield made(op, f"{count} times", LOOPS, {"n": count, "x": [0.25, -1.0]})


def whiles(op: Op) -> Iterator[Case]:
    """Until the test fails, not at all, until the limit."""
    for top in (0, 7, 20, 1 << 50):
        yield made(op, f"up to {top}", WHILES, {"x": [1, -2, 3], "top": top})


def conds(op: Op) -> Iterator[Case]:
    """Both sides, with what they commit."""
    for holds in (True, False):
        yield made(op, str(holds).lower(), CONDS, {"holds": holds, "x": 2.5}, {"a": 1, "b": 2})


def probes(op: Op) -> Iterator[Case]:
    """Nothing changes."""
    yield made(op, "of two values", PROBES, {"x": [[1, np.nan], [-0.0, 3]], "n": 5})


def asserts(op: Op) -> Iterator[Case]:
    """All hold, one does not, there are none."""
    for size in ((), (3,), (0,), (2, 2)):
        text = (
            f"program asserts\ninput x: bool[{','.join(map(str, size))}]\n\nroutine main():\n  %x = read {{name=x}}\n"
        )
        text += '  assert %x {message="something does not hold"}\n  return\n'
        holds = np.ones(size, dtype=np.bool_)
        yield made(op, f"that holds {size}", text, {"x": holds})
        if holds.size:
            holds[(0,) * len(size)] = False
            yield made(op, f"that does not hold {size}", text, {"x": holds})


CASES: dict[Op, Cases] = {
    Op.READ: reads,
    Op.COMMIT: commits,
    Op.CALL: calls,
    Op.LOOP: loops,
    Op.WHILE: whiles,
    Op.COND: conds,
    Op.PROBE: probes,
    Op.ASSERT: asserts,
}
