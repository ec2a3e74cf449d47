"""Learning rules: how gradients become new parameters. One rule a file; a new rule is a new file and one line here."""

from ontogeny.front.rules.adamw import adamw
from ontogeny.front.rules.es import es
from ontogeny.front.rules.grokfast import grokfast
from ontogeny.front.rules.lion import lion
from ontogeny.front.rules.muon import muon
from ontogeny.front.rules.perpendicular import perpendicular
from ontogeny.front.rules.rule import Rule, custom
from ontogeny.front.rules.sam import sam
from ontogeny.front.rules.schedule import bursts, constant, cosine, cycles, warmup
from ontogeny.front.rules.sgd import sgd
from ontogeny.front.rules.soap import soap

__all__ = [
    "Rule",
    "adamw",
    "bursts",
    "constant",
    "cosine",
    "custom",
    "cycles",
    "es",
    "grokfast",
    "lion",
    "muon",
    "perpendicular",
    "sam",
    "sgd",
    "soap",
    "warmup",
]
