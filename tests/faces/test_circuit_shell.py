"""`ontogeny circuit` as a person meets it: formats, gates, equality, and what a malformed file is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ontogeny.evolve.circuits.equivalent import equivalent
from ontogeny.evolve.circuits.files import FORMATS, read_circuit, write_circuit
from ontogeny.faces.cli import app
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


def sampled(text: str, clock: str = "clk") -> dict[str, str]:
    """Each signal just before every rising edge of the clock, by the grammar of IEEE 1364-2005, 18.2."""
    tokens, codes, now, found = iter(text.split()), {}, {}, {}
    for token in tokens:
        if token == "$enddefinitions":
            assert next(tokens) == "$end"
            break
        assert token in ("$version", "$timescale", "$scope", "$var", "$upscope"), token
        words = list(iter(lambda: next(tokens), "$end"))
        if token == "$var":
            kind, size, code, name = words
            assert (kind, size) == ("wire", "1") and code not in codes
            codes[code] = name
    time, at = -1, dict.fromkeys(codes.values(), "x")
    for token in tokens:
        if token[0] == "#":
            assert int(token[1:]) > time
            time, at = int(token[1:]), dict(now)
            continue
        value, name = token[0], codes[token[1:]]
        assert value in "01"
        now[name] = value
        if (name, value) == (clock, "1"):
            found = {one: found.get(one, "") + at[one] for one in codes.values() if one != clock}
    return found


def test_a_run_is_shown_tick_by_tick_and_its_waveforms_are_those_ticks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("given.txt").write_text("enable  # names first\n1 *5\n0\n1\n")
    counter, words = str(GOLDEN / "counter.typed.onto"), ["--ticks", "20", "--stimulus", "given.txt"]
    done = CliRunner().invoke(app, ["circuit", counter, *words, "--to", "vcd", "-o", "count.vcd", "--json"])
    assert done.exit_code == 0, done.output
    run = json.loads(done.stdout)["run"]
    counts = [sum(int(run["signals"]["registers"][f"bit{bit}"][tick]) << bit for bit in range(4)) for tick in range(20)]
    assert counts == [0, 1, 2, 3, 4, 5, 5, *range(6, 16), 0, 1, 2]
    assert run["signals"]["outputs"]["overflow"] == "0" * 16 + "1000"
    assert sampled(Path("count.vcd").read_text()) == {k: v for kind in run["signals"].values() for k, v in kind.items()}
    shown = CliRunner().invoke(app, ["circuit", counter, *words]).stdout.splitlines()
    assert shown[1].split() == ["tick", "enable", "|", "bit3:0", "|", "overflow"]
    assert shown[18].split() == ["16", "1", "|", "1111", "|", "1"]
    drawn = [json.loads(CliRunner().invoke(app, ["circuit", counter, "--ticks", "9", "--seed", seed, "--json"]).stdout)
             for seed in ("1", "1", "2")]  # fmt: skip
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_circuit_without_registers_has_waveforms_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    adder = str(GOLDEN / "full_adder.typed.onto")
    done = CliRunner().invoke(app, ["circuit", adder, "--ticks", "5", "--to", "vcd", "-o", "add.vcd", "--json"])
    assert done.exit_code == 0, done.output
    signals = json.loads(done.stdout)["run"]["signals"]
    outputs = {"sum": signals["outputs"]["sum"], "carry_1": signals["outputs"]["carry"]}  # an input is called carry
    assert sampled(Path("add.vcd").read_text()) == {**signals["inputs"], **outputs}


@pytest.mark.parametrize(
    "text, told",
    [
        ("ena\n1\n", "line 1: 'ena' is no input and no bits; the inputs are enable"),
        ("1\n01\n", "line 2: '01' is no tick; expected 1 bit of 0 and 1"),
        ("1 *x\n", "line 1: *x is no number of ticks"),
        ("# nothing\n", "has no tick"),
        ("1 *70000\n1 *70000\n", "140,000 ticks; expected 1 to 100,000"),
    ],
)
def test_what_is_no_stimulus_is_told_its_line(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "given.txt").write_text(text)
    done = CliRunner().invoke(
        app, ["circuit", str(GOLDEN / "counter.typed.onto"), "--stimulus", str(tmp_path / "given.txt")]
    )
    assert done.exit_code == 1 and told in " ".join(done.stderr.split()), done.output
