"""Keyframes: the whole state at one step, each a file that proves itself.

A file is the magic word, the length and CRC-32 of a JSON header, the header, and the registers one after another,
packed as `planes.py` says, with a checksum over all of them. No keyframe needs another one to be read, so that damage
stays where it is. All but that of step 0 are a cache, which replay makes again: so the loop does not wait until they
are durable, and one that a power cut tore fails its checksum, is named, and an earlier one is used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import Any
from zlib import crc32

import xxhash

from ontogeny.data.base import Array
from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Program
from ontogeny.machine.formats import NUMPY
from ontogeny.record.disk import disk, replace_file, sync_file, sync_folder
from ontogeny.record.planes import Packer, unpack

FOLDER = "keyframes"
SUFFIX = ".keyframe"
HELD = ".held"
MAGIC = b"ONTOKEY1"
LENGTHS = Struct("<II")


class Keyframes:
    """The keyframes in one run's folder."""

    def __init__(self, folder: Path, program: Program) -> None:
        self.folder = folder / FOLDER
        self._types = {decl.name: decl.type for decl in program.kept()}
        self._packer = Packer()
        self._unsynced: Path | None = None
        self._made = False

    def steps(self) -> list[int]:
        """The steps that have a keyframe, in order."""
        return sorted(map(_step, self._files(SUFFIX)))

    def sizes(self) -> dict[int, int]:
        """The bytes of each keyframe, by step."""
        return {_step(path): path.stat().st_size for path in self._files(SUFFIX)}

    def path(self, step: int) -> Path:
        """The file of a step."""
        return self.folder / f"{step:08d}{SUFFIX}"

    def write(
        self,
        step: int,
        state: Mapping[str, Array],
        hash_row: bytes,
        measured: Mapping[str, float] | None = None,
        sync: bool = False,
    ) -> int:
        """Writes the state of a step, or raises RecordError and leaves nothing behind. Gives the file's bytes.

        `measured` stands in the header for people to read. Durable at once with `sync`, else when `sync` is called.
        """
        if not self._made:
            with disk("making", self.folder):
                self.folder.mkdir(exist_ok=True)
            self._made = True
        packed = {name: self._packer.pack(state[name]) for name in self._types}
        payload = b"".join(part for _, parts in packed.values() for part in parts)
        header = {
            "step": step,
            "hash": hash_row.hex(),
            "check": xxhash.xxh3_128_hexdigest(payload),
            "registers": [
                {"name": name, "type": str(self._types[name]), "codec": codec, "parts": [len(part) for part in parts]}
                for name, (codec, parts) in packed.items()
            ],
            "measured": dict(measured or {}),
        }
        text = json.dumps(header).encode()
        start = MAGIC + LENGTHS.pack(len(text), crc32(text)) + text
        replace_file(self.path(step), start, payload, sync=sync)
        self._unsynced = None if sync else self.path(step)
        return len(start) + len(payload)

    def sync(self) -> None:
        """Makes the newest keyframe durable; those before it the system writes in its own time, and none is truth."""
        if self._unsynced is not None and self._unsynced.exists():
            with disk("syncing", self._unsynced):
                sync_file(self._unsynced)
                sync_folder(self.folder)
        self._unsynced = None

    def read(self, step: int) -> tuple[dict[str, Array], bytes]:
        """The state of a step and its hash row. Raises RecordError where the file is missing or damaged."""
        header, payload = self._checked(step)
        return self._unpacked(header, payload), bytes.fromhex(header["hash"])

    def sound(self, step: int) -> bool:
        """Whether the keyframe of a step is there and its checksum holds."""
        try:
            self._checked(step)
        except RecordError:
            return False
        return True

    def measured(self, step: int) -> dict[str, float]:
        """What was measured when the keyframe of a step was written; empty where nothing was, or it is damaged."""
        try:
            return dict(self._checked(step)[0].get("measured", {}))
        except RecordError:
            return {}

    def drop(self, step: int) -> None:
        """Removes the keyframe of a step, which replay makes again; nothing where there is none."""
        with disk("removing", self.path(step)):
            self.path(step).unlink(missing_ok=True)

    def drop_after(self, step: int) -> None:
        """Removes the keyframes of later steps, which replay makes again, and what a crash left half written."""
        for later in self.steps():
            if later > step:
                self.drop(later)
        for torn in self.folder.glob(f".*{SUFFIX}.tmp"):
            torn.unlink()

    def hold(self, step: int) -> None:
        """Marks a keyframe that a fork hangs on, so that it is not thinned out. A folder that is read-only stays so."""
        with suppress(OSError):
            self.path(step).with_suffix(HELD).touch()

    def held(self) -> set[int]:
        """The steps whose keyframes a fork hangs on."""
        return set(map(_step, self._files(HELD)))

    def _files(self, suffix: str) -> list[Path]:
        return [path for path in self.folder.glob(f"*{suffix}") if path.stem.isdigit()]

    def _checked(self, step: int) -> tuple[dict[str, Any], memoryview]:
        path = self.path(step)
        with disk("reading", path):
            raw = path.read_bytes()
        header, payload = self._opened(path, raw)
        if header["step"] != step or xxhash.xxh3_128(payload).hexdigest() != header["check"]:
            raise RecordError(f"the keyframe {path} is damaged: its checksum does not hold")
        if {r["name"]: r["type"] for r in header["registers"]} != {n: str(t) for n, t in self._types.items()}:
            raise RecordError(f"the keyframe {path} was written for another program")
        return header, payload

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
            type_, parts = self._types[register["name"]], []
            for size in register.get("parts") or [register["bytes"]]:
                parts.append(payload[at : at + size])
                at += size
            state[register["name"]] = unpack(register["codec"], parts, NUMPY[type_.dtype], type_.shape)
        return state


def _step(path: Path) -> int:
    return int(path.stem)
