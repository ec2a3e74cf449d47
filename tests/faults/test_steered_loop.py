"""A PyTorch loop that is steered from elsewhere while it runs: its settings, its parameters, and whether it waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import ontogeny as og
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.live.client import find
from ontogeny.steer.live.loop_commands import LOOP, Loop
from ontogeny.steer.registry import command
from ontogeny.steer.session import COMMAND, Session


class Training:
    """A loop in a thread of its own, as a script would have it."""

    def __init__(self, folder: Path) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-2)
        self.recording = og.attach(self.model, self.optimizer, folder)
        self.server = og.steerable(self.recording)
        self.thread = threading.Thread(target=self.train)

    def train(self) -> None:
        x = torch.randn(32, 4)
        while not self.recording.stopping:
            loss = (self.model(x) - x.sum(1, keepdim=True)).square().mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.recording.step(loss)
            time.sleep(0.002)


@pytest.fixture
def training(tmp_path: Path) -> Iterator[Training]:
    found = Training(tmp_path / "mine")
    found.thread.start()
    yield found
    found.recording.stopping = True
    found.server.session.put(lambda: None)
    found.thread.join(120)
    found.server.close()
    found.recording.close()


@pytest.fixture
def do(training: Training) -> Callable[..., Any]:
    session = Session(RunsFolder(training.recording.folder.parent), "mine", author="eve", host=find)
    return lambda called, **arguments: session.do(command(called, arguments))


def test_settings_are_turned_between_steps_and_stand_in_the_journal(training: Training, do: Callable[..., Any]) -> None:
    assert do("set", dial="learning rate", by=0.5).text.startswith("lr goes from 0.01 to 0.005")
    assert training.optimizer.param_groups[0]["lr"] == 0.005
    do("set", dial="beta1", to=0.5)
    assert training.optimizer.param_groups[0]["betas"] == (0.5, 0.999)
    lines = [entry for entry in og.Attached(training.recording.folder).entries if entry.kind == COMMAND]
    assert [(line.author, line["command"]) for line in lines] == [("eve", "set")] * 2


def test_a_setting_moves_over_steps(training: Training, do: Callable[..., Any]) -> None:
    first = do("set", dial="lr", to=0.0, over=20, shape="linear").step
    while training.recording.step_number < first + 25:
        time.sleep(0.01)
    assert training.optimizer.param_groups[0]["lr"] == 0.0
    told = og.Attached(training.recording.folder).start
    assert told["optimizer"] == "AdamW"


def test_a_paused_loop_takes_no_step_and_still_answers(training: Training, do: Callable[..., Any]) -> None:
    do("pause")
    step = training.recording.step_number
    time.sleep(0.1)
    assert training.recording.step_number == step
    before = training.model[0].weight.detach().clone()
    do("alter", how="scale", tensors=["0.weight"], amount=0.5)
    assert torch.equal(training.model[0].weight, before * 0.5)
    do("alter", how="prune", tensors=["0.*"], amount=0.5)
    assert int((training.model[0].weight == 0).sum()) == 16
    do("alter", how="reset", tensors=["2.weight"])
    first = og.Attached(training.recording.folder).traces.row(0)["2.weight"]
    assert np.array_equal(training.model[2].weight.detach().numpy(), first)
    do("resume")
    while training.recording.step_number <= step:
        time.sleep(0.01)


def test_frozen_parameters_stay_and_learn_again(training: Training, do: Callable[..., Any]) -> None:
    step = do("freeze", tensors=["0.*"]).step
    while (traces := og.Attached(training.recording.folder).traces).steps[-1] < step + 10:
        time.sleep(0.01)
    do("pause")
    rows = [traces.row(int(traces.steps[-1]))["0.weight"], traces.row(step)["0.weight"]]
    assert np.array_equal(*rows)
    do("unfreeze", tensors=["0.*"])
    assert training.model[0].weight.requires_grad


def test_what_a_loop_cannot_do_is_said(training: Training, do: Callable[..., Any]) -> None:
    for called, arguments, said in (
        ("back", {"to": "3"}, "recording.rewind"),
        ("rule", {"edit": "sgd"}, "cannot be told to rule"),
        ("set", {"dial": "colour", "to": 1}, "no setting 'colour'"),
        ("freeze", {"tensors": ["9.weight"]}, "no parameter matches"),
        ("set", {"dial": "lr", "to": float("nan")}, "finite"),
        ("set", {"dial": "amsgrad", "to": 1}, "no setting 'amsgrad'"),
        ("set", {"dial": "lr", "to": 0, "over": 5, "shape": "exponential"}, "to 0 exponentially"),
        ("set", {"dial": "lr", "to": 0.1, "shape": "cosine"}, "say over how many"),
        ("alter", {"how": "prune", "tensors": ["0.weight"], "amount": 3}, "share from 0 to 1"),
        ("alter", {"how": "zero", "tensors": ["0.weight"], "amount": 3}, "takes no amount"),
        ("alter", {"how": "scale", "tensors": ["0.weight"]}, "needs an amount"),
        ("alter", {"how": "scale", "tensors": ["0.weight"], "amount": 3, "seed": 4}, "takes no seed"),
    ):
        with pytest.raises(OntogenyError, match=said):
            do(called, **arguments)


def test_what_nobody_foresaw_is_one_sentence_and_the_log_says_where(
    do: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(loop: Loop, command: Any) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setitem(LOOP, "set", replace(LOOP["set"], act=broken))
    with pytest.raises(OntogenyError, match="unexpected happened: ZeroDivisionError: oh; the log of its process"):
        do("set", dial="lr", by=0.5)
    assert "in broken" in capfd.readouterr().err


def test_groups_go_each_from_their_own_setting(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    groups = [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[1].parameters(), "lr": 0.01}]
    with og.attach(model, torch.optim.SGD(groups), tmp_path / "mine") as recording:
        loop = Loop(recording)
        halved = command("set", {"dial": "lr", "by": 0.5, "over": 2})
        assert "0.01 to 0.005, 0.1 to 0.05" in LOOP["set"].will(loop, halved)
        LOOP["set"].act(loop, halved)
        for _ in range(3):
            recording.step()
            loop.turn()
        assert [group["lr"] for group in recording.optimizers[0].param_groups] == [0.05, 0.005]


def test_it_ends_where_it_is_told_to(training: Training, do: Callable[..., Any]) -> None:
    do("stop")
    training.thread.join(120)
    assert not training.thread.is_alive()
