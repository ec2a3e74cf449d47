"""A model that learned to write circuits is asked for some by truth table; what comes out is simulated and drawn.

    python examples/circuits_asked.py FOLDER                 # learns (about a minute), asks for the five below
    python examples/circuits_asked.py FOLDER --ask 00010110  # asks the model there for another: outputs of cases 0 to 7
    ontogeny run examples/circuits_asked.py --steps 1000     # the same run, steered and recorded like any other

It learns designs of NANDs over three inputs, behind the truth table of each. `majority` and `gated`, and all that
differs from them by the order of inputs alone, it never sees. An answer counts where it is right in all cases; of the
right ones among 32 the smallest is left as FOLDER/NAME.svg and FOLDER/NAME.v.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import torch

import ontogeny as og
from ontogeny.claims.tasks.asked import asked, right
from ontogeny.claims.tasks.circuit_models import BATCH, EACH, SPELLING, Loss, examples, model, rule
from ontogeny.claims.tasks.designs import classes, designs, searched
from ontogeny.evolve.circuits.files import write_circuit
from ontogeny.evolve.circuits.nands import netlist_of, sizes
from ontogeny.isa.netlist import Names, Netlist, bits_of, cases, truth

FUNCTIONS = {
    "majority": lambda a, b, c: a + b + c > 1,
    "gated": lambda a, b, c: (a or b) and not c,
    "parity": lambda a, b, c: (a + b + c) % 2,
    "all_alike": lambda a, b, c: a == b == c,
    "choice": lambda a, b, c: b if c else a,
}
UNSEEN = ("majority", "gated")


def table(name: str) -> int:
    """The truth table of one of the functions: bit i is the output in case i, input j being bit j of i."""
    return sum(int(FUNCTIONS[name](i & 1, i >> 1 & 1, i >> 2)) << i for i in range(8))


def experiment(steps: int = 1000, width: int = 64, share: float = 1.0, seed: int = 0) -> og.Experiment:
    """The task, ready to run; `share` is the share of circuits whose label is told."""
    known = designs(SPELLING.inputs, SPELLING.gates, EACH, draws=300_000, tries=4)
    named = {table(name) for name in UNSEEN}
    unseen = {f for members in classes(SPELLING.inputs).values() if members.keys() & named for f in members}
    train = examples(SPELLING, known, [f for f in known if f not in unseen], share, EACH, seed)
    valid = examples(SPELLING, known, sorted(unseen & known.keys()), 1.0, 16, seed)
    torch.manual_seed(seed)
    batch = {name: values[:BATCH] for name, values in train.items()}
    learner = og.capture(
        model(width, 2), Loss(SPELLING.cases), rule(steps), batch, valid=valid,
        predict=lambda m, b: m(b["x"]), name="circuits",
    )  # fmt: skip
    return og.Experiment(learner, og.Arrays(train, batch_size=BATCH, seed=seed), valid, seed=seed, name="circuits")


def answered(run: og.Run, wanted: int, trials: int) -> tuple[Netlist | None, int]:
    """The smallest right circuit of so many, and how many were right."""
    fanin = asked(run.learner, SPELLING, [wanted] * trials, seed=wanted)
    fanin = fanin[right(SPELLING.inputs, fanin, [wanted] * trials)]
    if not len(fanin):
        return None, 0
    gates = fanin[sizes(fanin).argmin()]
    net = netlist_of(SPELLING.inputs, tuple((int(a), int(b)) for a, b in gates if a >= 0))
    simulated = bits_of(truth(net, cases(SPELLING.inputs))[0], 8)
    assert [wanted >> case & 1 for case in range(8)] == simulated.tolist()
    return net, len(fanin)


def learned(folder: Path, steps: int) -> og.Run:
    """The run in the folder, recorded there now if it is not yet."""
    if (folder / "journal.jsonl").exists():
        return og.open_run(folder)
    started, task = time.process_time(), experiment(steps)
    run = og.create(folder, task.learner, task.data, valid=task.valid, seed=task.seed)
    run.advance(steps)
    print(f"learned from {len(task.data.arrays['x']):,} designs in {steps} steps, "
          f"{time.process_time() - started:.0f} s of CPU")  # fmt: skip
    return run


def asked_for(text: str) -> tuple[str, int]:
    """A name and its table, or a table by its eight outputs."""
    if text in FUNCTIONS:
        return text, table(text)
    if len(text) != 8 or set(text) - {"0", "1"}:
        raise SystemExit(
            f"{text!r}: give one of {', '.join(FUNCTIONS)}, or eight of 0 and 1, the outputs in cases 0 to 7"
        )
    function = int(text[::-1], 2)
    if not any(function in members for members in classes(SPELLING.inputs).values()):
        raise SystemExit(f"{text} is constant or one of the inputs, which takes no gate; ask for another")
    return f"table_{text}", function


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the run and of what is answered")
    parser.add_argument("--ask", nargs="*", default=list(FUNCTIONS), help="names as above, or eight outputs")
    parser.add_argument("--trials", type=int, default=32, help="answers to each (default: 32)")
    parser.add_argument("--steps", type=int, default=1000, help="to learn for (default: 1000)")
    given = parser.parse_args()
    if min(given.trials, given.steps) < 1:
        raise SystemExit(f"--trials {given.trials} --steps {given.steps}: give 1 or more of each")
    wanted = [asked_for(text) for text in given.ask]
    with learned(given.folder / "run", given.steps) as run:
        for name, function in wanted:
            net, count = answered(run, function, given.trials)
            said = f"{name}{' (never seen)' * (name in UNSEEN)}: {count} of {given.trials} answers right"
            if net is None:
                print(said)
                continue
            called = replace(net, names=Names(("a", "b", "c"), (name,)))
            for ending in ("svg", "v"):
                write_circuit(called, given.folder / f"{name}.{ending}")
            found = len(searched(SPELLING.inputs, function, tries=4))
            print(f"{said}, the smallest of {net.gates} gates; a search finds {found}")


if __name__ == "__main__":
    main()
