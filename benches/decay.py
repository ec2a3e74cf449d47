"""Weight decay and width at fixed data: bits per held-out character, and a best decay foretold.

The experiment of the claims `larger-with-decay` and `best-decay-grows` at one seed: 60,000 characters to learn from,
40,000 held out, widths 64, 192 and 384, decays 0.1, 1, 3 and 10, a learning rate for each width that was chosen on
another seed. A power of the width is fitted to the best decays (a parabola in the logarithm through the best cell and
its neighbours) and foretells that of a fourth width. `foretold.off` counts places on the grid between the decay that is
nearest to what was foretold and the one that was best. `least_gain` is the least of what a width gains over the
narrower one, in bits: each at its best decay, and at 0.1. CPU seconds are those of the steps and evaluations.

Quick: widths 64 and 192. --full: all, and the fourth. --attention: a network with attention over 128 characters in
place of the one that sees eight, 768,000 of them learned from in place of 512,000; about 8 CPU minutes with --full.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from common import Figures, Targets, close, one_thread, peers

from ontogeny.claims.tasks import attending
from ontogeny.claims.tasks.decay import EIGHT_LETTERS, FULL, Cell, Grid, Kind, cells, grid

SEED, WEAK, STRICT = 0, 0.1, 1e-4
FOURTH = 128
QUICK = ("64", "192")
TARGETS: Targets = {
    "best.least_gain": (">=", STRICT),
    "weak.least_gain": ("<=", 0.0),
    "foretold.off": ("<=", 1),
}


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of network: the bench's name for it, what its grid is given, and the fourth width's learning rate."""

    bench: str
    kind: Kind
    given: dict[str, Any]
    fourth_rate: float


JUDGED = Form("decay", EIGHT_LETTERS, FULL, 5e-3)
ATTENTION = Form("decay_attention", attending.KIND, attending.FULL, 3e-3)


def arguments() -> argparse.Namespace:
    """--full and --attention."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="all widths, and the one foretold")
    parser.add_argument("--attention", action="store_true", help="by a network with attention")
    return parser.parse_args()


def say(width: int, rate: float, found: Sequence[Cell], figures: Figures) -> None:
    """A line for each cell, and its figure."""
    for cell in found:
        figures[f"bits.{width}.decay_{cell.decay:g}"] = round(cell.bits, 4)
        on_the_way = ", ".join(f"{bits:.3f}" for bits in cell.held_out[1:])
        print(
            f"  width {width}, rate {rate:g}, decay {cell.decay:g}: {on_the_way} bits, {cell.trained:.3f} of what it "
            f"learned from, {cell.seconds:.1f} CPU s",
            flush=True,
        )


def foretelling(found: Grid, fourth: Sequence[Cell], figures: Figures) -> None:
    """The best decay of the fourth width, foretold and found."""
    decays = [cell.decay for cell in fourth]
    nearest = min(decays, key=lambda decay: abs(math.log(decay / found.foretold(FOURTH))))
    there = Grid({FOURTH: fourth})
    figures |= {
        "foretold.decay": round(found.foretold(FOURTH), 3),
        "foretold.found": round(there.lowest(FOURTH), 3),
        "foretold.found_on_grid": there.best(FOURTH).decay,
        "foretold.off": abs(decays.index(nearest) - decays.index(there.best(FOURTH).decay)),
        "foretold.power": round(found.power()[0], 3),
    }


def main() -> None:
    """The cells, and what they say together."""
    options = arguments()
    one_thread()
    form = ATTENTION if options.attention else JUDGED
    given: dict[str, Any] = {**form.given}
    decays, steps, mode = tuple(given["decays"]), given["steps"], given["mode"]
    if not options.full:
        given["rates"] = {width: given["rates"][width] for width in QUICK}
    figures: Figures = {}
    for width, rate in given["rates"].items():
        say(int(width), rate, cells(int(width), rate, decays, SEED, steps, mode, form.kind), figures)
    found = grid(SEED, **given, kind=form.kind)
    for width in found.cells:
        figures[f"best_decay.{width}"] = round(found.lowest(width), 3)
    figures["best.least_gain"] = round(min(found.gains()), 5)
    figures["weak.least_gain"] = round(min(found.gains(WEAK)), 5)
    every = [cell for row in found.cells.values() for cell in row]
    if options.full:
        fourth = cells(FOURTH, form.fourth_rate, decays, SEED, steps, mode, form.kind)
        say(FOURTH, form.fourth_rate, fourth, figures)
        foretelling(found, fourth, figures)
        every += fourth
    else:
        print("  width 384 and the fourth: --full measures them")
    figures["cpu_seconds"] = round(sum(cell.seconds for cell in every), 1)
    close(form.bench, figures, TARGETS if options.full else {}, peers("torch"))


if __name__ == "__main__":
    main()
