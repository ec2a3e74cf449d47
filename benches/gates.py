"""Many netlists at once: 1,000 of 500 NANDs each on 2^16 cases, how many output bits of each are wrong.

Peers in the same run: a C program with AVX intrinsics built here (benches/gates.c, `-O3 -march=native`), with blocks of
16 to 128 words, on wires as they stand and on the slots that the swarm lays them into, the best of all of them; and
NumPy netlist by netlist. All gates are alive, so that nobody has less to do. Every contender's counts are compared.
"""

from __future__ import annotations

import ctypes
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common import ROOT, Figures, Targets, arguments, close, interleaved, peers, ratio

from ontogeny.isa.netlist import NAND, Netlist, cases, netlist, truth
from ontogeny.machine.swarm import Swarm, swarm

NETS, GATES, INPUTS = 1000, 500, 16
BLOCKS = (16, 32, 64, 128)
Contender = Callable[[], Any]


def alive(rng: np.random.Generator) -> Netlist:
    """A random netlist of NANDs, each of which some output depends on: a gate takes one wire that nothing took yet."""
    unused, fanin = list(range(INPUTS)), np.empty((GATES, 2), np.int32)
    for gate in range(GATES):
        fanin[gate] = unused.pop(rng.integers(len(unused))), rng.integers(INPUTS + gate)
        unused = [wire for wire in unused if wire != fanin[gate, 1]] + [INPUTS + gate]
    outputs = (unused * INPUTS)[:INPUTS]
    return netlist(INPUTS, np.full(GATES, NAND), fanin, outputs)


def built(folder: Path) -> ctypes.CDLL | None:
    """The C program, or None where there is no compiler or no AVX."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    library = folder / "gates.so"
    command = [compiler, "-O3", "-march=native", "-shared", "-fPIC", "-o", str(library), str(ROOT / "benches/gates.c")]
    return ctypes.CDLL(str(library)) if subprocess.run(command, capture_output=True).returncode == 0 else None


def in_c(library: ctypes.CDLL, block: int, code: Any, wanted: Any, words: Any, target: Any) -> Contender:
    """A run of the C program."""
    function = getattr(library, f"wrong_{block}")
    room = np.zeros((INPUTS + GATES) * block * 8 + 64, np.uint8)
    scratch, found = room[-room.ctypes.data % 64 :], np.empty(len(wanted), np.int64)
    held = [np.ascontiguousarray(array) for array in (code, wanted)] + [aligned(words), aligned(target)]
    sizes = (len(wanted), GATES, INPUTS, wanted.shape[1], words.shape[1])
    places = [ctypes.c_void_p(array.ctypes.data) for array in (*held, scratch, found)]
    given = [*places[:4], *map(ctypes.c_int64, sizes), *places[4:]]

    def call() -> Any:
        function(*given)
        return found, held, room

    return call


def aligned(array: Any) -> Any:
    """A copy that begins at a cache line."""
    room = np.empty(array.nbytes + 64, np.uint8)
    copy = room[-room.ctypes.data % 64 :][: array.nbytes].view(array.dtype).reshape(array.shape)
    copy[:] = array
    return copy


def in_numpy(nets: list[Netlist], words: Any, target: Any) -> Any:
    """NumPy, netlist by netlist."""
    return np.array([int(np.bitwise_count(truth(net, words) ^ target).sum()) for net in nets])


def in_plain_numpy(nets: list[Netlist], words: Any, target: Any) -> Any:
    """NumPy as one would write it for NANDs alone: two operations for each gate, into place."""
    found, wires = [], np.empty((INPUTS + GATES, words.shape[1]), np.uint64)
    wires[:INPUTS] = words
    for net in nets:
        for into, (left, right) in enumerate(net.fanin.tolist(), INPUTS):
            np.bitwise_and(wires[left], wires[right], out=wires[into])
            np.invert(wires[into], out=wires[into])
        found.append(int(np.bitwise_count(wires[net.outputs] ^ target).sum()))
    return np.array(found)


def c_contenders(
    library: ctypes.CDLL, nets: list[Netlist], ours: Swarm, words: Any, target: Any
) -> dict[str, Contender]:
    """The C program at every block size, on wires and on the swarm's slots."""
    own = np.broadcast_to(np.arange(INPUTS, INPUTS + GATES, dtype=np.int32)[:, None], (len(nets), GATES, 1))
    wired = np.concatenate([own, np.stack([net.fanin for net in nets])], axis=2), np.stack([n.outputs for n in nets])
    laid = ours.programs.code.reshape(len(nets), GATES, 3), ours.programs.wanted
    found = {}
    for name, (code, wanted) in {"wires": wired, "slots": laid}.items():
        for block in BLOCKS:
            found[f"c.{name}.{block}"] = in_c(library, block, code, wanted, words, target)
    return found


def main() -> None:
    """The contenders compared, then timed in turns."""
    full = arguments(__doc__ or "").full
    rng = np.random.default_rng(0)
    nets, words = [alive(rng) for _ in range(NETS)], cases(INPUTS)
    target = truth(nets[0], words)
    started = time.process_time()
    ours = swarm(nets, threads=1)
    figures: Figures = {"encode_ms": round(1000 * (time.process_time() - started), 1)}
    expected = ours.wrong(words, target)
    some = nets[: NETS // 20]
    assert (in_numpy(some, words, target) == expected[: len(some)]).all(), "NumPy's reference finds other counts"
    contenders: dict[str, Contender] = {"swarm": lambda: ours.wrong(words, target)}
    with tempfile.TemporaryDirectory() as folder:
        library = built(Path(folder))
        if library is not None:
            contenders |= c_contenders(library, nets, ours, words, target)
            for name, call in contenders.items():
                assert name == "swarm" or (call()[0] == expected).all(), f"{name} finds other counts"
        else:
            print("  no C compiler, or no AVX: skipped")
        times = interleaved(contenders, 15 if full else 7, warm=1)
    numpy = interleaved(
        {"numpy": lambda: in_plain_numpy(some, words, target), "swarm": lambda: ours.wrong(words, target)}, 3, warm=1
    )
    numpy = {"numpy": [seconds * len(nets) / len(some) for seconds in numpy["numpy"]], "swarm": numpy["swarm"]}
    rates = {name: NETS * GATES * (1 << INPUTS) / statistics.median(seconds) for name, seconds in times.items()}
    for name, rate in sorted(rates.items(), key=lambda item: -item[1]):
        print(f"  {name}: {rate:.3g} gate evaluations a second of CPU")
    compiled = [name for name in times if name.startswith("c.")]
    best = ratio({**times, "swarm": times["swarm"]}, "swarm", compiled)
    figures |= {
        "gates_per_second": float(f"{rates['swarm']:.3g}"),
        "of_c": None if best is None else round(1 / best, 3),
        "over_numpy": round(1 / (ratio(numpy, "swarm", ["numpy"]) or 1), 1),
    }
    targets: Targets = {"over_numpy": (">=", 10), **({"of_c": (">=", 0.9)} if compiled else {})}
    close("gates", figures, targets, peers("numba", "numpy"))


if __name__ == "__main__":
    main()
