"""Block files: some rows of all lanes, compressed in chunks of lanes that are read one by one.

A file is the chunks' byte planes, an index with a fixed entry for each chunk (where it begins, the XXH3-64 of its
bytes, the size of each plane), a header (JSON under zstd: the layout, the rows' steps), and a trailer that says how
long the header is, its CRC-32 and a magic word. A chunk proves itself, so damage is named by steps and lanes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from struct import Struct
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt
import xxhash
import zstandard

from ontogeny.isa.errors import RecordError
from ontogeny.record.trace import codec
from ontogeny.record.trace.layout import Bank, Layout
from ontogeny.record.trace.storage import Buffer, Storage

SUFFIX = ".block"
MAGIC = b"ONTOBLK1"
TRAILER = Struct("<II8s")
CHUNK = 1024
HEADER_GUESS = 1 << 16
LONGEST_HEADER = 1 << 28


def name_of(steps: npt.NDArray[np.int64]) -> str:
    """A block's file name, which says its first and last step and how many rows it has."""
    return f"{steps[0]:012d}-{steps[-1]:012d}-{len(steps)}{SUFFIX}"


def span_of(name: str) -> tuple[int, int, int]:
    """First step, last step and number of rows by a block's file name. Raises ValueError for any other name."""
    first, last, rows = name.removesuffix(SUFFIX).split("-")
    return int(first), int(last), int(rows)


def entry_type(bank: Bank) -> np.dtype[Any]:
    """An index entry: offset, checksum, and the size of each plane."""
    return np.dtype([("offset", "<u8"), ("check", "<u8"), ("sizes", "<u4", (bank.dtype.bytes,))])


def encoded(layout: Layout, steps: npt.NDArray[np.int64], banks: list[npt.NDArray[Any]]) -> Iterator[Buffer]:
    """A block file in parts. `banks` hold one array [rows, lanes] for each bank of the layout."""
    offset, indexes = 0, []
    for bank, rows in zip(layout.banks, banks, strict=True):
        count = -(-bank.lanes // CHUNK)
        index = np.zeros(count, entry_type(bank))
        for number, planes in enumerate(codec.encoded(rows, CHUNK)):
            blob = b"".join(planes)
            index[number] = offset, xxhash.xxh3_64_intdigest(blob), [len(plane) for plane in planes]
            offset += len(blob)
            yield blob
        indexes.append(index.tobytes())
    yield b"".join(indexes)
    header = {"codec": codec.NAME, "chunk": CHUNK, "steps": steps.tolist(), "tensors": layout.as_json()}
    text = zstandard.ZstdCompressor().compress(json.dumps(header).encode())
    yield text + TRAILER.pack(len(text), crc32(text), MAGIC)


@dataclass(frozen=True)
class Block:
    """A block file, opened. Nothing but its header is read until it is asked for."""

    storage: Storage
    name: str
    layout: Layout
    steps: npt.NDArray[np.int64]
    codec: str
    chunk: int
    index_start: int

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.steps)

    @cached_property
    def _index(self) -> list[npt.NDArray[Any]]:
        found, at = [], self.index_start
        for bank in self.layout.banks:
            kind = entry_type(bank)
            size = kind.itemsize * -(-bank.lanes // self.chunk)
            found.append(np.frombuffer(self.storage.read(self.name, at, size), kind))
            at += size
        return found

    def read(self, bank: int, first: int, last: int) -> npt.NDArray[Any]:
        """Lanes `first` to `last` of a bank: [rows, lanes]. Raises RecordError that names the damage, if any."""
        format = self.layout.banks[bank]
        found = np.empty((self.rows, last - first), format.numpy)
        low, high = first // self.chunk, -(-last // self.chunk)
        entries = self._index[bank][low:high]
        start, end = int(entries["offset"][0]), self._end(entries)
        blob = memoryview(self.storage.read(self.name, start, end - start))
        for number, entry in enumerate(entries, low):
            begin = number * self.chunk
            lanes = min(self.chunk, format.lanes - begin)
            only = slice(max(0, first - begin), min(lanes, last - begin))
            part = blob[int(entry["offset"]) - start :]
            into = slice(max(0, begin - first), min(last, begin + lanes) - first)
            found[:, into] = self._chunk(part, entry, lanes, format, only, begin)
        return found

    def _chunk(self, part: memoryview, entry: Any, lanes: int, bank: Bank, only: slice, begin: int) -> npt.NDArray[Any]:
        sizes = [int(size) for size in entry["sizes"]]
        blob = part[: sum(sizes)]
        if xxhash.xxh3_64_intdigest(blob) == int(entry["check"]):
            ends = np.cumsum([0, *sizes]).tolist()
            planes: list[bytes | memoryview] = [blob[a:b] for a, b in pairwise(ends)]
            try:
                return codec.decode(planes, self.rows, lanes, bank.numpy, only, self.codec)
            except ValueError:
                pass
        raise RecordError(
            f"{self.name} is damaged: steps {self.steps[0]} to {self.steps[-1]} of "
            f"{self._whose(bank, begin, begin + lanes)} cannot be read"
        )

    def _whose(self, bank: Bank, first: int, last: int) -> str:
        places = (p for p in self.layout.places.values() if self.layout.banks[p.bank] is bank)
        names = [p.tensor.name for p in places if p.first < last and first < p.first + p.tensor.size]
        return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")

    def _end(self, entries: npt.NDArray[Any]) -> int:
        end = int(entries["offset"][-1]) + int(entries["sizes"][-1].sum())
        if end > self.index_start or int(entries["offset"][0]) > end:
            raise RecordError(f"the index of {self.name} is damaged; its steps cannot be read")
        return end


def opened(storage: Storage, name: str, size: int) -> Block:
    """The block of a name and size in bytes. Raises RecordError where its end is damaged."""
    tail = storage.read(name, max(0, size - HEADER_GUESS), min(size, HEADER_GUESS))
    if len(tail) < TRAILER.size:
        raise RecordError(f"{name} is damaged: it has lost its end")
    length, check, magic = TRAILER.unpack(tail[-TRAILER.size :])
    if magic != MAGIC or length > min(size - TRAILER.size, LONGEST_HEADER):
        raise RecordError(f"{name} is damaged: it has lost its end")
    start = size - TRAILER.size - length
    whole = storage.read(name, start, length) if length + TRAILER.size > len(tail) else None
    text = tail[-TRAILER.size - length : -TRAILER.size] if whole is None else whole
    if crc32(text) != check:
        raise RecordError(f"{name} is damaged in its header")
    header = json.loads(zstandard.ZstdDecompressor().decompress(text, max_output_size=1 << 30))
    if header["codec"] not in codec.NAMES:
        raise RecordError(f"{name} was written with the codec {header['codec']!r}; a newer version is needed")
    layout = Layout.of_json(header["tensors"])
    entries = sum(entry_type(bank).itemsize * -(-bank.lanes // header["chunk"]) for bank in layout.banks)
    steps = np.array(header["steps"], np.int64)
    return Block(storage, name, layout, steps, header["codec"], header["chunk"], start - entries)
