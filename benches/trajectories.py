"""Real trajectories for the benches of the trace store: the modular example, as it is and where it is smooth.

Plain PyTorch, recorded once into a cached file below the system's temporary folder: three windows of 64 steps each.
"""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from common import ROOT

ROWS = 64
Windows = dict[str, npt.NDArray[np.float32]]
SETTINGS = {"noisy": (1.5e-2, 1024, (0, 330, 450)), "smooth": (1e-3, 3763, (0, 160, 320))}
"""Learning rate, batch size (all of the training set where smooth), and where the windows begin."""
NAMES = ("early", "around", "after")


def trajectories() -> Windows:
    """`noisy.early`, ...: each [64 steps, all parameters]. `noisy` generalises at about 360; `smooth` not so soon."""
    path = Path(tempfile.gettempdir()) / "ontogeny-trajectories-2.npz"
    if not path.exists():
        found = {f"{kind}.{name}": rows for kind in SETTINGS for name, rows in _trained(kind).items()}
        partial = path.with_name(f"{path.stem}-writing.npz")
        np.savez(partial, **found)  # type: ignore[arg-type]
        partial.replace(path)
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def _trained(kind: str) -> Windows:
    """Records one setting of the example."""
    rate, size, begins = SETTINGS[kind]
    spec = importlib.util.spec_from_file_location("modular", ROOT / "examples" / "modular.py")
    assert spec is not None and spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    torch.manual_seed(0)
    model = example.Transformer()
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=1.0, betas=(0.9, 0.98))
    examples = {name: torch.from_numpy(values) for name, values in example.pairs(0.4, 0)[0].items()}
    rows: dict[int, list[npt.NDArray[np.float32]]] = {begin: [] for begin in begins}
    for step in range(max(begins) + ROWS):
        for begin in begins:
            if begin <= step < begin + ROWS:
                rows[begin].append(torch.cat([p.detach().reshape(-1) for p in model.parameters()]).numpy())
        taken = torch.randperm(len(examples["x"]))[:size]
        optimizer.zero_grad()
        example.loss(model, {name: values[taken] for name, values in examples.items()})["loss"].backward()
        optimizer.step()
    return {name: np.stack(rows[begin]) for name, begin in zip(NAMES, begins, strict=True)}
