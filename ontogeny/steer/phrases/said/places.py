"""Tables of phrases for places in a run and for conditions: where it generalised, until the loss is below 0.1."""

from __future__ import annotations

from ontogeny.steer.phrases.phrase import Found, Phrase, Table, Unclear, v
from ontogeny.steer.phrases.said.values import figure
from ontogeny.steer.places import SAID

IT = "(it|we|loss|run|model|network|net|training|validation|accuracy|{m:metric}|everything|things)"
HAD = "[had|has|was|have|is|did|got|went|suddenly|first|finally|start to|started to|began to|started|began]"
CANONICAL = {
    "generalised": "it generalised", "memorised": "it memorised", "spiked": "the loss spiked", "diverged": "it diverged",
    "catapulted": "it was catapulted", "best": "it was best",
}  # fmt: skip
NOUNS = {
    "generalised": "aha generalising grok generalisation generalization jump grokking breakthrough transition insight",
    "memorised": "memorisation memorization overfitting memorising memorizing mem",
    "spiked": "spike explosion blowup bump",
    "diverged": "divergence nan nans crash collapse",
    "catapulted": "catapult",
}
VERBS = {
    "generalised": "jumped grokked clicked understood generalise generalised grok",
    "memorised": "memorised memorise overfit overfitted overfits",
    "spiked": "spiked spike exploded blew explode shot",
    "diverged": "diverged diverge broke nan crashed collapsed",
    "catapulted": "catapulted catapult",
}
BEST = "(best|lowest|smallest|minimal|highest|minimum|at its best|at its lowest|optimal)"


def _event(name: str) -> str:
    words = dict.fromkeys((*VERBS.get(name, "").split(), *SAID.get(name, "").split(), name))
    return f"({'|'.join(words)}) [up]"


def _place(relation: str, name: str) -> str:
    return f"{relation} {CANONICAL[name]}"


def _events() -> list[Phrase]:
    made = []
    for name in VERBS:
        said, noun = f"{IT} {HAD} {_event(name)}", "|".join(NOUNS[name].split())
        for words, relation in (("before", "before"), ("(when|where|after|at|once)", "when")):
            made.append(v(f"{words} {said}", _place(relation, name)))
            made.append(v(f"{words} [loss] ({noun})", _place(relation, name)))
            made.append(v(f"(moment|point|time|steps|instant|place|spot) {words} {said}", _place(relation, name)))
        made.append(v(f"(point|steps|place|moment|time|spot) [when|where|at which|that] {said}", _place("when", name)))
    made += [v(f"(where|when|at which|to where) {IT} [loss|accuracy] (was|is|were) {BEST}", "where it was best"),
             v("[at] best [validation|valid|training] [loss|accuracy] [steps|point|checkpoint|state|place]", "where it was best"),
             v("(lowest|smallest|minimum|highest) {m:metric}", lambda found: "where it was best"),
             v(f"(point|steps|place|moment|state|time) [when|where|at which|with|of] [{IT} (was|is|were)] {BEST} [validation|valid] [loss]", "where it was best"),
             v("(minimum|optimum|best value) of {m:metric}", lambda found: "where it was best")]  # fmt: skip
    return made


def _mark(found: Found) -> str:
    said = next(iter(found.values()))
    known = {name.lower(): name for name in found.context.marks}
    if said.lower() not in known:
        raise Unclear(f"there is no mark {said!r}; the marks are {', '.join(known.values()) or 'none'}")
    return known[said.lower()]


def _condition(found: Found, side: str, bound: float | None = None) -> str:
    """A metric against a number; accuracies are parts of one, whoever says 99 means 99 percent."""
    metric, value = found["m"], found["n"] if bound is None else bound
    if "accuracy" in metric and value > 1:
        value /= 100
    if side == "reaches":
        side = "<=" if "loss" in metric else ">="
    return f"{metric} {side} {figure(value)}"


ABOVE = (
    "(ABOVE|[is|gets|goes|rises|climbs|comes|was|has (risen|gone|climbed|grown|got)|be|go|get|rise|climb] (above|over|at least|greater than|more than|larger than|"
    "higher than|bigger than|beyond|past)|exceeds|exceed|surpasses|passes|pass|surpass|tops)"
)
BELOW = (
    "(BELOW|[is|gets|goes|falls|drops|drop|dips|dip|sinks|comes|was|has (fallen|dropped|gone|sunk|come|got)|be|go|get|fall|sink] (below|under|beneath|less than|smaller than|lower than|"
    "at most)|(drop|drops|falls|sinks|fall) to|undercuts)"
)
REACHES = "(reach|reaches|reached|hit|hits|is|equals|gets to|get to|comes to|arrives at|touches|gets down to|gets up to|is at|EQUALS|rises to|climbs to|attains|arrives to|is up to|is down to|is back at|at|is complete at)"

RIGHT = "(it|run|model|network) (gets|get|is|has|reaches) [right] {n:number} [right|correct] [of times|of them|of all]"

PLACES: Table = {
    "held": (v("(on|of|in|for) [unseen] (validation|valid) [data|set|examples|example|ones]", True), v("on unseen (data|examples|example)", True)),
    "place": (
        v("{n:count}", lambda f: str(f["n"])),
        v("{p:not_a_number}"),
    ),
    "not_a_number": (
        v("steps {n:count}", lambda f: str(f["n"])),
        v("(state|iteration|number) {n:count}", lambda f: str(f["n"])),
        v("steps number {n:count}", lambda f: str(f["n"])),
        v("{n:steps} (back|ago|earlier|before (now|here|this)|backwards|backward|back in time)", lambda f: f"-{f['n']}"),
        v("[very] (start|beginning|outset|origin)", "start"),
        v("where (it|we|everything) (began|started|begin|start)", "start"),
        v("(first steps|initialisation|initialization|initial state|scratch)", "start"),
        v("(last|end|latest|head|tip|present|newest|final) [steps|state]", "last"),
        v("where (it|we) (is|are|stopped|left off)", "last"),
        v("[mark] {m:MARK} [mark]", _mark),
        v("mark (called|named) {m:MARK}", _mark),
        v("[mark] {m:QUOTED}", _mark),
        v("mark {m:NAME}", _mark),
        v("{n:steps} (before|ahead of|prior to) {e:event}", lambda f: f"{f['n']} steps before {f['e']}"),
        v("{n:steps} (after|past|behind) {e:event}", lambda f: f"{f['n']} steps after {f['e']}"),
        *_events(),
    ),
    "event": (
        v("(learned|learnt|learn|knew|knows|had) [it|them|data|lot|training data|training set] [off] by heart", "it memorised"),
        v("got (hang of|trick) [it|validation] [data]", "it generalised"),
        *(one
        for name in VERBS
        for one in (
            v(f"[when|where] {IT} {HAD} {_event(name)}", CANONICAL[name]),
            v(f"[loss] ({'|'.join(NOUNS[name].split())})", CANONICAL[name]),
            v(f"({_event(name)})", CANONICAL[name]),
        )),
    ),
    "condition": (
        v("{a:clause}"),
        v("{a:clause} and {b:clause}", lambda f: f"{f['a']} and {f['b']}"),
        v("{a:clause} or {b:clause}", lambda f: f"{f['a']} or {f['b']}"),
    ),
    "statistic": (
        v("(norm|length) of {t:tensor}", lambda f: f"norm({f['t']})"),
        v("norm OPEN {t:tensor} CLOSE", lambda f: f"norm({f['t']})"),
        v("{t:tensor} norm", lambda f: f"norm({f['t']})"),
        v("(mean|average) of {t:tensor}", lambda f: f"mean({f['t']})"),
        v("mean OPEN {t:tensor} CLOSE", lambda f: f"mean({f['t']})"),
        v("(std|standard deviation) of {t:tensor}", lambda f: f"std({f['t']})"),
        v("std OPEN {t:tensor} CLOSE", lambda f: f"std({f['t']})"),
        v("(largest|biggest|highest|maximum|max|greatest) [entry|value|weights|element|number] (of|in) {t:tensor}", lambda f: f"max({f['t']})"),
        v("max OPEN {t:tensor} CLOSE", lambda f: f"max({f['t']})"),
        v("(smallest|lowest|minimum|min) [entry|value|weights|element|number] (of|in) {t:tensor}", lambda f: f"min({f['t']})"),
        v("min OPEN {t:tensor} CLOSE", lambda f: f"min({f['t']})"),
    ),
    "clause": (
        v(f"{{m:metric}} {ABOVE} {{n:number}}", lambda f: _condition(f, ">=")),
        v(f"{{m:metric}} {BELOW} {{n:number}}", lambda f: _condition(f, "<")),
        v(f"{{m:metric}} {REACHES} {{n:number}}", lambda f: _condition(f, "reaches")),
        v(f"{{m:metric}} {REACHES} {{n:number}} or (less|lower|below|smaller)", lambda f: _condition(f, "<=")),
        v(f"{{m:metric}} {REACHES} {{n:number}} or (more|higher|above|better)", lambda f: _condition(f, ">=")),
        v(f"{{m:metric}} {BELOW} {{n:number}} or (less|lower|below|smaller|under)", lambda f: _condition(f, "<=")),
        v(f"(as long as|while) {{m:metric}} (is|stays|remains) [still] {BELOW} {{n:number}}", lambda f: _condition(f, ">=")),
        v(f"(as long as|while) {{m:metric}} (is|stays|remains) [still] {ABOVE} {{n:number}}", lambda f: _condition(f, "<")),
        v(f"{{s:statistic}} [is] {ABOVE} {{n:number}}", lambda f: f"{f['s']} > {figure(f['n'])}"),
        v(f"{{s:statistic}} [is] {BELOW} {{n:number}}", lambda f: f"{f['s']} < {figure(f['n'])}"),
        v(f"{{s:statistic}} {REACHES} {{n:number}}", lambda f: f"{f['s']} >= {figure(f['n'])}"),
        v("{t:ELEMENT} (turns|becomes|is|goes|gets|turned) negative", lambda f: f"{f['t']} < 0"),
        v("{t:ELEMENT} (turns|becomes|is|goes|gets|turned) positive", lambda f: f"{f['t']} > 0"),
        v(f"(as long as|while) {{s:statistic}} (is|stays|remains) [still] {BELOW} {{n:number}}", lambda f: f"{f['s']} >= {figure(f['n'])}"),
        v("(it|model|run|network) answers {n:number} of unseen (questions|examples|data) (correctly|right|rightly)", lambda f: _condition(Found({**f, "m": "valid.accuracy"}, f.context), ">=")),
        v("{m:metric} (to|of|past|beyond) {n:number}", lambda f: _condition(f, "reaches")),
        v("{n:number} {m:metric}", lambda f: _condition(f, "reaches")),
        v("{m:metric} {n:number}", lambda f: _condition(f, "reaches")),
        v("(both|either) {c:clause}"),
        v(RIGHT + " {d:held}", lambda f: _condition(Found({**f, "m": "valid.accuracy"}, f.context), ">=")),
        v(RIGHT, lambda f: _condition(Found({**f, "m": "accuracy"}, f.context), ">=")),
        v("{m:metric} is perfect", lambda f: _condition(f, ">=", 1.0)),
        v(f"(norm of {{t:tensor}}|{{t:tensor}} norm) ({ABOVE}|reaches|hits) {{n:number}}", lambda f: f"norm({f['t']}) > {figure(f['n'])}"),
        v(f"(norm of {{t:tensor}}|{{t:tensor}} norm) {BELOW} {{n:number}}", lambda f: f"norm({f['t']}) < {figure(f['n'])}"),
        v(f"{{t:ELEMENT}} {ABOVE} {{n:number}}", lambda f: f"{f['t']} > {figure(f['n'])}"),
        v(f"{{t:ELEMENT}} {BELOW} {{n:number}}", lambda f: f"{f['t']} < {figure(f['n'])}"),
        *(v(f"[{IT}] {HAD} ({_event(name)}|{extra})", name) for name, extra in (
            ("generalised", "generalise|groks|grokks"), ("memorised", "memorise|has learned the training data by heart"),
            ("spiked", "explodes|blows"), ("diverged", "diverges|breaks"), ("catapulted", "catapult"))),
    ),
}  # fmt: skip
