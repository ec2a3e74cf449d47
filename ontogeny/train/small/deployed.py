"""Networks as ONNX files, whole and in 8 bits, measured by ONNX Runtime with one thread: bytes, time, scores."""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from ontogeny.front.to_onnx import to_onnx
from ontogeny.isa.errors import MachineError, SmallError
from ontogeny.machine.learner import Array, Learner
from ontogeny.train.small.teacher import batches, collected, inputs_of

try:
    import onnxruntime
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_dynamic,
        quantize_static,
    )
except ImportError as error:  # pragma: no cover
    raise MachineError("onnxruntime is not installed: pip install 'ontogeny[onnx]'") from error

Named = Mapping[str, Array]
FLOAT, DYNAMIC, STATIC = "onnx", "int8-dynamic", "int8-static"
ROUNDS = 15


def session(path: Path | str) -> Any:
    """A file ready to run, with one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def write(folder: Path, learner: Learner, examples: Named) -> dict[str, Path]:
    """`predict` as it is, with weights in 8 bits, and with what flows between them in 8 bits too: a file of each.

    `examples` are what ranges are measured on (static quantisation). A file that ONNX Runtime cannot make is left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = {FLOAT: folder / "network.onnx"}
    to_onnx(found[FLOAT], learner)
    with tempfile.TemporaryDirectory() as beside:
        folded = Path(beside) / "folded.onnx"
        _fold(found[FLOAT], folded)
        found[DYNAMIC], found[STATIC] = folder / "network.int8-dynamic.onnx", folder / "network.int8-static.onnx"
        reader = _Reader(learner, examples)
        with _without_advice():
            quantize_dynamic(folded, found[DYNAMIC], weight_type=QuantType.QInt8)
            quantize_static(folded, found[STATIC], reader, quant_format=QuantFormat.QDQ, weight_type=QuantType.QInt8)
    return found


@contextmanager
def _without_advice() -> Iterator[None]:
    """The quantiser logs, at every file, that it should be prepared first, which it is."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _fold(path: Path, target: Path) -> None:
    """The file with what is constant computed, so that weights which the program turns round are seen as weights."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """Batches of examples for the ranges of static quantisation."""

    def __init__(self, learner: Learner, examples: Named, most: int = 16) -> None:
        found = islice(batches(_own(learner, examples), _size(learner)), most)
        self.left: Iterator[dict[str, Array]] = (batch for batch, _ in found)

    def get_next(self) -> dict[str, Array] | None:
        """The next batch, or None."""
        return next(self.left, None)


def scores(path: Path, learner: Learner, examples: Named) -> Array:
    """What a file gives for every example. SmallError where ONNX Runtime refuses the file."""
    try:
        network = session(path)
    except Exception as error:  # ONNX Runtime's errors have no class in common
        raise SmallError(f"ONNX Runtime refuses {path.name}: {error}") from error
    return collected(lambda batch: network.run(None, batch)[0], _own(learner, examples), _size(learner))


def timed(path: Path, batch: Named) -> float:
    """Milliseconds of CPU for a batch: the median of some calls, after one that is not counted."""
    network = session(path)
    taken = []
    for _ in range(ROUNDS + 1):
        started = time.process_time()
        network.run(None, dict(batch))
        taken.append(time.process_time() - started)
    return 1000 * statistics.median(taken[1:])


def milliseconds(learner: Learner, examples: Named) -> float:
    """The same of a learner, for a batch of its own size."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        to_onnx(path, learner)
        return timed(path, first_batch(learner, examples))


def first_batch(learner: Learner, examples: Named) -> dict[str, Array]:
    """The inputs of `predict` of the first examples, as many as its batch has."""
    return next(batches(_own(learner, examples), _size(learner)))[0]


def _own(learner: Learner, examples: Named) -> dict[str, Array]:
    return {name: examples[name] for name in inputs_of(learner.program)}


def _size(learner: Learner) -> int:
    return int(learner.program.decl(inputs_of(learner.program)[0]).type.shape[0])
