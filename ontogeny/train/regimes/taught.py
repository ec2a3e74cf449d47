"""A learner whose program was edited before it begins."""

from __future__ import annotations

from dataclasses import replace

from ontogeny.front.edits import Edited
from ontogeny.machine.learner import Learner


def taught(learner: Learner, edited: Edited) -> Learner:
    """The learner by the edited program, its dials beginning as the edit says.

    Of edits that declare no register, as those that add a routine.
    """
    decls = tuple(replace(d, default=edited.dials.get(d.name, d.default)) for d in edited.program.decls)
    return replace(learner, program=replace(edited.program, decls=decls))
