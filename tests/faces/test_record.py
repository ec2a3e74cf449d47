"""A script that knows nothing of us is recorded: its output, its errors and its exit code stay its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ontogeny as og

SHELL = str(Path(sys.executable).parent / "ontogeny")

HEAD = """
import argparse, sys, warnings
import numpy as np
import torch
from torch import nn
from helper import batch

torch.manual_seed(0)
"""

PLAIN = """
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--end", default="")
given = parser.parse_args()
assert __name__ == "__main__" and sys.argv[0] == "train.py"

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    def forward(self, x):
        return self.body(x)

def main():
    net = Net()
    bystander = Net()
    wrapped = nn.Sequential(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=given.lr)
    scaler = torch.amp.GradScaler("cpu", enabled=True)
    seen, losses = [[p.detach().clone().numpy() for p in net.parameters()]], []
    for step in range(20):
        with torch.autocast("cpu", torch.bfloat16):
            loss = net(batch()).float().square().mean()
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        seen.append([p.detach().clone().numpy() for p in net.parameters()])
        losses.append(loss.item())
    np.savez("seen.npz", *[np.stack([row[i] for row in seen]) for i in range(4)], losses=losses)
    print("trained")
    if given.end == "raise":
        raise ValueError("of the script")
    if given.end == "word":
        sys.exit("a last word")
    if given.end:
        sys.exit(int(given.end))

main()
"""

SEVERAL = """
class Generator(nn.Linear):
    pass
class Critic(nn.Linear):
    pass
generator, critic = Generator(3, 4), Critic(4, 1)
of_generator = torch.optim.Adam(generator.parameters(), lr=0.1)
of_critic = torch.optim.SGD(critic.parameters(), lr=0.1)
rows = []
def note():
    rows.append(np.concatenate([p.detach().numpy().reshape(-1) for m in (generator, critic) for p in m.parameters()]))
note()
for step in range(6):
    for optimizer, sign in ((of_critic, 1), (of_generator, -1)):
        loss = sign * critic(generator(torch.randn(5, 3))).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    note()
np.save("seen.npy", np.stack(rows))
"""


@pytest.fixture(autouse=True)
def in_a_fresh_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("helper.py").write_text("import torch\ndef batch(): return torch.randn(3, 4)\n")


def record(*words: str, script: str = "train.py", code: str = PLAIN, exit_code: int = 0) -> tuple[str, str]:
    Path(script).write_text(HEAD + code)
    done = subprocess.run(
        [SHELL, "record", *words], capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == exit_code, done.stderr
    return done.stdout, done.stderr


def test_an_unmodified_script_is_recorded_exactly() -> None:
    out, err = record("--name", "mine", "train.py", "--lr", "0.5")
    assert out == "trained\n"
    assert "recorded mine: 20 steps in" in err
    seen = np.load("seen.npz")
    found = og.Attached("runs/mine")
    assert list(found.traces.tensors) == ["0.body.0.weight", "0.body.0.bias", "0.body.2.weight", "0.body.2.bias"]
    for number, name in enumerate(found.traces.tensors):
        values = np.moveaxis(found.trajectory(name)[...], -1, 0)
        assert values.tobytes() == seen[f"arr_{number}"].tobytes(), name
    metrics = found.metrics()
    assert metrics["loss"].tolist()[-20:] == seen["losses"].tolist()
    assert metrics["lr"][0] == 0.5
    listed = subprocess.run([SHELL, "runs", "--json"], capture_output=True, text=True, check=True).stdout
    assert json.loads(listed)["runs"][0]["step"] == 20
    shown = subprocess.run([SHELL, "show", "mine"], capture_output=True, text=True, check=True).stdout
    assert "the record of a loop" in shown and "21 steps recorded" in shown
    asked = json.loads(subprocess.run([SHELL, "show", "mine", "--json"], capture_output=True, text=True).stdout)
    assert asked["attached"] and asked["columns"]["loss"][-20:] == seen["losses"].tolist()
    assert "None" not in shown
    wide = {**os.environ, "COLUMNS": "200"}
    every = subprocess.run([SHELL, "show", "mine", "--last", "30"], capture_output=True, text=True, env=wide).stdout
    assert " weight_decay " in every


def test_a_record_has_a_picture_and_a_page() -> None:
    record("--name", "mine", "train.py", "--lr", "0.5")
    for words in (["picture", "mine"], ["page", "mine", "-o", "mine.html"]):
        subprocess.run([SHELL, *words], capture_output=True, check=True)
    assert "loss" in Path("mine.svg").read_text(encoding="utf-8") and Path("mine.png").stat().st_size > 1000
    page = Path("mine.html").read_text(encoding="utf-8")
    for words in ("The record of a loop", "What was recorded", "0.body.2.weight", "mine training ends at", "SGD"):
        assert words in page
    assert "hash of the whole state" not in page and "instructions as text" not in page
    refused = subprocess.run([SHELL, "page", "mine", "--verify"], capture_output=True, text=True)
    assert refused.returncode == 1 and "no program" in refused.stderr


@pytest.mark.parametrize(
    ("end", "exit_code", "said"), [("raise", 1, "ValueError: of the script"), ("word", 1, "a last word"), ("7", 7, "")]
)
def test_errors_and_exit_codes_pass_through(end: str, exit_code: int, said: str) -> None:
    out, err = record("train.py", "--lr", "0.1", "--end", end, exit_code=exit_code)
    assert out == "trained\n"
    assert said in err
    assert "faces/commands" not in err
    assert og.Attached("runs/train").step == 20


def test_a_policy_and_checkpoints() -> None:
    out, _ = record(
        *("--every", "5", "--only", "*.weight", "--checkpoint-every", "10", "--json", "train.py", "--lr", "0.1")
    )
    document = json.loads(out.removeprefix("trained\n"))
    assert document["steps"] == 20 and document["exit_code"] == 0 and document["bytes"] > 1000
    found = og.Attached(document["folder"])
    assert found.traces.steps.tolist() == [0, 5, 10, 15, 20]
    assert all(name.endswith(".weight") for name in found.traces.tensors)
    assert len(list((found.folder / "checkpoints").iterdir())) == 2


def test_several_optimizers_are_one_record_of_rounds() -> None:
    _, err = record("gan.py", script="gan.py", code=SEVERAL)
    assert "there are several optimizers (SGD, Adam)" in err
    found = og.Attached("runs/gan")
    assert found.traces.steps.tolist() == list(range(7))
    assert set(found.traces.tensors) == {f"{m}.{p}" for m in ("generator", "critic") for p in ("weight", "bias")}
    names = ("generator.weight", "generator.bias", "critic.weight", "critic.bias")
    rows = np.stack([np.concatenate([found.traces.row(s)[n].reshape(-1) for n in names]) for s in range(7)])
    assert rows.tobytes() == np.load("seen.npy").tobytes()
    assert {"loss.0", "loss.1"} <= set(found.metrics())


def test_what_cannot_be_recorded_is_said_and_the_script_goes_on() -> None:
    _, err = record("none.py", script="none.py", code="print('nothing to train')")
    assert "no optimizer of torch has taken a step" in err
    loose = "w = torch.ones(2, requires_grad=True)\no = torch.optim.SGD([w])\nw.sum().backward()\no.step()\nsys.exit(4)"
    _, err = record("loose.py", script="loose.py", code=loose, exit_code=4)
    assert "belongs to no nn.Module" in err
    _, err = record("missing.py", exit_code=1)
    assert "there is no file missing.py" in err
