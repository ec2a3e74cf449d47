"""Which weights to prune, and runs in which they stay pruned: by magnitude, as Wanda does, gradually, as tickets.

A masked run is a fork by the program with the edit `mask`: what is pruned is a register, given where it forks, and one
entry in its journal, a call of `prune`, puts it into force. Where more is pruned later on, the journal lists what. So
it can be verified, steered and forked as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.front.edits import apply_all
from ontogeny.front.edits.mask import PRUNED, ROUTINE
from ontogeny.isa.errors import SmallError
from ontogeny.machine.base import value_of
from ontogeny.machine.learner import Array, Learner
from ontogeny.record.run import Run
from ontogeny.train.small.activations import entering_norms, weighed

Gone = dict[str, npt.NDArray[np.bool_]]
Edits = Sequence[tuple[str, Mapping[str, Any]]]
Advance = Callable[[Run, int], object]
"""What lets a run take so many steps; a face shows them."""


def by_magnitude(learner: Learner, keep: int) -> Gone:
    """All but `keep` weights of `predict`, the smallest of all matrices together; biases and gains stay."""
    return _smallest(weighed(learner, {}), keep)


def by_wanda(learner: Learner, keep: int, examples: Mapping[str, Array]) -> Gone:
    """Likewise by magnitude times the norm of what enters, in the same share of each output's own weights.

    After Wanda (arXiv 2306.11695); what no product takes, such as an embedding, by magnitude in the same share.
    """
    norms = entering_norms(learner, examples)
    scores = weighed(learner, norms)
    matrices = {name: each for name, each in scores.items() if each.ndim > 1}
    share = _left(scores, keep) / sum(each.size for each in matrices.values())
    found: Gone = {}
    for name, each in matrices.items():
        axis = norms[name][0] if name in norms else None
        rows = each.reshape(1, -1) if axis is None else np.moveaxis(each, axis, -1)
        flat = rows.reshape(1 if axis is None else rows.shape[0], -1)
        mask = _of_rows(flat, int(share * each.size)).reshape(rows.shape)
        found[name] = mask.reshape(each.shape) if axis is None else np.moveaxis(mask, -1, axis)
    return found


def _of_rows(scores: Array, keep: int) -> npt.NDArray[np.bool_]:
    """What goes so that `keep` stay, as many in each row; what does not divide, where the next one is largest."""
    each, over = divmod(keep, len(scores))
    order = np.argsort(-scores, axis=1, kind="stable")
    mask = np.ones(scores.shape, np.bool_)
    np.put_along_axis(mask, order[:, :each], False, axis=1)
    if over:
        following = np.take_along_axis(scores, order[:, each : each + 1], 1)[:, 0]
        rows = np.argsort(-following, kind="stable")[:over]
        mask[rows, order[rows, each]] = False
    return mask


def _left(scores: Mapping[str, Array], keep: int) -> int:
    """How many weights of matrices stay where `keep` of all do. SmallError where none would."""
    fixed = sum(each.size for each in scores.values() if each.ndim < 2)
    total = sum(each.size for each in scores.values())
    if not fixed < keep <= total:
        raise SmallError(f"{keep} of {total} weights cannot be kept: {fixed} are biases and gains, which stay")
    return keep - fixed


def _smallest(scores: Mapping[str, Array], keep: int) -> Gone:
    left = _left(scores, keep)
    matrices = {name: each for name, each in scores.items() if each.ndim > 1}
    flat = np.concatenate([each.reshape(-1) for each in matrices.values()])
    mask = np.ones(len(flat), np.bool_)
    mask[np.argsort(-flat, kind="stable")[:left]] = False
    ends = np.cumsum([each.size for each in matrices.values()])[:-1]
    parts = np.split(mask, ends)
    return {name: part.reshape(each.shape) for (name, each), part in zip(matrices.items(), parts, strict=True)}


def masked(run: Run, step: int, folder: Path | str, gone: Gone, author: str = "you", edits: Edits = ()) -> Run:
    """A fork at a step in which these weights are zero and stay so, with further `edits` of its rule.

    Its optimizer state is the one that the run had there, as far as the edits leave it. EditError where `learn` commits
    no parameter itself.
    """
    program = run.as_of(step).program
    standing = any(name.name.startswith(PRUNED) for name in program.decls)
    edited = apply_all(program, [*([] if standing else [("mask", {})]), *edits])
    names = {decl.name for decl in edited.program.decls}
    if strange := [name for name in gone if PRUNED + name not in names]:
        raise SmallError(f"{strange[0]} is not learned, so no mask can hold it; prune others")
    values: dict[str, Array] = {**edited.values, **{PRUNED + name: mask for name, mask in gone.items()}}
    child = run.fork(step, folder, edited.dials, program=edited.program, values=values, author=author)
    hold(child, gone, author)
    return child


def hold(run: Run, gone: Gone, author: str = "you") -> None:
    """Puts a mask into force in a run that has one: what its registers do not say yet, its journal lists by place."""
    state = run.state()
    for name, mask in gone.items():
        decl = run.program.decl(PRUNED + name)
        places = np.flatnonzero(value_of(decl, state) != mask)
        if len(places):
            there = places + (decl.offset if decl.arena else 0)
            run.edit(decl.arena or decl.name, there.tolist(), mask.reshape(-1)[places].tolist(), author=author)
    run.call(ROUTINE, author=author)


def check_rounds(rounds: int, steps: int) -> None:
    """SmallError for fewer steps than two for each round of gradual pruning, or no round."""
    if not 0 < 2 * rounds <= steps:
        raise SmallError(f"{rounds} rounds in {steps} steps; take 1 round or more, and two steps or more for each")


def check_rewind(run: Run, rewind: int, rounds: int) -> None:
    """SmallError where a lottery cannot go back to a step of the run and on from there, or goes no round."""
    if not run.step:
        raise SmallError(f"{run.folder.name} is at step 0, so there is no step to rewind to; run it first")
    if not 0 <= rewind < run.step or rounds < 1:
        raise SmallError(
            f"rewind to a step from 0 to {run.step - 1} and take 1 round or more, not {rewind} and {rounds}"
        )


def gradual(
    run: Run,
    folder: Path,
    keep: int,
    rounds: int,
    steps: int,
    author: str = "you",
    edits: Edits = (),
    advance: Advance = Run.advance,
) -> Run:
    """A fork pruned in rounds while the rest learns on, for `steps` (Zhu and Gupta 2017, arXiv 1710.01878).

    After n of N rounds, which are evenly spread over the first half of the steps, (1 - n / N)^3 of what is to go is
    still there: most goes at first, while much is left. What has gone does not come back. `edits` are of the rule by
    which all of it learns. SmallError for fewer steps than two for each round, and where biases alone are too many.
    """
    check_rounds(rounds, steps)
    scores, first = weighed(run.learner, {}), run.step
    _left(scores, keep)
    total = sum(each.size for each in scores.values())
    left = [keep + round((total - keep) * (1 - number / rounds) ** 3) for number in range(1, rounds + 1)]
    child = masked(run, first, folder, by_magnitude(run.learner, left[0]), author, edits)
    for number, now in enumerate(left[1:], 1):
        advance(child, first + number * steps // (2 * rounds) - child.step)
        hold(child, by_magnitude(child.learner, now), author)
    advance(child, first + steps - child.step)
    return child


def lottery(
    run: Run,
    rewind: int,
    folder: Callable[[int], Path],
    keep: int,
    rounds: int = 3,
    advance: Advance = Run.advance,
) -> Run:
    """Iterative magnitude pruning with rewinding (Frankle et al. 2020, arXiv 1912.05671): the run of the last round.

    In each round all but a share of the weights are pruned by their size at the end of the round before; the rest goes
    back to what it exactly was at step `rewind`, optimizer and order of examples included, and learns to the end again.
    """
    check_rewind(run, rewind, rounds)
    scores, latest = weighed(run.learner, {}), run
    fixed = sum(each.size for each in scores.values() if each.ndim < 2)
    total = sum(each.size for each in scores.values()) - fixed
    left = _left(scores, keep)
    for number in range(1, rounds + 1):
        now = fixed + round(total * (left / total) ** (number / rounds))
        latest = masked(run, rewind, folder(number), by_magnitude(latest.learner, now), "lottery")
        advance(latest, run.step - rewind)
    return latest
