"""Words that frames pass over, and words that they never pass over."""

from __future__ import annotations

from ontogeny.steer.phrases.normal import forms

HARMLESS = forms(
    "it its this that these those run model network net training here there of on with in at to for from by as be i we want like "
    "need make let have get do give put use set take bring go all every each them they their whole entire current one "
    "present own thing things value such way point while ahead keep rest so would should will could can think "
    "back out up down off over into around onto upon through along across towards toward about "
    "really truly very fully completely entirely totally wholly altogether precisely carefully gently quietly quickly soon "
    "straight onward onwards forward forwards ahead together once right good nice great fine cool lovely handy "
    "reckon guess suppose believe feel fancy prefer wish hope love happy glad keen mind bet figure decide decided plan "
    "stuff sort kind type amount level size setting figure number job place spot position moment "
    "who whatever somewhere anyway anyhow though "
    "machine computer system process experiment learner friend buddy mate folks everyone somebody someone guys man "
    "see look try attempt proceed allow want wants wanted needs needed "
    "which does going getting having making taking us he she his her ours mine yours "
    "nearby close current today tonight tomorrow moment worth total overall general particular particularly especially "
    "basically literally seriously honestly frankly certainly definitely surely obviously clearly apparently probably "
    "turn hand care head heart eye look feel hear "
)
"""Words that change nothing about a command whose own words are there."""
VERBS = forms(
    "nudge sprinkle knock hit spray pour throw slap smack splash dash tuck stick plug pop drop toss inject mix stir insert shove "
    "slip introduce impose enforce enable activate employ utilise apply install attach append add remove cut kill chop strike "
    "place lay hang pull push drag lift cast deal serve provide supply grant hand assign offer award treat blow burn beat squeeze"
)
"""Verbs that say no more than that something is done, where it is clear what."""
BLOCKING = forms(
    "not don't never no without if unless except what why how when which who whom whose did does was were had has "
    "isn't doesn't hardly barely rather anything instead-of unlike  didn't won't wasn't hasn't can't wouldn't shouldn't but until nothing nobody none instead only"
)
"""Words that are never passed over."""
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
