"""Words that no phrase has, and that say something wherever they stand: questions, conditions, denials, states."""

from __future__ import annotations

from ontogeny.steer.phrases.normal import forms

BLOCKING = forms(
    "not don't never no without if unless except what why how when which who whom whose did does was were had has "
    "isn't doesn't hardly barely rather anything instead-of unlike  didn't won't wasn't hasn't can't wouldn't shouldn't but until nothing nobody none instead only"
)
"""Words that say more than how things are."""
STRETCHES = forms("period span spanning fold titled")
"""Words beside steps, factors and names."""
STATES = forms(
    "is are am was were looks seems feels sounds think interesting nice great good cool perfect wow fine enough love hate bored "
    "worried curious excellent brilliant fantastic awesome lovely strange odd weird bad terrible awful happy unhappy pity shame"
)
"""Words of which one stands in what only says how things are."""
CONDITIONS = forms("when whenever once while after before case provided as case should could would must may might let")
"""Words with which a clause says on what something depends."""
NEGATIONS = forms("not don't never won't can't cannot")
"""Words that say what is not to be done, where a clause begins with them."""
OPENING = forms("what why how when where which who did does is are was were has should would am")
"""Words with which a question begins, and no command."""
