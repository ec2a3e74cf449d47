"""The shell as a person uses it: what it prints, writes, how it exits, and what it says when something is wrong."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file
from typer.testing import CliRunner, Result

import ontogeny as og
from ontogeny.faces.cli import app, loaded
from ontogeny.faces.outputs import SPELT
from ontogeny.faces.progress import Busy
from ontogeny.faces.registry import BY_NAME, COMMANDS, ELSEWHERE
from ontogeny.faces.registry import SHELL as CALLED
from ontogeny.faces.terminal import Paper
from ontogeny.faces.words import said
from ontogeny.isa.encode import decode
from ontogeny.isa.text import from_text
from ontogeny.record.journal import Entry
from ontogeny.steer.registry import COMMANDS as STEERING

EXAMPLES = Path(__file__).parents[2] / "examples"
FILE = str(Path(__file__).parent / "perceptron.py")
TEXT = str(EXAMPLES / "perceptron.onto")
SHELL = [str(Path(sys.executable).parent / "ontogeny")]


@pytest.fixture(autouse=True)
def in_a_fresh_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONTOGENY_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("COLUMNS", "200")


def shell(*words: str, exit_code: int = 0, **settings: Any) -> Result:
    result = CliRunner().invoke(app, list(words), **settings)
    assert result.exit_code == exit_code, result.output
    return result


def asked(*words: str, exit_code: int = 0) -> Any:
    return json.loads(shell(*words, "--json", exit_code=exit_code).stdout)


def started(*words: str) -> Any:
    return asked("run", FILE, "--machine", "reference", *words)


# The registry


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_a_command_says_what_the_registry_says_and_answers_in_json(entry: Any) -> None:
    command = loaded(entry)
    assert (command.help or "").splitlines()[0].startswith(entry.meaning.rstrip("."))
    assert any("--json" in option.opts for option in command.params)
    assert entry.meaning.rstrip(".") in shell(entry.name, "--help").output


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_options_are_spelt_alike_everywhere(entry: Any) -> None:
    options = {spelling: option for option in loaded(entry).params for spelling in option.opts}
    windows = [one.opts for one in options.values() if one.default == ":" and "--range" not in one.opts]
    assert all(spelt == ["--steps", "--window"] for spelt in windows), "a window of steps is StepWindow"
    assert "-o" not in options or tuple(options["-o"].opts) == SPELT


def test_help_is_wrapped_at_the_terminals_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERMINAL_WIDTH", "120")
    above, _, _ = shell("explain", "--help").output.partition("Arguments")
    assert "the lines of each step, and of the window, sum to the change exactly" in " ".join(above.split("\n")[1:])


def test_every_file_of_a_command_is_in_the_registry() -> None:
    folder = Path(sys.modules["ontogeny.faces.cli"].__file__ or "").parent / "commands"
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == {
        entry.file for entry in COMMANDS if not entry.steers
    }


def test_every_command_of_steering_is_one_of_the_shell_and_means_the_same() -> None:
    shown = {entry.name: entry for entry in COMMANDS}
    for kind in STEERING:
        entry = shown[CALLED.get(kind.NAME, kind.NAME)]
        assert not entry.steers or entry.meaning == kind.MEANING


def test_help_lists_every_command() -> None:
    said = shell("--help").output
    assert all(re.search(rf"\b{entry.name}\b", said) for entry in COMMANDS)


def test_help_loads_no_heavy_library() -> None:
    code = "import sys, ontogeny.faces.cli; print(sorted({'torch', 'numpy', 'matplotlib', 'scipy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_listing_the_runs_loads_no_command_of_steering() -> None:
    code = "import sys, ontogeny.faces.commands.runs; print('ontogeny.steer.registry' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


# Programs


def test_text_and_its_encoded_form_are_the_same_program() -> None:
    asked("asm", TEXT, "-o", "p.ontob")
    text = shell("disasm", "p.ontob").stdout
    assert from_text(text) == decode(Path("p.ontob").read_bytes()) == from_text(Path(TEXT).read_text(encoding="utf-8"))


def test_disasm_shows_one_routine() -> None:
    text = asked("disasm", TEXT, "--routine", "learn")["text"]
    assert text.startswith("routine learn") and "routine predict" not in text
    assert "there are init" in shell("disasm", TEXT, "--routine", "nothing", exit_code=1).stderr


def test_check_counts_and_refuses_with_the_place() -> None:
    assert asked("check", TEXT)["parameters"] == 3
    Path("bad.onto").write_text("program p\nparam w: f32[2\n", encoding="utf-8")
    said = shell("check", "bad.onto", exit_code=1).stderr
    assert "bad.onto" in said and "line 2, column" in said and "Traceback" not in said


def test_fmt_is_idempotent_and_check_writes_nothing() -> None:
    Path("p.onto").write_text("program   p\nparam w:f32[2]\n", encoding="utf-8")
    before = Path("p.onto").read_text(encoding="utf-8")
    shell("fmt", "--check", "p.onto", exit_code=1)
    assert Path("p.onto").read_text(encoding="utf-8") == before
    assert asked("fmt", "p.onto")["changed"] == ["p.onto"]
    assert asked("fmt", "p.onto")["changed"] == []
    assert shell("fmt", "-", input=before).stdout == Path("p.onto").read_text(encoding="utf-8")


def test_cost_adds_up_and_is_sorted() -> None:
    found = asked("cost", TEXT, "--top", "0")
    operations = [line["operations"] for line in found["instructions"]]
    assert sum(operations) == found["total"]["operations"] > 0
    assert operations == sorted(operations, reverse=True)
    by_order = asked("cost", TEXT, "--top", "0", "--sort", "order")["instructions"]
    assert [line["number"] for line in by_order] == list(range(1, len(by_order) + 1))
    assert "operations" in shell("cost", TEXT, "--uses").stdout


def test_cost_is_counted_at_another_size(tmp_path: Path) -> None:
    head = "program p\nsize batch = 4\ninput x: f32[batch,3]\n"
    text = f"{head}routine r():\n  %x = read {{name=x}}\n  %y = exp %x\n  return y=%y\n"
    path = tmp_path / "p.onto"
    path.write_text(text, encoding="utf-8")
    counts = [asked("cost", str(path), *more)["total"]["bytes"] for more in ((), ("--size", "batch=12"))]
    assert counts[1] == 3 * counts[0] > 0
    assert "no size 'depth'" in shell("cost", str(path), "--size", "depth=2", exit_code=1).output
    assert "batch=32" in shell("cost", str(path), "--size", "batch", exit_code=1).output


# Runs


def test_a_run_and_what_can_be_asked_of_it() -> None:
    run = started("--steps", "20")
    assert run["step"] == 20 and run["metrics"]["valid.accuracy"] > 0.5
    assert [one["run"] for one in asked("runs")["runs"]] == ["perceptron"]
    shown = asked("show", "perc")
    assert shown["columns"]["step"] == list(range(1, 21)) and shown["journal"][0]["kind"] == "start"
    assert asked("verify", "perceptron")["ok"] is True
    assert asked("rewind", "perceptron", "20")["hash"] == run["hash"]
    for words in (("show", "perceptron"), ("runs",), ("rewind", "perceptron", "last")):
        assert "perceptron" in shell(*words).stdout


def test_keyframes_are_spaced_and_thinned_as_asked_and_show_says_so() -> None:
    by_hand = started("--steps", "20", "--keyframe-every", "4", "--name", "by-hand")
    thinned = started("--steps", "20", "--keyframe-every", "4", "--keyframe-bytes", "1K", "--name", "thinned")
    measured = started("--steps", "20", "--name", "measured")
    assert by_hand["hash"] == thinned["hash"] == measured["hash"]
    kept = asked("show", "by-hand")["keyframes"]
    assert (kept["count"], kept["spacing"], kept["worst_steps"]) == (6, 4, 3) and kept["worst_seconds"] > 0
    fewer = asked("show", "thinned")["keyframes"]
    assert fewer["count"] < 6 and fewer["bytes"] <= 1024 < kept["bytes"] and fewer["worst_steps"] > 3
    said = shell("show", "by-hand").stdout
    assert "6 keyframes of" in said and "4 steps apart" in said and "the worst rewind replays 3 steps" in said
    assert "is no size" in shell("run", FILE, "--keyframe-bytes", "many", exit_code=1).stderr


def test_rewinding_changes_nothing_and_gives_the_values_of_that_step() -> None:
    started("--steps", "5", "--name", "short")
    run = started("--steps", "20", "--name", "long")
    short, long = asked("rewind", "short", "last"), asked("rewind", "long", "5")
    assert short["parameters"] == long["parameters"] and short["hash"] == long["hash"]
    assert asked("show", "long")["hash"] == run["hash"]


def test_resuming_arrives_where_one_run_would_have() -> None:
    whole = started("--steps", "20", "--name", "whole")
    started("--steps", "8", "--name", "parts")
    assert asked("resume", "parts", "--steps", "12")["hash"] == whole["hash"]


def test_a_fork_with_a_dial_parts_where_it_should() -> None:
    started("--steps", "20")
    fork = asked("fork", "perceptron", "10", "--dial", "lr=0.01", "--name", "slow", "--steps", "10")
    assert fork["dials"] == {"lr": 0.01} and fork["step"] == 20
    compared = asked("compare", "perceptron", "slow")
    assert compared["parts_at"][0] is None or compared["parts_at"][0] > 10
    assert "lr" in shell("compare", "perceptron", "slow").stdout
    assert compared["runs"][0]["operations"] > 0 and "operations a step" not in shell("compare", "slow", "slow").stdout
    said = asked("cost", "slow")["learned"]
    assert said["step"] == 20 and said["loss"] == pytest.approx(fork["metrics"]["loss"])
    assert "learned by step 20: loss" in shell("cost", "slow", "--uses").stdout


def test_a_dial_holds_from_the_present_step_on() -> None:
    started("--steps", "4")
    assert asked("set", "perceptron", "lr=0.5")["before"] == {"lr": 0.1}
    asked("resume", "perceptron", "--steps", "2")
    assert asked("rewind", "perceptron", "3")["dials"] == {"lr": 0.1}
    assert asked("rewind", "perceptron", "5")["dials"] == {"lr": 0.5}


def test_a_dial_is_turned_over_steps_and_alterations_are_told_in_words() -> None:
    started("--steps", "4")
    turned = asked("set", "perceptron", "lr=0.5", "--over", "4", "--shape", "cosine")
    assert (turned["before"], turned["dials"], turned["reached"]) == ({"lr": 0.1}, {"lr": 0.5}, 8)
    with og.open_run(Path("runs/perceptron")) as run:
        run.alter("w", "prune", 0.25)
        run.alter("*", "noise", 0.1, seed=3)
        run.advance(6)
    assert asked("rewind", "perceptron", "6")["dials"]["lr"] == pytest.approx(0.3)
    said = shell("show", "perceptron").stdout
    assert "lr to 0.5 over 4 steps, cosine" in said and "w with the smallest 25% to zero" in said
    assert "* plus 0.1 of its deviation times noise, seed 3" in said
    assert (
        "'linear', 'cosine'" in shell("set", "perceptron", "lr=1", "--over", "2", "--shape", "sine", exit_code=1).stderr
    )


def test_entries_about_examples_are_told_in_words() -> None:
    entries = [
        ("without", {"examples": [[3, 4], [17, 20]]}, "3,17:20 out of every batch"),
        ("take_back", {"examples": [[3, 4]]}, "3 in the batches again"),
        ("learn_also", {"examples": [[3, 5]], "rows": 2}, "2 rows more in every batch from 3:5"),
        (
            "learn_also",
            {"examples": [[9, 10]], "rows": 1, "content": "x"},
            "1 row more in every batch from 9, which are new",
        ),
        ("stop_also", {"examples": [[3, 5]]}, "3:5 no longer"),
        ("stop_also", {}, "all no longer"),
        ("mix", {"examples": [[0, 5]], "share": 0.25}, "25% of every batch from 0:5"),
        ("mix", {"examples": [[0, 5]], "share": 0.0}, "0:5 no longer"),
    ]
    for kind, content, words in entries:
        assert said(Entry(kind, 4, content)) == words


def test_until_stops_early() -> None:
    run = started("--steps", "500", "--until", "valid.accuracy >= 0.9")
    assert run["step"] < 500 and "valid.accuracy" in run["stopped"]


def test_options_reach_the_experiment() -> None:
    started("examples=16", "noisy=yes", "slope=2", "--steps", "1")
    assert "whole number" in shell("run", FILE, "examples=many", exit_code=1).stderr


def test_export_holds_the_parameters_by_name() -> None:
    started("--steps", "10")
    asked("export", "perceptron", "--step", "-5", "-o", "p.safetensors")
    found = load_file("p.safetensors")
    rewound = {one["name"]: one for one in asked("rewind", "perceptron", "5")["parameters"]}
    assert set(found) == {"w", "b"} and found["w"].max() == pytest.approx(rewound["w"]["max"])


def test_export_gives_the_program_as_text() -> None:
    started("--steps", "3")
    told = asked("export", "perceptron", "--format", "onto")
    assert told["file"] == "perceptron-3.onto" and told["format"] == "onto"
    assert from_text(Path(told["file"]).read_text(encoding="utf-8")).has("learn")


def test_export_to_onnx_predicts_as_the_run_does() -> None:
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install ontogeny[onnx]")
    pytest.importorskip("torch")
    asked("run", str(Path(__file__).parent / "captured.py"), "--steps", "6", "--name", "net")
    told = asked("export", "net", "--format", "onnx", "--step", "4")
    assert (told["inputs"], told["outputs"], told["step"]) == (["x"], ["y"], 4)
    assert told["onnxruntime_difference"] < 1e-5
    session = runtime.InferenceSession(told["file"], providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_outputs()] == ["y"]
    assert "in ONNX Runtime" in shell("export", "net", "--format", "onnx").stdout


def test_export_for_pytorch_loads_into_the_model() -> None:
    torch = pytest.importorskip("torch")
    from_safetensors = pytest.importorskip("safetensors.torch").load_file
    from tests.faces.captured import Net

    asked("run", str(Path(__file__).parent / "captured.py"), "--steps", "6", "--name", "net")
    told = asked("export", "net", "--format", "torch", "-o", "net.safetensors")
    model, tensors = Net(), from_safetensors("net.safetensors")
    assert told["tensors"] == len(tensors) == len(model.state_dict())
    model.load_state_dict(tensors)
    assert int(model.norm.num_batches_tracked) == 6
    module = og.to_module(og.open_run("runs/net").learner)
    x = torch.randn(16, 4)
    model.eval()
    torch.testing.assert_close(model(x), module(x))


def test_a_run_without_predict_is_not_exported_to_onnx() -> None:
    pytest.importorskip("torch")
    asked("run", str(Path(__file__).parent / "captured.py"), "predict=no", "--steps", "1", "--name", "net")
    said = shell("export", "net", "--format", "onnx", exit_code=1).stderr
    assert "no routine 'predict'" in said and "capture with predict=" in said
    assert not list(Path().glob("*.onnx"))


def test_a_damaged_run_is_told_apart_and_the_others_still_listed() -> None:
    started("--steps", "3", "--name", "sound")
    started("--steps", "3", "--name", "broken")
    journal = Path("runs/broken/journal.jsonl")
    journal.write_bytes(b"rubbish\n" + journal.read_bytes())
    rows = {row["run"]: row for row in asked("runs")["runs"]}
    assert rows["sound"]["step"] == 3 and "error" in rows["broken"]


# What goes wrong


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "nothing.onto"), "there is no file"),
        (("show", "nothing"), "there is no run"),
        (("run", "nothing.py"), "there is no file"),
        (("run", TEXT), "not a Python file"),
        (("cost", TEXT, "--sort", "colour"), "choose operations"),
        (("run", FILE, "colour=red"), "has no option 'colour'"),
        (("run", FILE, "--until", "soon"), "not a goal"),
        (("compare", "one"), "at least two"),
        (("show", ""), "a run has a name"),
        (("run", FILE, "--name", "../out"), "is not the name of a run"),
        (("run", FILE, "--name", "a\nb"), "is not the name of a run"),
        (("run", FILE, "--name", "12"), "'12' would be taken for a number, not for a run; name it in letters"),
        (("run", FILE, "--name", "7e2"), "name it in letters, as run-7e2"),
        (("fmt", "/nothing/p.onto"), "there is no file /nothing/p.onto"),
        (("asm", TEXT, "-o", "x" * 300), "xxx: File name too long"),
        (("asm", TEXT, "-o", "."), "is a folder; name a file in it, such as perceptron.ontob"),
        (("asm", TEXT, "-o", f"{TEXT}/x"), "is not a folder"),
    ],
)
def test_bad_input_gets_one_clear_line(words: tuple[str, ...], said: str) -> None:
    result = shell(*words, exit_code=1)
    assert said in result.stderr and "Traceback" not in result.output and result.stdout == ""
    assert "Traceback" in shell("--debug", *words, exit_code=1).stderr


def test_what_is_not_understood_exits_with_two() -> None:
    assert "disasm" in shell("disasmm", exit_code=2).output
    shell("cost", exit_code=2)
    shell("cost", TEXT, "--nothing", exit_code=2)


@pytest.mark.parametrize("word", ELSEWHERE)
def test_what_other_tools_call_it_leads_to_the_command(word: str) -> None:
    assert word not in BY_NAME
    assert f"Did you mean '{ELSEWHERE[word]}'?" in shell(word, "x", exit_code=2).stderr


def test_help_is_asked_for_in_words_too() -> None:
    assert shell("help").output == shell("--help").output
    assert shell("help", "fork").output == shell("fork", "--help").output


def test_ten_before_the_last_step_needs_no_ceremony() -> None:
    started("--steps", "30")
    assert asked("rewind", "perceptron", "-10") == asked("rewind", "perceptron", "20")
    said = shell("rewind", "perceptron", "--json", "--", "-10").stdout
    assert asked("rewind", "perceptron", "last-10") == json.loads(said)
    fork = asked("fork", "perceptron", "-5", "lr=0.25", "--name", "child")
    assert (fork["step"], fork["dials"]["lr"]) == (25, 0.25)
    assert "no step" in shell("rewind", "perceptron", "-31", exit_code=1).stderr
    assert "No such option" in shell("rewind", "perceptron", "-x", exit_code=2).output


def test_a_file_is_written_into_a_new_folder_but_not_over_one() -> None:
    started("--steps", "3")
    for words in (("export",), ("page",), ("disasm",)):
        shell(*words, "perceptron", "--out", f"new/{words[0]}/file")
        assert Path(f"new/{words[0]}/file").stat().st_size
        said = shell(*words, "perceptron", "-o", "new", exit_code=1).stderr
        assert "is a folder" in said and "unexpected" not in said


def test_an_export_puts_no_file_in_the_place_of_a_device() -> None:
    started("--steps", "3")
    os.mkfifo("pipe")
    assert "not a file" in shell("export", "perceptron", "-o", "pipe", exit_code=1).stderr
    assert Path("pipe").is_fifo()


def test_tables_are_not_laid_out_for_fewer_than_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    started("--steps", "3")
    monkeypatch.setenv("COLUMNS", "80")
    wide = shell("rewind", "perceptron", "3").stdout
    monkeypatch.setenv("COLUMNS", "40")
    assert shell("rewind", "perceptron", "3").stdout == wide


def test_rubbish_is_no_program() -> None:
    Path("p.ontob").write_bytes(Path(TEXT).read_bytes()[:10] + bytes(range(256)))
    assert "UTF-8" in shell("check", "p.ontob", exit_code=1).stderr
    asked("asm", TEXT, "-o", "q.ontob")
    Path("q.ontob").write_bytes(Path("q.ontob").read_bytes()[:-9])
    assert "Traceback" not in shell("check", "q.ontob", exit_code=1).output


def test_an_error_in_the_persons_own_file_is_said_and_can_be_traced() -> None:
    Path("mine.py").write_text("def experiment():\n    return 1 / 0\n", encoding="utf-8")
    said = shell("run", "mine.py", exit_code=1).stderr
    assert "ZeroDivisionError" in said and "--debug" in said and "Traceback" not in said
    assert "mine.py" in shell("--debug", "run", "mine.py", exit_code=1).stderr


# As processes


def test_ctrl_c_leaves_a_run_that_goes_on() -> None:
    whole = started("--steps", "600", "--name", "whole")
    words = [*SHELL, "run", FILE, "--machine", "reference", "--steps", "100000000", "--name", "cut"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    metrics = Path("runs/cut/metrics.bin")
    while not (metrics.exists() and metrics.stat().st_size) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "ontogeny resume cut" in said and "Traceback" not in said
    step = asked("show", "cut")["step"]
    assert asked("rewind", "cut", str(min(step, 600)))["hash"] == asked("rewind", "whole", str(min(step, 600)))["hash"]
    assert asked("resume", "cut", "--steps", "1")["step"] == step + 1
    assert whole["step"] == 600


def test_the_shell_itself() -> None:
    done = subprocess.run([*SHELL, "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"ontogeny \d+\.\d+\.\d+\n", done.stdout)
    module = subprocess.run([sys.executable, "-m", "ontogeny", "--version"], capture_output=True, text=True, check=True)
    assert module.stdout == done.stdout
    done = subprocess.run([*SHELL, "show", "nothing"], capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == "" and done.stderr.startswith("error: there is no run")


def test_a_closed_pipe_is_no_error() -> None:
    started("--steps", "50")
    done = subprocess.run(
        f"{SHELL[0]} show perceptron --json | head -1", shell=True, capture_output=True, text=True, check=True
    )
    assert done.stdout == "{\n" and "Traceback" not in done.stderr


# What is said to a program, and while one waits


def complaint(*words: str, exit_code: int) -> Any:
    (line,) = shell(*words, exit_code=exit_code).stderr.splitlines()
    return json.loads(line)


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (("explain", "none", "--json"), 1, "there is no run 'none'"),
        (("explain", "--json"), 2, "Missing argument 'RUN'"),
        (("nothing", "--json"), 2, "No such command 'nothing'"),
        (("show", "x", "--bogus", "--json"), 2, "No such option: --bogus"),
        (("show", "x", "--json", "--last", "few"), 2, "Invalid value for '--last'"),
        (("record", "--json", "none.py"), 1, "none.py"),
    ],
)
def test_what_goes_wrong_is_one_json_object_where_json_is_asked_for(
    words: tuple[str, ...], exit_code: int, said: str
) -> None:
    found = complaint(*words, exit_code=exit_code)
    assert said in found["error"] and found["exit_code"] == exit_code


def test_a_scripts_own_json_is_not_ours() -> None:
    assert shell("record", "none.py", "--json", exit_code=1).stderr.startswith("error:")


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_sentences_are_wrapped_at_words_on_a_terminal_and_whole_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("TERM", "xterm")
    sentence = "every one of these words stands on one line or another, and none is broken in two"
    for screen, lines in ((Screen(), 3), (io.StringIO(), 1)):
        Paper(file=screen, color_system=None).print(sentence, soft_wrap=True)
        written = screen.getvalue().splitlines()
        assert len(written) == lines and set(" ".join(written).split()) == set(sentence.split())


def test_who_waits_is_told_after_a_while_and_only_then(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    with Busy("nothing much"):
        pass
    assert said.getvalue() == ""
    monkeypatch.setattr("ontogeny.faces.progress.PLAIN_EVERY", 0.05)
    with Busy("looking for [it]"):
        while not said.getvalue():
            time.sleep(0.01)
    assert re.match(r"looking for \[it\], \d+ s", said.getvalue())
    said.truncate(0)
    with Busy("in silence", quiet=True):
        time.sleep(0.15)
    assert "silence" not in said.getvalue()
