"""An exported ONNX file against the program that it was made from, by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ontogeny.isa.errors import CaptureError, MachineError
from ontogeny.machine.learner import Array

try:
    import onnxruntime
except ImportError as error:  # pragma: no cover
    raise MachineError("onnxruntime is not installed: pip install ontogeny[onnx]") from error

TOLERANCE = 1e-3
"""The largest difference allowed, relative to the largest element of the same result."""


def check_onnx(path: Path | str, inputs: Mapping[str, Array], expected: Mapping[str, Array]) -> float:
    """The largest difference between the file's results and the expected ones, relative to the largest of each.

    Raises CaptureError where that is more than rounding.
    """
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    wanted = [one.name for one in session.get_inputs()]
    found = session.run(list(expected), {name: np.asarray(inputs[name]) for name in wanted})
    worst = 0.0
    for (name, ours), theirs in zip(expected.items(), found, strict=True):
        scale = max(float(np.abs(ours).max(initial=0.0)), 1e-30)
        apart = float(np.abs(theirs.astype(np.float64) - np.asarray(ours, np.float64)).max(initial=0.0)) / scale
        if not apart <= TOLERANCE:
            raise CaptureError(f"ONNX Runtime gives another {name!r} than the program, by {apart:.3g} of its size")
        worst = max(worst, apart)
    return worst
