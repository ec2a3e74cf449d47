"""A loop that is not ours is recorded exactly, however its parameters change, and is not disturbed by it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import nn

import ontogeny as og
from ontogeny.isa.errors import RecordError
from ontogeny.machine.compiled.convert import to_numpy
from ontogeny.record.attach import checkpoints, is_attached
from ontogeny.record.disk import RecordWarning
from tests.regression import begin


def network(dtype: torch.dtype = torch.float32) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3)).to(dtype)


def snapshot(model: nn.Module) -> dict[str, np.ndarray]:
    return {name: to_numpy(p.detach().clone()).copy() for name, p in model.named_parameters()}


def batches(count: int, dtype: torch.dtype = torch.float32) -> list[tuple[torch.Tensor, torch.Tensor]]:
    source = torch.Generator().manual_seed(1)
    return [
        (torch.randn(8, 6, generator=source).to(dtype), torch.randint(0, 3, (8,), generator=source))
        for _ in range(count)
    ]


def learn(model: nn.Module, optimizer: torch.optim.Optimizer, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    loss = nn.functional.cross_entropy(model(batch[0]).float(), batch[1])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def same(run: og.Attached, expected: list[dict[str, np.ndarray]]) -> None:
    """Every recorded row is the snapshot of its step, bit for bit."""
    assert run.traces.steps.tolist() == list(range(len(expected)))
    for step, tensors in enumerate(expected):
        row = run.traces.row(step)
        assert set(row) == set(tensors)
        assert all(row[name].tobytes() == values.tobytes() for name, values in tensors.items()), step


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16], ids=str)
def test_every_parameter_at_every_step(tmp_path: Path, dtype: torch.dtype) -> None:
    model = network(dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    seen, losses = [snapshot(model)], []
    with og.attach(model, optimizer, tmp_path / "run") as run:
        for batch in batches(70, dtype):
            loss = learn(model, optimizer, batch)
            run.step(loss, double=2 * loss)
            seen.append(snapshot(model))
            losses.append(float(loss.detach()))
    found = og.Attached(tmp_path / "run")
    same(found, seen)
    assert found.metrics()["loss"][1:].tolist() == losses
    assert is_attached(tmp_path / "run")
    assert found.trajectory("0.weight")[2, 5, 60:70].tolist() == [float(s["0.weight"][2, 5]) for s in seen[60:70]]


def test_training_is_the_same_with_and_without(tmp_path: Path) -> None:
    ends = []
    for attached in (False, True):
        model = network()
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
        torch.manual_seed(5)
        run = og.attach(model, optimizer, tmp_path / "run", checkpoint_every=3) if attached else None
        for batch in batches(20):
            learn(model, optimizer, batch)
            if run is not None:
                run.step()
        if run is not None:
            run.close()
        ends.append((snapshot(model), torch.rand(3).tolist()))
    assert all(np.array_equal(ends[0][0][name], ends[1][0][name]) for name in ends[0][0])
    assert ends[0][1] == ends[1][1]


def test_frozen_tied_added_and_replaced_parameters(tmp_path: Path) -> None:
    model = network()
    model[0].weight.requires_grad_(False)
    model.add_module("tied", nn.Linear(6, 16))
    model.tied.weight = model[0].weight
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    run = og.attach(model, optimizer, tmp_path / "run")
    seen = [snapshot(model)]
    for number in range(6):
        if number == 2:
            model.register_parameter("late", nn.Parameter(torch.ones(4)))
            optimizer.add_param_group({"params": [model.late], "lr": 0.5})
        if number == 4:
            model[2].weight = nn.Parameter(model[2].weight.detach().double())
        with torch.no_grad():
            for p in model.parameters():
                p.add_(torch.full_like(p, 0.25 * number))
        run.step()
        seen.append(snapshot(model))
    run.close()
    found = og.Attached(tmp_path / "run")
    same(found, seen)
    assert "tied.weight" not in seen[0]
    assert found.start["aliases"] == {"tied.weight": "0.weight"}
    metrics = found.metrics()
    assert metrics["lr.1"][metrics["step"] == 3] == 0.5


def test_settings_of_the_optimizer_are_noted_when_they_change(tmp_path: Path) -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    with og.attach(model, optimizer, tmp_path / "run") as run:
        for number in range(4):
            optimizer.param_groups[0]["lr"] = 1.0 if number < 2 else 0.5
            run.step(number)
    lr = run.recorded().metrics()["lr"]
    assert lr[0] == 1.0
    assert np.isnan(lr[[1, 2, 4]]).all()
    assert lr[3] == 0.5
    assert run.recorded().metrics(last=0)["step"].tolist() == [0] and run.recorded().metrics(0, 0)["lr"] == [1.0]
    assert run.recorded().metrics(first=4)["step"].tolist() == [4]


def test_a_setting_that_changes_in_place_is_noted(tmp_path: Path) -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=torch.tensor(1.0), momentum=0.25)
    with og.attach(model, optimizer, tmp_path / "run") as run:
        for number in range(4):
            if number == 2:
                optimizer.param_groups[0]["lr"].fill_(0.5)
            if number == 3:
                optimizer.param_groups[0]["momentum"] = 0.75
            run.step(number)
    metrics = run.recorded().metrics()
    assert metrics["lr"][[0, 3]].tolist() == [1.0, 0.5] and np.isnan(metrics["lr"][[1, 2, 4]]).all()
    assert metrics["momentum"][[0, 4]].tolist() == [0.25, 0.75] and np.isnan(metrics["momentum"][1:4]).all()


def test_policies_are_obeyed_and_announced(tmp_path: Path) -> None:
    model = network()
    run = og.attach(model, None, tmp_path / "run", every=3, only=["*.weight"], error=1e-3)
    seen = [snapshot(model)]
    for batch in batches(9):
        learn(model, torch.optim.SGD(model.parameters(), lr=0.1), batch)
        run.step(1.0)
        seen.append(snapshot(model))
    run.close()
    found = run.recorded()
    assert found.traces.steps.tolist() == [0, 3, 6, 9]
    assert set(found.traces.tensors) == {"0.weight", "2.weight"}
    row = found.traces.row(6)["0.weight"]
    assert not np.array_equal(row, seen[6]["0.weight"])
    np.testing.assert_allclose(row, seen[6]["0.weight"], rtol=1e-3)
    assert len(found.metrics()["loss"]) == 9
    assert found.start["policy"]["every"] == 3
    with pytest.raises(RecordError, match="nothing to record"):
        og.attach(model, None, tmp_path / "none", only=["nothing"])
    with pytest.raises(RecordError, match="holds a run already"):
        og.attach(model, None, tmp_path / "run")


def test_going_on_in_the_same_folder(tmp_path: Path) -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seen = [snapshot(model)]
    for part in (batches(5), batches(7)):
        with og.attach(model, optimizer, tmp_path / "run", resume=True) as run:
            for batch in part:
                run.step(learn(model, optimizer, batch))
                seen.append(snapshot(model))
    same(run.recorded(), seen)


def test_going_back_gives_the_same_steps_again(tmp_path: Path) -> None:
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)
    data = torch.utils.data.TensorDataset(torch.randn(40, 6), torch.randint(0, 3, (40,)))
    loader = torch.utils.data.DataLoader(data, batch_size=8, shuffle=True)
    run = og.attach(model, optimizer, tmp_path / "run", checkpoint_every=4)
    seen = [snapshot(model)]
    for batch in run.batches(loader, epochs=3):
        run.step(learn(model, optimizer, batch))
        seen.append(snapshot(model))
    again = run.rewind(9)
    assert again.step_number == 8
    for batch in again.batches(loader, epochs=3):
        again.step(learn(model, optimizer, batch))
    again.close()
    assert len(seen) == 16
    found = again.recorded()
    assert found.traces.steps.tolist() == list(range(8, 16))
    for step in range(8, 16):
        row = found.traces.row(step)
        assert all(row[name].tobytes() == values.tobytes() for name, values in seen[step].items()), step
    assert found.start["first"] == 8
    assert json.dumps(found.start["parent"])
    with pytest.raises(RecordError, match="no checkpoint at or before step 3"):
        again.folder.joinpath("checkpoints").mkdir(exist_ok=True)
        again.rewind(3)


def test_a_failing_disk_stops_with_a_clear_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ontogeny.record.trace import rows

    model = network()
    run = og.attach(model, None, tmp_path / "run")
    for number in range(5):
        run.step(float(number))

    while len(run.recorded().traces.steps) < 6:
        time.sleep(0.01)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rows, "write_all", full)
    with pytest.raises(RecordError, match="recording stopped: the disk is full"):
        for number in range(1000):
            run.step(float(number))
    with pytest.raises(RecordError, match="the disk is full"):
        run.close()
    monkeypatch.undo()
    assert len(og.Attached(tmp_path / "run").traces.steps) == 6
    og.attach(model, None, tmp_path / "run", resume=True).close()


def test_a_damaged_checkpoint_is_named_and_so_is_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = checkpoints.ALONE.path(tmp_path, 3)
    path.parent.mkdir()
    for content, said in (
        (b"", "SafetensorError"),
        (save({"w": torch.zeros(2)}), "TypeError"),
        (save({"w": torch.zeros(2)}, {"other": "{}"}), "KeyError: 'content'"),
        (save({"w": torch.zeros(2)}, {"content": "{"}), "JSONDecodeError"),
    ):
        path.write_bytes(content)
        with pytest.raises(RecordError, match=rf"the checkpoint \S+/000000000003\.safetensors cannot be read: {said}"):
            checkpoints.read(tmp_path, 3)


def test_replaced_modules_and_late_parameters_are_noticed(tmp_path: Path) -> None:
    model = network()
    model.register_parameter("late", None)
    model.register_buffer("count", torch.zeros(2))
    run = og.attach(model, None, tmp_path / "run", buffers=True)
    seen = [{**snapshot(model), "count": model.count.numpy().copy()}]
    for number in range(6):
        if number == 1:
            model[2] = nn.Linear(16, 3)
        if number == 3:
            model.late = nn.Parameter(torch.ones(3))
        model.count = model.count + 1  # another object at each step, of the same form
        run.step()
        seen.append({**snapshot(model), "count": model.count.numpy().copy()})
    assert run.buffers <= 3
    run.close()
    same(run.recorded(), seen)


def test_going_on_continues_the_count_of_steps_and_says_where_the_model_is_another(tmp_path: Path) -> None:
    model = network()
    with og.attach(model, None, tmp_path / "run", every=3) as run:
        for number in range(8):
            run.step(float(number))
    with og.attach(model, None, tmp_path / "run", every=3, resume=True) as run:
        assert run.step_number == 8
        run.step(8.0)
    found = run.recorded()
    assert found.traces.steps.tolist() == [0, 3, 6, 9]
    assert found.metrics()["loss"].tolist() == list(range(9))
    with torch.no_grad():
        model[0].weight += 1
    with pytest.warns(RecordWarning, match="0.weight is not what it was at the last recorded step 9"):
        og.attach(model, None, tmp_path / "run", resume=True).close()
    assert [entry["differs"] for entry in run.recorded().entries[1:]] == [False, True]


def test_a_run_of_a_program_is_no_place_for_a_loop(tmp_path: Path) -> None:
    begin(tmp_path / "run").close()
    before = (tmp_path / "run" / "journal.jsonl").read_bytes()
    with pytest.raises(RecordError, match="holds a run of a program"):
        og.attach(network(), None, tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "journal.jsonl").read_bytes() == before


def test_going_back_takes_the_scheduler_and_several_optimizers_along(tmp_path: Path) -> None:
    model = network()
    optimizers = [torch.optim.SGD([p], lr=torch.tensor(0.1), momentum=0.9) for p in model.parameters()]
    scheduler = torch.optim.lr_scheduler.StepLR(optimizers[0], 2, 0.5)
    run = og.attach(model, optimizers, tmp_path / "run", checkpoint_every=3, keep={"scheduler": scheduler})

    def go_on(run: Any, part: list[Any]) -> list[dict[str, np.ndarray]]:
        rows = []
        for batch in part:
            loss = nn.functional.cross_entropy(model(batch[0]), batch[1])
            model.zero_grad()
            loss.backward()
            for optimizer in optimizers:
                optimizer.step()
            run.step(loss)
            scheduler.step()
            rows.append(snapshot(model))
        return rows

    every = batches(9)
    seen = go_on(run, every)
    taken = tmp_path / "taken"
    og.attach(model, None, taken).close()
    with pytest.raises(RecordError, match="holds a run already; name another folder for what follows step 3"):
        run.rewind(5, taken)
    again = run.rewind(3)
    scheduler.step()  # the checkpoint stands between the step and the scheduler's
    repeated = go_on(again, every[3:])
    again.close()
    for one, two in zip(seen[3:], repeated, strict=True):
        assert all(np.array_equal(one[name], two[name]) for name in one)
    assert run.recorded().metrics()["lr.0"][0] == np.float32(0.1)
