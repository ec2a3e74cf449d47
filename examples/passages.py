"""Passages of Python's documentation, learned by heart: what does a network hold of real text that it need not?

    ontogeny run examples/passages.py reference=yes --name reference steps=800 --steps 800
    for data in 0.25 0.5 1 2 4; do
        ontogeny run examples/passages.py width=8 data=$data --name passages-8-$data --steps 400
    done
    ontogeny capacity runs/passages-* --against reference -o held.png

`data` is how many characters there are for each parameter. What is held beyond the reference, a larger network that
read other passages, rises with it as long as there is room, and falls once there is not. Runs of several widths give a
curve each; a rate of 0.15 is for widths of 8 and 16, at 32 take 0.08.
"""

import ontogeny as og
from ontogeny.claims.tasks import passages
from ontogeny.claims.tasks.passage_runs import FEW, given, larger, sequences, shape, small
from ontogeny.claims.tasks.strings import RATE


def experiment(
    data: float = 0.5,
    width: int = 0,
    depth: int = 2,
    steps: int = 400,
    rate: float = RATE,
    reference: bool = False,
    seed: int = 0,
) -> og.Experiment:
    """The task, ready to run; the rate falls to nothing over `steps`. Without a `width` it is 8, of a reference 64."""
    if reference:
        read = given(passages.for_reference(), seed, FEW)
        return og.Experiment(larger(seed, width or 64, depth, steps), read, seed=seed, name="reference")
    size = shape(width or 8, depth)
    learned = given(passages.to_learn(seed, sequences(data, size)), seed)
    held_out = {f"valid.{name}": values for name, values in passages.for_nobody().items()}
    return og.Experiment(
        small(seed, size, steps, rate), learned, held_out, seed=seed, evaluate_every=100, name="passages"
    )
