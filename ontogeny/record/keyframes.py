"""Keyframes: the whole state at one step, each a file that proves itself.

A file is the magic word, the length and CRC-32 of a JSON header, the header, and the registers one after another. A
register is stored as its bytes, or byte-shuffled (all first bytes, all second bytes...) and compressed by zstd level 1.
Measured on normally distributed weights and moments: f32 1.19x at about 900 MB/s, bf16 1.46x at 580; without the
shuffle 1.08x and 1.29x; level 3 gains nothing. Lossless always.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from struct import Struct
from typing import Any
from zlib import crc32

import numpy as np
import xxhash
import zstandard

from ontogeny.data.base import Array, raw_bytes
from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Program
from ontogeny.machine.formats import NUMPY
from ontogeny.record.disk import disk, replace_file

FOLDER = "keyframes"
SUFFIX = ".keyframe"
MAGIC = b"ONTOKEY1"
LENGTHS = Struct("<II")
LEVEL = 1
SMALL = 256


class Keyframes:
    """The keyframes in one run's folder."""

    def __init__(self, folder: Path, program: Program, compress: bool = True) -> None:
        self.folder = folder / FOLDER
        self._types = {decl.name: decl.type for decl in program.kept()}
        self._compress = compress

    def steps(self) -> list[int]:
        """The steps that have a keyframe, in order."""
        return sorted(int(path.stem) for path in self.folder.glob(f"*{SUFFIX}") if path.stem.isdigit())

    def path(self, step: int) -> Path:
        """The file of a step."""
        return self.folder / f"{step:08d}{SUFFIX}"

    def write(self, step: int, state: Mapping[str, Array], hash_row: bytes) -> None:
        """Writes the state of a step durably, or raises RecordError and leaves nothing behind."""
        with disk("making", self.folder):
            self.folder.mkdir(exist_ok=True)
        blobs = {name: _packed(state[name], self._compress) for name in self._types}
        check = xxhash.xxh3_128()
        for _, blob in blobs.values():
            check.update(blob)
        header = {
            "step": step,
            "hash": hash_row.hex(),
            "check": check.hexdigest(),
            "registers": [
                {"name": name, "type": str(self._types[name]), "codec": codec, "bytes": len(blob)}
                for name, (codec, blob) in blobs.items()
            ],
        }
        text = json.dumps(header).encode()
        start = MAGIC + LENGTHS.pack(len(text), crc32(text)) + text
        replace_file(self.path(step), b"".join((start, *(blob for _, blob in blobs.values()))))

    def read(self, step: int) -> tuple[dict[str, Array], bytes]:
        """The state of a step and its hash row. Raises RecordError where the file is missing or damaged."""
        path = self.path(step)
        with disk("reading", path):
            raw = path.read_bytes()
        header, payload = self._opened(path, raw)
        if header["step"] != step or xxhash.xxh3_128(payload).hexdigest() != header["check"]:
            raise RecordError(f"the keyframe {path} is damaged: its checksum does not hold")
        if {r["name"]: r["type"] for r in header["registers"]} != {n: str(t) for n, t in self._types.items()}:
            raise RecordError(f"the keyframe {path} was written for another program")
        return self._unpacked(header, payload), bytes.fromhex(header["hash"])

    def drop_after(self, step: int) -> None:
        """Removes the keyframes of later steps, which replay makes again."""
        for later in self.steps():
            if later > step:
                with disk("removing", self.path(later)):
                    self.path(later).unlink()

    def _opened(self, path: Path, raw: bytes) -> tuple[dict[str, Any], memoryview]:
        start = len(MAGIC) + LENGTHS.size
        if len(raw) < start or not raw.startswith(MAGIC):
            raise RecordError(f"{path} is not a keyframe, or its beginning is damaged")
        length, check = LENGTHS.unpack_from(raw, len(MAGIC))
        text = raw[start : start + length]
        if crc32(text) != check:
            raise RecordError(f"the keyframe {path} is damaged in its header")
        return json.loads(text), memoryview(raw)[start + length :]

    def _unpacked(self, header: dict[str, Any], payload: memoryview) -> dict[str, Array]:
        state: dict[str, Array] = {}
        at = 0
        for register in header["registers"]:
            name, size = register["name"], register["bytes"]
            dtype, shape = NUMPY[self._types[name].dtype], self._types[name].shape
            state[name] = _restored(register["codec"], payload[at : at + size], dtype, shape)
            at += size
        return state


def _packed(array: Array, compress: bool) -> tuple[str, bytes | memoryview]:
    raw = raw_bytes(array)
    if not compress or array.nbytes < SMALL:
        return "raw", raw
    shuffled = np.ascontiguousarray(np.frombuffer(raw, np.uint8).reshape(-1, array.itemsize).T)
    blob = zstandard.ZstdCompressor(level=LEVEL).compress(shuffled.reshape(-1).data)
    return ("shuffle-zstd", blob) if len(blob) < array.nbytes else ("raw", raw)


def _restored(codec: str, blob: memoryview, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    if codec == "raw":
        return np.frombuffer(blob, np.uint8).copy().view(dtype).reshape(shape)
    shuffled = np.frombuffer(zstandard.ZstdDecompressor().decompress(blob), np.uint8)
    return shuffled.reshape(dtype.itemsize, -1).T.copy().reshape(-1).view(dtype).reshape(shape)
