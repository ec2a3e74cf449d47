"""Learning rates whose phase is foretold from the largest Hessian eigenvalue before training, against what runs did.

A hundred learning rates on each of two networks in NTK parametrisation (weights drawn with deviation 1, each layer
divided by the root of its inputs; Lewkowycz et al. 2020), with a squared error, all examples at every step: two layers
without a nonlinearity that tell even handwritten digits from odd ones, and three hidden layers of ReLU that learn
random labels of random directions. The rates go in equal factors from a quarter of the first bound to twice the second;
the phase of each is told by `ask/phase.py` from the state before the first step. Then each is a recorded run, and what
it did is read off the record. --full: three initialisations of each, and the worst of them; and the ReLU network on
the digits, for which nobody sets a target: there it is lost from about 9/l on.
"""

from __future__ import annotations

from collections import Counter

from common import Figures, arguments, close, one_thread, peers

from ontogeny.ask.phase import Foretold, Passed
from ontogeny.claims.tasks.wide import spread, tried

RATES, STEPS = 100, 80
TARGET = 0.95
TARGETED, FURTHER = ("linear", "relu"), "relu_on_digits"


def show(name: str, seed: int, found: list[tuple[Foretold, Passed]]) -> float:
    """The share that was foretold rightly; says where the others lie."""
    sharp = found[0][0].sharpness
    counts = Counter(_called(did) for _, did in found)
    print(f"  {name}, seed {seed}: l {sharp.value:.4g} (residual {sharp.residual:.0e}); {dict(counts)}", flush=True)
    wrong = [(told, did) for told, did in found if told.phase is not did.phase]
    for told, did in wrong:
        losses = f"loss {did.first:.3g}, at most {did.highest:.3g}, last {did.last:.3g}"
        print(f"    at {told.rate * sharp.value:.2f}/l foretold {told.phase.value}, was {_called(did)}: {losses}, "
              f"l in the end {did.after.value:.3g}", flush=True)  # fmt: skip
    return 1 - len(wrong) / len(found)


def _called(did: Passed) -> str:
    return did.phase.value if did.phase else "none of them"


def main() -> None:
    """The bench."""
    options = arguments(__doc__ or "")
    one_thread()
    figures: Figures = {}
    for name in (*TARGETED, *((FURTHER,) if options.full else ())):
        seeds = range(3 if options.full and name in TARGETED else 1)
        shares = [show(name, seed, tried(name, seed, spread(RATES), STEPS)) for seed in seeds]
        figures[f"right.{name}"] = round(min(shares), 3)
    close("phase", figures, {f"right.{name}": (">=", TARGET) for name in TARGETED}, peers("torch"))


if __name__ == "__main__":
    main()
