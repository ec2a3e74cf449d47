"""Tables of phrases for what varies in a command: numbers, factors, dials, metrics, steps, windows, runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ontogeny.steer.commands.dials import SAID
from ontogeny.steer.phrases.phrase import Found, Missing, Phrase, Table, Unclear, v


def figure(value: float) -> str:
    """A number as conditions and places write it, with nothing lost."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _whole(found: Found) -> int:
    value = found["n"]
    if value != int(value):
        raise Unclear(f"{value:g} is no whole number of steps or examples")
    return int(value)


def _dial(*names: str) -> Phrase:
    """What a word for one or several dials means: that which the run has."""

    def make(found: Found) -> str:
        there = [name for name in names if name in found.context.dials]
        if not there:
            has = ", ".join(found.context.dials) or "none"
            raise Unclear(f"this run has no dial {names[0]}; it has {has}")
        return there[0]

    return Phrase("", make)


def _dials() -> list[Phrase]:
    meant: dict[str, list[str]] = {}
    for name, words in SAID.items():
        for word in (name, *words):
            meant.setdefault(word, []).append(name)
    meant |= {word: ["weight_decay"] for word in ("weight-decay", "l2", "l2 regularisation", "l2 penalty")}
    meant |= {word: ["lr"] for word in ("learning rates", "learn rate", "learning-rate", "alpha", "stepsize")}
    meant |= {
        "beta 1": ["beta1"],
        "beta 2": ["beta2"],
        "beta two": ["beta2"],
        "adam epsilon": ["eps"],
        "epsilon of adam": ["eps"],
    }
    meant |= {word: ["weight_decay"] for word in ("decay of weights", "decay on weights", "decay of parameters")}
    meant |= {word: ["beta1"] for word in ("first momentum coefficient", "momentum coefficient", "first beta")}
    meant |= {"second beta": ["beta2"], "size of steps": ["lr"], "epsilon": ["eps"], "second moment decay": ["beta2"]}
    meant |= {
        word: ["lr"]
        for word in ("how fast it learns", "speed of learning", "learning speed", "how fast it is learning")
    }
    meant |= {"first moment decay": ["beta1"]}
    own = [v(f"{word} (of|for|on) {{t:tensor}}", _of_group(names)) for word, names in meant.items() if " " not in word]
    two = v("weight decay (of|for|on) {t:tensor}", _of_group(["weight_decay"]))
    rate = v("learning rate (of|for|on) {t:tensor}", _of_group(["lr"]))
    return [v("{n:DIAL}"), *(Phrase(word, _dial(*names).make) for word, names in meant.items()), *own, two, rate]


def _of_group(names: list[str]) -> Callable[[Found], str]:
    """What a word for a dial means of some tensors: the dial that their group of parameters has of its own."""

    def make(found: Found) -> str:
        said, dials = re.sub(r"[^a-z0-9]+", "_", str(found["t"]).lower()), found.context.dials
        of = {dial.partition(".")[2].lower(): dial for dial in dials if dial.partition(".")[0] in names and "." in dial}
        for group, dial in of.items():
            if said == group or said.startswith(f"{group}_"):
                return dial
        raise Missing(_no_group(str(found["t"]), names[0], tuple(of.values())))

    return make


def _no_group(tensor: str, dial: str, theirs: Sequence[str]) -> str:
    """That there is no such group, and how to make one."""
    there = f"; those of groups are {', '.join(theirs)}" if theirs else ""
    group = f'og.adamw().grouped({{"{tensor.partition(".")[0]}.*": {{"{dial}": 1.0}}}})'
    return (
        f"{tensor} has no {dial} of its own{there}; {dial} is of all parameters. A group is made where the learner is "
        f"captured, by its rule: {group}"
    )


def _metric(found: Found, name: str) -> str:
    if name not in found.context.metrics:
        there = ", ".join(found.context.metrics) or "none"
        raise Unclear(f"this run measures no {name}; it measures {there}")
    return name


def _measure(text: str, name: str) -> Phrase:
    return v(text, lambda found: _metric(found, name))


def _other(found: Found) -> str:
    here, context = found.context.run, found.context
    if context.previous:
        return context.previous
    others = [name for name in context.runs if name != here]
    if len(others) == 1:
        return others[0]
    raise Unclear(f"which run? there are {', '.join(others) or 'no others'}", *others)


def _fork(found: Found) -> str:
    context = found.context
    forks = context.forks()
    if context.previous in forks or (context.previous and not forks):
        return context.previous
    if len(forks) == 1:
        return forks[0]
    raise Unclear(f"which fork? {context.run} has {', '.join(forks) or 'none'}", *forks)


def _parent(found: Found) -> str:
    if found.context.parent:
        return found.context.parent
    raise Unclear(f"{found.context.run} comes from no other run; name the run that you mean")


def _named_run(found: Found) -> str:
    said = str(next(iter(found.values())))
    there = {name.lower(): name for name in (*found.context.discarded, *found.context.runs)}
    if said.lower() not in there:
        raise Unclear(f"there is no run {said!r}; there are {', '.join(found.context.runs)}")
    return there[said.lower()]


VALUES: Table = {
    "number": (
        v("{n:NUMBER}"),
        v("{n:PERCENT}"),
        v("{n:FRACTION}"),
        v("{n:NUMBER} percent", lambda found: found["n"] / 100),
        v("one", 1.0),
    ),
    "plain": (v("{n:NUMBER}"), v("{n:PERCENT}"), v("{n:NUMBER} percent", lambda found: found["n"] / 100)),
    "count": (v("{n:NUMBER}", _whole), v("one", 1)),
    "factor": (
        v("twice [that|it|its value|what it is|as (much|large|big|high)]", 2.0),
        v("double [that|it|its value|what it is]", 2.0),
        v("triple", 3.0),
        v("{n:number} times {rest:asis}", lambda found: found["n"]),
        v("{n:number} times as (much|large|big|high|strong)", lambda found: found["n"]),
        v("{n:number} times (larger|bigger|higher|greater|more|stronger)", lambda found: found["n"]),
        v("{n:number} times (smaller|lower|less|weaker)", lambda found: 1 / found["n"] if found["n"] else None),
        v("{n:TIMES}"),
        v("{n:FRACTION}"),
        v("{n:FRACTION} of {rest:asis}", lambda found: found["n"]),
        v("{n:FRACTION} as (much|large|big|high|strong)", lambda found: found["n"]),
        v("{n:PERCENT} of {rest:asis}", lambda found: found["n"]),
    ),
    "times": (
        v("{n:number} times", lambda found: found["n"]),
        v("factor of {n:number}", lambda found: found["n"]),
        v("{n:TIMES}"),
        v("tenfold", 10.0),
        v("twofold", 2.0),
    ),
    "asis": (
        v("(it|that|this|its [own|present|original|old|former] value|what it (is|was)|itself|previous value)", True),
        v("([its|their] [present|old|former|original|current|own|previous] (value|{d:dial}|size|level)|what it is (today|there))", lambda found: True),
    ),
    "dial": tuple(_dials()),
    "metric": (
        v("{n:METRIC}"),
        _measure("[training] loss", "loss"),
        _measure("[training] accuracy", "accuracy"),
        _measure("(validation|valid) loss", "valid.loss"),
        _measure("loss on (validation|valid) [set|data|examples]", "valid.loss"),
        _measure("(validation|valid) accuracy", "valid.accuracy"),
        _measure("accuracy on (validation|valid) [set|data|examples]", "valid.accuracy"),
        _measure("accuracy of (validation|valid)", "valid.accuracy"),
    ),
    "steps_named": (v("{n:count} steps"),),
    "steps": (
        v("{n:count} [more|further|additional|extra|other] steps"),
        v("another {n:count} steps"),
        v("[another] {n:count} [more]"),
        v("single steps", 1),
        v("[one] steps", 1),
        v("one (more|single|further) steps", 1),
        v("another steps", 1),
    ),
    "window": (
        v("{r:RANGE}"),
        v("[in|over|for|during|within] steps {r:RANGE}"),
        v("between [steps] {a:count} and [steps] {b:count}", lambda f: f"{f['a']}:{f['b']}"),
        v("(from|over|in|during|for) [steps] {a:count} (to|until|through|up to|DASH) [steps] {b:count}", lambda f: f"{f['a']}:{f['b']}"),
        v("[steps] {a:count} (to|until|through|DASH) {b:count}", lambda f: f"{f['a']}:{f['b']}"),
        v("(from|since|after) [steps] {a:count} [on|onwards|onward|to (end|last steps)]", lambda f: f"{f['a']}:"),
        v("(until|up to|before) [steps] {b:count}", lambda f: f":{f['b']}"),
        v("[in|over|during|for] first {b:count} steps", lambda f: f":{f['b']}"),
        v("[in|over|during|for] last {b:count} steps", lambda f: f"{max(0, f.context.step - f['b'])}:"),
    ),
    "reference": (
        v("{n:RUN} [run|fork]", _named_run),
        v("(run|fork) {n:RUN}", _named_run),
        v("[run] {n:QUOTED}", _named_run),
        v("(other|previous|former|last) (one|run)", _other),
        v("other", _other),
        v("run before [this|it]", _other),
        v("(that|this other) run", _other),
        v("{n:RUN} (run|fork|one)", _named_run),
        v("that one", _other),
        v("where (i|we) (was|were) before", _other),
        v("[that|last|latest|new|newest] (fork|branch)", _fork),
        v("(parent|original|base|baseline|main|unforked|initial) [run|one|version]", _parent),
        v("what it (was forked|came|branched) from", _parent),
        v("run it (was forked|came|branched|forks) from", _parent),
    ),
    "here": (v("(it|this|this run|this one|run|current run|present run|model|training)", True),),
    "word": (v("{n:QUOTED}"), v("{n:DOTTED}"), v("{n:ANY}")),
    "name": (v("{n:NAME}"), v("{n:QUOTED}"), v("{n:MARK}"), v("{n:RUN}"), v("{n:DOTTED}")),
}  # fmt: skip
