"""Simplification by abc (Brayton and Mishchenko 2010), a logic synthesiser of its own, where it is installed.

What it gives back is mapped to NANDs, and is taken only if it is proved equal to what it was given.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from ontogeny.evolve.circuits.blif import from_blif, to_blif
from ontogeny.evolve.circuits.convert import nand_only
from ontogeny.evolve.circuits.equivalent import equivalent, matched
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Names, Netlist

LIBRARY = "GATE inv 1 O=!a; PIN * INV 1 999 1 0 1 0\nGATE nand 1 O=!(a*b); PIN * INV 1 999 1 0 1 0\n"
LIBRARY += "GATE zero 0 O=CONST0;\nGATE one 0 O=CONST1;\n"
ALIASES = """alias b balance
alias rw rewrite
alias rwz rewrite -z
alias rf refactor
alias rfz refactor -z
alias rs resub
alias resyn2 "b; rw; rf; b; rw; rwz; b; rfz; rwz; b"
alias compress2rs "b -l; rs -K 6 -l; rw -l; rs -K 6 -N 2 -l; rf -l; rs -K 8 -l; b -l; rs -K 8 -N 2 -l; rw -l; \
rs -K 10 -l; rwz -l; rs -K 10 -N 2 -l; b -l; rs -K 12 -l; rfz -l; rs -K 12 -N 2 -l; rwz -l; b -l"
"""
MAPS = {"map": "map -a", "amap": "amap", "dch": "dch; map -a"}
SCRIPTS = ("resyn2; resyn2", "compress2rs; compress2rs", "resyn2; compress2rs; dc2; dc2")
SECONDS = 60.0


def abc() -> str | None:
    """Where abc is installed, if it is."""
    return shutil.which("berkeley-abc") or shutil.which("abc")


def by_abc(net: Netlist, scripts: Iterable[str] = SCRIPTS, seconds: float = SECONDS) -> Netlist:
    """The netlist of fewest NANDs that abc's scripts make of one, proved equal to it.

    `seconds` is the limit for each script. Raises NetlistError where abc is not installed, fails, takes longer, or is
    found to have changed what the netlist does.
    """
    named = plain_names(net)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "given.blif").write_text(to_blif(named), encoding="utf-8")
        found = [one for text in scripts for one in mapped("given.blif", text, named, place, seconds)]
    best = min(found, key=lambda one: one.gates)
    if not equivalent(best, named):
        raise NetlistError("abc's netlist is not equal to the one that it was given; ours is kept, nothing was changed")
    return replace(best, names=net.names)


def mapped(start: str, script: str, like: Netlist, place: Path, seconds: float) -> Iterator[Netlist]:
    """What a script makes of a BLIF file in a folder, by each way to map it to NANDs; wires in the order of `like`."""
    (place / "nand.genlib").write_text(LIBRARY, encoding="utf-8")
    (place / "abc.rc").write_text(ALIASES, encoding="utf-8")
    maps = "; ".join(f"read opt.blif; strash; {run}; write_blif {name}.blif" for name, run in MAPS.items())
    for name in MAPS:
        (place / f"{name}.blif").unlink(missing_ok=True)
    first = f"read_library nand.genlib; read {start}; strash; {script}; strash; write_blif opt.blif"
    said = told(f"{first}; {maps}", place, seconds)
    for name in MAPS:
        if not (place / f"{name}.blif").exists():  # it stops at what it does not understand, and calls that success
            raise NetlistError(f"abc stopped: {said}")
        yield read_mapped((place / f"{name}.blif").read_text(encoding="utf-8"), like)


def told(command: str, place: Path, seconds: float) -> str:
    """Has abc do something in a folder; the end of what it says. Raises NetlistError where it fails or takes longer."""
    tool = abc()
    if tool is None:
        raise NetlistError("abc is not installed; Debian's package is berkeley-abc, and `--gates simpler` needs none")
    try:
        done = subprocess.run([tool, "-q", command], cwd=place, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise NetlistError(f"abc took longer than {seconds:g} s; give it more, or a smaller circuit") from error
    said = (done.stdout + done.stderr).strip()[-500:]
    if done.returncode:
        raise NetlistError(f"abc ended with {done.returncode}: {said}")
    return said


def read_mapped(text: str, like: Netlist) -> Netlist:
    """BLIF of library gates as NANDs, its wires in the order of another netlist's. Raises NetlistError."""
    text = re.sub(r"\.gate inv\s+a=(\S+) O=(\S+)", r".names \1 \2\n0 1", text)
    text = re.sub(r"\.gate nand\s+a=(\S+) b=(\S+) O=(\S+)", r".names \1 \2 \3\n0- 1\n-0 1", text)
    text = re.sub(r"\.gate (zero|one)\s+O=(\S+)", lambda m: f".names {m[2]}" + "\n1" * (m[1] == "one"), text)
    text = re.sub(r"\.barbuf (\S+) (\S+)", r".names \1 \2\n1 1", text)
    return nand_only(matched(from_blif(text), like.named))


def plain_names(net: Netlist) -> Netlist:
    """The same netlist under names that abc takes whatever its own were."""
    names = Names(
        tuple(f"i{place}" for place in range(net.inputs)),
        tuple(f"o{place}" for place in range(len(net.outputs))),
        tuple(f"r{place}" for place in range(net.registers)),
    )
    return replace(net, names=names)
