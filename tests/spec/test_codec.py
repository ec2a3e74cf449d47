"""The codec of trajectories: every bit comes back, by NumPy's loops and compiled ones alike; old stores are read."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontogeny.record.disk import RecordWarning
from ontogeny.record.trace import Layout, TraceReader, TraceWriter, block, codec, compiled, linear, packing, regression

FORMATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64, np.int8, np.int64, np.uint16, np.bool_]
FLOATS = [np.float32, np.float64]
LOOPS = ["numpy", pytest.param("numba", marks=pytest.mark.skipif(find_spec("numba") is None, reason="needs numba"))]


@pytest.fixture
def loops(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Says which loops run."""
    return lambda name: monkeypatch.setattr(compiled, "PAYS", -1 if name == "numba" else 1 << 62)


def trained(rows: int, lanes: int, dtype: object, seed: int = 0) -> np.ndarray:
    """Parameters under momentum, each with its own scale, that also overshoot together."""
    rng = np.random.default_rng(seed)
    scale = np.exp(rng.normal(size=lanes))
    update, values, kept = rng.normal(size=lanes) * scale, rng.normal(size=lanes), []
    for row in range(rows):
        kept.append(values)
        update = 0.95 * update + 0.01 * scale * rng.normal(size=lanes)
        values = values + 1e-3 * (update + 0.2 * (-1) ** row * scale)
    return np.stack(kept).astype(dtype)


def special(rows: int, lanes: int, dtype: object) -> np.ndarray:
    """Trained values among which stand NaNs with payloads, infinities, both zeros, subnormals and the extremes."""
    found = trained(rows, lanes, dtype)
    width = np.dtype(dtype).itemsize
    bits, info = found.view(linear.UNSIGNED[width]), np.finfo(dtype)
    nan = np.array(np.nan, dtype).view(bits.dtype)
    for number, value in enumerate(
        [np.inf, -np.inf, 0.0, -0.0, info.tiny, -info.smallest_subnormal, info.max, info.min]
    ):
        found[number % rows :: 3, number % lanes] = value
    bits[rows // 2, :] = nan + np.arange(1, lanes + 1, dtype=bits.dtype)
    bits[rows // 3, ::2] |= bits.dtype.type(1 << (8 * width - 1))
    return found


def returns(chunk: np.ndarray, parts: list[bytes | memoryview] | None = None) -> bool:
    parts = codec.encode(chunk) if parts is None else parts
    found = codec.decode(parts, *chunk.shape, chunk.dtype)
    some = codec.decode(parts, *chunk.shape, chunk.dtype, slice(chunk.shape[1] // 3, chunk.shape[1] // 3 + 1))
    here = chunk[:, chunk.shape[1] // 3 : chunk.shape[1] // 3 + 1]
    return found.dtype == chunk.dtype and found.tobytes() == chunk.tobytes() and some.tobytes() == here.tobytes()


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("dtype", FORMATS, ids=lambda d: np.dtype(d).name)
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (3, 1), (8, 5), (64, 1024), (65, 700)], ids=str)
def test_every_format_comes_back(
    loops: Callable[[str], None], name: str, dtype: object, shape: tuple[int, int]
) -> None:
    loops(name)
    assert returns(trained(*shape, dtype))


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("dtype", FLOATS, ids=lambda d: np.dtype(d).name)
@pytest.mark.filterwarnings("ignore:.*(overflow|invalid).*:RuntimeWarning")
def test_special_values_come_back(loops: Callable[[str], None], name: str, dtype: object) -> None:
    loops(name)
    assert returns(special(64, 300, dtype)) and returns(special(4, 30, dtype))


@given(st.integers(1, 70), st.integers(1, 40), st.sampled_from(FLOATS), st.integers(0, 2**32), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_bits_come_back(rows: int, lanes: int, dtype: type, seed: int, quick: bool) -> None:
    width = np.dtype(dtype).itemsize
    chunk = (
        np.random.default_rng(seed).integers(0, 256, rows * lanes * width, np.uint8).view(dtype).reshape(rows, lanes)
    )
    before, compiled.PAYS = compiled.PAYS, -1 if quick else 1 << 62
    try:
        assert returns(chunk)
    finally:
        compiled.PAYS = before


@pytest.mark.skipif(find_spec("numba") is None, reason="needs numba")
@pytest.mark.parametrize("dtype", FLOATS, ids=lambda d: np.dtype(d).name)
@pytest.mark.parametrize("make", [trained, special])
@pytest.mark.parametrize("shape", [(64, 1024), (64, 100), (17, 1000), (3, 7)], ids=str)
def test_compiled_loops_give_the_same_bytes(
    loops: Callable[[str], None], dtype: object, make: Callable[..., np.ndarray], shape: tuple[int, int]
) -> None:
    chunk = make(*shape, dtype)
    loops("numpy")
    expected = [bytes(part) for part in codec.encode(chunk)]
    loops("numba")
    assert [bytes(part) for part in codec.encode(chunk)] == expected
    assert returns(chunk, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8], ids=lambda d: np.dtype(d).name)
def test_chunks_side_by_side_share_coefficients_and_are_read_alone(loops: Callable[[str], None], dtype: object) -> None:
    rows, width = trained(20, 100 * codec.SHARED + 130, dtype), 100
    loops("numpy")
    chunks = [[bytes(part) for part in parts] for parts in codec.encoded(rows, width)]
    assert len(chunks) == codec.SHARED + 2
    for number, parts in enumerate(chunks):
        assert returns(rows[:, number * width : (number + 1) * width], parts)
    if find_spec("numba"):
        loops("numba")
        assert [[bytes(part) for part in parts] for parts in codec.encoded(rows, width)] == chunks


def test_what_momentum_and_overshooting_leave_is_close_to_its_noise() -> None:
    chunk = trained(64, 1024, np.float32)
    size = sum(map(len, codec.encode(chunk)))
    assert size < 0.9 * sum(map(len, linear.encode(chunk)))
    assert size < chunk.nbytes / 2


def test_constant_lanes_cost_next_to_nothing() -> None:
    chunk = np.tile(np.array([0.0, -0.0, 1.5, np.nan, 1e-40, -np.inf, 3e38], np.float32), (64, 100))
    head = 3 * 700 + 64 * regression.LAGS * 2
    assert sum(map(len, codec.encode(chunk))) < head + 400


def test_flushing_subnormals_changes_no_bit() -> None:
    torch = pytest.importorskip("torch")
    chunk = trained(64, 256, np.float32)
    chunk[:, :99] *= np.float32(1e-38)
    expected = codec.encode(chunk)
    assert torch.set_flush_denormal(True)
    try:
        assert np.float32(1e-40) * np.float32(1) == 0  # it does flush here
        found = codec.decode(expected, *chunk.shape, chunk.dtype)
    finally:
        torch.set_flush_denormal(False)
    assert found.tobytes() == chunk.tobytes()


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("cut", [1, 10_000_000])
def test_parts_that_lack_bytes_are_refused(loops: Callable[[str], None], name: str, part: int, cut: int) -> None:
    loops(name)
    chunk = special(64, 300, np.float32)
    parts: list[bytes | memoryview] = [bytes(part) for part in codec.encode(chunk)]
    parts[part] = parts[part][:-cut]
    with pytest.raises(ValueError, match=r"chunk|plane"):
        codec.decode(parts, *chunk.shape, chunk.dtype)


def test_stores_of_the_first_codec_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = trained(64, 3000, np.float32)
    with monkeypatch.context() as patch:
        patch.setattr(codec, "NAME", codec.FIRST)
        patch.setattr(codec, "encode", lambda chunk, _: linear.encode(chunk))
        write(tmp_path, rows)
    assert_read(tmp_path, codec.FIRST, rows)


@pytest.mark.parametrize("name", LOOPS)
def test_stores_of_the_second_codec_are_read(
    loops: Callable[[str], None], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = trained(64, 3000, np.float32)
    loops(name)
    with monkeypatch.context() as patch:
        patch.setattr(codec, "NAME", codec.SECOND)
        patch.setattr(packing, "split", lambda numbers, shifts: (*packing.upper(numbers, shifts), low(numbers, shifts)))
        low = packing.noise
        write(tmp_path, rows)
    assert_read(tmp_path, codec.SECOND, rows)


def assert_read(place: Path, name: str, rows: np.ndarray) -> None:
    (file,) = [path.name for path in place.glob("*.block")]
    opened = block.opened(TraceReader(place).storage, file, (place / file).stat().st_size)
    assert opened.codec == name
    assert opened.read(0, 5, 2777).tobytes() == rows[:, 5:2777].tobytes()


def test_a_codec_of_the_future_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(codec, "NAME", "telepathy")
        write(tmp_path, trained(64, 10, np.float32))
    with pytest.warns(RecordWarning, match="the codec 'telepathy'; a newer version is needed"):
        TraceReader(tmp_path)


def write(place: Path, rows: np.ndarray) -> None:
    layout = Layout.of({"w": rows[0]})
    writer = TraceWriter(place)
    for step, row in enumerate(rows):
        writer.append(layout, step, row.tobytes())
    writer.close()


def test_little_work_loads_no_numba() -> None:
    code = """
import json, sys, numpy as np, ontogeny
from ontogeny.record.trace import codec
before = "numba" in sys.modules
codec.encode(np.zeros((64, 1024), np.float32))
print(json.dumps([before, "numba" in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [False, False]
