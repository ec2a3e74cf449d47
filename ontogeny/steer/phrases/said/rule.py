"""What people say to turn dials and to change the learning rule."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from ontogeny.steer.phrases.phrase import Found, Phrase, Table, Unclear, p, v

TURN = "(set|turn|put|change|make|adjust|move|bring|switch|let|fix|update|have|get|tune|dial|use|take|reset|modify|assign|pin|want)"
DOWN = "(lower|reduce|decrease|drop|cut|turn down|bring down|shrink|dial down|scale down|lessen|decay|take down|diminish|anneal|ramp down|tone down|cut down|weaken|bump down|slow down)"
UP = "(raise|increase|turn up|bump|bump up|boost|crank up|scale up|dial up|push up|grow|bring up|ramp up|warm up|strengthen|up|lift|put up|heighten)"
OVER = "(over|within|during|across|in|in course of|through) [next|following|coming] {over:steps}"
OFF = "(off|out|away|to zero|to nothing)"
SHAPES = "(linearly|in straight line|gradually|slowly|smoothly)"


def _divided(found: Found) -> dict[str, Any]:
    if not found["n"]:
        raise Unclear("nothing can be divided by zero")
    return {"dial": found["dial"], "by": 1 / found["n"]}


def _down_part(found: Found) -> dict[str, Any]:
    return {"dial": found["dial"], "by": 1 - found["n"]}


def _up_part(found: Found) -> dict[str, Any]:
    return {"dial": found["dial"], "by": 1 + found["n"]}


def _down_amount(found: Found) -> dict[str, Any]:
    """Lowered by 0.001: so much is taken off."""
    dial = found["dial"]
    if found["n"] > found.context.dials[dial]:
        _how_much(found)
    return {"dial": dial, "to": found.context.dials[dial] - found["n"]}


def _up_amount(found: Found) -> dict[str, Any]:
    dial = found["dial"]
    return {"dial": dial, "to": found.context.dials[dial] + found["n"]}


def _how_much(found: Found) -> Any:
    dial = found["dial"]
    value = found.context.dials.get(dial, 1.0)
    raise Unclear(
        f"{dial} is {value:g} now; to what, or by how much?",
        f"halve {dial}",
        f"set {dial} to a tenth of it",
        f"double {dial}",
    )


def _by_times(found: Found) -> dict[str, Any]:
    return {"dial": found["dial"], "by": found["by"]}


def _shape(shape: str) -> Any:
    return lambda found: {**found, "shape": shape}


def _several(found: Found) -> list[dict[str, Any]]:
    return [{"dial": found["a"], "to": found["x"]}, {"dial": found["b"], "to": found["y"]}]


SET: tuple[Phrase, ...] = (
    p(f"{TURN} {{dial}} [back|down|up] [to|at|be|as|of|EQUALS] {{to:plain}}"),
    p(f"({TURN}|{DOWN}|{UP}) {{dial}} [back|down|up] (to|at) {{by:FRACTION}}", _by_times),
    p(f"{TURN} {{dial}} (back|down|up) to {{to:plain}}"),
    p(f"({DOWN}|{UP}) {{dial}} (to|down to|up to) {{to:plain}}"),
    p("{dial} (to|at|EQUALS|COLON|ARROW|should be|is|be|down to|up to|back to) {to:number}"),
    p("{dial} {to:number}"),
    p("(use|want|try|take|with) {dial} of {to:number}"),
    p("(use|want|try|take|with) {to:number} (as|for) {dial}"),
    p("(halve|half|cut in half) {dial}", by=0.5),
    p("(cut|split|reduce|divide|bring|scale|chop) {dial} (in|into|by|down to|to) (half|two|2|{h:FRACTION})", lambda f: _down_half(f)),
    p("(quarter) {dial}", by=0.25),
    p("(double) {dial}", by=2.0),
    p("(triple) {dial}", by=3.0),
    p("(quadruple) {dial}", by=4.0),
    p(f"{TURN} {{dial}} [to|be|at] {{by:factor}}"),
    p("{by:factor} {dial}", _by_times),
    p("(make|have|let) {dial} {by:factor}"),
    p("{dial} (times|TIMES|*) {by:number}"),
    p("(multiply|scale) {dial} (by|with|by factor of) {by:number}"),
    p("(multiply|scale) {dial} {n:number} times", lambda f: {"dial": f["dial"], "by": f["n"]}),
    p("divide {dial} (by|by factor of) {n:number}", _divided),
    p(f"{DOWN} {{dial}} (by [factor of]|by factor of|by factor) {{n:times}}", _divided),
    p(f"{DOWN} {{dial}} {{n:times}}", _divided),
    p(f"{DOWN} {{dial}} [by] {{n:PERCENT}}", _down_part),
    p(f"{DOWN} {{dial}} by {{n:FRACTION}}", _down_part),
    p(f"{DOWN} {{dial}} by {{n:NUMBER}}", _down_amount),
    p(f"{DOWN} {{dial}} [down] to {{by:factor}}"),
    p("take {n:PERCENT} off {dial}", _down_part),
    p("add {n:NUMBER} to {dial}", _up_amount),
    p("(subtract|take) {n:NUMBER} (from|off) {dial}", _down_amount),
    p("add {n:PERCENT} to {dial}", _up_part),
    p("{by:FRACTION} [of] {dial}", _by_times),
    p("{dial} (is|seems|looks) (high|low|large|small|big|strong|weak|aggressive|timid)", _how_much),
    p("{SPREAD} [COMMA] [linearly] ({TURN}|{DOWN}|{UP}) {dial} [down|up] to {to:number}".replace("{TURN}", TURN).replace("{DOWN}", DOWN).replace("{UP}", UP).replace("{SPREAD}", OVER)),
    p(f"{UP} {{dial}} (by factor of|by factor) {{by:number}}"),
    p(f"{UP} {{dial}} [by] {{by:times}}"),
    p(f"{UP} {{dial}} [by] {{n:PERCENT}}", _up_part),
    p(f"{UP} {{dial}} by {{n:FRACTION}}", _up_part),
    p(f"{UP} {{dial}} by {{n:NUMBER}}", _up_amount),
    p(f"{UP} {{dial}} [up] to {{by:factor}}"),
    p("(take|turn|switch|shut|get) {dial} (off|out|away|down to zero)", to=0.0),
    p("(turn|switch|shut) off {dial}", to=0.0),
    p("(remove|disable|drop|kill|zero|zero out|eliminate|get rid of|deactivate|cancel|take away|no|without|no more|stop|do without|omit|nullify) {dial}", to=0.0),
    p(f"({TURN}|{DOWN}|{UP}|anneal) {{dial}} [down|up] to {{to:number}} {OVER}"),
    p(f"({TURN}|{DOWN}|{UP}) {{dial}} [down|up] to {{to:number}} {SHAPES} {OVER}"),
    p(f"{SHAPES} ({TURN}|{DOWN}|{UP}) {{dial}} [down|up] to {{to:number}} {OVER}"),
    p(f"({TURN}|{DOWN}|{UP}) {{dial}} {SHAPES} [down|up] to {{to:number}} {OVER}"),
    p(f"({TURN}|{DOWN}|{UP}) {{dial}} [down|up] to {{to:number}} (along|on|with|by|following) [half] cosine [curve|shape] {OVER}", _shape("cosine")),
    p(f"({TURN}|{DOWN}|{UP}) {{dial}} [down|up] to {{to:number}} {OVER} (along|on|with|by|following|as) [half] cosine [curve|shape]", _shape("cosine")),
    p(f"cosine {{dial}} (down|up) to {{to:number}} {OVER}", _shape("cosine")),
    p(f"({TURN}|{DOWN}|{UP}) {{dial}} exponentially [down|up] to {{to:number}} {OVER}", _shape("exponential")),
    p(f"({TURN}|{DOWN}|{UP}) {{dial}} [down|up] to {{to:number}} exponentially {OVER}", _shape("exponential")),
    p(f"exponentially ({TURN}|{DOWN}|{UP}) {{dial}} [down|up] to {{to:number}} {OVER}", _shape("exponential")),
    p(f"({TURN}|{DOWN}|{UP}) {{dial}} [down|up] to {{to:number}} {OVER} (exponentially|by equal factors)", _shape("exponential")),
    p(f"({DOWN}|{UP}) {{dial}} by factor of {{by:number}} {OVER}"),
    p("halve {dial} " + OVER, lambda f: {**f, "by": 0.5}),
    p("double {dial} " + OVER, lambda f: {**f, "by": 2.0}),
    p(f"({DOWN}|{UP}|adjust|change|tune|tweak|modify) {{dial}} [bit|little|slightly|somewhat|lot|considerably|more|again|smidge|tad|touch|notch|further|much|significantly|substantially|bit more|little bit|drastically|gently|carefully]", _how_much),
    p("(bit|little|slightly|somewhat|lot|tad|much) [more|less|lower|higher|smaller|larger|bigger] {dial}", _how_much),
    p("(more|less|lower|higher|smaller|larger|bigger|reduced|increased|stronger|weaker) {dial}", _how_much),
    p("(turn|make|set|crank|dial|bring|put|take|have) {dial} (bit|little|slightly|somewhat|lot|tad|much|down|up|smaller|larger|bigger|lower|higher|lower|less|more|down bit|up bit|bit (smaller|larger|bigger|lower|higher|down|up|less|more)|little (smaller|larger|lower|higher|down|up)|slightly (smaller|larger|lower|higher)|much (smaller|larger|lower|higher)|down little|up little|down slightly|up slightly|way (down|up))", _how_much),
    p("{TURN} {dial}".replace("{TURN}", "(set|change|adjust|modify|tune|tweak|update)"), _how_much),
)  # fmt: skip


def _down_half(found: Found) -> dict[str, Any]:
    return {"dial": found["dial"], "by": found.get("h", 0.5)}


def _edit(name: str, **constants: Any) -> Any:
    """The edit of this name, with what was found as its arguments."""
    return lambda found: {"edit": name, "arguments": {**{k: v for k, v in found.items() if k != "d"}, **constants}}


def _optimiser(found: Found) -> dict[str, Any]:
    return {"edit": found["to"], "arguments": dict(found.get("with", {}))}


def _decay_only(found: Found) -> dict[str, Any]:
    """Decay of some tensors alone: the others are those that do not decay."""
    chosen = set(found["tensors"])
    if chosen == set(found.context.matrices):
        return {"edit": "no_decay", "arguments": {"only_matrices": True}}
    rest = tuple(name for name in found.context.tensors if name not in chosen)
    return {"edit": "no_decay", "arguments": {"tensors": rest}}


def _no_decay(found: Found) -> dict[str, Any]:
    return {"edit": "no_decay", "arguments": {"tensors": found["tensors"]}}


def _clip_at_what(found: Found) -> Any:
    raise Unclear("at which norm?", "clip the gradients at 1", "clip the gradients at 0.1")


def _how_much_noise(found: Found) -> Any:
    raise Unclear(
        "how much noise, as its standard deviation?", "add gradient noise of 0.01", "add gradient noise of 0.001"
    )


def _how_long(found: Found) -> Any:
    raise Unclear(
        "over how many steps?", "add a cosine schedule over 1000 steps", "add a cosine schedule over 10000 steps"
    )


def _which_rule(found: Found) -> Any:
    raise Unclear("which one? there are adamw, sgd, nesterov, lion, muon and soap", "use sgd", "use lion", "use muon")


USE = "(use|switch to|change to|switch over to|go with|replace it with|make it|try|train with|swap in|move to|learn with|take|optimise with|go to|switch [optimiser|rule] to|change [optimiser|rule|learning rule] to|set optimiser to|continue with|replace optimiser (with|by)|swap optimiser (for|to|with)|replace [{o:optimiser}] (with|by)|swap [{o:optimiser}] (for|with)|switch from {o:optimiser} to|switch training to|change over to|run with|use plain|use optimiser|have it use|let it use|put in)"
INSTEAD = "[instead|instead of {i:optimiser}|rather than {j:optimiser}|in place of {k:optimiser}|in its place|as optimiser|from now on|as rule|for training|as learning rule|as update rule|optimiser|instead of what it uses]"
CLIP = "(clip|bound|cap|limit|cut off)"
GRADIENTS = "[all] [norm of] gradients [norm|norms]"

RULE_PHRASES: tuple[Phrase, ...] = (
    p(f"{USE} {{to:optimiser}} {INSTEAD}", _optimiser),
    p(f"{USE} {{to:optimiser}} {INSTEAD} (with|at|using|and|COMMA|COMMA with) {{with:settings}} {INSTEAD}", _optimiser),
    p(f"{USE} {{with:settings}} {{to:optimiser}}", _optimiser),
    p("{to:optimiser} with {with:settings}", _optimiser),
    p(f"{USE} {{to:course}} {INSTEAD}", _optimiser),
    p(f"{USE} {{to:course}} {INSTEAD} (with|at|using|and|COMMA|COMMA with) {{with:settings}}", _optimiser),
    p("catapult (it|this|this run|run|model|network)", lambda f: {"edit": "catapult"}),
    p("put it on {to:course} [course|schedule]", _optimiser),
    p(f"{CLIP} {GRADIENTS} [at|to|by|with|above] [norm] [of] [at most|max|maximum] {{norm:number}}", _edit("clip")),
    p(f"{CLIP} {GRADIENTS} (at|to|by) {{norm:number}}", _edit("clip")),
    p("(add|use|turn on|enable|apply|switch on|put on|set) [gradients] (clip|clipping) [norm] [at|of|to|with|by] [norm|threshold|max norm] [of] {norm:number}", _edit("clip")),
    p("(do not|don't) let gradients [norm] (exceed|go above|get above|grow above|be larger than|get larger than|get over) {norm:number}", _edit("clip")),
    p("[gradients] (clip|clipping) [COMMA] [at|to|of|with] [norm] [of] {norm:number}", _edit("clip")),
    p("(make sure|ensure|see to it) [that] gradients [norm] (never|do not|don't|does not|cannot) (exceed|exceeds|go above|goes above|get above|gets above|grow above|get larger than|gets larger than) {norm:number}", _edit("clip")),
    p("gradients [norm] (should|shall|must) (never|not) (exceed|go above|get above|be larger than|be above) {norm:number}", _edit("clip")),
    p("(stop|quit|cease) (clip|clipping) [gradients]", _edit("remove", edit="clip")),
    p("(do not|don't|no longer) clip [gradients] [any more|anymore|any longer]", _edit("remove", edit="clip")),
    p("keep gradients [norm] (below|under|at most|within) {norm:number}", _edit("clip")),
    p("(turn off|remove|stop|drop|disable|take out|take off|no more|end|undo|switch off|get rid of|no) [gradients] (clip|clipping)", _edit("remove", edit="clip")),
    p("turn [gradients] (clip|clipping) off", _edit("remove", edit="clip")),
    p("(clip|bound|limit|cap) gradients [norm|norms|bit]", _clip_at_what),
    p("(add|use|turn on|enable|apply|switch on) [gradients] (clip|clipping)", _clip_at_what),
    p("(add|use|apply|give it|turn on|put in|enable|introduce) {nesterov:nesterov} momentum [of|at|EQUALS|with] {momentum:number}", _edit("momentum")),
    p("(add|use|apply|give it|turn on|put in|enable|introduce) momentum [of|at|EQUALS|with] {momentum:number}", _edit("momentum")),
    p("momentum {momentum:number}", _edit("momentum")),
    p("(add|use|turn on|enable|put in|introduce) momentum [to it|to sgd|to rule]", _edit("momentum")),
    p("(take|use|apply|keep) [only] sign of (update|updates|steps)", _edit("update_sign")),
    p("(replace|swap|substitute) (update|updates|steps|it) (by|with|for) (its|their) sign", _edit("update_sign")),
    p("(use|make|take|turn into|do) sign (update|updates|steps|descent)", _edit("update_sign")),
    p("(make|turn) (update|updates) [into] (its|their|sign) [sign] [only]", _edit("update_sign")),
    p("(update|steps) [only] by sign [only|of update]", _edit("update_sign")),
    p("(take|use|apply|keep) [only] sign of gradients", _edit("gradient_sign")),
    p("(replace|swap|substitute) gradients (by|with|for) (its|their) (sign|signs)", _edit("gradient_sign")),
    p("(use|try) [gradients] sign (gradients|only)", _edit("gradient_sign")),
    p("(feed|give) [rule|optimiser] [only] sign of [each|every] gradients", _edit("gradient_sign")),
    p("(add|put|inject|mix|use) [gaussian|normal|some] noise [of] {scale:number} (to|into|on|in) gradients", _edit("noise")),
    p("(add|put|inject|mix|use) [gaussian|normal|some] noise (to|into|on|in) gradients (with|of|at) [standard deviation|std|scale|strength|deviation|sigma] [of] {scale:number}", _edit("noise")),
    p("(add|put|inject|use) [gaussian|normal] gradients noise [with|of|at] [standard deviation|std|scale|strength|deviation|sigma] [of] {scale:number}", _edit("noise")),
    p("(add|put|inject|mix|use) [gaussian|normal|some|bit of|little] (noise (to|into|on|in) gradients|gradients noise)", _how_much_noise),
    p("(amplify|boost) slow gradients", _edit("smooth")),
    p("(use|add|apply|try|turn on|switch on|enable) grokfast", _edit("smooth")),
    p("(smooth) gradients", _edit("smooth")),
    p("(amplify|boost) slow gradients (by|with|with gain) [gain] [of] {gain:number}", _edit("smooth")),
    p("(use|add|apply|try|turn on) grokfast with gain [of] {gain:number}", _edit("smooth")),
    p("(use|add|apply|try|turn on|switch on|enable|training with|training by|learn with) (sam|sharpness aware minimisation|sharpness-aware minimisation)", _edit("sam", rho=0.05)),
    p("(use|add|apply|try|turn on|switch on|enable|training with|training by|learn with) sam (with|at) [rho] [of] {rho:number}", _edit("sam")),
    p("(use|take|try|apply|turn on|switch on|enable|training with) perpendicular gradients", _edit("perpendicular")),
    p("(sleep|go to sleep|put it to sleep|let it sleep|make it sleep) every {every:steps}", _edit("sleep")),
    p("(add|use|apply|put in|give it) bursts [of {d:dial}] every {steps:steps}", lambda f: _schedule(f, "bursts")),
    p("(add|use|apply|put on|follow|give it|put it on|set|switch to|turn on|introduce|attach) [{d:dial}] cosine (schedule|decay|annealing|anneal|decay schedule|schedule for {d:dial}|schedule to {d:dial}|schedule on {d:dial}|curve|learning rate schedule) (over|for|with|across|in|of|lasting|that ends at|until|to) [next] {steps}", lambda f: _schedule(f, "cosine")),
    p("(let|have|make) {d:dial} (follow|decay along|go along|fall along|go down along|decay by|decay on|go down on) cosine [schedule|curve] (over|for|across|in) [next] {steps}", lambda f: _schedule(f, "cosine")),
    p("(cosine|cosine anneal) [anneal|decay] [{d:dial}] (over|for|across) [next] {steps}", lambda f: _schedule(f, "cosine")),
    p("(anneal|decay|put) {d:dial} (with|on|along|by|following|using) cosine [schedule|curve] (over|for|across|in) [next] {steps}", lambda f: _schedule(f, "cosine")),
    p("(add|use|apply|put on|set|turn on|give it) cosine (schedule|decay|annealing|anneal|decay schedule)", _how_long),
    p("(warm up|warm) {d:dial} (over|for|during|in|across) [next|first] {steps}", lambda f: _schedule(f, "warmup")),
    p("(add|use|apply|give it|put in) [{d:dial}] (warmup|warm up|linear warmup) [of|over|for|with] {steps}", lambda f: _schedule(f, "warmup")),
    p("(add|use|apply|give it) {steps} [of] (warmup|warm up)", lambda f: _schedule(f, "warmup")),
    p("(remove|drop|take out|take off|turn off|end|stop|no more|disable|undo) [{d:dial}] (schedule|cosine|cosine schedule)", _edit("schedule", shape="constant")),
    p("(keep|hold|make) {d:dial} constant", lambda f: {"edit": "schedule", "arguments": {"shape": "constant"}}),
    p("[only] {d:decay} [only|just] {tensors} [only|alone]", lambda f: _decay_only(f)),
    p("{d:decay} (only|for|of|on|to) [only|just] {tensors} only", lambda f: _decay_only(f)),
    p("(apply|use|put|keep|limit|restrict|have|leave) {d:decay} [only] (to|on|for|in) [only|just] {tensors} [only|alone]", lambda f: _decay_only(f)),
    p("only [apply|use] {d:decay} (to|on|for) {tensors}", lambda f: _decay_only(f)),
    p("only {tensors} (should|shall|must) (be decayed|decay|have {d:decay})", _decay_only),
    p("[only] let [only] {tensors} decay [only]", lambda f: _decay_only(f)),
    p("(do not|don't|never|no longer|no more|no|stop|without) [apply|use] {d:decay} [for|of|on|to|in] {tensors}", _no_decay),
    p("(turn|take|switch) {d:decay} off (for|of|on) {tensors}", _no_decay),
    p("(turn|switch|take) off {d:decay} (for|of|on|from) {tensors}", _no_decay),
    p("(exclude|exempt|spare|leave out|excuse) {tensors} (from|of) {d:decay}", _no_decay),
    p("(leave|take|keep) {tensors} out of {d:decay}", _no_decay),
    p("{tensors} (should|shall|must) not (be decayed|decay|get {d:decay})", _no_decay),
    p("(do not|don't|stop) decay {tensors} [any more|anymore]", _no_decay),
    p("(remove|drop|disable|take) {d:decay} (for|of|on|from) {tensors}", _no_decay),
    p("(let|make|have) {tensors} (learn|training|move|update) {factor:speed}", _edit("lr_factor")),
    p("(training|update|learn) {tensors} {factor:speed}", _edit("lr_factor")),
    p("(training|update|learn|let|make|have) {tensors} [learn|training] (with|at|by|use) {factor:factor} [{d:dial}]", lambda f: _factor(f)),
    p("(give|assign) {tensors} {factor:factor} [{d:dial}]", lambda f: _factor(f)),
    p("(give|assign) {tensors} {factor:number} times {d:dial}", lambda f: _factor(f)),
    p("(slow|slow down) {tensors} by factor of {n:number}", lambda f: {"edit": "lr_factor", "arguments": {"tensors": f["tensors"], "factor": 1 / f["n"]}}),
    p("(use|give|set|apply|have|put) {factor:factor} [{d:dial}] (for|on|to|in) {tensors}", lambda f: _factor(f)),
    p("(multiply|scale) {d:dial} (for|of|on) {tensors} by {factor:number}", lambda f: _factor(f)),
    p("{tensors} (should|shall|must) (learn|training|move|be trained|update) {factor:speed}", _edit("lr_factor")),
    p("triple {d:dial} (for|of|on) [only|just] {tensors}", lambda f: _factor(f, 3.0)),
    p("(halve) {d:dial} (for|of|on) [only|just] {tensors}", lambda f: _factor(f, 0.5)),
    p("(double) {d:dial} (for|of|on) [only|just] {tensors}", lambda f: _factor(f, 2.0)),
    p("(change|edit|modify|switch|replace|swap) [learning|update] (rule|optimiser)", _which_rule),
    p("(use|try|switch to) (other|another|different) (rule|optimiser)", _which_rule),
)  # fmt: skip


def _schedule(found: Found, shape: str) -> dict[str, Any]:
    """A schedule that begins here. A cosine is told the step at which it ends, any other how many it takes."""
    start = found.context.step
    steps = found["steps"] + (start if shape == "cosine" else 0)
    return {"edit": "schedule", "arguments": {"shape": shape, "steps": steps, "start": start}}


def _factor(found: Found, factor: float | None = None) -> dict[str, Any]:
    if found.get("d", "lr") != "lr":
        raise Unclear("only the learning rate can be another for some tensors; decay can be taken off them")
    return {
        "edit": "lr_factor",
        "arguments": {"tensors": found["tensors"], "factor": found["factor"] if factor is None else factor},
    }


def _rest(found: Found) -> dict[str, Any]:
    """All tensors but those named."""
    kept = [name for name in found.context.tensors if any(fnmatchcase(name, one) for one in found["tensors"])]
    return {"tensors": tuple(name for name in found.context.tensors if name not in kept)}


RULE: Table = {
    "set": SET,
    "call": (
        p("call [routine] {routine:routine} [routine] [once] before next steps"),
        p("(do|run|call|execute|invoke|perform) [its] sleep routine [once|one times|one time] [before it go on|before next steps]", routine="sleep"),
        p("call [routine] {routine:routine} [routine] [once]"),
        p("(run|do|invoke|execute) routine {routine:routine} [once]"),
        p("(run|do|invoke|execute) {routine:routine} routine [once]"),
        p("(let|have|make) it sleep [once]", routine="sleep"),
        p("(sleep|go to sleep|put it to sleep)", routine="sleep"),
    ),
    "rule": RULE_PHRASES,
    "freeze": (
        p("(freeze|lock|fix|hold|pin) {tensors} [in place|fixed|as they are|as it is|where they are|where it is|constant|down]"),
        p("(keep|hold|leave|make|let) {tensors} (fixed|frozen|constant|as they are|as it is|unchanged|untouched|still|where they are|alone|stay as they are|stay as it is|be|stay fixed|stay)"),
        p("(stop|quit) (training|updating|changing|update|change|learning|learn) {tensors}"),
        p("(do not|don't|no longer) (training|update|change|touch|learn|move) {tensors} [any more|anymore]"),
        p("{tensors} (should|shall|must) (stay|remain) (fixed|frozen|constant|as they are|as it is|unchanged)"),
        p("(freeze|lock|fix) (everything|all [parameters|weights|tensors|layers]) (but|except|except for|apart from|other than|besides) {tensors}", _rest),
        p("(training|learn|update) only {tensors}", _rest),
        p("only (training|learn|update) {tensors}", _rest),
        p("let only {tensors} (learn|training|change|update)", _rest),
        p("(do not|don't) let {tensors} (change|move|learn|training|update) [any more|anymore|any further]"),
        p("no more (learn|training|updates|changes) (for|of|in|on) {tensors}"),
        p("no (learn|training|updates) for {tensors}"),
        p("{tensors} (should|shall|must) not (change|move|learn|training) [any more|anymore]"),
    ),
    "unfreeze": (
        p("(unfreeze|unlock|thaw|release|free|unpin) {tensors} [again]"),
        p("(let|allow|have) {tensors} [to] (learn|training|move|change|update) again"),
        p("(unfreeze|thaw|release|unlock) all", lambda f: {"tensors": ("*",)}),
        p("(start|resume|begin) [training|learn|updating|update] {tensors} again"),
        p("(start|resume|begin) (training|learn|updating|update) {tensors}"),
        p("(training|learn|update) {tensors} again"),
        p("(stop|no longer) freeze {tensors}"),
        p("(stop|quit) (freezing) {tensors}"),
    ),
}  # fmt: skip

OPTIMISERS: Mapping[str, str] = {
    "adamw": "(adamw|adam|adam w|adam-w)", "sgd": "[plain|vanilla|simple|stochastic] (sgd|gradients descent|stochastic gradients descent)",
    "nesterov": "(nesterov|nesterov's method|nesterov's|nag|nesterov accelerated gradients|sgd with nesterov [momentum])", "lion": "lion",
    "muon": "muon", "soap": "soap",
}  # fmt: skip
RULE_VALUES: Table = {
    "optimiser": tuple(v(text, name) for name, text in OPTIMISERS.items()),
    "course": (
        v("(catapult|catapult rule|catapult regime|adamw catapult)", "catapult"),
        v("(muon_catapult|muon catapult|muon-catapult|catapult by muon|catapult with muon|catapult of muon)", "muon_catapult"),
    ),
    "settings": (
        v("{a:setting}", lambda f: f["a"]),
        v("{a:setting} (and|COMMA|COMMA and) {b:settings}", lambda f: {**f["a"], **f["b"]}),
    ),
    "setting": (
        v("momentum [of|EQUALS|at|set to] {n:number}", lambda f: {"momentum": f["n"]}),
        v("{n:number} momentum", lambda f: {"momentum": f["n"]}),
        v("{d:dial} (had been|was|were|been|is|being|to|down to|up to|with|had|at|COLON) {n:number}", lambda f: {f["d"]: f["n"]}),
        v("{d:dial} [had been|was|were|been|is|being|had] {n:factor}", lambda f: {f["d"]: f["n"] * f.context.dials.get(f["d"], 1.0)}),
        v("{n:FRACTION} [of] {d:dial}", lambda f: {f["d"]: f["n"] * f.context.dials.get(f["d"], 1.0)}),
        v("(learning rate|lr|rate|steps size) [of|EQUALS|at|set to] {n:number}", lambda f: {"lr": f["n"]}),
        v("(weight decay|decay|wd|weight_decay) [of|EQUALS|at|set to] {n:number}", lambda f: {"weight_decay": f["n"]}),
        v("(no|zero|without) (weight decay|decay|wd)", {"weight_decay": 0.0}),
        v("{d:dial} (EQUALS|of|at|COLON) {n:number}", lambda f: {f["d"]: f["n"]}),
        v("no momentum", {"momentum": 0.0}),
        v("beta1 [of|EQUALS] {n:number}", lambda f: {"beta1": f["n"]}),
        v("beta2 [of|EQUALS] {n:number}", lambda f: {"beta2": f["n"]}),
    ),
    "decay": (v("(weight decay|decay|weight_decay|wd|regularisation|weight-decay)", True), v("{d:DIAL}")),
    "nesterov": (v("nesterov", True),),
    "speed": (
        v("{n:number} times (faster|quicker|as fast|more)", lambda f: f["n"]),
        v("{n:number} times (slower)", lambda f: 1 / f["n"]),
        v("twice as fast", 2.0),
        v("half as fast", 0.5),
        v("{n:FRACTION} as fast", lambda f: f["n"]),
        v("at {n:FRACTION} [of] [speed|rate|learning rate]", lambda f: f["n"]),
        v("at {n:PERCENT} [of] [speed|rate|learning rate|its speed]", lambda f: f["n"]),
    ),
    "routine": (v("{n:NAME}"), v("sleep", "sleep"), v("{n:QUOTED}")),
    "edit_name": (
        v("[gradients] (clip|clipping) [gradients]", "clip"),
        v("(grokfast|smoothing)", "smooth"),
        v("(noise (on|from|in|of) gradients|gradients noise)", "noise"),
        v("[{d:dial}] [cosine|warmup] schedule", "schedule"),
        v("(gradient_sign|gradients sign)", "gradient_sign"),
        v("update_sign", "update_sign"),
    ),
}  # fmt: skip
