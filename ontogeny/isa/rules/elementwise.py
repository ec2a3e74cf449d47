"""Type rules of elementwise arithmetic, comparison, selection, conversion and bits."""

from __future__ import annotations

from ontogeny.isa.op import Op
from ontogeny.isa.rules.site import ANY, BITS, INTS, NUMBERS, Rule, Site, Types
from ontogeny.isa.types import FLOATS, DType, Type


def elementwise(count: int, family: frozenset[DType], result: DType | None = None) -> Rule:
    """The rule of `count` operands of one format of the family that broadcast; `result` is another result format."""

    def rule(site: Site) -> Types:
        site.expect(count)
        dtype = site.allow(family, *site.operands)
        return (Type(result or dtype, site.common(*site.operands)),)

    return rule


def where(site: Site) -> Types:
    """A bool, and two operands of any one format."""
    site.expect(3)
    holds, b, c = site.operands
    if holds.dtype is not DType.BOOL:
        raise site.error("the first operand must be bool")
    return (Type(site.allow(ANY, b, c), site.common(holds, b, c)),)


def cast(site: Site) -> Types:
    """Any format to any other."""
    site.expect(1)
    return (site.operands[0].with_dtype(site.dtype()),)


def bitcast(site: Site) -> Types:
    """Number formats of one width; bool, whose other seven bits mean nothing, is refused."""
    site.expect(1)
    dtype, wanted = site.allow(NUMBERS, site.operands[0]), site.dtype()
    if wanted not in NUMBERS or wanted.bytes != dtype.bytes:
        raise site.error(f"{wanted} has not the width of {dtype}")
    return (site.operands[0].with_dtype(wanted),)


RULES: dict[Op, Rule] = {
    **dict.fromkeys((Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.REM, Op.MAX, Op.MIN), elementwise(2, NUMBERS)),
    **dict.fromkeys((Op.NEG, Op.ABS), elementwise(1, NUMBERS)),
    **dict.fromkeys(
        (Op.SQRT, Op.EXP, Op.LOG, Op.SIN, Op.COS, Op.TANH, Op.ERF, Op.FLOOR),
        elementwise(1, FLOATS),
    ),
    Op.POW: elementwise(2, FLOATS),
    **dict.fromkeys((Op.LT, Op.LE, Op.EQ), elementwise(2, ANY, DType.BOOL)),
    Op.WHERE: where,
    Op.CAST: cast,
    Op.BITCAST: bitcast,
    **dict.fromkeys((Op.AND, Op.OR, Op.XOR), elementwise(2, BITS)),
    Op.NOT: elementwise(1, BITS),
    **dict.fromkeys((Op.SHL, Op.SHR), elementwise(2, INTS)),
    Op.POPCOUNT: elementwise(1, INTS),
}
