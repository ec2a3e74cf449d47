"""The frames of the commands: what they are about and the words for it, in any order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ontogeny.steer.phrases.frames import Frame
from ontogeny.steer.phrases.normal import forms
from ontogeny.steer.phrases.phrase import Found, Unclear
from ontogeny.steer.phrases.said.data import values_of as _values
from ontogeny.steer.phrases.said.plain import VERBS

DOWN = forms(
    "lowered reduced decreased dropped lower reduce decrease drop cut down shrink lessen smaller less diminish slash slow gentler weaker weaken trim shave knock chop ease relax soften calm tame tone lighten slower decay anneal fall sink divide dampen damp throttle taper attenuate downward downwards subtract curb moderate decline descend deflate minimise quieter milder tamer backoff pare dwindle"
)
UP = forms(
    "raised increased boosted bumped bump raise increase up boost higher larger bigger more stronger strengthen grow faster rise climb multiply hike jack lift greater amp amplify upward upwards elevate pump expand enlarge accelerate stiffer heavier add beef inflate intensify"
)
TURN = forms(
    "set turn put change make adjust move bring switch let fix update have get tune use take modify reset want try should must be dial go start bump ramp scale crank push nudge step pull wind slide shift peg pin hold keep land place leave park assign establish configure apply enter pick choose select run work tweak give become equal equals with value exactly back keep at by it come comes needs ought can"
)
OFF = forms(
    "off zero remove disable kill eliminate away rid strip without no drop nothing deactivate cancel none nil disappear vanish gone out ditch lose scrap abolish nuke axe cease stop end suppress null shut plug dispense omit"
)
HALF = forms("halve half halving")
DOUBLE = forms("double")
BIT = forms(
    "bit little slightly somewhat tad touch smidge notch lot much considerably significantly further too gently drastically way some"
)


def _set(found: Found, words: frozenset[str]) -> dict[str, Any]:
    """A dial by what was said of it: a value, a factor with its direction, or nothing, which asks how much."""
    dial, context = found["dial"], found.context
    over = {"over": found["over"]} if "over" in found else {}
    now = context.dials[dial]
    down, up = bool(words & DOWN), bool(words & UP)
    if "less" in found and "to" not in found and down != up and 0 < found["less"] < now:
        return {"dial": dial, "to": now - found["less"] if down else now + found["less"], **over}
    if "to" in found and "less" not in found:
        return {"dial": dial, "to": found["to"], **over}
    if "share" in found:
        return {"dial": dial, "by": found["share"], **over}
    if "times" in found and found["times"] and not (down and up):
        return {"dial": dial, "by": 1 / found["times"] if down else found["times"], **over}
    if "part" in found and down != up:
        return {"dial": dial, "by": 1 - found["part"] if down else 1 + found["part"], **over}
    raise Unclear(
        f"{dial} is {now:g} now; to what, or by how much?",
        f"halve {dial}",
        f"set {dial} to a tenth of it",
        f"double {dial}",
    )


def _by(factor: float) -> Any:
    return lambda found, words: {
        "dial": found["dial"],
        "by": factor,
        **({"over": found["over"]} if "over" in found else {}),
    }


def _off(found: Found, words: frozenset[str]) -> dict[str, Any]:
    return {"dial": found["dial"], "to": 0.0, **({"over": found["over"]} if "over" in found else {})}


NOT_RUN = forms("back ago earlier again fork branch freeze")
RUN = forms(
    "run go train training continue carry keep proceed advance resume step steps do take execute perform push move crank churn iterate further forward spin press march progress roll work learn learning optimise burn grind fire kick cook chug play simulate roll"
)
MORE = forms(
    "more another further extra additional longer on going just only again then full next in forward about approximately roughly up on worth long time straight total for of it should would there"
)
LIMIT = forms(
    "at most max maximum limit cap capped no than until stop when once whichever comes first or but reached reach soon as long for exceed exceeding within budget latest"
)
BACK = forms(
    "go back return rewind jump travel roll rollback wind move restore revert reset stand turn take put bring land visit hop head come scroll retreat fetch start resume pick load show drop set send teleport skip leap walk backtrack fall warp transport place rollback unwind"
)
SPOT = forms(
    "time moment point place state right immediately shortly run where spot checkpoint just instant steps position shape it was to"
)
FORK = forms("fork branch split clone copy duplicate offshoot spin diverge bifurcate variant sibling")
FORKISH = forms(
    "make create start open off new spin begin from here at run there out another separate own copy state as off give let's from this one point steps for current launch set"
)
NAMING = forms("call called name named as label labelled with under title titled it that")
MARK = forms(
    "mark label tag remember bookmark save flag note call name pin record baptise dub christen earmark log milestone"
)
HERE = forms(
    "this here point place state moment spot steps current where are is now present position as under with name it"
)
SWITCH = forms(
    "switch go change move jump hop open select visit checkout look show over return back swap take bring load continue work flip transfer head step walk stand put turn"
)
DISCARD = forms("discard delete remove trash bin scrap abandon dispose erase ditch chuck dump archive junk destroy")
THROW = forms("throw put toss get rid drop take move clear send")
AWAY = forms("away out bin trash rid aside garbage")
KEEP = forms("keep protect preserve save retain hold hang safe safeguard guard secure lock cherish treasure shield")
TAKEBACK = forms(
    "restore recover undelete bring get take back undiscard resurrect revive retrieve rescue unbin fetch reinstate return"
)
FREEZE = forms(
    "freeze lock fix fixed frozen hold pin constant still untouched unchanged alone immobile stuck locked static halt ice solid lay stop"
)
FREEZING = forms(
    "stay remain place are is as where any more anymore from changing moving learning keep leave parameters layers change update train stop training updates updating solid down where should bits values learn further"
)
UNFREEZE = forms("unfreeze unlock release thaw free unpin melt defrost loosen unlocked unfrozen liberate")
AGAIN = forms("again anew more")
LEARNING = forms("learn train training update move change trainable start resume")
LEAVE = forms(
    "leave exclude skip omit ignore drop remove out disregard hide withhold filter ban block blacklist bench pull eliminate strike"
)
USING = forms(
    "training train batch batches data set learning dataset any more anymore longer future on from out of away showing show use using feed feeding stop anymore everything what follows"
)
LEARNAGAIN = forms("again back readmit include reinstate restore return")
FORGET = forms("forget unlearn erase unsee wipe expunge purge scrub")
FORGETTING = forms(
    "completely entirely exactly altogether good forever ever saw seen never learned learnt memory about having had it run trained were been make"
)
MIX = forms(
    "mix draw come sample batch fill compose devote consist oversample blend from comprise contain batches take be should every each"
)
SCALE = forms("scale multiply rescale blow shrink grow stretch")
RESET = forms(
    "reset reinitialise reinitialize reinit re-initialise re-initialize restart restore initial beginning start fresh initialisation initialization scratch original originally"
)
ZERO = forms("zero zeros zeroes blank clear wipe null nullify nothing")
NOISE = forms("noise perturb disturb shake jitter jiggle noisy wiggle")
NOISY = forms(
    "add inject some gaussian normal random white standard deviation deviations std sigma strength amount scale size level magnitude noise of a bit put apply"
)
PRUNE = forms("prune remove cut drop trim sparsify smallest weakest zero throw kill discard clip away snip eliminate")
PRUNING = forms(
    "smallest weakest weights values entries parameters magnitude by lowest elements away connections least important out share sparsity percent"
)
CLIP = forms("clip clipping bound cap limit restrict clamp")
GRADS = forms("gradients")
NORM = forms(
    "norm norms max maximum threshold global most at most size length magnitude above exceed than more stay keep below under within let stop add turn enable start apply clip larger bigger"
)
SIGN = forms("sign signs signum")
UPDATE = forms("update updates steps")
SIGNING = forms(
    "only replace swap substitute instead alone sign by take just use full magnitude size of with its the rather than"
)
COSINE = forms("cosine")
SCHEDULE = forms(
    "schedule decay annealing anneal follow curve add lr learning rate shape along lower its over next attach decaying according use start down steps"
)
WARM = forms("warm warmup")
WARMING = forms("up linear linearly add phase period steps first next over during rate learning lr use ramp of rise")
OPTIMISE = forms(
    "use switch change replace try go swap move learn take optimise set instead train training continue make optimiser rule from over in place run with want put plain vanilla algorithm method using now onto to by for ditch current existing old pick choose optimiser's drop exchange trade substitute adopt let have work go update updates learner give"
)
DECAY = forms("decay matrices")
UNDO = forms("undo revert reverse cancel rollback unmake untake oops whoops retract rescind mistake")
UNDOING = forms(
    "last change command thing did just latest previous most recent what my steps action edit take back roll was did made do"
)

FRAMES: Mapping[str, tuple[Frame, ...]] = {
    "set": (
        Frame((HALF,), {"dial": "dial", "over": "spread"}, frozenset({"over"}), TURN | forms("cut in down again size value it by much"), _by(0.5)),
        Frame((DOUBLE,), {"dial": "dial", "over": "spread"}, frozenset({"over"}), TURN | forms("up again size value it"), _by(2.0)),
        Frame((OFF,), {"dial": "dial", "over": "spread"}, frozenset({"over"}), TURN | forms("get away completely entirely altogether shut down take any all") | forms("linearly gradually"), _off, never=forms("fork switch branch one")),
        Frame((), {"dial": "dial", "to": "amount_to", "less": "amount_less", "from": "amount_from", "over": "spread"}, frozenset({"over", "from", "to", "less"}),
              TURN | DOWN | UP | BIT | forms("linearly gradually slowly smoothly value new exactly something around about level then"), _set),
        Frame((), {"dial": "dial", "share": "amount_share", "over": "spread"}, frozenset({"over"}), TURN | DOWN | BIT | forms("value"), _set),
        Frame((), {"dial": "dial", "times": "amount_times", "over": "spread"}, frozenset({"over"}), TURN | DOWN | UP | BIT | forms("than value"), _set),
        Frame((DOWN | UP,), {"dial": "dial", "part": "amount_part", "over": "spread"}, frozenset({"over"}), TURN | BIT | forms("another further"), _set),
        Frame((DOWN | UP | BIT,), {"dial": "dial"}, frozenset(), TURN | DOWN | UP | BIT | forms("than high low large small strong weak too"), _set),
    ),
    "run": (
        Frame((RUN,), {"steps": "steps"}, frozenset(), RUN | MORE | forms("training please time long total worth amount run there it of for"), never=NOT_RUN | forms("same")),
        Frame((RUN | LIMIT,), {"until": "condition"}, frozenset(), RUN | LIMIT | MORE | forms("it going point where holds true is has wait"), never=NOT_RUN),
        Frame((RUN | LIMIT,), {"until": "condition", "steps": "steps"}, frozenset(), RUN | LIMIT | MORE | forms("it going point where holds true is has wait give up after longer"), never=NOT_RUN),
    ),
    "back": (
        Frame((BACK,), {"to": "place"}, frozenset(), BACK | SPOT | forms("run training everything model to at all way mark marked called named")),
        Frame((BACK,), {"steps": "steps_said"}, frozenset(), BACK | forms("earlier ago backwards backward by time in before now past"), lambda f, w: {"to": f"-{f['steps']}"}),
    ),
    "fork": (
        Frame((FORK,), {}, frozenset(), FORKISH | FORK),
        Frame((FORK,), {"at": "place"}, frozenset(), FORKISH | FORK | SPOT | forms("off from at")),
        Frame((FORK,), {"name": "named_so"}, frozenset(), FORKISH | FORK | NAMING),
        Frame((FORK,), {"at": "place", "name": "named_so"}, frozenset(), FORKISH | FORK | NAMING | SPOT),
    ),
    "mark": (Frame((MARK,), {"name": "named_so"}, frozenset(), MARK | HERE | forms("put set place make create leave drop give called named label later mark")),),
    "switch": (Frame((SWITCH,), {"run": "reference"}, frozenset(), SWITCH | forms("run fork over to into onto at stand now me")),),
    "discard": (
        Frame((DISCARD,), {"run": "reference"}, frozenset(), DISCARD | AWAY | forms("good forever need")),
        Frame((THROW, AWAY), {"run": "reference"}, frozenset(), THROW | AWAY | forms("good forever need of in the")),
        Frame((DISCARD, forms("run fork this it one branch")), {}, frozenset(), DISCARD | AWAY | forms("current whole"), never=forms("back head end tip")),
        Frame((THROW, AWAY, forms("run fork this it one branch")), {}, frozenset(), THROW | AWAY | forms("current whole"), never=forms("back head end tip")),
    ),
    "keep": (Frame((KEEP, forms("run this it one fork")), {}, frozenset(), KEEP | forms("on to around for good safe forever later")),
             Frame((KEEP,), {"run": "reference"}, frozenset(), KEEP | forms("on to around for good safe forever later"))),
    "take-back": (Frame((TAKEBACK,), {"run": "discarded"}, frozenset(), TAKEBACK | forms("discarded deleted threw away put run one from")),),
    "freeze": (Frame((FREEZE,), {"tensors": "tensors"}, frozenset(), FREEZE | FREEZING),),
    "unfreeze": (
        Frame((UNFREEZE,), {"tensors": "tensors"}, frozenset(), UNFREEZE | LEARNING | AGAIN),
        Frame((AGAIN, LEARNING), {"tensors": "tensors"}, frozenset(), LEARNING | AGAIN | forms("allow frozen")),
    ),
    "leave-out": (Frame((LEAVE,), {"examples": "examples_said"}, frozenset(), LEAVE | USING),),
    "learn-again": (Frame((LEARNAGAIN,), {"examples": "examples_said"}, frozenset(), LEARNAGAIN | USING | forms("learn add bring put in into left out take let allow excluded removed"),),),
    "forget": (Frame((FORGET,), {"examples": "examples_said"}, frozenset(), FORGET | FORGETTING),),
    "mix": (Frame((MIX, forms("batch mix oversample blend")), {"share": "share", "examples": "examples_said"}, frozenset(), MIX | forms("percent share rows row of in into up make with made")),),
    "alter": (
        Frame((SCALE,), {"tensors": "tensors", "amount": "amount_by"}, frozenset(), SCALE | VERBS | forms("down up by factor of values weights"), constants={"how": "scale"}),
        Frame((RESET,), {"tensors": "tensors"}, frozenset(), RESET | forms("values value state first original they were were what started with weights had were its their"), constants={"how": "reset"}),
        Frame((ZERO,), {"tensors": "tensors"}, frozenset(), ZERO | forms("set out all entirely completely values be become"), constants={"how": "zero"}),
        Frame((NOISE,), {"tensors": "tensors", "amount": "number"}, frozenset(), NOISE | NOISY | VERBS, constants={"how": "noise"}),
        Frame((forms("prune smallest weakest sparsify lowest least bottom tiniest"),), {"tensors": "tensors", "amount": "number"}, frozenset(), PRUNE | PRUNING | VERBS | forms("bottom tiniest"), constants={"how": "prune"}),
    ),
    "rule": (
        Frame((CLIP | NORM, GRADS), {"norm": "number"}, frozenset(), CLIP | NORM | GRADS | VERBS | forms("lid ceiling bound limit put keep"), lambda f, w: {"edit": "clip", "arguments": {"norm": f["norm"]}}),
        Frame((SIGN, UPDATE), {}, frozenset(), SIGN | UPDATE | SIGNING, lambda f, w: {"edit": "update_sign"}),
        Frame((SIGN, GRADS), {}, frozenset(), SIGN | GRADS | SIGNING, lambda f, w: {"edit": "gradient_sign"}),
        Frame((NOISE, GRADS), {"scale": "number"}, frozenset(), NOISE | NOISY | GRADS | VERBS, lambda f, w: {"edit": "noise", "arguments": {"scale": f["scale"]}}),
        Frame((COSINE,), {"steps": "lasting", "d": "dial"}, frozenset({"d"}), COSINE | SCHEDULE, lambda f, w: _cosine(f)),
        Frame((WARM,), {"steps": "lasting", "d": "dial"}, frozenset({"d"}), WARM | WARMING, lambda f, w: _warmup(f)),
        Frame((), {"to": "optimiser"}, frozenset(), OPTIMISE | forms("it we let's"), lambda f, w: {"edit": f["to"]}),
        Frame((), {"to": "optimiser", "with": "settings"}, frozenset(), OPTIMISE, lambda f, w: {"edit": f["to"], "arguments": dict(f["with"])}),
    ),
    "learn": (
        Frame((forms("learn teach train add show feed include put memorise study practise give"),), {"v": "pairs"}, frozenset(),
              VERBS | forms("example new answer target label input also training set data batch case following this that example's gives model"), lambda f, w: _values(f)),
        Frame((forms("row copies copy times extra additional rows"),), {"rows": "count", "examples": "examples_said"}, frozenset(),
              VERBS | forms("row copies copy extra more additional further every each batch into to per of include put learn")),
    ),
    "undo": (Frame((UNDO,), {}, frozenset(), UNDO | UNDOING),),
}  # fmt: skip


def _cosine(found: Found) -> dict[str, Any]:
    start = found.context.step
    return {"edit": "schedule", "arguments": {"shape": "cosine", "steps": found["steps"] + start, "start": start}}


def _warmup(found: Found) -> dict[str, Any]:
    return {"edit": "schedule", "arguments": {"shape": "warmup", "steps": found["steps"], "start": found.context.step}}
