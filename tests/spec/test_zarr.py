"""Trajectories written as Zarr are the same bits when they are read back, by us and by others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from ontogeny.ask.alike import alike
from ontogeny.ask.moments import moments
from ontogeny.isa.errors import RecordError
from ontogeny.isa.types import DType
from ontogeny.machine.formats import NUMPY
from ontogeny.record.trace import TraceReader, Window, zarr_write
from ontogeny.record.trace.arrays import ArrayTraces
from ontogeny.record.trace.codec import UNSIGNED
from ontogeny.record.trace.layout import Layout, Tensor
from ontogeny.record.trace.traces import ALL
from ontogeny.record.trace.writer import TraceWriter
from ontogeny.record.trace.zarr_grid import block_shape, parts
from ontogeny.record.trace.zarr_io import read, write

pytest.importorskip("zarr")
STEPS = 150


def bits(values: Any) -> np.ndarray:
    array = np.ascontiguousarray(values)
    return array.view(UNSIGNED[array.itemsize])


def any_bits(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    rng = np.random.default_rng(3)
    if dtype == np.bool_:
        return rng.integers(0, 2, shape).astype(bool)
    return rng.integers(0, 256, (*shape, dtype.itemsize), dtype=np.uint8).reshape(-1).view(dtype).reshape(shape)


@pytest.fixture(params=["folder", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "folder":
        yield str(tmp_path / "out.zarr")
    else:
        fsspec = pytest.importorskip("fsspec")
        yield f"memory://{tmp_path.name}/out.zarr"
        fsspec.filesystem("memory").rm(f"/{tmp_path.name}", recursive=True)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks so small that these small tensors take several chunks and shards, along time too."""
    monkeypatch.setattr(zarr_write, "CHUNK_BYTES", 1 << 12)
    monkeypatch.setattr(zarr_write, "SHARD_BYTES", 1 << 14)
    monkeypatch.setattr(zarr_write, "SLAB_BYTES", 1 << 10)


def arrays() -> dict[str, np.ndarray]:
    found = {f"any.{name}": any_bits((STEPS, 5, 3), NUMPY[name]) for name in DType}
    wide = np.random.default_rng(0).standard_normal((STEPS, 5, 7, 11)).astype(np.float32)
    zeros = np.full((STEPS, 40), -0.0, np.float32)
    odd_nan = np.full((STEPS, 40), 0x7FC00001, np.uint32).view(np.float32)
    half = wide.astype(ml_dtypes.bfloat16)
    scalar = np.arange(STEPS, dtype=np.float64)
    empty = np.zeros((STEPS, 0, 3), np.float32)
    return {
        **found,
        "wide": wide,
        "half": half,
        "-0.0": zeros,
        "nan": odd_nan,
        "step": scalar,
        "a/b c": scalar,
        "none": empty,
    }


def test_every_format_comes_back_bit_for_bit(place: str) -> None:
    given = arrays()
    said = write(ArrayTraces(given, first=4), place)
    assert said.bytes == sum(array.nbytes for array in given.values())
    found = read(place)
    assert found.steps.tolist() == list(range(4, 4 + STEPS))
    assert list(found.tensors) == list(given)
    for name, array in given.items():
        assert found.tensors[name] == ArrayTraces(given).tensors[name]
        flat = array.reshape(STEPS, -1)
        for walk in (found.pieces, found.passes):
            seen = np.zeros(flat.shape, np.int64)
            for piece in walk(Window(7, 140), [name], 20_000):
                rows = piece.steps - 4
                lanes = slice(piece.first, piece.first + piece.values.shape[1])
                assert piece.values.dtype == array.dtype
                assert np.array_equal(bits(piece.values), bits(flat[rows, lanes]))
                seen[rows, lanes] += 1
            assert (seen[3:136] == 1).all() and not seen[:3].any() and not seen[136:].any()
        assert np.array_equal(bits(found.row(99)[name]), bits(array[95]))
        if flat.shape[1]:
            places = np.random.default_rng(1).integers(0, flat.shape[1], 9)
            steps, values = found.lines(name, places, Window(60, 80))
            assert steps.tolist() == list(range(60, 80))
            assert np.array_equal(bits(values), bits(flat[56:76][:, places]))


def test_a_window_and_some_tensors_are_what_is_written(place: str) -> None:
    given = arrays()
    write(ArrayTraces(given), place, Window(30, 101), ["wide", "any.f*"])
    found = read(place)
    assert found.steps.tolist() == list(range(30, 101))
    assert list(found.tensors) == ["wide", "any.f16", "any.f32", "any.f64"]
    assert np.array_equal(found.row(100)["wide"], given["wide"][100])
    with pytest.raises(RecordError, match="nearest is 30"):
        found.row(3)


def test_questions_have_the_same_answers(place: str) -> None:
    source = ArrayTraces({"wide": np.cumsum(arrays()["wide"], 0)})
    write(source, place)
    found = read(place)
    for mine, other in zip(moments(found), moments(source), strict=True):
        np.testing.assert_allclose(mine.updates.vector(), other.updates.vector(), rtol=1e-9)
    mine, other = (alike(traces, "wide[1,2,3]", 0.2, window=Window(0, 40)) for traces in (found, source))
    assert np.array_equal(mine.elements, other.elements) and np.array_equal(mine.scores, other.scores)
    assert len(mine) and mine.proof.whole


def test_a_tensor_that_came_later_is_missing_before(tmp_path: Path) -> None:
    first, later = Tensor("w", DType.F32, (6, 4)), Tensor("late", DType.BF16, (3,))
    writer = TraceWriter(tmp_path / "store", depth=16)
    for step in range(70):
        layout = Layout((first, later) if step >= 41 else (first,))
        row = bytearray(layout.row_bytes)
        for name, view in layout.views(row).items():
            view[...] = step + (0.5 if name == "late" else 0)
        writer.append(layout, step, row)
    writer.close()
    source = TraceReader(tmp_path / "store")
    write(source, tmp_path / "out.zarr")
    found = read(tmp_path / "out.zarr")
    assert found.lines("late", [0])[0].tolist() == list(range(41, 70))
    assert list(found.row(40)) == ["w"] and list(found.row(41)) == ["w", "late"]
    for mine, other in zip(found.pieces(ALL, ["late"]), source.pieces(ALL, ["late"]), strict=True):
        assert mine.steps.tolist() == other.steps.tolist() and np.array_equal(mine.values, other.values)


def test_xarray_opens_it(tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    given = arrays()
    write(ArrayTraces(given, first=10), tmp_path / "out.zarr")
    with xarray.open_zarr(tmp_path / "out.zarr", consolidated=False) as found:
        assert found["wide"].dims[0] == "step" and found.sizes["step"] == STEPS
        assert np.array_equal(found["wide"].sel(step=60).to_numpy(), given["wide"][50])
        assert np.array_equal(found["half"].to_numpy().view(ml_dtypes.bfloat16), given["half"])
        assert found["half"].attrs["format"] == "bf16" and found["a%2Fb%20c"].attrs["name"] == "a/b c"


def test_what_is_there_is_not_overwritten_and_what_is_not_whole_not_read(place: str, tmp_path: Path) -> None:
    source = ArrayTraces({"w": np.ones((4, 3), np.float32)})
    with pytest.raises(RecordError, match="no recorded step"):
        write(source, place, Window(9, 12))
    write(source, place)
    with pytest.raises(RecordError, match="another place"):
        write(source, place)
    with pytest.raises(RecordError, match="there is no"):
        read(tmp_path / "nothing")
    (tmp_path / "other").mkdir()
    with pytest.raises(RecordError, match="no Zarr v3 group"):
        read(tmp_path / "other")
    zarr_write.library().open_group(zarr_write.store_of(tmp_path / "half"), mode="w-")
    with pytest.raises(RecordError, match="not a whole group"):
        read(tmp_path / "half")


def test_a_codec_that_scrambles_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    codecs = zarr_write.library().codecs

    class Scrambling(codecs.BytesCodec):  # type: ignore[misc,name-defined]
        async def _decode_single(self, chunk_bytes: Any, chunk_spec: Any) -> Any:
            found = await super()._decode_single(chunk_bytes, chunk_spec)
            return type(found).from_ndarray_like(np.roll(found.as_ndarray_like(), 1, axis=0))

    monkeypatch.setattr(zarr_write, "_codecs", lambda *_: {"serializer": Scrambling(), "compressors": []})
    rising = ArrayTraces({"w": np.arange(40, dtype=np.float32).reshape(10, 4)})
    with pytest.raises(RecordError, match="differs from what was written"):
        write(rising, tmp_path / "out.zarr")


def test_damage_is_told_and_costs_only_what_it_hits(tmp_path: Path) -> None:
    given = {name: array for name, array in arrays().items() if name in ("wide", "half")}
    write(ArrayTraces(given), tmp_path / "out.zarr")
    shards = [path for path in (tmp_path / "out.zarr" / "wide" / "c").rglob("*") if path.is_file()]
    for path in shards:
        blob = bytearray(path.read_bytes())
        blob[len(blob) // 3] ^= 4
        path.write_bytes(blob)
    found = read(tmp_path / "out.zarr")
    with pytest.raises(RecordError, match=r"wide in .* cannot be read"):
        list(found.pieces(ALL, ["wide"]))
    with pytest.raises(RecordError, match="cannot be read"):
        found.row(100)
    assert np.array_equal(bits(found.lines("half", [7])[1][:, 0]), bits(given["half"].reshape(STEPS, -1)[:, 7]))


@pytest.mark.parametrize("shape", [(), (0,), (7,), (5, 3), (4, 6, 5), (2, 0, 3), (1, 1, 9)])
@pytest.mark.parametrize("elements", [1, 4, 7, 16, 1000])
def test_blocks_are_flat_ranges_that_cover_each_element_once(shape: tuple[int, ...], elements: int) -> None:
    places = np.arange(int(np.prod(shape))).reshape(shape)
    found = list(parts(shape, block_shape(shape, elements)))
    assert [p for part in found for p in range(part.first, part.last)] == list(range(places.size))
    for part in found:
        assert part.last - part.first <= elements
        assert places[part.slices].reshape(-1).tolist() == list(range(part.first, part.last))
