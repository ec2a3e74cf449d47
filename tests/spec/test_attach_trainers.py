"""Trainers of others are recorded by a callback: each step's bits, with accumulated gradients and mixed precision."""

from __future__ import annotations

import subprocess
import sys
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

import ontogeny as og
from ontogeny.machine.compiled.convert import to_numpy


class Seen:
    """The parameters after each step of any optimizer, beside the record."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.rows = [self.row()]
        self.rates: list[float] = []
        self._hook = register_optimizer_step_post_hook(self.note)

    def note(self, optimizer: torch.optim.Optimizer, *_: object) -> None:
        self.rows.append(self.row())
        self.rates.append(float(optimizer.param_groups[0]["lr"]))

    def row(self) -> dict[str, bytes]:
        return {name: to_numpy(p.detach()).tobytes() for name, p in self.model.named_parameters()}

    def __enter__(self) -> Seen:
        return self

    def __exit__(self, *_: object) -> None:
        self._hook.remove()

    def same(self, found: og.Attached) -> None:
        assert found.traces.steps.tolist() == list(range(len(self.rows)))
        for step, row in enumerate(self.rows):
            assert {name: values.tobytes() for name, values in found.traces.row(step).items()} == row, step
        metrics = found.metrics()
        told = dict(zip(metrics["step"], metrics["lr" if "lr" in metrics else "lr.0"], strict=True))
        assert all(np.isnan(told[step]) or told[step] == rate for step, rate in enumerate(self.rates, 1))
        assert len({rate for rate in told.values() if not np.isnan(rate)}) > 1


class Classifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3))

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> Any:
        logits = self.body(x)
        return {"loss": nn.functional.cross_entropy(logits.float(), labels), "logits": logits}


def examples(count: int = 48) -> list[dict[str, torch.Tensor]]:
    source = torch.Generator().manual_seed(0)
    return [
        {"x": torch.randn(6, generator=source), "labels": torch.randint(0, 3, (), generator=source)}
        for _ in range(count)
    ]


@pytest.mark.parametrize("mixed", [False, True], ids=["f32", "bf16"])
def test_the_trainer_of_hugging_face(tmp_path: Path, mixed: bool) -> None:
    transformers = pytest.importorskip("transformers", reason="pip install 'ontogeny[hf]'")
    pytest.importorskip("accelerate", reason="pip install 'ontogeny[hf]'")
    callbacks = import_module("ontogeny.record.attach.huggingface")
    torch.manual_seed(0)
    model = Classifier()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        settings = transformers.TrainingArguments(
            output_dir=str(tmp_path / "out"),
            per_device_train_batch_size=4,
            gradient_accumulation_steps=2,
            num_train_epochs=2,
            learning_rate=0.05,
            lr_scheduler_type="linear",
            logging_steps=1,
            report_to=[],
            use_cpu=True,
            bf16=mixed,
            save_strategy="no",
            disable_tqdm=True,
        )
        callback = callbacks.RecordCallback(tmp_path / "run", checkpoint_every=5)
        trainer = transformers.Trainer(model, settings, train_dataset=examples(), callbacks=[callback])
        with Seen(model) as seen:
            trainer.train()
    found = og.Attached(tmp_path / "run")
    assert len(seen.rows) == 13
    seen.same(found)
    metrics = found.metrics()
    rows = np.isin(metrics["step"], np.arange(1, 13))
    np.testing.assert_allclose(metrics["loss"][rows], metrics["logged.loss"][rows], rtol=2e-3)
    assert len(list((tmp_path / "run" / "checkpoints").iterdir())) == 2


def lightning(name: str) -> Any:
    if find_spec(name.split(".")[0]) is None:
        pytest.skip(f"{name} is not installed: pip install 'ontogeny[lightning]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module(name)


def module(lib: Any, optimizers: int) -> Any:
    class Learner(lib.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = Classifier()
            self.automatic_optimization = optimizers == 1

        def training_step(self, batch: Any, number: int) -> Any:
            loss = self.net(**batch)["loss"]
            if optimizers == 1:
                return loss
            for optimizer in self.optimizers():
                optimizer.zero_grad()
            self.manual_backward(loss)
            for optimizer in self.optimizers():
                optimizer.step()
            return None

        def configure_optimizers(self) -> Any:
            if optimizers == 2:
                return [torch.optim.SGD([p], lr=0.1) for p in (self.net.body[0].weight, self.net.body[2].weight)]
            optimizer = torch.optim.AdamW(self.parameters(), lr=0.05)
            scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    return Learner()


@pytest.mark.parametrize("name", ["lightning.pytorch", "pytorch_lightning"])
@pytest.mark.parametrize(
    ("precision", "optimizers", "accumulated"), [("32-true", 1, 3), ("bf16-mixed", 1, 1), ("32-true", 2, 1)]
)
def test_the_trainer_of_lightning(tmp_path: Path, name: str, precision: str, optimizers: int, accumulated: int) -> None:
    lib = lightning(name)
    sys.modules.pop("ontogeny.record.attach.lightning", None)  # it looks at which Lightning is in use
    callbacks = import_module("ontogeny.record.attach.lightning")
    torch.manual_seed(0)
    learner = module(lib, optimizers)
    loader = torch.utils.data.DataLoader(examples(), batch_size=4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lib.Trainer(
            max_epochs=2,
            accelerator="cpu",
            precision=precision,
            accumulate_grad_batches=accumulated,
            callbacks=[callbacks.RecordCallback(tmp_path / "run")],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=tmp_path,
        )
        with Seen(learner) as seen:
            trainer.fit(learner, loader)
    found = og.Attached(tmp_path / "run")
    assert isinstance(callbacks.RecordCallback("x"), lib.Callback)
    if optimizers == 2:
        seen.rows = seen.rows[::2]
        seen.rates = []
        assert found.traces.steps.tolist() == list(range(25))
        assert all(
            {n: v.tobytes() for n, v in found.traces.row(step).items()} == row for step, row in enumerate(seen.rows)
        )
    else:
        assert len(seen.rows) == 1 + 24 // accumulated
        seen.same(found)
    assert np.isfinite(found.metrics(1)["loss"]).all()


@pytest.mark.parametrize(
    ("library", "file", "extra"),
    [("transformers", "huggingface", "hf"), ("lightning", "lightning", "lightning")],
)
def test_what_is_missing_is_named_with_its_extra(library: str, file: str, extra: str) -> None:
    code = (
        "import sys\n"
        "for n in ('transformers', 'lightning', 'lightning.pytorch', 'pytorch_lightning'): sys.modules[n] = None\n"
        f"import ontogeny.record.attach.{file}"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert f"pip install 'ontogeny[{extra}]'" in done.stderr.splitlines()[-1], library
