"""What people say to alter parameters by hand."""

from __future__ import annotations

from typing import Any

from ontogeny.steer.phrases.phrase import Found, Table, Unclear, p


def _how(how: str) -> Any:
    return lambda found: {"how": how, **found}


def _scaled(by: float) -> Any:
    return lambda found: {"how": "scale", "tensors": found["tensors"], "amount": by}


def _divided(found: Found) -> dict[str, Any]:
    if not found["n"]:
        raise Unclear("nothing can be divided by zero")
    return {"how": "scale", "tensors": found["tensors"], "amount": 1 / found["n"]}


def _how_much(found: Found) -> Any:
    names = " and ".join(found["tensors"])
    raise Unclear("how much?", f"add 0.01 noise to {names}", f"scale {names} by 0.5", f"prune 10% of {names}")


ALTER = (
    p("(add|put|inject) {amount:number} [gaussian|normal|random|white] noise (to|into|on|in) {tensors} [COMMA] (with|using) seed {seed:count}", _how("noise")),
    p("reset {tensors} (and|with|including|along with) (its|their) [optimiser|momentum] (state|states|moments|momentum|optimiser state)", lambda f: {"how": "reset", "tensors": f["tensors"], "and_state": True}),
    p("(zero|zero out) {tensors} (and|with|including|along with) (its|their) [optimiser|momentum] (state|states|moments|momentum|optimiser state)", lambda f: {"how": "zero", "tensors": f["tensors"], "and_state": True}),
    p("(scale|multiply) {tensors} (by|with|by factor of) {amount:number}", _how("scale")),
    p("(scale|multiply) {tensors} (down|up) (by|to) {amount:number}", _how("scale")),
    p("(scale|set|reduce|shrink|bring) {tensors} [down|up] to {amount:factor}", _how("scale")),
    p("halve {tensors}", _scaled(0.5)),
    p("double {tensors}", _scaled(2.0)),
    p("make {tensors} {amount:factor}", _how("scale")),
    p("divide {tensors} by {n:number}", _divided),
    p("(shrink|reduce|cut|scale down) {tensors} by {n:FRACTION}", lambda f: {"how": "scale", "tensors": f["tensors"], "amount": 1 - f["n"]}),
    p("(cut|split) {tensors} in half", _scaled(0.5)),
    p("(shrink|reduce|lower|decrease) {tensors} by {n:PERCENT}", lambda f: {"how": "scale", "tensors": f["tensors"], "amount": 1 - f["n"]}),
    p("(grow|increase|raise|boost) {tensors} by {n:PERCENT}", lambda f: {"how": "scale", "tensors": f["tensors"], "amount": 1 + f["n"]}),
    p("(reset|reinitialise|reinitialize|re-initialise|re-initialize|restart|reinit|re-init|restore) {tensors} [to (start|beginning|first values|initial values|initialisation|initialization|what (it|they) (was|were) at (start|beginning)|(its|their) (first|initial|original) (values|value|state|weights))|to (initial|first|original) (value|values)]", _how("reset")),
    p("(put|set|bring) {tensors} back to ([its|their] (first|initial|original|starting) (value|values|weights|state)|where (it|they) (started|began|was|were|came from)|what (it|they) (was|were) [at first|initially|at start]|initialisation|initialization|(start|beginning))", _how("reset")),
    p("(zero|zero out|clear|blank|null|wipe) {tensors} [out]", _how("zero")),
    p("(set|put|bring|make|turn) {tensors} [all] to zero", _how("zero")),
    p("(set|put|bring|make|turn) {tensors} [all] [to] zero", _how("zero")),
    p("(set|put|bring) {tensors} to {n:NUMBER}", lambda f: _set_to(f)),
    p("(add|put|inject) {amount:number} [standard deviations|standard deviation|std|sigma|sigmas|deviations] [of] [gaussian|normal|random|white] noise (to|into|on|in) {tensors}", _how("noise")),
    p("(add|put|inject) [gaussian|normal|random|white] noise (of|with|at) [strength|standard deviation|std|sigma|scale|amount|size] [of] {amount:number} [standard deviations|std|sigma|sigmas|deviations|standard deviation] (to|into|on|in) {tensors}", _how("noise")),
    p("(add|put|inject) [gaussian|normal|random|white] noise (to|into|on|in) {tensors} (of|with|at|COMMA) [strength|standard deviation|std|sigma|scale|amount|size] [of|EQUALS] {amount:number} [standard deviations|std|sigma|sigmas|deviations|standard deviation]", _how("noise")),
    p("(disturb|perturb|shake|jitter|noise) {tensors} (by|with|at) [noise of] {amount:number} [standard deviations|standard deviation|std|sigma|sigmas|deviations] [of noise|noise]", _how("noise")),
    p("(prune|cut|remove|drop|zero|zero out|cut off|cut away|set to zero) [smallest|weakest|lowest|bottom] {amount:number} [smallest|weakest] (of|in|from) [weights of|weights in|values in|values of|elements of|entries of|entries in] {tensors}", _how("prune")),
    p("(prune|cut|remove|drop|zero|zero out) {amount:number} of smallest [weights|values|entries|parameters] (of|in|from) {tensors}", _how("prune")),
    p("prune {tensors} (by|to|with) {amount:PERCENT}", _how("prune")),
    p("prune {amount:PERCENT} {tensors}", _how("prune")),
    p("(prune|cut|remove|drop|zero) (smallest|weakest) {amount:number} [of] {tensors}", _how("prune")),
    p("(add|put|inject) [some|bit of|little|little bit of] [gaussian|normal|random] noise (to|into|on|in) {tensors}", _how_much),
    p("(prune|scale|shrink|perturb|disturb|shake|jitter|scale down|scale up) {tensors} [bit|little|slightly|down|up]", _how_much),
)  # fmt: skip


def _set_to(found: Found) -> dict[str, Any]:
    if found["n"]:
        raise Unclear(
            f"parameters are set to zero, to their first values, or scaled; not to {found['n']:g}",
            f"zero {' and '.join(found['tensors'])}",
        )
    return {"how": "zero", "tensors": found["tensors"]}


PARAMETERS: Table = {"alter": ALTER}
