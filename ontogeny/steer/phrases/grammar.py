"""The grammar: every command of the registry with its phrases, and the tables of what varies in them."""

from __future__ import annotations

from functools import cache

from ontogeny.steer.phrases.compiler import Compiler
from ontogeny.steer.phrases.matcher import Grammar
from ontogeny.steer.phrases.phrase import Table
from ontogeny.steer.phrases.said.data import DATA, DATA_VALUES
from ontogeny.steer.phrases.said.going import GOING, GOING_VALUES
from ontogeny.steer.phrases.said.measures import MEASURE_VALUES, MEASURES
from ontogeny.steer.phrases.said.parameters import PARAMETERS
from ontogeny.steer.phrases.said.places import PLACES
from ontogeny.steer.phrases.said.questions import QUESTION_VALUES, QUESTIONS, RECORD
from ontogeny.steer.phrases.said.rule import RULE, RULE_VALUES
from ontogeny.steer.phrases.said.tensors import TENSORS
from ontogeny.steer.phrases.said.values import VALUES
from ontogeny.steer.phrases.said.where import WHERE, WHERE_VALUES
from ontogeny.steer.registry import BY_NAME

SAID: Table = {**GOING, **WHERE, **RULE, **PARAMETERS, **DATA, **QUESTIONS, **MEASURES, **RECORD}
"""The phrases of each command, by its name."""
TABLES: Table = {
    **VALUES,
    **GOING_VALUES,
    **PLACES,
    **TENSORS,
    **RULE_VALUES,
    **DATA_VALUES,
    **WHERE_VALUES,
    **QUESTION_VALUES,
    **MEASURE_VALUES,
}
"""What varies in them."""


@cache
def grammar() -> Grammar:
    """The grammar, made when it is first used."""
    compiler = Compiler()
    compiler.add({rule_of(name): SAID[name] for name in BY_NAME if name in SAID})
    compiler.add(TABLES)
    return Grammar(compiler)


def rule_of(name: str) -> str:
    """The table of a command."""
    return f"command {name}"
