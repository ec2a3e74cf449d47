"""What people ask, and what they say about what was done."""

from __future__ import annotations

from typing import Any

from ontogeny.steer.phrases.phrase import Found, Table, Unclear, p, v

SHOW = (
    "(show|plot|draw|graph|chart|see|look at|print|give|get|view|visualise|visualize|want to see|have look at|let see)"
)
WHAT = "(what|how|where)"
DID = "(did|has|have|does|is|was|were|do)"
WITH = "(to|with|and|against|versus|vs|vs.|beside|next to|from)"


def _dials(found: Found) -> dict[str, Any]:
    start = {"start": found["s"]} if "s" in found else {}
    return {"dials": {found["d"]: found["n"]}, **start}


def _factor(factor: float | None = None) -> Any:
    def make(found: Found) -> dict[str, Any]:
        by = found["f"] if factor is None else factor
        value = found.context.dials[found["d"]] * by
        return _dials(Found({**found, "n": value}, found.context))

    return make


def _zero(found: Found) -> dict[str, Any]:
    return _dials(Found({**found, "n": 0.0}, found.context))


def _without(found: Found) -> dict[str, Any]:
    return {"without": found["e"], **({"start": found["s"]} if "s" in found else {})}


def _window(found: Found) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value is not None}


def _at(found: Found) -> dict[str, Any]:
    """One step: what it led to, and nothing around it."""
    at = found["at"]
    return {**{key: value for key, value in found.items() if key != "at"}, "steps": f"{at}:{at + 1}"}


def _move_like_what(found: Found) -> Any:
    raise Unclear("like which parameter? name one element, such as embed.weight[3,7]")


IF = "(what if|what would have happened if|what would happen if|what happens if|what would have been if|what would be if|how would it (be|look|have gone|go|have been) if|suppose|imagine|assume|how would it have gone if|how would it look if|what had happened if|would it be different if|would it have been different if|what would have come of it if|would it have (generalised|memorised|diverged|worked|learned) if|what would it look like if|what would it have looked like if|would it still have (generalised|memorised|diverged) if|simulate|where would we be if|how different would it be if|what would change if)"
HAD = "(had been|was|were|is|had been set to|had been at|were set to|was set to|would have been|had stayed at|stays|had been put to|were at|was at|had|had had)"
FROM = "[from [steps] {s:count} [on|onwards|onward]|since [steps] {s:count}|after [steps] {s:count}|at [steps] {s:count}|starting at [steps] {s:count}|starting from [steps] {s:count}|as of [steps] {s:count}|from (start|beginning|very start|outset|first steps) [on]|all along|throughout]"

QUESTIONS: Table = {
    "status": (
        p("(status|state|where|report|overview|summary)"),
        p("(what|how) is [it|run|this|training] (doing|going|status|state|situation|looking|progressing|coming along)"),
        p("how is (it|run|training|model|network|everything|that|things)"),
        p("how are (things|we) [doing|going|looking]"),
        p("(how|what) (does|is) [run|it|training] [look|stand|like|state|status] [at moment]"),
        p("how is (it|run|training|model|network|everything|learn|this run|things|that) (doing|going|performing|learn|training|progressing|coming along|getting on|looking)"),
        p("where (are we|is it|is run|does it stand|do we stand|am i|does run stand|is this run|stand|is training|is this) [at]"),
        p("(what|which) steps (is it|are we|is run|is this|am i) [at|on|in]"),
        p("how far (is it|are we|along is it|has it come|did it get|has it got|have we come|is run|along are we|did we get)"),
        p(f"{SHOW} [current] (status|state|overview|summary) [of it|of run]"),
        p("(what is|which is|tell|give|what are|which are|show|list|print|how high is|how large is|what value has) {d:dial} [at|set to|now|at moment|right now|here]", lambda f: {}),
        p("(what|which|list|show|print) [are|is|all] [of] (dials|settings|hyperparameters|knobs|dial|hyperparameter|current settings) [set to|of run|does it have|are there|at moment]"),
        p("(what|which) (rule|optimiser|learning rule) [is|does|are] [it|this|run|we] [use|using|running|trained with|learn with|used|in use|in force]"),
        p("(what|which) is (rule|optimiser|learning rule) [of run|here]"),
        p("which run (is this|am i at|are we at|are we on|am i on|is it|are we in)"),
        p("(status|state) of {run:reference}"),
        p("how is {run:reference} (doing|going)"),
        p("(what are|show|list|print) [latest|current|all] (metrics|figures|scores|results) [now|so far]"),
        p("(summarise|summarize|describe) [it|run|this run|this|state]"),
    ),
    "curve": (
        p("(curve|curve of|graph of|plot of) {of:element}"),
        p("(curve|curve of|graph of|plot of) {of:element} {steps:window}"),
        p(f"{SHOW} [curve of|course of|plot of|graph of|chart of|history of] {{of:what}} [curve|curves|plot|graph|chart|over time|over steps|history|against steps|so far|as curve]"),
        p(f"{SHOW} [curve of|course of|plot of|graph of|chart of] {{of:what}} [curve|plot|graph|chart] {{steps:window}}"),
        p("{of:what} [curve|plot|graph|chart] [over time]"),
        p("[SHOW] {of:what} (at|in|of|for) steps {at:count}".replace("SHOW", SHOW.strip("()")), _at),
        p("(what is|how is|how high is|how low is|how good is|what was|how high was|how low was|how good was|how large was|what did it have as) {of:what} (at|in|of|for) [steps] {at:count}", _at),
        p("{of:what} {steps:window}"),
        p("(what is|how is|how does|how high is|how low is|how good is|what was|what are|how large is|how big is|where is|what does) {of:what} [at|now|doing|right now|look like|like|look|going|at moment|these days|so far|developing|today|evolving|behaving|changing|standing|stand at]"),
        p("how (did|does|has|is) {of:what} [develop|developed|change|changed|evolve|evolved|move|moved|go|gone|behave|behaved|look|over time|fall|fell|fallen|grow|grown|come along|run]"),
        p("how (did|does|has|is) {of:what} [develop|developed|change|changed|evolve|evolved|move|moved|go|gone|behave|behaved|look|fall|fell|fallen|grow|grown] {steps:window}"),
        p("(what|how) (did|was) {of:what} [do|like|doing] {steps:window}"),
        p("(what|how) (has|did) {of:what} (done|do|been) [so far]"),
        p("(what|how) (low|high|good|small|large) (is|was|did|has) {of:what} [get|gotten|got|now|been]"),
        p("(what is|what was) (lowest|best|smallest|highest|largest|current|latest|last|final) {of:what} [so far]"),
        p("how (low|high|good) (did|has|is) {of:what} [get|gone|got|go]"),
    ),
    "events": (
        p("(what|anything) (happened|happen|went on|has happened|did happen|was going on|occurred|of note happened|interesting happened|notable happened|has occurred|took place) [so far|in this run|to it|here|in run|during training|to run|to this run]"),
        p("did (anything|something) (happen|interesting happen|special happen|notable happen)"),
        p("(when|at which steps|at what steps|on which steps|since when) (did|has|had|was|does) (it|run|loss|model|network|training) [first|suddenly|start to|begin to] (generalise|generalised|grok|grokked|memorise|memorised|overfit|spiked|spike|diverge|diverged|catapult|catapulted|explode|exploded|best|jumped|jump|at its best|lowest|overfitting|blow up|blown up|blew up)"),
        p("(did|has|have|had|does) (it|run|loss|model|network|training) (yet|ever|already|really|) (generalise|generalised|grok|grokked|memorise|memorised|overfit|spiked|spike|diverge|diverged|catapult|catapulted|explode|exploded|overfitted) [yet|already|so far]"),
        p("(did|has|have|had|does) (it|run|loss|model|network|training) (generalise|generalised|grok|grokked|memorise|memorised|overfit|spiked|spike|diverge|diverged|catapult|catapulted|explode|exploded|overfitted) [yet|already|so far]"),
        p("(when|where) was [it|loss|validation loss|validation accuracy|validation] (best|lowest|at its best|highest|smallest|at its lowest)"),
        p("(when|where) (did|was) [it|there] (generalisation|memorisation|spike|spiked|jumped|grokking|divergence) [happen]"),
        p("(was|were) there [any] (spiked|spike|spikes|jumped|explosion|divergence|catapult|explosions)"),
        p("(list|show|what are|what were|which were|which are|any) [all|notable|important|main] (events|milestones|highlights)"),
    ),
    "compare": (
        p("(compare|contrast) [it|this|this run|run|this one|run here|current run|us|both] [WITH] {to:reference}".replace("WITH", WITH)),
        p(f"(compare|contrast) [it|this|this run|run|this one|current run] {WITH} {{to:reference}}"),
        p("(compare|contrast) [it|them|both|two|runs|run|two run|both run|these two|these|those two] [side by side|with each other|to each other]"),
        p("compare {run:reference} (to|with|and|against) (this|it|this run|this one|run|current run)", lambda f: {"to": f["run"]}),
        p("compare {run:reference} (to|with|and|against) {to:reference}"),
        p(f"(how|where|in what|what|in which way) (does|do|is|are) [it|this|this run|run|they] (differ|different|compare|part|diverge|better|worse|differ from|compares) [{WITH}|than] {{to:reference}}"),
        p("(how|where|in what|when) (does|do|did|are|is) (they|both|two run|two|run|these two) (differ|different|part|compare|diverge|part ways)"),
        p("(what is|what are|show|what was) [difference|differences] [between] (it|this|this run|run|this one|here) and {to:reference}"),
        p("(what is|what are|show) (difference|differences) (to|from|with|between this and|between it and) {to:reference}"),
        p("(what is|what are|show) (difference|differences) between {run:reference} and {to:reference}"),
        p("(what is|what are|show) (difference|differences) [between (two|both|them|run|two run|these run)]"),
        p("(put|show|set|hold) (it|this|this run|run) (beside|next to|side by side with|against|side by side) [with] {to:reference}"),
        p("(is|was) (it|this|this run|this one) (better|worse|different) than {to:reference}"),
        p("which [run|one|of them|of two] (is|was|did|does) (better|best|ahead|worse|do better|did better)"),
        p("(diff|difference) (with|to|against|from) {to:reference}"),
        p("diff {to:reference}"),
        p("(this|it|this run|run) (versus|vs|against|beside) {to:reference}"),
        p("(where|when|how) (do|does|did|are|is) {run:reference} and {to:reference} (part|differ|diverge|different|compare|part ways)", lambda f: f if f["run"] != f.context.run else {"to": f["to"]}),
    ),
    "why": (
        p("why [is|does|are|did|has] (it|run|this run|that|this|we|it all) [like this|stand|where it is|so|like that|here|stands|stand where it does|stands where it does|where it stands|that way|the way it is|here|at this point|look like this|looks like this|come to this]"),
        p("why"),
        p("(how|why) did (it|we|run|this run) (get|come|arrive|end up) [to] [here|this|where it is|to this point|to this]"),
        p("how did it (end up|get|come to be|become) (like this|here|this way|like that|where it is)"),
        p("what (led|brought) [it|us|run] [up] to (this|here|this point|that|this state|where it is)"),
        p("explain how (we|it|run) (got|came|ended up) [to] (here|this point|this|where it is|this state)"),
        p("(explain|justify) [this|run|it|this run|state|how it got here|how we got here]"),
        p("who (changed|did|set|turned|made|was|decided) [it|this|that|what|these changes|changes|last change]"),
        p("what (were|are|is) (reasons|reason) [for (this|it|that|changes)]"),
    ),
    "alike": (
        p("(alike|twins of|like|siblings of) {element}"),
        p("(find|which|what|show|list|search|look for) [all|every|other|are|is] [other] (parameters|weights|elements|charts|tensors|ones|everything) [that] (move|moves|moved|behave|behaves|behaved|look|looks|looked|change|changed|evolve|act|are|similar|alike|resemble|resembles|do|does|like|correlate) [similar to|alike|just like|similarly to|in same way as|as|like|with|to|move like|the same as|same as] {element} [{steps:window}]", _window),
        p("(find|which|what|show|list|search|look for) [all|every|other|are|is] [other] (parameters|weights|elements|charts|tensors|ones|everything) [that] (move|moves|moved|behave|behaved|look|change|changed|evolve|correlate) [similar to|alike|like|with|to] {element} (by|with|at|with correlation [of]|with correlation above|above) [at least|more than] {at_least:number}"),
        p("(what|who|which) (moves|move|moved|behaves|behaved|looks|look|changes|else moves|else moved|is) (like|similar to|similarly to|alike|with|together with|as) {element} [{steps:window}]", _window),
        p("(move|behave|look) like {element}"),
        p("(find|show) [all|everything] (like|similar to|alike) {element}"),
        p("(what|which|anything) [is|are|parameters] (similar to|like|alike) {element}"),
        p("(parameters|weights|neighbours) (like|similar to|of|alike to) {element}"),
        p("(find|show|list) neighbours of {element}"),
        p("(correlated|correlates) with {element}"),
        p("(what|which) [parameters|weights] (correlated|correlates|correlate|is correlated|are correlated) with {element}"),
        p("(find|which|what) [parameters|weights] (move|moves|moved|that move|behave) (alike|similarly|like it|the same way)", _move_like_what),
    ),
    "groups": (
        p("(which|what|find|show|list) [all|are|of] [parameters|weights|elements|tensors|ones] [that|which] (moved|move|moves|learn|learned|change|changed|evolved|act|acted|behaved|work|belong|go|went) together [{steps:window}]", _window),
        p("(which|what|find|show|list) [all|are|of] [parameters|weights|elements|tensors] [that|which] (moved|move|learn|learned|change|changed|behaved) (together|alike|in same way|in step|in unison|in sync|as one|as group) [{steps:window}]", _window),
        p("(which|what|find|show|list|are there|search for|look for) [all|are|most|main|largest|biggest|there|any] group [of parameters|of weights] [that (move|moved|moves) together|are there|formed|there are|moving together|did form] [{steps:window}]", _window),
        p("(find|show|list) {most:count} [largest|biggest|main] group [of parameters] [{steps:window}]", _window),
        p("(group|group parameters) [by how they move|by movement|by shape|that move together]"),
        p("(did|do) [any] (parameters|weights|they) (move|moved) together [{steps:window}]", _window),
        p("{n:here} group", lambda f: {}),
    ),
    "explain": (
        p("why (did|has|does|is|was|have|do|are|were) {names:named} (changed|change|move|moved|grow|grew|fall|fell|rise|rose|shrink|shrank|so large|so small|large|small|what it is|like that|drift|drifted|go up|go down|jump|jumped|increase|decrease|drop|moving|like this|where it is|update|updated|end up there|as it is|the way it is|big|high|low|negative|positive|so big|go to zero|vanish) [so much|much|like that|that much] [{steps:window}]", _window),
        p("why {names:named} [{steps:window}]", _window),
        p("(why|how) (did|has|does) {names:named} (changed|change|move|moved|grow|fall|rise|shrink|drift|jump|increase|decrease|drop|update) [so much|that much] (at|in) steps {at:count}", _at),
        p("(what|which term|who) (made|moved|changed|caused|drove|pushed) {names:named} (at|in) steps {at:count}", _at),
        p("(explain|account for|break down|decompose|explain how) [change of|change in|movement of|update of|why|what moved|what happened to|how|changes of|changes in|updates of] {names:named} [changed|moved|change|move|got its value] [{steps:window}]", _window),
        p("(what|which term|who|which part of rule) (made|moved|changed|caused|drove|pushed|makes|moves|drives) {names:named} [to] [move|change|grow|so large|so small|do that|shrink|like that|what it is|large|small|up|down] [{steps:window}]", _window),
        p("what (happened|did happen|is going on|was going on|went on) (to|with|in) {names:named} [{steps:window}]", _window),
        p("where does (change|movement) (of|in) {names:named} come from [{steps:window}]", _window),
        p("(what caused|what is behind|what was behind|reason for) change (of|in) {names:named} [{steps:window}]", _window),
        p("how did {n:ELEMENT} (get|come) (to be|to|to its value|its value|there|so large|so small)", lambda f: {"names": f["n"]}),
        p("how much (of change (of|in)) {names:named} (is|was|came|comes) [due to|from] (decay|momentum|gradients|weight decay|fresh gradients) [{steps:window}]", _window),
    ),
    "moments": (
        p("(moments|outliers) [{steps:window}]", _window),
        p("(which|what|find|show|list|name|are there) [are|is|all|any] (parameters|weights|elements|tensors|ones) (are|is|stand|that are|that stand|that|which) [most] (outliers|unusual|odd|strange|outlier|stand out|stands out|out|far off|extreme|weird|unlike others|different from others|behave oddly|abnormal|behave strangely|far from others|off) [{steps:window}]", _window),
        p("(which|what|find|show|list|name|are there|any) [are|is|all|any|the] (outliers|outlier|odd ones|strange parameters|unusual parameters|odd parameters|extreme parameters|unusual weights) [are there|among parameters|among weights|there] [{steps:window}]", _window),
        p("(show|compute|what are|list|give|calculate) [statistics|moments|distribution|mean and variance|mean variance skewness and kurtosis|skewness and kurtosis|kurtosis|variance] (of|for) (parameters|weights|all parameters|updates|everything|charts|all weights) [{steps:window}]", _window),
        p("(show|compute|what are|list|give|calculate) moments [{steps:window}]", _window),
        p("(how are|what does) (parameters|updates|weights|distribution of parameters|distribution of updates) (distributed|look like) [{steps:window}]", _window),
    ),
    "what-if": (
        p(f"{IF} {{d:dial}} {HAD} [set|at] [to] {{n:number}} {FROM}", _dials),
        p(f"{IF} {FROM} {{d:dial}} {HAD} {{n:number}}", _dials),
        p(f"{IF} (i|we|one|it) (had|would have|use|used|set|had set|were to set|put|had used|chose|had chosen|turned|had turned|had had|train with|change|changed|had trained with|had taken|would use|would set|took) {{d:dial}} [to|of|at|down to|up to|EQUALS|back to] {{n:number}} {FROM}", _dials),
        p(f"{IF} (i|we) (halve|halved|had halved|were to halve) {{d:dial}} {FROM}", _factor(0.5)),
        p(f"{IF} (i|we) (double|doubled|had doubled|were to double) {{d:dial}} {FROM}", _factor(2.0)),
        p(f"{IF} {{d:dial}} (had been halved|was halved|were halved|had been half as (large|big|high)|were half as (large|big|high)|was half as (large|big|high)|had been half|were half|was half|is halved) {FROM}", _factor(0.5)),
        p(f"{IF} {{d:dial}} (had been doubled|was doubled|were doubled|had been twice as (large|big|high)|were twice as (large|big|high)|was twice as (large|big|high)|is doubled) {FROM}", _factor(2.0)),
        p(f"{IF} {{d:dial}} {HAD} {{f:factor}} {FROM}", _factor()),
        p(f"{IF} {{d:dial}} {HAD} {{f:times}} (smaller|lower|less) {FROM}", lambda f: _factor(1 / f["f"])(f)),
        p(f"{IF} {{d:dial}} {HAD} {{f:times}} (larger|higher|more|bigger|greater) {FROM}", _factor()),
        p(f"{IF} [there (had been|were|was)|it had|we had|it had had] no {{d:dial}} {FROM}", _zero),
        p(f"{IF} {{d:dial}} {HAD} (off|zero|switched off|turned off|nothing|taken off) {FROM}", _zero),
        p(f"{IF} (i|we|one|it) (had turned off|turned off|had switched off|turn off|removed|had removed|dropped|had dropped|took off|remove|had no|had not had|did without|disabled) {{d:dial}} {FROM}", _zero),
        p("(how would it have gone|what would have happened|how would it look|what would it have been|what would have come of it|would it have generalised|how would it have been|how would it be|what would happen|would it generalise|what would have been|would it have grokked|would it have memorised|how would run look) without {d:dial} " + FROM, _zero),
        p("(how would it have gone|what would have happened|how would it look|what would it have been|what would have come of it|would it have generalised|how would it have been|how would it be|what would happen|what would have been|what would it look like|how would run look) without {e:examples} " + FROM, _without),
        p("(how would it have gone|what would have happened|how would it look|what would it have been|what would have come of it|would it have generalised|how would it have been|how would it be|what would happen|what would have been) with {d:dial} (of|at|EQUALS) {n:number} " + FROM, _dials),
        p("(how would it have gone|what would have happened|how would it look|what would it have been|what would have come of it|would it have generalised|how would it have been|how would it be|what would happen|what would have been) with [{r:asis}] {f:factor} {d:dial} " + FROM, _factor()),
        p(f"{IF} {{e:examples}} (had been|were|was|had) (left out|missing|not there|excluded|absent|removed|never been seen|not been seen|omitted|not been there|never been there) {FROM}", _without),
        p(f"{IF} (it|we|i|run) (had not|had never|did not|never|hadn't|didn't) (seen|saw|see|learned|learned from|learn from|used|use|been trained on|trained on|been shown|had) {{e:examples}} {FROM}", _without),
        p(f"{IF} (it|we|i|run) (left out|leave out|had left out|skipped|had skipped|excluded|removed|had removed|dropped|had excluded|had dropped|ignored|omitted) {{e:examples}} {FROM}", _without),
    ),
    "waste": (
        p("(what|how much|where|which part) [of it|computation|compute|work|time] (is|does|do|are|was|gets|do we) [it|run|we] (wasted|waste|computed for nothing|for nothing|in vain|unnecessary|compute for nothing|being wasted|useless|superfluous|do for nothing|redundant)"),
        p("(what|how much|where) (does|do|is|are) [it|run|we] (waste|wasting)"),
        p("(what|how much) is (wasted|computed for nothing|computed in vain|unnecessary)"),
        p("(show|find|count|list) [all] (waste|wasted computation|wasted work|wasted compute|useless computation)"),
        p("(is|are) [there] (anything|any of it|something|any computation|any compute|much) (wasted|computed for nothing|in vain|waste|being wasted)"),
        p("how much (waste|wasted work|wasted compute|wasted computation) [is there|is that]"),
        p("(waste|wasted|wasted work|wasted compute)"),
        p("(how|where) (could|can) (it|run|we|i) (be faster|save time|save compute|go faster|be made faster|be cheaper)"),
    ),
    "cost": (
        p("cost [of steps|per steps|steps]"),
        p("(most expensive|costliest) (operations|instructions)"),
        p("(flops|operations|price|bytes) [SLASH|per|of] steps [in {rest:cost_unit}]", lambda f: {}),
        p("(what|how much) (does|do|is|would) [single|one|each|one training] steps [of training] (cost|take|price|costs)"),
        p("(what|how much|how expensive|how costly) (does|is) (steps|it|one steps|single steps|training steps|each steps|run|this) [cost|costs|to run|take]"),
        p("(what is|tell|show|give|count) cost [of steps|per steps|of one steps|of single steps|of training|of run|of each steps]"),
        p("how many (operations|flops|multiply-adds|computations|floating point operations) (does|are|per|in|is) [it|steps|one steps|single steps|each steps] [take|takes|need|do|there|cost|steps|use|does it take|require]"),
        p("how many (operations|flops|multiply-adds|computations) (does|do|are|per|in) [each|one|single] steps [take|need|cost|use|require|does it need]"),
        p("(flops|operations) [per] steps"),
    ),
    "diagnose": (
        p("(what|is anything|anything|is something|is there anything|does anything) [is|goes|looks|seem|seems|look] (wrong|broken|off|not right|amiss|problem|problems|faulty|odd|strange|suspicious|bad) [with it|with run|with this|here|with this run|with training|with model|about it]"),
        p("what is (wrong|matter|problem|trouble|issue) [with it|with run|with this|here|with this run|with training|with model]"),
        p("(what|which) (problems|faults|issues|problem|trouble) (does it have|are there|is there|has it|do you see|can you see|does run have|has run|can be found)"),
        p("(diagnose|check|examine|inspect|check up on|do checkup|do check-up) [it|run|this|this run|health|training|its health|health of run|for problems|it for problems|run for problems|for faults]"),
        p("(is|does|looks) (it|run|this|training|everything|this run|model|all) (healthy|fine|well|all right|alright|ok|sick|look healthy|seem healthy|look fine|normal|in order|sound|working|look normal|going well|good|look good|look ok|overfitting|memorise|stuck|stalled|diverging|learn|converging|unstable|stable|on track|broken|memorising|learning anything|learn anything|learn well|going wrong)"),
        p("(is there|are there|has it) [any] (problem|problems|trouble|issues|fault|faults|issue|dead units|anything wrong|something wrong) [with it|with run|with training]"),
        p("why (isn't|is|does|doesn't|can't|won't|hasn't|is it) [it|run|model|training|network|loss] [not] (learn|improve|generalise|converge|going down|get better|improving|stuck|stalled|learning|so slow|so bad|failing|bad|unstable|diverging|progress|go down|falling|getting better|working|work|memorise|slow)"),
        p("(is|was) {d:dial} [too] (high|low|large|small|big|fine|good|right|ok|appropriate|sensible|well chosen)", lambda f: {}),
        p("(find|look for|search for|show|list|spot) [any] (problems|faults|issues|what is wrong|bugs|what goes wrong|errors|trouble)"),
        p("(give|do) [it|run|this] (checkup|check-up|health check|check|physical)"),
        p("(run|do|perform) [full|quick] (diagnostics|diagnosis|health check|checkup|check-up)"),
        p("(something|anything) (is|looks|seems|feels) (off|odd|wrong|strange|fishy|weird|broken)"),
        p("how healthy is (it|run|this run|training|this)"),
        p("(health|health check|diagnosis|checkup)"),
    ),
}  # fmt: skip


def _last(found: Found) -> dict[str, Any]:
    return {"last": found["n"]}


RECORD: Table = {
    "undo": (
        p("(undo|take back|revert|reverse|cancel|roll back|unmake) [that|this|it|last command|last change|last steps|last thing|last action|what (i|we) (did|just did|did last)|my last command|previous command|last one|change|what was done last|previous change|last edit|most recent change|previous steps|last instruction|latest change|the last one|last move|what happened last]"),
        p("(take|put) (that|this|it|last command|last change|last one) back"),
        p("never mind that last (command|one|change)"),
        p("(that was mistake|oops|scratch that|i take that back|i take it back) [COMMA] [undo] [it|that]"),
    ),
    "history": (
        p("(history|log|last) {last:count} [commands|entries|lines]"),
        p("(history|log|journal)"),
        p("(show|list|print|give|see|what is|read) [full|whole|entire] (history|log|journal|commands|command history|past commands|list of commands|what was done|what has been done|what i did|what we did|what i have done|all command|command|journal) [of run|so far|of it|of this run|of commands|to run|given]"),
        p("(show|list|print|give|see|what were) last {n:count} (command|things [i did]|changes|actions|edits|entries|orders)", _last),
        p("(what|which command|which commands|which changes|what all|what changes) (did|have|has|was|were|had) [i|we|people|been] (do|done|did|changed|change|given|made|make|been done|been changed|been given|give|issued|said|say|been made) [to it|so far|to run|to this run|with it|here|until now|up to now|in this run|yet|before]"),
        p("(what|which) (was|were|is) [last|latest|previous] (command|commands|changes|change) [given|made|done|so far]"),
        p("what (was|has been) (done|changed) [to it|to run|to this run|here]"),
        p("(did|have|has) (i|we|somebody|someone|anyone|anybody) [already|ever|yet] (changed|change|turned|turn|halved|halve|set|lowered|lower|raised|raise|forked|fork|frozen|freeze|touch|touched|double|doubled|reduced|reduce|increase|increased|clip|clipped|do|done|undo|reset|mark|marked) [{d:dial}|it|anything|something|this|run|gradients|{t:tensors}|there|that|the rule|rule] [already|before|yet|so far|today]", lambda f: {}),
        p("(was|were|has|is) ({d:dial}|it|anything|rule|{t:tensors}) [already|ever|been] [been] (changed|turned|halved|lowered|raised|forked|frozen|touched|doubled|reduced|set|increased|modified|altered|reset) [already|before|yet|so far|here]", lambda f: {}),
        p("when (did|was|were|have) [i|we|it|{d:dial}|rule|{t:tensors}] [last|been] (changed|change|turned|halved|lowered|raised|forked|frozen|set|fork|halve|lower|raise|freeze|turn) [it|{e:dial}|this]", lambda f: {}),
    ),
}  # fmt: skip
QUESTION_VALUES: Table = {
    "cost_unit": (v("(operations and bytes|operations|bytes|flops)", True),),
    "what": (v("{m:metric}"), v("{e:element}"), v("(validation|valid)", "valid.accuracy")),
}
