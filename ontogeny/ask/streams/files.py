"""A person's own files as streams: text, sound (.wav), frames (.npy), pictures (.png, or a folder of them in order)."""

from __future__ import annotations

import wave
from collections.abc import Callable
from importlib import import_module
from math import inf
from pathlib import Path

import numpy as np

from ontogeny.ask.streams.made import of_text
from ontogeny.ask.streams.stream import IMAGES, SOUND, Stream, Symbols, codes
from ontogeny.isa.errors import DataError

SECOND = 24.0
"""Frames a second, where nobody says how many."""
MOST = 200_000
"""Symbols that are looked at, from the beginning."""
DEEPEST = 24


def of_file(path: Path, second: float = SECOND, most: int = MOST) -> Stream:
    """The first symbols of a file or of a folder of pictures. Raises DataError for what cannot be read as any kind."""
    if not path.exists():
        raise DataError(f"there is no file {path}; give text, .wav, .npy, .png, or a folder of .png")
    if most < 1 or not 0 < second < inf:
        raise DataError(f"{most} symbols, {second:g} frames a second; give 1 or more, and a number above 0")
    if path.is_dir():
        return _pictures(path, sorted(one for one in path.iterdir() if one.suffix.lower() == ".png"), second, most)
    reader = READERS.get(path.suffix.lower(), _text)
    return reader(path, second, most)


def _text(path: Path, second: float, most: int) -> Stream:
    data = path.read_bytes()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in UTF-8, and no .wav, .npy or .png; give one of these") from error
    if not data:
        raise DataError(f"{path} is empty")
    return of_text(path.name, data[:most], f"{_first(len(data), most, 'byte')} of {path.name}")


def _sound(path: Path, second: float, most: int) -> Stream:
    try:
        with wave.open(str(path), "rb") as sound:
            channels, width, rate, count = sound.getparams()[:4]
            data = sound.readframes(max(1, most // channels))
    except (wave.Error, EOFError, OSError) as error:
        why = str(error) or "it ends too early"
        raise DataError(f"{path} cannot be read as sound ({why}); give a .wav of whole numbers (PCM)") from error
    bits = 8 * width
    if bits > DEEPEST:
        raise DataError(f"{path} has {bits} bits a sample; give one of at most {DEEPEST}")
    parts = np.frombuffer(data, np.uint8).reshape(-1, channels, width).astype(np.int64)
    if not len(parts) or rate < 1:
        raise DataError(f"{path} holds {len(parts)} samples, {rate} a second; give 1 or more of both")
    values = sum(parts[..., byte] << 8 * byte for byte in range(width))
    signed = np.asarray(values) - (np.asarray(values) >> bits - 1 << bits)
    symbols = np.asarray(values) if width == 1 else codes(signed, bits)  # 8 bits are without a sign already
    how = f"{_first(count, len(parts), 'sample')} of {path.name}, {channels} of {bits} bits, {rate:,} a second"
    return Stream(path.name, SOUND, symbols[:, 0] if channels == 1 else symbols, bits, float(rate * channels), how)


def _array(path: Path, second: float, most: int) -> Stream:
    try:
        frames = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} cannot be read as an array ({error})") from error
    if not isinstance(frames, np.ndarray):
        raise DataError(f"{path} holds several arrays, as .npz; give one of them as .npy")
    if frames.dtype.kind not in "ub" or frames.dtype.itemsize > 2 or frames.ndim not in (2, 3, 4) or not frames.size:
        raise DataError(
            f"{path} is {frames.dtype}{list(frames.shape)}; give u8 or u16 [frames, rows, columns], or channels last"
        )
    return _images(path.name, frames[None] if frames.ndim == 2 else frames, second, most)


def _picture(path: Path, second: float, most: int) -> Stream:
    return _pictures(path, [path], second, most)


def _pictures(path: Path, files: list[Path], second: float, most: int) -> Stream:
    if not files:
        raise DataError(f"{path} is a folder without .png; name one that has them, or a file, as {path}/sound.wav")
    try:
        frames = import_module("ontogeny.ask.streams.png").frames(files)
    except ImportError as error:
        raise DataError("pictures need Pillow: pip install 'ontogeny[demo]', or give frames as .npy") from error
    return _images(path.name, frames, second, most)


def _images(name: str, frames: Symbols, second: float, most: int) -> Stream:
    each = frames[0].size
    shown = frames[: max(1, most // each)]
    if each > most:
        shown = shown[:, : max(1, most // (each // frames.shape[1]))]
    bits = 1 if frames.dtype.kind == "b" else 8 * frames.dtype.itemsize
    part = f", of it {_first(frames.shape[1], shown.shape[1], 'row')}" if shown.shape[1] < frames.shape[1] else ""
    how = f"{_first(len(frames), len(shown), 'frame')} {list(frames.shape[1:])} of {name}{part}, {second:g} a second"
    return Stream(
        name, IMAGES, shown.astype(np.uint16) if bits > 8 else shown.astype(np.uint8), bits, second * each, how
    )


def _first(there: int, taken: int, what: str) -> str:
    """How many of something, and of how many the first ones."""
    words = f"{there:,} {what}{'s' * (there != 1)}"
    return f"the first {taken:,} of {words}" if taken < there else words


READERS: dict[str, Callable[[Path, float, int], Stream]] = {".wav": _sound, ".npy": _array, ".png": _picture}
