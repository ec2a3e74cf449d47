"""Words in one form: other spellings, the -ing form, words that say the same; and words that say nothing."""

from __future__ import annotations

NOTHING = frozenset(
    """a an the my our your please kindly pls plz just also too simply me us you now maybe perhaps hey hi hello ok okay
    alright hmm um uh well actually really basically  myself ourselves yourself exactly currently presently
    right oh ah yes yeah thanks cheers dear quite there's lets"""  # noqa: SIM905
    .split()
)  # fmt: skip
"""Words without which a phrase means the same."""

_SAME: dict[str, str] = {
    "steps": "step iteration iterations iters iter updates batches",
    "run": "runs",
    "example": "examples sample samples datapoint datapoints",
    "parameters": "parameter params param",
    "tensors": "tensor",
    "weights": "weight",
    "biases": "bias",
    "matrices": "matrix",
    "embeddings": "embedding embed",
    "layers": "layer",
    "gradients": "gradient grad grads",
    "rate": "rates",
    "generalised": "generalized",
    "generalise": "generalize generalises generalizes generalising generalizing",
    "memorised": "memorized",
    "memorise": "memorize memorises memorizes",
    "optimiser": "optimizer optimisers optimizers",
    "validation": "validations held-out heldout test eval val",
    "accuracy": "acc accuracies",
    "loss": "losses",
    "which": "whichever",
    "drop": "drops",
    "mark": "bookmark",
    "everything": "everthing",
    "neighbours": "neighbors",
    "regularisation": "regularization regulariser regularizer",
    "explain": "explains",
    "command": "commands",
    "batch": "minibatch mini-batch",
    "row": "rows",
    "times": "time",
    "group": "groups clusters cluster",
    "happen": "happens",
    "until": "till til",
    "want": "wanna",
    "shows": "display displays",
    "cost": "costs",
    "memorisation": "memorization",
    "generalisation": "generalization",
    "go": "goes gone went",
    "look": "looks",
    "move": "moves",
    "change": "changes",
    "have": "has",
    "percent": "pct",
    "unfreeze": "unfreezes thaw",
    "fine": "okay",
    "training": "train trains",
    "learn": "learns",
    "memory": "memories",
    "spiked": "spikes spike",
    "jumped": "jumps",
    "factor": "factors",
    "value": "values",
    "number": "numbers",
}
_ING = """running:run halving:halve doubling:double tripling:triple going:go setting:set turning:turn putting:put
taking:take forking:fork branching:branch switching:switch comparing:compare keeping:keep discarding:discard
freezing:freeze unfreezing:unfreeze scaling:scale resetting:reset zeroing:zero adding:add pruning:prune
removing:remove dropping:drop forgetting:forget leaving:leave mixing:mix undoing:undo reverting:revert
rewinding:rewind stepping:step pausing:pause resuming:resume stopping:stop continuing:continue marking:mark
calling:call clipping:clip multiplying:multiply dividing:divide raising:raise lowering:lower reducing:reduce
increasing:increase decreasing:decrease changing:change replacing:replace swapping:swap using:use
making:make cutting:cut trying:try excluding:exclude ignoring:ignore skipping:skip showing:show
plotting:plot explaining:explain moving:move returning:return jumping:jump restarting:restart starting:start
giving:give killing:kill ending:end keeping:keep bringing:bring restoring:restore deleting:delete
throwing:throw switching:switch disabling:disable enabling:enable warming:warm annealing:anneal
decaying:decay ramping:ramp bumping:bump shrinking:shrink advancing:advance proceeding:proceed locking:lock
unlocking:unlock including:include feeding:feed letting:let bookmarking:mark reaching:reach getting:get
hitting:hit"""
SAME = {other: word for word, others in _SAME.items() for other in others.split()}
SAME |= {pair.split(":")[0]: pair.split(":")[1] for pair in _ING.split()}


def normal(word: str) -> str:
    """The one form of a word, in small letters. Of numbers and names it is they themselves."""
    small = word.lower()
    once = SAME.get(small, small)
    return SAME.get(once, once)


def forms(text: str) -> frozenset[str]:
    """The words of a text in their one form, without those that say nothing."""
    return frozenset(normal(word) for word in text.split()) - NOTHING
