"""`ontogeny circuit` as a person meets it: formats, gates, equality, and what a malformed file is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ontogeny.evolve.circuits.equivalent import equivalent
from ontogeny.evolve.circuits.files import FORMATS, read_circuit, write_circuit
from ontogeny.isa.netlist import NAND

GOLDEN = Path(__file__).parents[1] / "golden"


def shell(*words: str, at: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ontogeny", "circuit", *words], cwd=at, capture_output=True, text=True, timeout=60
    )


def test_a_circuit_is_converted_proved_and_drawn(tmp_path: Path) -> None:
    adder = str(GOLDEN / "full_adder.typed.onto")
    done = shell(adder, "--to", "verilog", "--output", "adder.v", "--json", at=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["gates"] == 9
    done = shell("adder.v", "--to", "svg", "--like", adder, at=tmp_path)
    assert done.returncode == 0 and "equal, all 8 cases" in done.stdout and "written: adder.svg" in done.stdout
    assert (tmp_path / "adder.svg").read_text().startswith("<svg")
    (tmp_path / "wrong.v").write_text((tmp_path / "adder.v").read_text().replace("nand (", "nor (", 1))
    done = shell("wrong.v", "--like", "adder.v", at=tmp_path)
    assert done.returncode == 1 and "not equal: output" in done.stdout


def test_gates_are_put_into_nands(tmp_path: Path) -> None:
    done = shell(str(GOLDEN / "counter.typed.onto"), "--gates", "nand", "--to", "blif", "-o", "c.blif", at=tmp_path)
    assert done.returncode == 0 and "before, 8 gates" in done.stdout
    assert set(read_circuit(tmp_path / "c.blif").table.tolist()) == {NAND}


def test_a_malformed_file_is_told_its_line_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "bad.blif").write_text(".model m\n.inputs a\n.outputs y\n.names a x y\n11 1\n.end\n")
    for file, told in (("bad.blif", "line 4: wire 'x' is taken by 'y'"), ("bad.txt", "expected one of .blif")):
        (tmp_path / "bad.txt").write_text("")
        done = shell(file, at=tmp_path)
        assert done.returncode != 0 and "Traceback" not in done.stderr
        assert told in " ".join((done.stdout + done.stderr).split())


def test_every_format_that_is_read_gives_the_circuit_back(tmp_path: Path) -> None:
    net = read_circuit(GOLDEN / "counter.typed.onto")
    for one in FORMATS:
        if one.read:
            write_circuit(net, tmp_path / f"c{one.endings[0]}")
            assert equivalent(read_circuit(tmp_path / f"c{one.endings[0]}"), net), one.name
