"""What people say to go back, mark, fork, switch between runs, keep them and put them away."""

from __future__ import annotations

from typing import Any

from ontogeny.steer.phrases.phrase import Found, Table, Unclear, p, v

BACK = "(go|go back|go back to|return|rewind|jump|jump back|travel back|roll back|step back|back|move|move back|come back|get back|take back|bring back|bring it back|take it back|rewind it|roll it back|wind back|rewind run|turn back time|reset run|restore|restore run|restore it|rollback|stand|revert|revert run|revert it|set it back|put it back|turn back|reset it|take run back|put run back)"
BACKWARDS = "(go back|rewind|jump back|travel back|roll back|step back|back|move back|come back|get back|rewind it|roll it back|wind back|rewind run|rollback|turn back|take it back|set it back|put it back|bring it back)"
FORK = "(fork|branch|branch off|fork off|split off|make fork|create fork|make branch|create branch|open branch|start fork|start branch|new fork|new branch|spin off fork|fork it|fork run|branch run|fork this|branch it|start new branch|create new branch|make new branch|make new fork|create new fork|start new fork|split|split run|branch out|clone run|make copy|copy run|duplicate run|make copy of run|clone it|copy it|fork this run|branch off this run|branch this)"
AT = "(at|from|off|before|as of|starting at|starting from)"
CALLED = "(called|named|as|and call it|and name it|COMMA call it|COMMA name it|COMMA called|with name|under name|by name|COMMA named|and call that|named as)"


def _which(found: Found) -> Any:
    raise Unclear("which run?", *(f"switch to {name}" for name in found.context.runs if name != found.context.run))


def _where(found: Found) -> Any:
    raise Unclear("back to where?", "go back to the start", "go back 10 steps", "undo that")


def _what_name(found: Found) -> Any:
    raise Unclear("what is it to be called?")


def _relative(found: Found) -> dict[str, Any]:
    return {"to": f"-{found['n']}"}


def _before(found: Found) -> dict[str, Any]:
    return {"to": str(found["n"] - 1)}


WHERE: Table = {
    "back": (
        p(f"{BACK} to {{to:place}}"),
        p(f"{BACK} {{to:not_a_number}}"),
        p(f"{BACK} to (point|place|moment) {{to:place}}"),
        p(f"{BACK} to (just|right|shortly|immediately|somewhere) {{to:place}}"),
        p(f"{BACK} [by] {{n:steps}} (back|backwards|earlier)", _relative),
        p(f"{BACKWARDS} [by] {{n:steps}}", _relative),
        p("take [it|me|us|run] back to {to:place}"),
        p("{to:place} (COMMA back|back)"),
        p("(undo|unwind|drop|roll back) [last] {n:count} steps", _relative),
        p("back up {n:steps}", _relative),
        p("(step|go|back|back up|move|jump) back {n:count} [steps]", _relative),
        p("(undo|unwind) last {n:count} steps", _relative),
        p("(show|look at|view|visit|inspect|see) (state|run|it|steps) (at|as of|of) {to:place}"),
        p("(look at|visit|inspect|revisit) {to:place} [again]"),
        p("(jump|skip|go|move|fast-forward|forward) (ahead|forward|forwards|on) to {to:place}"),
        p("(rewind|go back|roll back|step back|return) [bit|little|few steps|some|some steps|while|further|earlier]", _where),
    ),
    "mark": (
        p("(mark|label|tag|name|remember|save|flag|call) [this|it|here|steps|this steps|this point|place|this place|point|state|this state|current steps|current state|current point|where we are|where it is|moment|this moment] [as|with] {name}"),
        p("(mark|label|tag|name|remember|save|flag|call|note|record) [this|it|here|steps|this steps|this point|place|this place|point|state|this state|current steps|current state|current point|where we are|where it is|moment|this moment|spot|this spot|position] (as|under name|with name|under) {name:word}"),
        p("(call|name|label|tag) (this|it|this steps|this point|this place|steps|point|state|this state|current steps|current state|current point|this spot|this moment) {name:word}"),
        p("(put|set|place|make|create|leave|add|drop) mark [here|at this steps|at this point] (called|named|with name) {name:word}"),
        p("(put|set|place|make|create|leave|add|drop) mark {name} [here]"),
        p("(put|stick|set|place|attach|add|leave|pin) (label|mark|tag|name) {name} (on|at|to|for) (this|it|here|this steps|steps|this point|current steps|this place)"),
        p("(put|set|place|make|create|leave|add) mark (called|named) {name:word} [here|at this point]"),
        p("(mark|bookmark) {name:any_name}"),
        p("(mark|label|tag|remember|save|flag) (this|it|here|this steps|this point|place|steps|this place|state|this state|where we are)", _what_name),
    ),
    "fork": (
        p(f"{FORK} [it|this|run|here|off|this run|from here|off here|at this point|from this point|at this steps|right here|of it|of this run|of this|of run|out here|now]"),
        p(f"{FORK} [it|this|run|this run|of it|of this run|of run|off] {AT} {{at:place}}"),
        p(f"{FORK} {AT} (just|right|shortly|point) {{at:place}}"),
        p(f"{FORK} [it|this|run|this run] {{at:place}}"),
        p(f"{FORK} [it|this|run|here|from here|this run|of it|off|of this run] {CALLED} {{name:word}} [here|from here]"),
        p(f"{FORK} {AT} {{at:place}} {CALLED} {{name:word}}"),
        p(f"{FORK} {{name}} {AT} {{at:place}}"),
        p(f"{FORK} {CALLED} {{name:word}} {AT} {{at:place}}"),
        p("fork (to|into) {name}"),
        p("(start|make|create|give|open) fresh (fork|branch)"),
    ),
    "switch": (
        p("(switch|go|change|move|jump|hop|go over|switch over|take me|bring me|swap|go back|return|switch back|come back|jump over|jump back|get back|move over|move back) (to|over to|back to|onto|on to|into) [run|fork] {run:reference}"),
        p("(look at|open|load|select|use|visit|enter|checkout|check out|work on|continue with|work with) [run] {run:reference}"),
        p("(switch|change) (runs|run|over|back)", lambda found: {}),
        p("(back|go back) to [run] {run:reference}"),
        p("switch", lambda found: {}),
    ),
    "keep": (
        p("(keep|protect|preserve) [run] {run:reference}"),
        p("(keep|protect|preserve|hold on to|hang on to) [it|this|this one|this run|run|current run|current one]"),
        p("(this|it|this run) is kept"),
        p("(this|this one|it|this run) is (keeper|one to keep|worth keep)"),
    ),
    "discard": (
        p("discard"),
        p("(discard|delete|remove|throw away|throw out|put away|get rid of|drop|scrap|ditch|trash|bin|abandon|dispose of|toss|toss out|erase) {run:reference}"),
        p("(discard|delete|remove|throw away|throw out|put away|get rid of|scrap|ditch|trash|bin|abandon|dispose of|toss|toss out|erase) (it|this|this one|this run|run|current run|current one|this fork)"),
        p("(throw|put|toss) {run:reference} (away|out)"),
        p("(i|we) (don't|do not|no longer) need {run:reference} [anymore|any more|any longer]"),
        p("(i|we) (don't|do not|no longer) need (this fork|this run|this one|this) [anymore|any more|any longer]"),
        p("(throw|put|toss) (it|this|this one|this run|run|this fork) (away|out)"),
    ),
    "take-back": (
        p("(take back|bring back|restore|recover|undelete|undiscard|get back|un-discard) [discarded] [run] {run:discarded}"),
        p("(take|bring|get) [discarded] [run] {run:discarded} back"),
    ),
}  # fmt: skip


def _given(found: Found) -> str:
    """A word that somebody gives as a name; one that only points at something is none."""
    if found["n"].lower() in (
        "this",
        "it",
        "here",
        "that",
        "step",
        "point",
        "place",
        "run",
        "now",
        "there",
        "them",
        "state",
        "if",
        "though",
        "well",
    ):
        raise Unclear("what is it to be called?")
    return str(found["n"])


def _discarded(found: Found) -> str:
    said, there = found.get("n", ""), found.context.discarded
    match = [name for name in there if name.lower() == str(said).lower()] if said else list(there)
    if len(match) != 1:
        raise Unclear(f"which discarded run? there are {', '.join(there) or 'none'}")
    return match[0]


WHERE_VALUES: Table = {
    "any_name": (v("{n:ANY}", lambda found: _given(found)),),
    "discarded": (
        p("{n:RUN} [run]", _discarded),
        p("{n:QUOTED}", _discarded),
        p("discarded (run|one)", _discarded),
        p("(run|one) (i|we) (discarded|threw away|deleted|put away|removed)", _discarded),
    ),
}
