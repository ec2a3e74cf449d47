"""The trace store gives back what was put in: every bit, along time and across parameters, also after damage."""

from __future__ import annotations

import warnings
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontogeny.isa.errors import RecordError
from ontogeny.record.disk import RecordWarning
from ontogeny.record.trace import Layout, TraceReader, TraceWriter, Window, codec
from ontogeny.record.trace.traces import chosen, element, shown

FORMATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64, np.int8, np.int64, np.uint16, np.bool_]


def walk(rng: np.random.Generator, steps: int, size: int, dtype: object) -> np.ndarray:
    """Smooth trajectories with some noise and the odd special value."""
    values = np.cumsum(rng.normal(size=(steps, size)) * 0.01, axis=0) + rng.normal(size=size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = values.astype(np.float32).astype(dtype)
        if np.dtype(dtype).kind == "f":
            found[steps // 2, 0], found[-1, -1] = np.nan, -np.inf
    return found


def record(place: object, rows: dict[str, np.ndarray], first: int = 0, **options: int) -> None:
    """Writes arrays [steps, ...] by name."""
    count = len(next(iter(rows.values())))
    layout = Layout.of({name: values[0] for name, values in rows.items()})
    writer = TraceWriter(place, **options)
    for step in range(count):
        row = bytearray(layout.row_bytes)
        for name, view in layout.views(row).items():
            view[...] = rows[name][step]
        writer.append(layout, first + step, row)
    writer.close()


def same(found: np.ndarray, expected: np.ndarray) -> bool:
    return found.dtype == expected.dtype and found.shape == expected.shape and found.tobytes() == expected.tobytes()


@given(st.integers(1, 70), st.integers(1, 40), st.sampled_from([1, 2, 4, 8]), st.binary(min_size=1, max_size=64))
@settings(max_examples=60, deadline=None)
def test_any_bits_come_back(rows: int, lanes: int, width: int, seed: bytes) -> None:
    raw = np.random.default_rng(list(seed)).integers(0, 256, rows * lanes * width, np.uint8)
    chunk = raw.view(codec.UNSIGNED[width]).reshape(rows, lanes)
    planes = codec.encode(chunk)
    assert same(codec.decode(planes, rows, lanes, chunk.dtype), chunk)
    assert same(codec.decode(planes, rows, lanes, chunk.dtype, slice(0, lanes, 1)), chunk)


def test_smooth_trajectories_shrink_to_a_fraction() -> None:
    time = np.linspace(0, 1, 64, dtype=np.float32)[:, None]
    chunk = np.sin(time * np.linspace(1, 3, 1024, dtype=np.float32)) + np.float32(2)
    assert sum(len(plane) for plane in codec.encode(chunk)) < chunk.nbytes / 2.5


@pytest.mark.parametrize("dtype", FORMATS, ids=lambda d: np.dtype(d).name)
def test_every_format_is_read_both_ways(tmp_path: Path, dtype: object) -> None:
    rng = np.random.default_rng(0)
    rows = {"a": walk(rng, 150, 3000, dtype).reshape(150, 50, 60), "b": walk(rng, 150, 7, np.float32)}
    record(tmp_path, rows)
    reader = TraceReader(tmp_path)
    assert reader.steps.tolist() == list(range(150))
    for step in (0, 63, 64, 149):
        row = reader.row(step)
        assert all(same(row[name], values[step]) for name, values in rows.items())
    steps, values = reader.lines("a", [5, 2999, 5], Window(60, 140))
    assert steps.tolist() == list(range(60, 140))
    assert same(values, rows["a"].reshape(150, -1)[60:140][:, [5, 2999, 5]])


@pytest.mark.parametrize("piece_bytes", [1, 1 << 20])
def test_pieces_hold_each_element_once(tmp_path: Path, piece_bytes: int) -> None:
    rng = np.random.default_rng(1)
    rows = {name: walk(rng, 100, size, np.float32) for name, size in {"a": 10, "b": 5000, "c": 1}.items()}
    record(tmp_path, rows)
    found = {name: np.full_like(values, 7)[30:90] for name, values in rows.items()}
    for piece in TraceReader(tmp_path).pieces(Window(30, 90), piece_bytes=piece_bytes):
        found[piece.tensor.name][:, piece.first : piece.first + piece.values.shape[1]] = piece.values
    assert all(same(found[name], values[30:90]) for name, values in rows.items())


def test_a_tensor_that_comes_later_is_read_from_where_it_came(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    rows = {"a": walk(rng, 40, 9, np.float32), "b": walk(rng, 40, 4, np.float16)}
    record(tmp_path, {"a": rows["a"][:25]})
    record(tmp_path, {name: values[25:] for name, values in rows.items()}, first=25)
    reader = TraceReader(tmp_path)
    pieces = {piece.tensor.name: piece for piece in reader.pieces()}
    assert same(pieces["a"].values, rows["a"])
    assert same(pieces["b"].values, rows["b"][25:])
    assert pieces["b"].steps.tolist() == list(range(25, 40))
    assert set(reader.row(10)) == {"a"}


@pytest.mark.parametrize("number", range(20))
def test_a_store_is_read_while_it_is_written(tmp_path: Path, number: int) -> None:
    values = walk(np.random.default_rng(number), 20, 5, np.float32)
    layout = Layout.of({"w": values[0]})
    writer = TraceWriter(tmp_path, depth=8)
    reader = TraceReader(tmp_path)
    for step, row in enumerate(values):
        writer.append(layout, step, row.tobytes())
        reader.refresh()
        assert reader.steps.tolist() == list(range(step + 1))
        assert same(reader.row(step)["w"], row)
    writer.close()


def test_a_torn_row_is_cut_and_said_and_the_rest_goes_on(tmp_path: Path) -> None:
    values = walk(np.random.default_rng(4), 20, 5, np.float32)
    layout = Layout.of({"w": values[0]})
    writer = TraceWriter(tmp_path)
    for step in range(10):
        writer.append(layout, step, values[step].tobytes())
    writer.abandon()
    (path,) = tmp_path.glob("*.rows")
    path.write_bytes(path.read_bytes()[:-3])
    assert TraceReader(tmp_path).steps.tolist() == list(range(9))
    with pytest.warns(RecordWarning, match="torn row"):
        writer = TraceWriter(tmp_path)
    assert writer.last == 8
    for step in range(9, 20):
        writer.append(layout, step, values[step].tobytes())
    writer.close()
    assert same(TraceReader(tmp_path).lines("w", [2])[1][:, 0], values[:, 2])


def test_a_damaged_chunk_is_named_and_the_rest_still_answers(tmp_path: Path) -> None:
    values = walk(np.random.default_rng(5), 128, 3000, np.float32)[:, :]
    values[np.isinf(values) | np.isnan(values)] = 1
    record(tmp_path, {"w": values})
    path = sorted(tmp_path.glob("*.block"))[1]
    raw = bytearray(path.read_bytes())
    raw[100] ^= 1
    path.write_bytes(raw)
    reader = TraceReader(tmp_path)
    with pytest.warns(RecordWarning, match="steps 64 to 127 of w cannot be read"):
        found = reader.row(70)["w"]
    assert np.isnan(found[:1024]).all()
    assert same(found[1024:], values[70, 1024:])
    assert same(reader.row(10)["w"], values[10])
    assert len(reader.damage) == 1


def test_a_block_that_lost_its_end_is_named_and_the_others_read(tmp_path: Path) -> None:
    record(tmp_path, {"w": walk(np.random.default_rng(6), 192, 30, np.float32)})
    path = sorted(tmp_path.glob("*.block"))[1]
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.warns(RecordWarning, match="steps 64 to 127 are missing"):
        reader = TraceReader(tmp_path)
    assert reader.steps.tolist() == [*range(64), *range(128, 192)]
    with pytest.raises(RecordError, match="step 70 is not recorded; the nearest is 128"):
        reader.row(70)


def test_one_writer_at_a_time_and_steps_only_rise(tmp_path: Path) -> None:
    layout = Layout.of({"w": np.zeros(3, np.float32)})
    writer = TraceWriter(tmp_path)
    writer.append(layout, 5, bytes(12))
    with pytest.raises(RecordError, match="steps only rise"):
        writer.append(layout, 5, bytes(12))
    with pytest.raises(RecordError, match="being written by process"):
        TraceWriter(tmp_path)
    writer.close()
    assert TraceWriter(tmp_path).last == 5


def test_a_store_behind_a_url(tmp_path: Path) -> None:
    url = f"memory://{tmp_path.name}/trace"
    values = walk(np.random.default_rng(7), 70, 30, np.float32)
    record(url, {"w": values})
    reader = TraceReader(url)
    assert same(reader.row(66)["w"], values[66])
    assert same(reader.lines("w", [3])[1][:, 0], values[:, 3])


def test_words_for_elements_and_windows(tmp_path: Path) -> None:
    record(tmp_path, {"embed.weight": np.zeros((2, 4, 5), np.float32), "bias": np.zeros((2,), np.float32)})
    reader = TraceReader(tmp_path)
    assert element(reader, "embed.weight[1,-1]") == ("embed.weight", 9)
    assert element(reader, "bias") == ("bias", 0)
    assert shown(reader.tensors["embed.weight"], 9) == "embed.weight[1,4]"
    assert chosen(reader, ["*.weight"]) == ["embed.weight"]
    assert Window.parse("3:") == Window(3, None)
    for text, said in (
        ("embd.weight[1,1]", "did you mean 'embed.weight'"),
        ("embed.weight[1]", "has 2 dimensions"),
        ("embed.weight[4,0]", "outside"),
    ):
        with pytest.raises(RecordError, match=said):
            element(reader, text)
    with pytest.raises(RecordError, match="is not a window"):
        Window.parse("3-4")
