"""Several processes that train one model go back together: the losses that follow are those that were, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import ontogeny as og
from ontogeny.ask.moments import moments
from ontogeny.isa.errors import RecordError
from ontogeny.record.attach import checkpoints
from ontogeny.record.attach.checkpoints import Part
from ontogeny.record.attach.moment_files import read
from ontogeny.record.disk import RecordWarning
from ontogeny.record.trace.traces import Window
from tests.launched import launched

MODULE = "tests.distributed_rewind"


def by_name(printed: str) -> dict[str, dict[int, str]]:
    """What was printed of each step, by the name of the loop."""
    found: dict[str, dict[int, str]] = {}
    for line in printed.splitlines():
        name, step, *rest = line.split()
        found.setdefault(name, {})[int(step)] = " ".join(rest)
    return found


def same_moments(folder: Path, steps: int) -> None:
    """The moments that the processes streamed are those of the whole record in one pass."""
    found, run = read(folder), og.Attached(folder)
    assert (found.first, found.last) == (0, steps)
    expected = {item.tensor.name: item for item in moments(run.traces, Window())}
    assert {item.tensor.name for item in found.tensors} == set(expected)
    for item in found.tensors:
        assert item.tensor == expected[item.tensor.name].tensor
        for over in ("values", "updates"):
            mine, theirs = item.of(over), expected[item.tensor.name].of(over)
            assert mine.count == theirs.count == steps + (over == "values")
            for part in ("mean", "variance", "m4"):
                np.testing.assert_allclose(getattr(mine, part), getattr(theirs, part), rtol=1e-6, atol=1e-12)


def test_shards_and_copies_go_back_and_on_bit_for_bit(tmp_path: Path) -> None:
    for printed in launched(MODULE, 2, tmp_path, "back", "fsdp,ddp", "0"):
        found = by_name(printed)
        for kind in ("fsdp", "ddp"):
            first = found[f"{kind}-first"]
            assert len(set(first.values())) == len(first) == 12
            assert found[f"{kind}-again"] == {step: first[step] for step in range(9, 13)}
            assert found[f"{kind}-once-more"] == {step: first[step] for step in (11, 12)}
    for kind in ("fsdp", "ddp"):
        assert checkpoints.steps(tmp_path / kind) == [2, 4, 6, 8, 10, 12]
        same_moments(tmp_path / kind, 12)
    later = og.Attached(tmp_path / "fsdp-from-8").traces
    assert later.steps.tolist() == [8, 9, 10, 11, 12]
    before = og.Attached(tmp_path / "fsdp").traces
    assert all(values.tobytes() == before.row(12)[name].tobytes() for name, values in later.row(12).items())
    part = tmp_path / "fsdp" / "moments" / "000000000000-rank-00001-of-00002.safetensors"
    part.rename(tmp_path / "aside")
    with pytest.warns(RecordWarning, match="only 1 of 2 processes"), pytest.raises(RecordError, match="no moments"):
        read(tmp_path / "fsdp")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["fsdp", "ddp"])
def test_a_checkpoint_that_one_process_did_not_finish_does_not_count(tmp_path: Path, kind: str) -> None:
    launched(MODULE, 2, tmp_path, "killed", kind, "8", killed=True)
    files = {(step, part.rank) for step, part in checkpoints.files(tmp_path / kind)}
    assert (8, 0) in files and (8, 1) not in files
    assert checkpoints.steps(tmp_path / kind) == [2, 4, 6]
    for printed in launched(MODULE, 2, tmp_path, "resumed", kind, "0"):
        found = by_name(printed)
        assert set(found["reached"]) == {8}
        assert found["after"] == {step: found["whole"][step] for step in range(7, 13)}


@pytest.mark.parametrize("at", [0, 3, 4], ids=["before the first batch", "within an epoch", "at the end of one"])
def test_a_loop_goes_back_to_any_place_in_its_data(tmp_path: Path, at: int) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(5, 5), torch.nn.Dropout(0.5))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(TensorDataset(torch.randn(16, 5)), batch_size=4, shuffle=True)

    def go_on(run: og.Attachment) -> list[float]:
        losses = []
        for (x,) in run.batches(loader, 2):
            loss = model(x).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            run.step(loss)
            losses.append(loss.item())
            if run.step_number == at:
                run.checkpoint()
        run.close()
        return losses

    run = og.attach(model, optimizer, tmp_path / "run")
    if at == 0:
        run.checkpoint()
    first = go_on(run)
    assert len(first) == 8
    assert go_on(run.rewind(8)) == first[at:]


def test_parts_of_two_sessions_or_of_other_processes_are_no_checkpoint(tmp_path: Path) -> None:
    def keep(step: int, *parts: Part) -> None:
        for part in parts:
            checkpoints.taken(tmp_path / "run", step, {"rank": part.rank}, part)()

    model = torch.nn.Linear(2, 2)
    run = og.attach(model, None, tmp_path / "run")
    keep(5, Part(0, 2, 1), Part(1, 2, 1))
    keep(9, Part(0, 2, 1), Part(1, 2, 2))
    assert checkpoints.steps(tmp_path / "run") == [5]
    keep(9, Part(0, 2, 2))
    assert checkpoints.steps(tmp_path / "run") == [5, 9]
    assert checkpoints.read(tmp_path / "run", 9, Part(1, 2, 2)) == {"rank": 1}
    with pytest.raises(RecordError, match="kept by 2 processes and there are 1; go back with as many"):
        run.rewind(9)
    with pytest.raises(RecordError, match="no checkpoint at or before step 4; set checkpoint_every"):
        og.attach(model, None, tmp_path / "run", resume=True).rewind(4)
