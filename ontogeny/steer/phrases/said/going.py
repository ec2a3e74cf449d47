"""What people say to let a run go on, wait, end, or begin again."""

from __future__ import annotations

from typing import Any

from ontogeny.steer.phrases.phrase import Found, Table, Unclear, p, v
from ontogeny.steer.phrases.said.values import figure

GO = "(run|go on|carry on|continue|keep going|proceed|advance|training|keep training|go|go ahead|resume|move on|go forward|keep run|step|do|take|execute|perform|make|continue training|continue run|let it run|let it go on|let it train|let run|let it continue|let it keep going|run on|go further|train on|give it|run it|train it|run this|continue it)"
UNTIL = "(until|up to when|up until|to where|to the point where|as long as needed until)"
AT_MOST = "[COMMA] [but] [for|with] (at most|no more than|not more than|not longer than|no longer than|never more than|not exceed|up to|max|maximum|maximum of|or|a limit of|limit|but stop after|stop after|at the latest after|for at most|within|capped at|but at most)"


def _both(found: Found) -> dict[str, Any]:
    return {"until": found["until"], "steps": found["steps"]}


def _to(found: Found) -> dict[str, Any]:
    more = int(found["n"]) - found.context.step
    if more <= 0:
        raise Unclear(f"this run is at step {found.context.step} already", f"go back to {int(found['n'])}")
    return {"steps": more}


def _how_long(found: Found) -> Any:
    raise Unclear("for how many steps?", "run 100 steps", "run 1000 steps")


GOING: Table = {
    "run": (
        p(f"{GO} [it|this|training|on|further] [for] {{steps}} [more|longer|further|on|of training]"),
        p("steps", steps=1),
        p("{n:count} steps", lambda f: {"steps": f["n"]}),
        p("give [it|run] another {n:count} [steps]", lambda f: {"steps": f["n"]}),
        p("one (steps|more steps|single steps|more)", steps=1),
        p("another {n:count} [steps] [of training]", lambda f: {"steps": f["n"]}),
        p("{n:count} more steps", lambda f: {"steps": f["n"]}),
        p("{n:count} steps (more|further|of training|on|forward|ahead)", lambda f: {"steps": f["n"]}),
        p(f"{GO} [it|this|training|on] (to|until|up to) steps {{n:count}}", _to),
        p(f"{GO} [it|this|training|on] {UNTIL} {{until:condition}}"),
        p(f"{GO} [it|this|training|on] {UNTIL} {{until:condition}} {AT_MOST} {{steps}}", _both),
        p(f"{GO} [it|this|on] [for] {AT_MOST} {{steps}} [COMMA] [or] {UNTIL} {{until:condition}}", _both),
        p(f"{GO} [for] {{steps}} [COMMA] or {UNTIL} {{until:condition}}", _both),
        p("stop (when|once|as soon as) {until:condition}"),
        p(f"{GO} [it|this|training|on] {UNTIL} [either] {{until:condition}} or [for|after] {{steps}} [at most|are up|have passed|are over|passed|elapsed|are done|have been taken|whichever comes first]", _both),
        p(f"wait {UNTIL} {{until:condition}}"),
        p(f"{GO} [it|this] [for] (bit|while|some [more] steps|some time|little|longer|few [more] steps|bit (more|longer)|while longer|more steps|some more|more|further|many steps|lot|several steps)", _how_long),
    ),
    "again": (
        p("(start|begin|run|train) [it|this|run] (over|anew|afresh|from scratch|again from (start|beginning|scratch|zero)|from (start|beginning|zero))"),
        p("(restart|start new run|start over|begin again|start again|run it again|train it again|retrain|rerun|start another run|make new run|repeat run)"),
        p("(restart|start new run|start over|begin again|start again|run [it] again|train [it] again|retrain [it]|rerun [it]|start another run|make new run|repeat run) (from (start|beginning|scratch|zero|steps zero))"),
        p("(restart|start new run|start over|begin again|start again|run it again|train it again|retrain [it]|rerun [it]|start another run|make new run|repeat run|train it anew|run anew) [from (start|beginning|scratch)] (with|using) ([random] seed {seed:count}|[another] seed {seed:count})", lambda f: {"seed": f["seed"]}),
        p("(restart|start new run|start over|begin again|start again|run [it] again|train [it] again|retrain [it]|rerun [it]|start another run|make new run|repeat run|new run) [from (start|beginning|scratch)] (with|at|using) {d:dial} [of|EQUALS|set to|at] {n:number}", lambda f: {"dials": {f["d"]: f["n"]}}),
        p("new run with seed {seed:count}"),
        p("(start|make|begin|create) [fresh|new|second|another] run [from scratch] (called|named) {name:word}"),
        p("(do|run|repeat|start) (whole thing|it all|everything|all of it|whole run) (over|again|anew|from scratch)"),
        p("(same run|same thing|same) [again] with seed {seed:count}"),
        p("(restart|start new run|start over|start another run|make new run|new run) (called|named) {name}"),
    ),
    "autopilot": (
        p("(autopilot|start autopilot|use autopilot|turn on autopilot|switch on autopilot|engage autopilot|put it on autopilot|put run on autopilot|run autopilot|let autopilot (take over|run|drive|fly)|hand over to autopilot|go on autopilot)"),
        p("(autopilot|start autopilot|use autopilot|turn on autopilot|switch on autopilot|engage autopilot|put it on autopilot|put run on autopilot|run autopilot|hand over to autopilot|look after (it|run|itself)|let it look after itself) (with|on|within|for|using) [budget of|budget|at most|up to|total of] {budget:budget}"),
        p("(look after|take care of|mend|repair|fix|improve|optimise|heal) (it|run|this|itself|this run|training) (on its own|by itself|itself|automatically|for me|alone)"),
        p("(look after|take care of|mend|repair) (it|run|this|itself|this run|training)"),
        p("let it (look after|take care of|mend|repair|fix|improve|heal) itself"),
        p("(fix|mend|repair) (whatever is wrong|what is wrong [with it]|its faults|problems|its problems|faults) [automatically|by itself|on its own]"),
        p("(find|try) remedies [for it|for its faults|on forks]"),
        p("(autopilot|start autopilot|use autopilot|put it on autopilot|look after (it|run|itself)|let it look after itself) [COMMA] [but] "
          "(without (touching|change|altering)|never (touch|touching|change|alter)|(do not|don't) (touch|change|alter)) {never:untouched}"),
        p("(autopilot|start autopilot|use autopilot|put it on autopilot|look after (it|run|itself)|let it look after itself) [COMMA] [but|and] "
          "(leave|keep) {never:untouched} (alone|untouched|unchanged|as (it is|they are))"),
    ),
    "pause": (
        p("(pause|wait|wait moment|hold on|hold it|hold|freeze training|suspend|halt) [it|training|run|this|for moment|here]"),
        p("(pause|suspend|interrupt) {run:reference}"),
        p("let it (wait|rest|pause)"),
        p("put (it|run|training|this) on hold"),
    ),
    "resume": (
        p("(resume|unpause|continue|carry on|go on|keep going|keep run|proceed|go ahead) [it|training|run|this|with it|with training|where it left off]"),
        p("let it (go on|continue|run|run on|carry on|run free|run freely)"),
        p("(run|train|continue|go on|keep going|keep training) (forever|indefinitely|without end|until i say stop|until i stop it|until further notice)"),
    ),
    "stop": (
        p("(stop|end|quit|terminate|kill|shut down) [it|training|run|this|process|live run|live process]"),
        p("shut (it|run|process|this) down"),
        p("(end|terminate|kill|stop|shut down) process [of run|of it]"),
        p("(stop|end|terminate|kill) {run:reference}"),
    ),
}  # fmt: skip
GOING_VALUES: Table = {
    "untouched": (
        v("{a:untouchable}"),
        v("{a:untouchable} (and|or|nor|COMMA|COMMA or|COMMA and) {b:untouched}", lambda found: f"{found['a']},{found['b']}"),
    ),
    "untouchable": (
        v("[training] (data|example)", "data"),
        v("[learning|update] (rule|optimiser)", "rule"),
        v("(parameters|weights|tensors)", "parameters"),
        v("{d:dial}"),
    ),
    "budget": (
        v("{n:count} steps", lambda f: str(f["n"])),
        v("{n:count} steps in all", lambda f: str(f["n"])),
        v("{n:NUMBER} times (its|run's|run|its own) [own] [length|steps]", lambda f: f"{figure(f['n'])}x"),
        v("twice (its|run's|run|its own) [own] [length|steps]", "2x"),
        v("{n:TIMES} [its|run] [own] [length|steps]", lambda f: f"{figure(f['n'])}x"),
    ),
}  # fmt: skip
