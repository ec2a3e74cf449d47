"""The trace store: every parameter at every recorded step, lossless, quick to read along time and across parameters.

A store is a folder or any fsspec URL. It holds `layout.jsonl` (which tensors a row is made of, and from when on), block
files (some 64 rows of all tensors, compressed), and for the block that is being written a file of raw rows.
"""

from ontogeny.record.trace.layout import Layout, Tensor
from ontogeny.record.trace.reader import TraceReader
from ontogeny.record.trace.storage import storage_of
from ontogeny.record.trace.traces import Piece, Traces, Window
from ontogeny.record.trace.view import Trajectory
from ontogeny.record.trace.writer import TraceWriter

__all__ = [
    "Layout",
    "Piece",
    "Tensor",
    "TraceReader",
    "TraceWriter",
    "Traces",
    "Trajectory",
    "Window",
    "storage_of",
]
