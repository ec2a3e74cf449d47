"""What people ask about what a run remembers, holds and would cost, and about runs of other sizes."""

from __future__ import annotations

from typing import Any

from ontogeny.steer.phrases.phrase import Found, Table, p, v
from ontogeny.steer.phrases.said.values import figure

IT = "(it|this|that|run|this run|model|network|this model|this network)"
KNOW = "(remember|memorise|memorised|recall|know|learn|learned|reproduce|recite|repeat|quote)"
EXACTLY = "(word for word|by heart|verbatim|literally|from memory|letter by letter)"
OF_DATA = "[of|from] [its] [training] [data|example|set|training set|training data|text]"
PER = "(per|for each|in each|for every|each|in one)"
ON = "[(on|with|using|by) [{accelerators:count}] {machine:machine}] [(in|at|with|by) {precision:precision}]"
MUST = "(on|with|using|by) [{accelerators:count}] {machine:machine} [(in|at|with|by) {precision:precision}]"
COST = "(cost|price|be)"
TRAIN = "[to (training|run|learn|continue|do)] [it|this|that|model|network|this model|this network|this run|run]"


def _runs(found: Found) -> dict[str, Any]:
    return {"runs": tuple(found["runs"])}


def _budget(found: Found) -> dict[str, Any]:
    return {**found, "budget": (figure(found["budget"]),)}


def _two(found: Found) -> dict[str, Any]:
    """One run and another beside it."""
    return {**{name: value for name, value in found.items() if name != "other"}, "beside": (found["other"],)}


MEASURES: Table = {
    "recall": (
        p("recall [of {examples:examples}]"),
        p(f"(what|how much|how well|how exactly) (does|did|has|can|do|could) [it|run|this|model|network] {KNOW} {EXACTLY} {OF_DATA}"),
        p(f"(what|how much) (does|did|has) [it|run|this|model|network] {KNOW} [of|from] (its training data|training data|training set|what it was training on|what it has seen|its training example) [{EXACTLY}]"),
        p(f"(can|could|does|did|has) (it|run|this|model|network) {KNOW} [its] [training] (anything|something|data|example|training data|text|training set|training example) {EXACTLY}"),
        p(f"(what|how much|which example|which of example) (is|are|was|were|has|have|did|does) [been|it] [known|remembered|memorised|memorise|remember|know|known] {EXACTLY} {OF_DATA}"),
        p("(which|what|how many|show|list|find) [all|of] [its] [training] example [are|is|were|that|have|has|did|does|it] [it|been|are|were] (memorised|memorise|remembered|remember|know by heart|known by heart|learned by heart)"),
        p("(how well|how exactly) (is|are|was|were) (training data|training example|example|training set) (reproduced|remembered|recalled|known)"),
        p("(how well|how exactly) (does|did|can) (it|run|model|network) (know|remember|recall|reproduce) {examples:examples}"),
        p("(is|are|was|were) {left_out:examples} (memorised|known by heart|learned by heart)"),
        p("(is|are|was|were) {left_out:examples} right only because [it|they] (was|were) (training on|learned from|seen)"),
        p("(would|does) it know {left_out:examples} without (having seen|having learned from|seeing|training on) (it|them)"),
        p("(show|what is|how high is|tell|give) memorisation index"),
        p("(estimate|say roughly) (how much|what|which example) (is|are) memorised [for all example] (by|with|from) {subsets:count} (retrainings|subsets|retraining)"),
    ),
    "capacity": (
        p("capacity [of it|of run|of this run|of model|of network|per parameters|in bits]"),
        p(f"(what is|how large is|how high is|how big is|how much is|tell|measure) [its] capacity [of {IT}] [per parameters|in bits|in bits per parameters|against {{against:reference}}]"),
        p(f"how many bits [of data|of its data|of training data] {PER} (parameters|weights) (has|does|did|do|is|are) [it|run|this|model|network] [have] [memorise|memorised|hold|store|keep|learned|learn|been memorised|held|stored|remember] [against {{against:reference}}]"),
        p(f"how many bits [of data|of its data|of training data] (has|does|did|do) (it|run|this|model|network) (memorise|memorised|hold|store|keep|learned|learn|remember) [of data|of its data|of training data] [{PER} (parameters|weights)] [against {{against:reference}}]"),
        p("how many bits (has|does|did|do) [each|every|one|single] (parameters|weights) (hold|memorise|memorised|store|keep|carry)"),
        p("bits (per|for each|in each) (parameters|weights)"),
        p("how much (of its data|of training data|of data|data|information) (does|did|has|is) [it|run|this|model|network] (hold|store|contain|held|stored|memorised|kept) [in (its weights|weights|bits|parameters)]"),
        p("how much does it hold that {against:reference} (does not|doesn't) know"),
        p("(compare|put beside) capacity (of|with|to) {other:reference}", _two),
    ),
    "price": (
        p(f"(what|how much|how expensive) (would|will|does|is|could) [it|this|that|run|training|training it|training this] [to] {COST} {TRAIN} (for|over) {{for_steps:steps}} {ON}"),
        p(f"(what|how much|how expensive) (would|will|does|is|could) [it|this|that|run|training|training it|training this] [to] {COST} {TRAIN} {MUST}"),
        p(f"(what|how much|how expensive) (would|will|does|do|could) {{for_steps:steps}} [of this|of it|of training] (cost|price|be) {MUST}"),
        p("(what|how much|how expensive) (would|will|could) {for_steps:steps} [of this|of it|of training] (cost|price|be) [(in|at|with|by) {precision:precision}]"),
        p("(what|how much|how many) (money|dollars|energy|electricity|machine hours|gpu hours|hours) (would|will|does|do) [it|this|that|run|training|training it|training this] (cost|take|need|use) "
          f"{TRAIN} [(for|over) {{for_steps:steps}}] {ON}"),
        p("(what|how much|how many) (money|dollars|energy|electricity|machine hours|gpu hours|hours) (would|will|does|do) {for_steps:steps} (cost|take|need|use) " + ON),
        p(f"price [of] {{for_steps:steps}} {ON}"),
        p(f"price [it|this|run|this run|training] {MUST}"),
        p("(what is|tell|show|give) price of {for_steps:steps} " + ON),
        p("(what|how much|how expensive) (would|will|could|does) [training] [network|model] [of|with] {parameters:amount} parameters (on|with|over|and) {tokens:amount} tokens [for {epochs:count} epochs] (cost|be) " + ON),
        p("(what|how much|how expensive) (would|will|could|does) [it|training] [cost|be|cost to (training|run|learn)] [network|model] [of|with] {parameters:amount} parameters (on|with|over|and) {tokens:amount} tokens [for {epochs:count} epochs] " + ON),
        p("price [of] {parameters:amount} parameters (on|with|over|and) {tokens:amount} tokens [for {epochs:count} epochs] " + ON),
    ),
    "laws": (
        p("(laws|scaling laws|scaling law)"),
        p("(fit|find|make|draw|give|show|compute|estimate|get) (scaling laws|scaling law|law|laws|power law|law of scaling) [to|of|over|from|on|through|for|by|across] [all|these|those|of] [run|of run|these run|those run|all run|them|them all]"),
        p("(fit|find|make|draw|give|show|compute|estimate|get) (scaling laws|scaling law|law|laws|power law) (to|of|over|from|on|through|for|by|across) [run] {runs:runs}", _runs),
        p("(what|which) (is|are) scaling (law|laws) [of|for|over] [these|those|all] [run]"),
        p("(what|how much) (would|will|do|does|could) (more|twice|ten times|twice as much|ten times as much|many more) (parameters|data|example|epochs|tokens) (give|bring|help|gain|improve|do|change|buy)"),
        p("(would|will|does|do) (more|twice|ten times) (parameters|data|example|epochs|tokens) (help|be better|improve it|bring anything|give less loss)"),
        p("(would|will) (larger|bigger|smaller) (network|model) (help|be better|be worse|improve it)"),
        p("(how|what|where) (should|would|do|could) (i|we|one) (spend|use|make best of|best spend|best use) {budget:amount} (operations|flops|multiply-adds)", _budget),
        p("(what is|tell|give) best use of {budget:amount} (operations|flops|multiply-adds)", _budget),
    ),
}  # fmt: skip
MEASURE_VALUES: Table = {
    "machine": (
        v("(h100|h100s|8xh100|nvidia h100|nvidia h100s|h100 gpu|h100 gpus)", "8xH100"),
        v("(a100|a100s|8xa100|nvidia a100|nvidia a100s|a100 gpu|a100 gpus)", "8xA100"),
        v("(h200|h200s|8xh200|nvidia h200|nvidia h200s|h200 gpu|h200 gpus)", "8xH200"),
        v("(b200|b200s|8xb200|nvidia b200|nvidia b200s|b200 gpu|b200 gpus)", "8xB200"),
    ),
    "precision": (
        v("(f32|fp32|float32|single precision)", "f32"),
        v("tf32", "tf32"),
        v("(bf16|bfloat16|brain floats)", "bf16"),
        v("(f16|fp16|float16|half precision)", "f16"),
        v("(fp8|f8|float8|eight bits)", "fp8"),
    ),
    "amount": (
        v("{n:NUMBER}"),
        v("{n:NUMBER} thousand", lambda found: found["n"] * 1e3),
        v("{n:NUMBER} million", lambda found: found["n"] * 1e6),
        v("{n:NUMBER} billion", lambda found: found["n"] * 1e9),
        v("{n:NUMBER} trillion", lambda found: found["n"] * 1e12),
    ),
    "runs": (
        v("{a:reference}", lambda found: (found["a"],)),
        v("{a:reference} (and|COMMA|COMMA and) {b:runs}", lambda found: (found["a"], *found["b"])),
    ),
}  # fmt: skip
