"""Every intent: what a clause may be meant to do, and what its slots may be filled by (`steer/phrases/intents.py`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ontogeny.front.edits.courses import COURSES
from ontogeny.front.edits.rule import RULES
from ontogeny.steer.phrases.context import Context
from ontogeny.steer.phrases.intents import (
    DIAL,
    FACTORS,
    MANY,
    NAME,
    NEVER,
    OVER,
    RUN,
    SETTINGS,
    TENSORS,
    VALUE,
    WINDOW,
    Filler,
    Given,
    Intent,
    amount,
    bounded,
    by_item,
    by_words,
    cosine,
    count,
    examples,
    flag,
    marked,
    never,
    number,
    one_of,
    others,
    place,
    positive,
    ruled,
    scheduled,
    steps,
    turned,
    whole,
)  # fmt: skip


def _edit(edit: str, *needs: str, **slots: tuple[Filler, ...]) -> Intent:
    return Intent("rule", slots, needs, {"edit": edit})


def _schedule(shape: str, finish: Callable[[Given, Context], Given]) -> Intent:
    long = (
        by_item("over steps", "steps", "over", lambda v, c: int(v)),
        by_item("over", "number", "over", lambda v, c: positive(whole(v))),
        by_item("end", "number", "end", lambda v, c: positive(whole(v))),
        by_item("end steps", "steps", "end", lambda v, c: int(v)),
    )
    slots = {"long": long, "start": (by_item("start", "number", "start", lambda v, c: whole(v)),
                                     by_item("start at", "place", "start", lambda v, c: whole(float(v) if v.isdigit() else 0.5)))}  # fmt: skip
    floor = {"floor": number("floor")} if shape == "cosine" else {}
    return Intent("rule", {**slots, **floor}, ("long",), {"edit": "schedule", "arguments": {"shape": shape}}, finish)


def two(given: Given, context: Context) -> Given:
    """Two runs to be put beside each other: what is beside itself is beside this one."""
    return {name: value for name, value in given.items() if name != "run" or value != given.get("to")}


def looked_after(given: Given, context: Context) -> Given:
    """What the autopilot is to reach, and what it is never to touch."""
    return bounded("goal")(never(given, context), context)


TAKEN_OUT = ("clip", "smooth", "noise", "schedule", "gradient_sign", "update_sign", "momentum", "lr_factor", "no_decay")
_INTENTS: dict[str, Intent] = {
    "run": Intent("run", {"steps": steps("steps"), "until": (by_item("until", "condition", "until"),
                  *by_words("until", {"generalised": "generalised", "memorised": "memorised", "spiked": "spiked", "diverged": "diverged"})),
                  "metric": (by_item("metric", "metric", "metric"),), "bound": number("bound")}, finish=bounded("until")),
    "again": Intent("again", {"many": MANY, "dial": DIAL, "name": NAME, "seed": count("seed"), "value": VALUE}, finish=turned),
    "autopilot": Intent("autopilot", {"budget": (by_item("budget", "budget", "budget"), by_item("times", "number", "budget", lambda v, c: f"{v:g}x"),
                        by_item("steps", "number", "budget", lambda v, c: f"{whole(v)}")),
                        "goal": (by_item("condition", "condition", "goal"),),
                        "metric": (by_item("metric", "metric", "metric"),), "bound": number("bound"),
                        **{f"never {what}": flag(f"never {what}", what) for what in NEVER}, "never dial": (by_item("dial", "dial", "never dial"),),
                        "workers": (by_item("number", "number", "workers", lambda v, c: positive(whole(v))), *by_words("workers", {"two": 2}))}, finish=looked_after),
    "pause": Intent("pause", {}), "resume": Intent("resume", {}), "stop": Intent("stop", {}),
    "back": Intent("back", {"to": place("to")}, ("to",)),
    "mark": Intent("mark", {"name": NAME, "off": flag("off")}, ("name",)),
    "fork": Intent("fork", {"at": place("at"), "name": NAME}),
    "switch": Intent("switch", {}), "keep": Intent("keep", {"off": flag("off")}),
    "discard": Intent("discard", {}), "take-back": Intent("take-back", {}, ("run",)),
    "set": Intent("set", {"dial": DIAL, "value": VALUE, "over": steps("over"),
                  "shape": by_words("shape", {"cosine": "cosine", "exponential": "exponential"})}, ("dial", "value")),
    "call": Intent("call", {"routine": (by_item("routine", "routine", "routine"), by_item("named", "name", "routine"), *by_words("routine", {"sleep": "sleep"}))}, ("routine",)),
    "rule:optimiser": Intent("rule", {"edit": (by_item("optimiser", "optimiser", "edit"),), "with": SETTINGS, "lr": number("lr"), "momentum": number("momentum"), "nesterov": flag("nesterov")}, ("edit",), finish=ruled),
    "rule:momentum": _edit("momentum", momentum=number("momentum"), nesterov=flag("nesterov")),
    "rule:clip": _edit("clip", "norm", norm=(*number("norm"), *by_words("norm", {"one": 1.0}))),
    "rule:gradient_sign": _edit("gradient_sign"),
    "rule:noise": _edit("noise", "scale", scale=number("scale")),
    "rule:smooth": _edit("smooth", decay=number("decay"), gain=(*number("gain"), *by_words("gain", {"two": 2.0}))),
    "rule:cosine": _schedule("cosine", cosine), "rule:warmup": _schedule("warmup", scheduled),
    "rule:schedule": Intent("rule", {"steps": number("steps"), "shape": by_words("shape", {"linear": "linear", "constant": "constant"})}, ("shape",), {"edit": "schedule"}),
    "rule:no_decay": _edit("no_decay", "tensors", tensors=(by_item("these", "tensors", "tensors", lambda v, c: list(v)),
                           by_item("others", "tensors", "tensors", others), *by_words("only_matrices", {"matrices": True}))),
    "rule:update_sign": _edit("update_sign", lr=number("lr")),
    "rule:lr_factor": _edit("lr_factor", "tensors", "factor", tensors=TENSORS, factor=amount("factor"), own=(by_item("name", "name", "dial"),)),
    "rule:text": _edit("text", "text", text=(by_item("quoted", "name", "text"),)),
    "freeze": Intent("freeze", {"tensors": TENSORS}, ("tensors",)), "unfreeze": Intent("unfreeze", {"tensors": TENSORS}, ("tensors",)),
    "alter:scale": Intent("alter", {"tensors": TENSORS, "amount": amount("amount"), "state": flag("and_state")}, ("tensors", "amount"), {"how": "scale"}),
    "alter:reset": Intent("alter", {"tensors": TENSORS, "state": flag("and_state"), "seed": count("seed")}, ("tensors",), {"how": "reset"}),
    "alter:zero": Intent("alter", {"tensors": TENSORS, "state": flag("and_state")}, ("tensors",), {"how": "zero"}),
    "alter:noise": Intent("alter", {"tensors": TENSORS, "amount": amount("amount"), "seed": count("seed"), "state": flag("and_state")}, ("tensors", "amount"), {"how": "noise"}),
    "alter:prune": Intent("alter", {"tensors": TENSORS, "amount": amount("amount"), "state": flag("and_state")}, ("tensors", "amount"), {"how": "prune"}),
    "leave-out": Intent("leave-out", {"examples": examples()}, ("examples",)),
    "learn-again": Intent("learn-again", {"examples": examples()}, ("examples",)),
    "stop-learning": Intent("stop-learning", {"examples": examples()}),
    "learn": Intent("learn", {"values": (by_item("values", "values", "values"),), "file": (by_item("file", "file", "from_file"),),
                    "examples": examples(), "rows": (*count("rows"), *by_words("rows", {"two": 2}))}),
    "mix": Intent("mix", {"examples": examples(), "share": (by_item("share", "share", "share"), by_item("number", "number", "share"),
                  by_item("percent", "number", "share", lambda v, c: v / 100), *by_words("share", {**FACTORS, "zero": 0.0, "all": 1.0}))}, ("examples", "share")),
    "forget": Intent("forget", {"examples": examples(), "name": NAME}, ("examples",)),
    "status": Intent("status", {}),
    "curve": Intent("curve", {"of": (by_item("metric", "metric", "of"), by_item("element", "element", "of"),
                    by_item("norm", "tensors", "of", lambda v, c: f"norm({one_of(v)})"), by_item("mean", "tensors", "of", lambda v, c: f"mean({one_of(v)})"),
                    *by_words("of", {"valid loss": "valid.loss", "valid accuracy": "valid.accuracy", "accuracy": "accuracy"})), "steps": WINDOW}),
    "events": Intent("events", {}),
    "compare": Intent("compare", {"to": (by_item("run", "run", "to"), by_item("discarded", "discarded", "to"),
                      Filler("other", "", lambda v, c, d: {"to": c.previous}), Filler("here", "", lambda v, c, d: {"to": c.run}))}, finish=two),
    "why": Intent("why", {}),
    "alike": Intent("alike", {"element": (by_item("element", "element", "element"),), "at_least": (*number("at_least"),
                    by_item("percent", "number", "at_least", lambda v, c: v / 100)), "over": OVER, "steps": WINDOW, "either": flag("either_sign")}, ("element",)),
    "groups": Intent("groups", {"steps": WINDOW, "at_least": (*number("at_least"), by_item("percent", "number", "at_least", lambda v, c: v / 100)),
                     "over": OVER, "most": count("most")}),
    "explain": Intent("explain", {"names": (by_item("element", "element", "names"), by_item("tensor", "tensors", "names", lambda v, c: one_of(v))), "steps": WINDOW}, ("names",)),
    "moments": Intent("moments", {"steps": WINDOW, "over": OVER}),
    "what-if": Intent("what-if", {"many": MANY, "dial": DIAL, "without": examples("without"), "start": (by_item("number", "number", "start", lambda v, c: whole(v)),
                      by_item("place", "place", "start", lambda v, c: whole(float(v) if v.isdigit() else 0.5)),
                      by_item("mark", "place", "start", lambda v, c: c.marks[marked(v, c)])), "value": VALUE}, finish=turned),
    "waste": Intent("waste", {}), "cost": Intent("cost", {}), "diagnose": Intent("diagnose", {"deep": flag("deep", False)}),
    "recall": Intent("recall", {"examples": examples(), "left out": examples("left_out"), "subsets": number("subsets")}),
    "capacity": Intent("capacity", {"against": (by_item("against", "run", "against"),)}),
    "price": Intent("price", {"steps": (by_item("steps", "steps", "for_steps", lambda v, c: int(v)),), "machine": (by_item("machine", "machine", "machine"),),
                    "precision": (by_item("precision", "precision", "precision"),)}),
    "laws": Intent("laws", {"runs": (by_item("runs", "runs", "runs"),)}),
    "undo": Intent("undo", {}), "history": Intent("history", {"last": count("last")}),
    **{f"rule:remove:{edit}": Intent("rule", {}, (), {"edit": "remove", "arguments": {"edit": edit}}) for edit in TAKEN_OUT},
}  # fmt: skip
INTENTS: Mapping[str, Intent] = {
    name: Intent(one.command, {**one.slots, "run": RUN}, one.needs, one.fixed, one.finish)
    for name, one in _INTENTS.items()
}
"""Every intent by its name. Any may name another run than the one that it is said to."""


def intent_of(said: str, arguments: Mapping[str, Any]) -> str:
    """The name of the intent of a command with arguments."""
    if said == "alter":
        return f"alter:{arguments.get('how')}"
    if said != "rule":
        return said
    edit, given = arguments.get("edit"), arguments.get("arguments", {})
    if edit in ("rule", *RULES, *COURSES):
        return "rule:optimiser"
    if edit in ("freeze", "unfreeze"):
        return str(edit)
    if edit == "schedule":
        return f"rule:{given.get('shape')}" if given.get("shape") in ("cosine", "warmup") else "rule:schedule"
    return f"rule:remove:{given.get('edit')}" if edit == "remove" else f"rule:{edit}"
