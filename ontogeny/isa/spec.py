"""The language's reference page, made from the tables: `python -m ontogeny.isa.spec docs/SPEC.md` writes it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from ontogeny.isa.op import ATTRIBUTES, Group, Op
from ontogeny.isa.text.parser import EXPECTED
from ontogeny.isa.text.words import ESCAPES, MAX_LINE, MAX_LINES, MAX_NUMBER, MAX_TEXT
from ontogeny.isa.types import MAX_ELEMENTS, MAX_RANK, DType
from ontogeny.isa.verify import MAX_INSTRUCTIONS

INTRODUCTION = """\
# The language

This page is generated from the language's own tables by `python -m ontogeny.isa.spec docs/SPEC.md`; do not edit it.

A **program** is a learner as data: what it keeps, what it is given, and what it can do. It has declarations and
routines; a routine is a list of instructions in single assignment. An **instruction** is `results = operation
operands {attributes}`. Operations of groups 1 to 10 are the base: the reference machine defines them. Those of
group 11 are macros: each has a definition in base operations, and a machine may run it fused or step into it.
"""

MEANING = """\
## Declarations

| kind | what it is |
| --- | --- |
| `param` | learned, kept between calls |
| `state` | kept between calls and not learned: moments, `step`, `seed`, a recurrent value |
| `dial` | an `f64[]` that a person steers; `= 0.1` is its default |
| `input` | comes with every call |

A param or state may be a **piece** of a larger one of its kind and format, its **arena**: `param w: f32[2,3] =
theta[4]` is the six elements of `theta` from element 4 on. Pieces do not overlap. They are read by their own names
and committed with their arena, so an update rule is written once for all of them.

## Sizes

A program may work at any size of its batch. `size batch = 64` declares that it does, and what the size is at present;
types of inputs and operands and the attributes of instructions may then follow it, and `resized` makes the same program
at another value. A machine does that itself when it is given inputs of another size. Registers follow none: they are
kept while the size changes.

## Routines

A routine without operands is an outermost one: a person, a run or a journal calls it by name. `init`, `predict`,
`learn` and `evaluate` are such names by convention. Where there is a dial of its name, `sleep_every` for `sleep`, a run
calls it before every step whose number is a multiple of it, but the first. One with operands is called by others
(`call`, `loop`, `while`, `cond`); it may read params, states and dials, not inputs, and commits nothing. No routine
calls itself, by whatever way round.

`read` gives a register as it was when the outermost routine began. `commit` sets what it is after that routine has
ended; all commits take effect together, and each register is committed at most once. A call that fails has changed
nothing.
"""

GRAMMAR = r"""
text        = program { size | declaration | routine { instruction } return }      each on its own line
program     = "program" name
size        = "size" name "=" whole                                  its present value, before what follows it
declaration = ("param" | "state") name ":" type [ "=" name "[" whole "]" ]
            | "dial" name ":" type [ "=" number ]
            | "input" name ":" type
routine     = "routine" name "(" [ value ":" type { "," value ":" type } ] ")" [ "->" name { "," name } ] ":"
instruction = [ result { "," result } "=" ] operation { value } [ "{" [ attr { "," attr } ] "}" ] [ ";" note ]
result      = value [ ":" type ]
attr        = attribute-name "=" ( number | truth | format | name | "[" [ item { "," item } ] "]" )
item        = number | truth
number      = plain | following
following   = linear | plain ( "*" | "/" ) ( name | "(" linear ")" )
linear      = [ integer "*" ] name [ ( "+" | "-" ) whole ]
return      = "return" [ name "=" value { "," name "=" value } ]      ends a routine; it may not be left out
type        = format "[" [ dim { "," dim } ] "]"                      f32[2,3]; a scalar is f32[]
dim         = whole | linear                                         f32[batch,8]
value       = "%" name                                               %w, %0, %blocks.0.attn.weight, %"any text"
name        = letters, digits, _ and dots, not beginning with a dot; or quoted
quoted      = any text in double quotes, on one line, with the escapes ESCAPES
plain       = 12, -3, 0.1, 1e-05, inf, -inf, nan; nan_ and 16 hexadecimal digits is a NaN of those bits
truth       = "true" | "false"
note        = [ phase ] [ "|" where ]                                each bare or quoted; to the end of the line
comment     = "#" to the end of the line, on a line of its own or after a line that has no note
"""

RULES = """\
- `to_text` and `from_text` are inverse to each other, to the last bit of a float and the last character of a note.
- A number with a dot or an exponent is a float, without one an integer: `1` and `1.0` are different attributes.
- A name that would read as a number, a truth or a number format is printed in quotes (`"0"`, `"nan"`, `"f32"`).
- What follows a size is a number at the size's present value: whole ones such as `batch` and `8*batch-1`, and fractions
  such as `0.5/batch`, `2.0/(8*batch)` and `1.0*batch`, which have a dot before the `*` or `/`.
- Types beside results and result names in a routine's head may be left out; where they stand, they are checked.
- Layout is free: spaces, tabs and empty lines mean nothing. `format_text` gives the canonical layout and keeps
  comments.
- What is wrong is reported with line, column, what was expected, and the nearest word that there is.
- The verifier asks for more of names: 1 to 200 letters, digits, `_`, `.` or `-`.
"""

EXAMPLE = """\
program example
param w: f32[2]
dial lr: f64[] = 0.1
state step: i64[]
input x: f32[2]

routine learn() -> loss:
  %w: f32[2] = read {name=w}
  %x: f32[2] = read {name=x}
  %error: f32[2] = sub %w %x                                      ; backward | half the gradient of (w - x)^2
  %lr: f64[] = read {name=lr}
  %0: f64[] = neg %lr
  %new: f32[2] = axpy %w %error %0                                ; update | w - lr * error
  commit %new {name=w}                                            ; update
  %step: i64[] = read {name=step}
  %one: i64[] = const {value=1, dtype=i64, shape=[]}
  %next: i64[] = add %step %one
  commit %next {name=step}
  %1: f32[2] = mul %error %error
  %loss: f32[] = sum %1 {dims=[0], keep=false}
  return loss=%loss
"""


def spec_text() -> str:
    """The whole page."""
    parts = (_introduction(), _formats(), _kinds(), MEANING, _text_form(), _limits(), _operations())
    return "\n".join(parts)


def _introduction() -> str:
    return f"{INTRODUCTION}\n```\n{EXAMPLE}```\n"


def _formats() -> str:
    rows = ((f"`{dtype}`", str(dtype.bytes), _family(dtype)) for dtype in DType)
    text = "A value has a number format and a shape of known sizes: `f32[64,128]`; a scalar is `f32[]`.\n"
    return f"## Types\n\n{text}\n{_table(('format', 'bytes', 'family'), rows)}"


def _family(dtype: DType) -> str:
    family = "float" if dtype.is_float else "integer" if dtype.is_int else "truth"
    return "unsigned integer" if dtype.value.startswith("u") else family


def _kinds() -> str:
    rows = ((f"`{kind}`", _escaped(meaning)) for kind, meaning in EXPECTED.items())
    return f"## Attributes\n\n{_table(('kind', 'is written as'), rows)}"


def _text_form() -> str:
    return f"## The text form\n\n```{GRAMMAR.replace('ESCAPES', ESCAPES)}```\n\n{RULES}"


def _limits() -> str:
    rows = (
        ("dimensions of a value", MAX_RANK),
        ("elements of a value", MAX_ELEMENTS),
        ("instructions of a program", MAX_INSTRUCTIONS),
        ("characters of a text", MAX_TEXT),
        ("lines of a text", MAX_LINES),
        ("characters of a line", MAX_LINE),
        ("characters of a number", MAX_NUMBER),
    )
    return f"## Limits\n\n{_table(('of', 'at most'), ((of, f'{most:,}') for of, most in rows))}"


def _operations() -> str:
    return "## Operations\n\n" + "\n".join(map(_group, Group))


def _group(group: Group) -> str:
    rows = ((f"`{op.text}`", _attributes(op), _meaning(op)) for op in Op if op.group is group)
    return f"### {group.value}\n\n{_table(('operation', 'attributes', 'meaning'), rows)}"


def _attributes(op: Op) -> str:
    return ", ".join(f"`{name}` {kind}" for name, kind in ATTRIBUTES.get(op, {}).items())


def _meaning(op: Op) -> str:
    return _escaped(re.sub(r"\{(\w+)\}", r"`\1`", op.meaning))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "".join(f"{line}\n" for line in _table_lines(head, rows))


def _table_lines(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |".replace("|  |", "| |")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(spec_text(), encoding="utf-8")
