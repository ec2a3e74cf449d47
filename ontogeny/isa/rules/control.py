"""Type rules of control and debugging. `site.signature` gives the operands and results of a routine by name."""

from __future__ import annotations

from ontogeny.isa.op import Op
from ontogeny.isa.rules.site import SCALAR_BOOL, SCALAR_I64, Rule, Site, Types
from ontogeny.isa.types import DType


def results_of(site: Site, name: str, operands: Types) -> Types:
    """The results of the routine called `name`. Raises unless it takes operands of just these types."""
    takes, gives = site.signature(name)
    if takes != operands:
        raise site.error(f"routine {name!r} takes ({_list(takes)}), here it would be given ({_list(operands)})")
    return gives


def _list(types: Types) -> str:
    return ", ".join(map(str, types))


def carry(site: Site, name: str, operands: Types, carried: Types) -> None:
    """Refuse a routine that does not give back what it carries."""
    gives = results_of(site, name, operands)
    if gives != carried:
        raise site.error(f"routine {name!r} must return ({_list(carried)}) to be carried on, not ({_list(gives)})")


def call(site: Site) -> Types:
    """What the routine returns."""
    return results_of(site, site.text("body"), site.operands)


def loop(site: Site) -> Types:
    """The carried values; the body is also given the number of the round."""
    if not site.operands or site.operands[0] != SCALAR_I64:
        raise site.error("the first operand must be i64[], how many times")
    carried = site.operands[1:]
    carry(site, site.text("body"), (SCALAR_I64, *carried), carried)
    return carried


def repeat(site: Site) -> Types:
    """The carried values."""
    if not site.operands:
        raise site.error("carries one value or more")
    if site.integer("limit") < 0:
        raise site.error(f"limit must be 0 or more, not {site.integer('limit')}")
    gives = results_of(site, site.text("test"), site.operands)
    if gives != (SCALAR_BOOL,):
        raise site.error(f"routine {site.text('test')!r} must return bool[], not ({_list(gives)})")
    carry(site, site.text("body"), site.operands, site.operands)
    return site.operands


def cond(site: Site) -> Types:
    """What both routines return."""
    if not site.operands or site.operands[0] != SCALAR_BOOL:
        raise site.error("the first operand must be bool[]")
    then, other = (results_of(site, site.text(name), site.operands[1:]) for name in ("then", "other"))
    if then != other:
        raise site.error(f"both routines must return the same types, not ({_list(then)}) and ({_list(other)})")
    return then


def probe(site: Site) -> Types:
    """The type stays."""
    site.expect(1)
    return site.operands


def check(site: Site) -> Types:
    """A bool of any shape; no result."""
    site.expect(1)
    if site.operands[0].dtype is not DType.BOOL:
        raise site.error("the operand must be bool")
    return ()


RULES: dict[Op, Rule] = {
    Op.CALL: call,
    Op.LOOP: loop,
    Op.WHILE: repeat,
    Op.COND: cond,
    Op.PROBE: probe,
    Op.ASSERT: check,
}
