"""Further frames: what is read by its words alone, whatever their order, once nothing more literal has read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ontogeny.steer.phrases.frames import Frame
from ontogeny.steer.phrases.normal import forms
from ontogeny.steer.phrases.phrase import Found, Table, Unclear, v
from ontogeny.steer.phrases.said.frames import DOWN, FRAMES, OFF, TURN, UP

ENDING = OFF | forms("remove stop end take again rm")
PUT = forms("put add use give apply turn on switch enable introduce let rule optimiser feed only merely just each")
SOFT = forms("gradually slowly smoothly linearly by curve schedule shape along down up exponentially cosine")
BEGIN = forms(
    "restart rerun retrain repeat again anew newly afresh over scratch beginning start fresh new redo begin replicate"
)
WHOLE = forms(
    "whole thing same training run experiment everything all model from zero it with another different but do over time random say make"
)
STILL = forms(
    "freeze fix lock change changing move moving learn learning train training update touch alone still fixed frozen out constant bit"
)
STOPPING = forms("stop quit end cease finish no drop")
PRACTISE = forms(
    "learn learning practise practising practice drill drilling rehearse train training teach teaching extra additional additionally row further"
)
ONLY = forms("only merely solely just exclusively alone")
STEP = forms("on onwards from start starting beginning ending run for")
ONCE = forms("once one time times before next it goes on routine its do let call run execute invoke")
NEVER = forms("never existed though had ever there been saw seen if used were was memory learn that training")


def _edit(name: str, **constants: Any) -> Any:
    return lambda found, words: {"edit": name, "arguments": {**found, **constants}}


def _remove(found: Found, words: frozenset[str]) -> dict[str, Any]:
    return {"edit": "remove", "arguments": {"edit": found["edit"]}}


def _shaped(found: Found, words: frozenset[str]) -> dict[str, Any]:
    shape = next(
        (shape for word, shape in (("cosine", "cosine"), ("exponentially", "exponential")) if word in words), "linear"
    )
    return {**{k: found[k] for k in ("dial", "to", "over") if k in found}, "shape": shape}


def _cosine(found: Found, words: frozenset[str]) -> dict[str, Any]:
    """A cosine that ends at a step or lasts for some. Raises Unclear where neither is said."""
    start = found.get("start", found.context.step)
    if "end" not in found and "steps" not in found:
        raise Unclear("over how many steps?", "add a cosine schedule over 1000 steps")
    stop = found["end"] if "end" in found else start + found["steps"]
    floor = {"floor": found["floor"]} if "floor" in found else {}
    return {"edit": "schedule", "arguments": {"shape": "cosine", "steps": stop, "start": start, **floor}}


def _warmup(found: Found, words: frozenset[str]) -> dict[str, Any]:
    steps = found["steps"] if "steps" in found else found["count"]
    return {
        "edit": "schedule",
        "arguments": {"shape": "warmup", "steps": steps, "start": found.get("start", found.context.step)},
    }


def _grown(found: Found, words: frozenset[str]) -> dict[str, Any]:
    down, part = bool(words & DOWN), found["part"]
    if down == bool(words & UP):
        raise Unclear("larger or smaller?")
    return {"how": "scale", "tensors": found["tensors"], "amount": 1 - part if down else 1 + part}


def _reset(found: Found, words: frozenset[str]) -> dict[str, Any]:
    return {
        "how": "reset",
        "tensors": found["tensors"],
        **({"and_state": True} if words & forms("optimiser state") else {}),
    }


def _optimiser(found: Found, words: frozenset[str]) -> dict[str, Any]:
    given = dict(found.get("with", {}))
    if "lr" in found:
        given["lr"] = found["lr"]
    return {"edit": found["to"], "arguments": given}


def _again(found: Found, words: frozenset[str]) -> dict[str, Any]:
    if not found:
        raise Unclear("again with what?", "start again with seed 2", "start again")
    return dict(found)


def _decay_only(found: Found, words: frozenset[str]) -> dict[str, Any]:
    chosen = set(found["tensors"])
    if chosen == set(found.context.matrices):
        return {"edit": "no_decay", "arguments": {"only_matrices": True}}
    raise Unclear("which tensors are to decay?", "only decay the matrices")


def _text(found: Found, words: frozenset[str]) -> dict[str, Any]:
    return {"edit": "text", "arguments": {"text": found["text"]}}


FURTHER: Mapping[str, tuple[Frame, ...]] = {
    "rule": (
        Frame((ENDING,), {"edit": "edit_name"}, frozenset(), ENDING | forms("rule edit we learning rate"), _remove),
        Frame((forms("grokfast slow"),), {"decay": "decay_of", "gain": "gain_of"}, frozenset({"decay", "gain"}), PUT | forms("amplify boost part gradients rule averaging running smoothing in with and"), _edit("smooth"), never=ENDING - PUT),
        Frame((forms("momentum"), PUT), {"momentum": "number"}, frozenset(), PUT | forms("some rule coefficient have with of to there on it"), _edit("momentum"), never=forms("beta1 first set turn")),
        Frame((forms("momentum"), forms("nesterov")), {"momentum": "number"}, frozenset(), PUT | forms("some rule with"), _edit("momentum", nesterov=True)),
        Frame((forms("sign signs signed"), forms("gradients")), {}, frozenset(), PUT | forms("instead of take rather than"), _edit("gradient_sign")),
        Frame((forms("sign signs"), forms("update updates steps")), {"lr": "rate_of"}, frozenset({"lr"}), PUT | forms("instead of take rather than replace move by its their parameters swap with size"), _edit("update_sign")),
        Frame((forms("cosine"),), {"start": "start_at", "end": "end_at", "floor": "floor_of", "steps": "lasting", "d": "dial"}, frozenset({"start", "end", "floor", "steps", "d"}), PUT | STEP | forms("schedule anneal decay follow have with let"), _cosine),
        Frame((forms("warmup warm"),), {"start": "start_at", "steps": "lasting", "d": "dial"}, frozenset({"start", "d"}), PUT | STEP | forms("linear up linearly add"), _warmup),
        Frame((forms("warmup"),), {"start": "start_at", "count": "count", "d": "dial"}, frozenset({"start", "d"}), PUT | STEP | forms("linear up linearly add"), _warmup),
        Frame((), {"tensors": "tensors", "factor": "speed"}, frozenset(), forms("learn train move update let should than rest others faster slower make have"), _edit("lr_factor")),
        Frame((forms("lr learning rate"),), {"tensors": "tensors", "factor": "factor"}, frozenset(), forms("learning rate lr use for of give its usual normal let have by own with set multiply scale times"), _edit("lr_factor")),
        Frame((forms("off out without no exempt spare exclude"), forms("decay")), {"tensors": "tensors"}, frozenset(), forms("weight weights keep take leave from of only for turn remove wd l2 no apply"), _edit("no_decay"), never=forms("all")),
        Frame((ONLY, forms("decay")), {"tensors": "tensors"}, frozenset(), forms("weight weights apply use to on keep decay wd"), _decay_only),
        Frame((), {"to": "optimiser", "with": "settings_too", "lr": "rate_of"}, frozenset({"with", "lr"}), forms("use switch train go move change exchange against optimiser rule again named called another learning place put new from from-adamw over try shot give instead with for replace sgd") | TURN, _optimiser, never=OFF),
        Frame((), {"from": "from_rule", "to": "optimiser", "with": "settings_too"}, frozenset({"with"}), forms("use switch go move change to with swap exchange"), lambda f, w: _optimiser(Found({k: x for k, x in f.items() if k != "from"}, f.context), w)),
        Frame((forms("text program rewrite code learn rule"),), {"text": "quoted"}, frozenset(), forms("learn rule as by replace with this following use the routine swap for text set make be learning update whole program rewrite write new put change to"), _text),
        Frame((forms("clip clipping cap"),), {"norm": "number"}, frozenset(), PUT | forms("gradients norm at to max maximum of with threshold"), _edit("clip")),
    ),
    "set": (
        Frame((), {"all": "dial_values"}, frozenset(), TURN, lambda f, w: [{"dial": dial, "to": to} for dial, to in f["all"].items()]),
        Frame((forms("cosine exponentially linearly"),), {"dial": "dial", "to": "amount_to", "over": "spread"}, frozenset(), TURN | DOWN | UP | SOFT, _shaped),
        Frame((forms("halve half"),), {"dial": "dial", "over": "spread"}, frozenset(), TURN | SOFT, lambda f, w: {"dial": f["dial"], "by": 0.5, "over": f["over"]}),
        Frame((UP | DOWN,), {"dial": "dial", "part": "bare_part"}, frozenset(), TURN | UP | DOWN, lambda f, w: _percent(f, w)),
    ),
    "again": (Frame((BEGIN,), {"seed": "seed_of", "name": "named_so", "dials": "dial_values"}, frozenset({"seed", "name", "dials"}), BEGIN | WHOLE, _again),),
    "alter": (
        Frame((UP | DOWN,), {"tensors": "tensors", "part": "bare_part"}, frozenset(), TURN | UP | DOWN | forms("values weights"), _grown),
        Frame((forms("reset reinitialise reinitialize reinit back restore first initial original"), forms("reset reinitialise reinitialize reinit first initial original beginning start started began")), {"tensors": "tensors"}, frozenset(), TURN | forms("reset values how were was they it at very where to on their its optimiser state including with and plus of"), _reset, never=forms("all-the")),
        Frame((forms("zero zeros blank"),), {"tensors": "tensors"}, frozenset(), TURN | forms("out values all zero zeros clear"), lambda f, w: {"how": "zero", "tensors": f["tensors"]}),
        Frame((forms("zero reset"), forms("optimiser state")), {"tensors": "tensors"}, frozenset(), forms("zero what keeps keep optimiser state of them weights and also its their including with"), lambda f, w: {"how": "zero" if "zero" in w else "reset", "tensors": f["tensors"], "and_state": True}),
        Frame((forms("noise perturb"),), {"tensors": "tensors", "amount": "noise_of", "seed": "seed_of"}, frozenset({"seed"}), TURN | forms("add put noise perturb some all of on to with in and amount strength size scale"), lambda f, w: {"how": "noise", **f}),
        Frame((forms("prune sparsify"),), {"tensors": "tensors", "amount": "number"}, frozenset(), forms("prune of smallest weights values"), lambda f, w: {"how": "prune", **f}),
    ),
    "freeze": (
        *FRAMES["freeze"],
        Frame((forms("freeze fix lock hold"),), {"tensors": "tensors"}, frozenset(), STILL | forms("tensors parameters layers")),
        Frame((forms("freeze fix lock hold"), forms("so"), forms("not don't no")), {"tensors": "tensors"}, frozenset(), STILL | forms("tensors parameters layers so that they any more anymore longer")),
        Frame((forms("not don't no"), forms("change move learn train training update touch changing moving learning")), {"tensors": "tensors"}, frozenset(), STILL | forms("not don't do let should shall must any more anymore longer further part parameters on no")),
        Frame((forms("out"), forms("training")), {"tensors": "tensors"}, frozenset(), forms("take leave out of training")),
    ),
    "unfreeze": (
        *FRAMES["unfreeze"],
        Frame((forms("again free unfreeze thaw exempt"), forms("learn learning train training update move change touch free unfreeze thaw exempt")), {"tensors": "tensors"}, frozenset(), forms("learn learning train update move change may can rule edit touch set freeze freezing frozen tensors should is to let allow from free parameters"), never=forms("not don't no stop")),
    ),
    "fork": (
        Frame((forms("fork branch copy clone run"),), {"at": "out_of", "name": "named_so"}, frozenset({"name"}), forms("make create start new copy fork branch side run off that we can play with this one give it spin")),
        Frame((forms("fork branch copy clone"),), {"name": "named_so", "at": "out_of"}, frozenset({"at", "name"}), forms("make create start new copy fork branch side off that we can play with this one give it here from spin")),
    ),
    "mark": (Frame((forms("mark marker label checkpoint tag stash save remember give name bookmark"),), {"name": "named_so"}, frozenset(), forms("drop put set make take leave here steps point place where it is this that state current checkpoint marker mark and name give stash save")),),
    "undo": (Frame((forms("undo undone revert"),), {}, frozenset(), forms("last command undone undo revert make it what did i take back that change thing mean latest"), never=forms("go")),),
    "call": (Frame((forms("routine"),), {"routine": "routine_of"}, frozenset(), ONCE),),
    "learn": (
        Frame((PRACTISE,), {"examples": "examples", "rows": "rows_of"}, frozenset({"rows"}), PRACTISE | forms("have let it put in into every batch each with also from on more often per add"), never=forms("stop quit end no leave without forget again") | OFF),
    ),
    "stop-learning": (
        Frame((STOPPING, PRACTISE), {"examples": "examples"}, frozenset(), STOPPING | PRACTISE | forms("it on of from the more to"), never=forms("example-out")),
        Frame((forms("stop quit cease"), forms("learn learning")), {}, frozenset(), forms("extra additional additionally further")),
    ),
    "learn-again": (
        *FRAMES["learn-again"],
        Frame((forms("again back"),), {"examples": "examples_of"}, frozenset(), forms("learn train training use used from on it can may bring take in let be put back should include example"), never=OFF - forms("back")),
    ),
    "leave-out": (
        *FRAMES["leave-out"],
        Frame((forms("leave exclude skip omit ignore drop"),), {"examples": "examples_of"}, frozenset(), forms("out of training from batches now")),
    ),
    "forget": (
        *FRAMES["forget"],
        Frame((forms("forget erase scrub unlearn"),), {"examples": "examples"}, frozenset(), NEVER | forms("completely from its it let make as")),
        Frame((forms("remove delete drop erase"), forms("never"), NEVER - forms("never though had ever if that")), {"examples": "examples"}, frozenset(), NEVER | forms("completely from its it as")),
    ),
    "mix": (
        Frame((forms("mix mixing"), forms("no stop end quit")), {"examples": "examples"}, frozenset(), forms("more any of in the"), lambda f, w: {"examples": f["examples"], "share": 0.0}),
        Frame((forms("mix"),), {"examples": "mixed", "share": "share"}, frozenset(), forms("in at with of into batch")),
    ),
    "take-back": (*FRAMES["take-back"], Frame((forms("back again fetch"),), {"run": "discarded"}, frozenset(), forms("get bring take fetch out of the bin again back trash we threw away by mistake restore put")),),
    "back": (
        Frame((forms("back rewind return revert go"),), {"to": "place"}, frozenset(), TURN | forms("back run to how it was the where at bookmark mark before moment point rewind return revert"), never=forms("fork branch run-on again")),
        Frame((forms("back rewind"),), {"n": "steps"}, frozenset(), forms("back by go rewind run it"), lambda f, w: {"to": f"-{f['n']}"}),
    ),
    "pause": (Frame((forms("wait pause suspend interrupt"),), {}),),
    "resume": (Frame((forms("resume unpause"),), {}),),
    "switch": (
        *FRAMES["switch"],Frame((forms("switch swing go return hop over come"),), {"run": "reference"}, frozenset(), forms("switch swing go by to over run return back hop come")),),
    "keep": (
        *FRAMES["keep"],
        Frame((forms("nobody"),), {}, frozenset(), forms("make sure throws throw this run away discards deletes it discard delete can that")),
    ),
}  # fmt: skip


def _percent(found: Found, words: frozenset[str]) -> dict[str, Any]:
    down = bool(words & DOWN)
    if down == bool(words & UP):
        raise Unclear("up or down?", f"halve {found['dial']}")
    return {"dial": found["dial"], "by": 1 - found["part"] if down else 1 + found["part"]}


FURTHER_VALUES: Table = {
    "settings_too": (v("[COMMA|and|COMMA and] [with|at|and] {s:settings}"), v("[with] {a:setting} {b:settings}", lambda found: {**found["a"], **found["b"]})),
    "dial_value": (v("[with|and|COMMA|COMMA and|but with|on] {d:dial} [to|at|EQUALS|of|is|be|down to|up to] {n:NUMBER}", lambda found: {found["d"]: found["n"]}),),
    "dial_values": (
        v("{a:dial_value}"),
        v("{a:dial_value} {b:dial_values}", lambda found: {**found["a"], **found["b"]}),
    ),
    "edit_name": (
        v("[gradients] (clip|clipping) [gradients]", "clip"),
        v("(grokfast|smoothing)", "smooth"),
        v("(noise (on|from|in|of) gradients|gradients noise)", "noise"),
        v("[{d:dial}] [cosine|warmup] schedule", "schedule"),
        v("(gradient_sign|gradients sign)", "gradient_sign"),
        v("update_sign", "update_sign"),
    ),
    "decay_of": (v("[COMMA|and] [averaging|with] decay [of|EQUALS|at|rate] {n:number}"),),
    "gain_of": (v("[COMMA|and] [with] gain [of|EQUALS|at] {n:number}"),),
    "rate_of": (v("[COMMA] [with|at|by|and|use] [own] (learning rate|rate|lr) [of|EQUALS|at] {n:number}"), v("at {n:number}")),
    "start_at": (
        v("[COMMA|and] (from|starting|start|beginning|starts|begins) [from|at|on|in|with] [steps] {n:count}"),
        v("(from|starting|start|beginning) [from|at] (here|now|present)", lambda found: found.context.step),
    ),
    "end_at": (v("[COMMA|and] (to|until|up to|ends at|end at|ending at|ends|ending|through) [steps] {n:count}"),),
    "floor_of": (v("[with|and|COMMA] [with] floor [of|EQUALS|at] {n:number}"),),
    "bare_part": (v("[by] {n:PERCENT}"), v("[by] {n:NUMBER} percent", lambda found: found["n"] / 100)),
    "seed_of": (v("[with|and|use|COMMA] [another|other|new|different|random] seed [of|EQUALS|COMMA|is] [say] {n:count}"),),
    "noise_of": (v("[amount|scale|strength|size|noise|of|with|at] {n:number}"),),
    "rows_of": (v("[COMMA] [with|in|as|at] {n:count} [more|extra|further|additional] row [per batch|in every batch]"),),
    "examples_of": (
        v("{e:examples_said}"),
        v("(from|on|number) {l:example_list}"),
    ),
    "mixed": (v("{e:examples_said}"), v("{r:RANGE}")),
    "quoted": (v("{n:QUOTED}"),),
    "from_rule": (v("from {o:optimiser} to", lambda found: found["o"]),),
    "routine_of": (v("{n:NAME} routine"), v("sleep [routine]", "sleep"), v("routine {n:NAME}")),
    "out_of": (v("(at|from|out of|off|before|as of|of) [point|moment] [where|when] [steps] {p:place}", lambda found: found["p"]),),
    "more_steps": (
        v("PLUS {n:count}"),
        v("[another] {n:count} [more|further|additional|extra|other] [steps]"),
    ),
}  # fmt: skip
