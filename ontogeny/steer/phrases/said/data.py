"""What people say about what a run learns from."""

from __future__ import annotations

from typing import Any

from ontogeny.steer.phrases.phrase import Found, Table, Unclear, p, v

HENCE = "[from (here|now) on|from this steps on|any more|anymore|in future|in what follows]"
BATCH = "(every|each|all|of every|of each) batch"


def values_of(found: Found) -> dict[str, Any]:
    """A new example written out. Raises Unclear where one of its inputs is not said."""
    values, context = found["v"], found.context
    missing = [name for name in context.inputs if name not in values]
    if missing:
        raise Unclear(f"an example has {', '.join(context.inputs)}; say {' and '.join(missing)} too")
    rows = {"rows": found["rows"]} if "rows" in found else {}
    return {"values": values, **rows}


def _which(found: Found) -> Any:
    raise Unclear("which examples?", "forget the examples 3 and 17", "leave out the examples 3 and 17")


def _how_much(found: Found) -> Any:
    said = found["examples"]
    raise Unclear(
        "what share of each batch?",
        f"draw 10% of each batch from the examples {said}",
        f"draw half of each batch from the examples {said}",
    )


DATA: Table = {
    "leave-out": (
        p(f"(leave out|exclude|skip|omit|ignore|drop|take out|remove|hold out|disregard|leave away|stop use|hold back|mask|mask out|filter out|cut out) {{examples}} {HENCE}"),
        p(f"(leave|take|keep|hold) {{examples}} out [of (training|batch|it|{BATCH}|training data|data|training set)] {HENCE}"),
        p(f"(exclude|remove|drop|take|leave out|take out|cut|omit) {{examples}} (from|out of|of) (training|batch|data|training data|training set|{BATCH}|dataset|what comes) {HENCE}"),
        p(f"(do not|don't|no longer|never) (use|training on|learn from|show it|feed it|training with|include|learn) {{examples}} {HENCE}"),
        p(f"(stop) (use|training on|learn from|showing it|feed it|show it|training with|learn) {{examples}} {HENCE}"),
        p("(go on|continue|carry on|training|learn) without {examples}"),
    ),
    "learn-again": (
        p("(learn|training|use) [from|on|with] {examples} again"),
        p("(bring|put|take|include|add|let) {examples} (back|back in|in again|back into (training|batch|data|training set)|again)"),
        p("(include|use|readmit|re-include|restore|readd|re-add|bring back|put back|take back) {examples} [again|in batch|in training]"),
        p("(stop|no longer) (leave out|exclude|ignore|skip|leaving out|excluding|omit) {examples}"),
        p("(do not|don't) (leave out|exclude|ignore|skip|omit) {examples} [any more|anymore|any longer]"),
    ),
    "learn": (
        p("(learn|teach it|teach|teach that|learn that|training on|show it|memorise|add|feed it|include|learn this|teach it this|add this|add this example|learn this example|add example|learn example|learn new example|add new example|teach it example|learn from) [this|that|new example|example|this example|following|from|following example] [COLON|COMMA] {v:pairs}", values_of),
        p("(learn|teach it|teach|teach that|learn that|training on|show it|memorise|add|feed it|include) [this|that|new example|example|this example|following|from] [COLON|COMMA] {v:pairs} (with|in|using|COMMA|as) {rows:count} row (in|of|per) [each|every] batch", values_of),
        p("(learn|training on|show it|practise|practice|rehearse|use|feed it|repeat|study) [from|on] {examples} (more|also|additionally|extra|more often|more frequently|in addition|in every batch|in each batch|in all batch|on top|often|as well)"),
        p("(learn|training on|show it|use|add|put|feed it|have|include|insert|repeat) {rows:count} [more|extra|further|additional] row (of|from|with) {examples} (in|to|into|per) [every|each|all] batch"),
        p("(add|put|include|insert) {examples} (in|to|into) (every|each|all) batch"),
        p("(learn|add|put) {rows:count} [more|extra|further|additional] row (of|from) {examples}"),
        p("(learn|add) example from [file] {file:file}"),
        p("learn from [file] {file:file}"),
        p("(learn|teach it) [this|that|something|something new|new example]", _which),
    ),
    "stop-learning": (
        p("(stop|no longer|quit|end|do not|don't) [learn|use|practise|show|have|add|training|rehearse] [from|on|of] ([extra|additional|further] example [that were] added|extra row|extra example|additional row|further row|added example|new example|more row|additional example|further example)"),
        p("(remove|drop|take out|take away|end|get rid of) ([extra|additional|further] example [that were] added|extra row|extra example|additional row|further row|added example|new example|additional example|further example)"),
        p("(stop) learn [from|on] {examples}"),
        p("(stop|quit) learn [from|on] [it|them|extra] (also|additionally)"),
        p("(stop|no longer) (practise|practice|rehearse|repeat) {examples} [more|extra|in addition]"),
        p("(stop) (learn) {examples} (more|extra|additionally|in addition)"),
        p("(remove|drop|take out) extra row (of|from) {examples}"),
    ),
    "mix": (
        p("(make|let|have|take|draw|fill|compose|pick|sample|get|set|use|choose|ensure|devote|reserve) {share:share} of (each|every|all) batch [to] [come|be|consist|be drawn|be taken|drawn|be made up|be sampled] [from|of|with|for|to] {examples}"),
        p("(make|let|have|take|draw|fill|compose|pick|sample|get|use|choose) {share:share} of batch [come|be|be drawn|drawn|to be] [from|of|with] {examples}"),
        p("{share:share} of (each|every|all) batch (should|shall|must|ought to|has to|is to|have to|COLON|is) [be|come|consist] [drawn|taken] [of|from] {examples}"),
        p("{share:share} of (each|every|all) batch from {examples}"),
        p("(mix in|mix|blend in|add in) {share:share} [of] {examples} [into|to|in] [(each|every|all) batch]"),
        p("(mix|blend) {examples} (in|into|into (each|every|all) batch|in with|in at|at|into batch) [at|with|as|for|by] [share [of]] {share:share}"),
        p("(mix in|blend in) {examples} (at|with|as|for|up to) [share [of]] {share:share} [of (each|every|all) batch]"),
        p("(fill|make|compose) (each|every|all) batch [up] with {share:share} [of|from] {examples}"),
        p("(draw|take|sample) {examples} for {share:share} of (each|every|all) batch"),
        p("(stop|no longer|end) (mix|mix in|oversample|blend in) {examples} [in]", lambda f: {"examples": f["examples"], "share": 0.0}),
        p("(mix in|mix|oversample|upweight|blend in) [more|more of] {examples} [more|in|more often]", _how_much),
        p("(show it|use|draw|take|sample) more [of] {examples}", _how_much),
    ),
    "forget": (
        p("(forget|unlearn) {examples} (as|called|named|and call it) {name:any_name}"),
        p("(forget|unlearn|erase|delete) {examples} [completely|entirely|exactly|altogether|for good|forever|as if it never saw (it|them)]"),
        p("(make|let|have) it (forget|unlearn) {examples} [completely|entirely|exactly]"),
        p("(forget|unlearn) that it (saw|learned|has seen|had seen|ever saw) {examples}"),
        p("(remove|erase|delete) {examples} [completely|entirely] from (its memory|memory|history|what it learned|what it has learned|what it knows|its past)"),
        p("(pretend|act|continue|make it|as) [as] [if] it (never|had never|has never|had not) (saw|seen|learned|learned from|trained on|been trained on|learn|met) {examples}"),
        p("(replay|redo|run again|rerun|repeat|retrain|recompute|redo run|replay run|redo training|redo everything|replay everything|retrain it) [it|run|this|this run|everything] without {examples}"),
        p("(wipe|erase|remove|delete|clear) {examples} (from|out of) (its|memory|its memory|mind|its mind|its past|history|record|model)"),
        p("(make it|act|behave|be) as (though|if) {examples} (had never existed|never existed|had never been there|were never there|had not existed|never happened|had never been seen)"),
        p("(replay|redo|rerun|repeat) [it] as if {examples} had never been (there|seen|learned|learned from)"),
        p("(forget|unlearn) (that|this|it|everything|those|them|example|some example)", _which),
    ),
}  # fmt: skip


def _numbers(found: Found) -> Any:
    return found["n"]


DATA_VALUES: Table = {
    "share": (
        v("{n:PERCENT}"), v("{n:FRACTION}"), v("{n:NUMBER} percent", lambda f: f["n"] / 100), v("{n:NUMBER}", lambda f: _share(f)),
        v("share of {n:NUMBER}", lambda f: _share(f)), v("one {n:FRACTION}"), v("one in {n:NUMBER} row", lambda f: 1 / f["n"]),
        v("{a:NUMBER} in {b:NUMBER} row", lambda f: f["a"] / f["b"]),
        v("all", 1.0),
    ),
    "pairs": (
        v("{a:pair}", lambda f: f["a"]),
        v("{l:listed} (gives|is|equals|makes|ARROW|EQUALS|yields|maps to|should give|should be|has answer) {n:NUMBER}", lambda f: _in_order(f)),
        v("{a:pair} (and|COMMA|SEMICOLON|SEMICOLON and|COMMA and|with|ARROW|gives|makes) {b:pairs}", lambda f: {**f["a"], **f["b"]}),
        v("{a:pair} {b:pairs}", lambda f: {**f["a"], **f["b"]}),
        v("{b:bracketed} (and|COMMA|SEMICOLON|with|ARROW|gives|makes) {c:pair}", lambda f: {**f["b"], **f["c"]}),
    ),
    "bracketed": (v("OPEN {a:pair} CLOSE", lambda f: f["a"]),),
    "pair": (
        v("{i:INPUT} (EQUALS|is|of|being|COLON|equals) {l:listed}", lambda f: {f["i"]: f["l"][0] if len(f["l"]) == 1 else f["l"]}),
        v("{i:INPUT} OPEN {l:listed} CLOSE", lambda f: {f["i"]: f["l"]}),
        v("(answer|label|target|result) (EQUALS|is|of|being|COLON|equals) {n:NUMBER}", lambda f: {_answer(f): f["n"]}),
        v("{i:INPUT} {l:listed}", lambda f: {f["i"]: f["l"][0] if len(f["l"]) == 1 else f["l"]}),
        v("{i:INPUT} (EQUALS|is|COLON|of) OPEN {l:listed} CLOSE", lambda f: {f["i"]: f["l"]}),
    ),
    "listed": (
        v("{n:NUMBER}", lambda f: [f["n"]]),
        v("{n:NUMBER} {b:listed}", lambda f: [f["n"], *f["b"]]),
        v("{n:NUMBER} (COMMA|and|COMMA and) {b:listed}", lambda f: [f["n"], *f["b"]]),
    ),
    "file": (v("{n:QUOTED}"), v("{n:DOTTED}")),
}  # fmt: skip


def _in_order(found: Found) -> dict[str, Any]:
    """Values and an answer, without the names of the inputs: clear where there are two."""
    names = found.context.inputs
    if len(names) != 2:
        raise Unclear(f"an example has {', '.join(names)}; say which of them is what")
    return {names[0]: found["l"] if len(found["l"]) > 1 else found["l"][0], names[1]: found["n"]}


def _answer(found: Found) -> str:
    names = [name for name in found.context.inputs if name.lower() in ("y", "label", "target", "answer")]
    if len(names) != 1:
        raise Unclear(f"which of {', '.join(found.context.inputs)} is the answer?")
    return names[0]


def _share(found: Found) -> float:
    if not 0 <= found["n"] <= 1:
        raise Unclear(f"a share lies between 0 and 1; do you mean {found['n']:g}%?")
    return float(found["n"])
