"""What it costs to find every parameter whose chart has a given shape, and what to build the index that finds them.

Three kinds of charts, 40 points of each parameter: those of a real transformer of 5 million parameters, trained here
for 40 steps (its updates, and its values); drawn ones with the covariance of those updates; and white noise, the worst
case, where no two have anything in common.
Peers: faiss's exact flat index by inner product of unit vectors in f32, which compares every one; and hnswlib's graph,
which finds most. The graph is built for some tens of thousands, and its time at 5 million told by its own growth.

A query here is what `alike` does, from the element's name to the sorted matches, with the index open. `query_ratio` is
faiss's CPU time over ours for the membership that is proven exact (our scores then are within 2e-4; faiss's are within
1e-6, its membership is not proven); with `_exact_scores` every match is read and compared in f64 as well. Building
starts from arrays in memory.
"""

from __future__ import annotations

import statistics
import sysconfig
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from common import Figures, Targets, arguments, close, interleaved, one_thread, peers

from ontogeny.ask.alike import alike
from ontogeny.ask.index_cache import shape_index
from ontogeny.ask.series import UPDATES, VALUES, span
from ontogeny.record.trace.arrays import ArrayTraces

AT_LEAST = 0.95
MILLIONS = 5_000_000
POINTS = 40
QUERIES = 12
WIDTH, LENGTH = 320, 64
GRAPH = (5_000, 10_000, 20_000, 40_000)
Floats = npt.NDArray[np.float32]


def main() -> None:
    """All figures."""
    options = arguments(__doc__ or "")
    one_thread()
    versions = peers("faiss-cpu", "hnswlib", "numpy", "torch")
    figures: Figures = {}
    real = trained()
    figures["parameters.gpt"] = real.shape[1]
    mixing = covariance(real)
    measure("gpt", real, UPDATES, figures, versions)
    measure("gpt_values", real, VALUES, figures, versions)
    added(real, figures)
    graph(units(real[:, : GRAPH[-1] * 4], UPDATES), figures, versions, options.full)
    del real
    measure("drawn", drawn(MILLIONS, mixing), VALUES, figures, versions)
    measure("noise", drawn(MILLIONS, None), VALUES, figures, versions)
    growth(mixing, figures, (10**5, 10**6, 10**7) if options.full else (10**5, 10**6))
    targets: Targets = {f"missed.{name}": ("<=", 0) for name in ("gpt", "added", "gpt_values", "drawn", "noise")}
    targets |= {f"query_ratio.{name}": (">=", 5) for name in ("gpt", "drawn")}
    targets["build_ratio_hnswlib"] = (">=", 50)
    close("alike", figures, targets, versions)


def trained() -> Floats:
    """The parameters of a transformer of 5 million at each of 41 steps of learning the text of Python's library."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, 0.0, "gelu", batch_first=True, norm_first=True)
    blocks = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)
    model = nn.Sequential(nn.Embedding(256, WIDTH), blocks, nn.Linear(WIDTH, 256))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    text = torch.frombuffer(
        bytearray(b"".join(p.read_bytes() for p in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")))),
        dtype=torch.uint8,
    )
    mask = nn.Transformer.generate_square_subsequent_mask(LENGTH)
    rows = [flat(model)]
    for _ in range(POINTS):
        batch = torch.stack(
            [text[at : at + LENGTH + 1] for at in torch.randint(len(text) - LENGTH, (8,)).tolist()]
        ).long()
        scores = model[2](model[1](model[0](batch[:, :-1]), mask=mask, is_causal=True))
        optimizer.zero_grad()
        nn.functional.cross_entropy(scores.flatten(0, 1), batch[:, 1:].flatten()).backward()
        optimizer.step()
        rows.append(flat(model))
    return np.stack(rows)


def flat(model: Any) -> Floats:
    """All parameters side by side."""
    return np.concatenate([parameter.detach().numpy().reshape(-1) for parameter in model.parameters()])


def covariance(rows: Floats) -> Floats:
    """The square root of the covariance of unit updates, by which noise becomes like them: [points, points]."""
    sample = units(rows[:, :: max(1, rows.shape[1] // 50_000)], UPDATES)
    energy, directions = np.linalg.eigh(np.cov(sample.T))
    return (directions * np.sqrt(np.maximum(energy, 0))).astype(np.float32)


def drawn(count: int, mixing: Floats | None) -> Floats:
    """Charts of normal numbers, mixed along time: [points, count]."""
    rng, found = np.random.default_rng(0), np.empty((POINTS, count), np.float32)
    for first in range(0, count, 100_000):
        noise = rng.standard_normal((POINTS, min(100_000, count - first)), np.float32)
        found[:, first : first + 100_000] = noise if mixing is None else mixing @ noise
    return found


def units(rows: Floats, over: str) -> Floats:
    """Unit vectors [charts, points], as both peers are given them; charts without a shape are 0."""
    series = np.diff(rows, axis=0) if over == UPDATES else rows
    found = np.empty((rows.shape[1], len(series)), np.float32)
    for first in range(0, len(found), 200_000):
        part = series[:, first : first + 200_000].astype(np.float64)
        part -= part.mean(0)
        norm = np.linalg.norm(part, axis=0)
        found[first : first + 200_000] = (part / np.where(norm == 0, 1, norm)).T
    return found


def measure(name: str, rows: Floats, over: str, figures: Figures, versions: dict[str, str | None]) -> None:
    """The figures of one kind of charts."""
    traces = ArrayTraces({"w": rows})
    started = time.process_time()
    index = shape_index(traces, span(traces, over))
    figures[f"build_seconds.{name}"] = round(time.process_time() - started, 2)
    figures[f"index_bytes_per_parameter.{name}"] = round(on_disk(index) / rows.shape[1], 1)
    figures[f"head.{name}"] = index.about["head"]
    asked = queries(index)
    figures[f"missed.{name}"], figures[f"wrong.{name}"] = checked(traces, rows, over, asked[:4])
    answers = [alike(traces, f"w[{number}]", AT_LEAST, over=over) for number in asked]
    figures[f"matches.{name}"] = int(statistics.median(len(answer) for answer in answers))
    shares = [1 - answer.proof.by_head / max(1, answer.proof.elements) for answer in answers]
    figures[f"past_head.{name}"] = round(statistics.median(shares), 5)
    against_flat(name, traces, rows, over, asked, figures, versions)
    print(f"  {name}: " + ", ".join(f"{k.split('.')[0]} {v}" for k, v in figures.items() if k.endswith(f".{name}")))


def added(rows: Floats, figures: Figures) -> None:
    """Adding the last quarter of the steps to an index of those before, against building one of all at once."""
    spent, before = {}, len(rows) - POINTS // 4
    traces = ArrayTraces({"w": rows[:before]})
    shape_index(traces, span(traces))
    later = ArrayTraces({"w": rows})
    traces.__dict__.update(later.__dict__)
    for name, asked in (("added", traces), ("fresh", later)):
        started = time.process_time()
        index = shape_index(asked, span(asked))
        spent[name] = time.process_time() - started
        figures[f"index_seconds.{name}"] = round(spent[name], 2)
        figures[f"index_tolerance.{name}"] = round(index.tolerance, 7)
    figures["fresh_over_added"] = round(spent["fresh"] / spent["added"], 2)
    figures["missed.added"], figures["wrong.added"] = checked(traces, rows, UPDATES, queries(index)[:4])


def on_disk(index: Any) -> int:
    """Bytes of an index."""
    return sum(path.stat().st_size for path in index.folder.iterdir())


def queries(index: Any) -> list[int]:
    """Elements that have a shape, evenly drawn."""
    rng = np.random.default_rng(1)
    return [int(index.order[slot]) for slot in rng.integers(0, len(index.order), QUERIES)]


def checked(traces: ArrayTraces, rows: Floats, over: str, asked: list[int]) -> tuple[int, int]:
    """How many a plain comparison of all in f64 finds that the answer lacks, and how many it has that are none.

    Scores within 1e-12 of the threshold count for neither, since two orders of summation differ by as much.
    """
    scores = np.concatenate([plain(rows, over, asked, first) for first in range(0, rows.shape[1], 100_000)], axis=1)
    missed = wrong = 0
    for number, row in zip(asked, scores, strict=True):
        found = np.zeros(len(row), np.bool_)
        found[alike(traces, f"w[{number}]", AT_LEAST, over=over).elements] = True
        found[number] = True
        missed += int((~found & (row >= AT_LEAST + 1e-12)).sum())
        wrong += int((found & ~(row >= AT_LEAST - 1e-12)).sum())
    return missed, wrong


def plain(rows: Floats, over: str, asked: list[int], first: int) -> npt.NDArray[np.float64]:
    """Correlations [queries, charts] of some charts with the queries, in f64."""

    def normalised(part: Floats) -> npt.NDArray[np.float64]:
        series = part.astype(np.float64)
        series = np.diff(series, axis=0) if over == UPDATES else series
        series -= series.mean(0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return series / np.linalg.norm(series, axis=0)

    return normalised(rows[:, asked]).T @ normalised(rows[:, first : first + 100_000])


def against_flat(
    name: str,
    traces: ArrayTraces,
    rows: Floats,
    over: str,
    asked: list[int],
    figures: Figures,
    versions: dict[str, str | None],
) -> None:
    """Each query in turn by each contender, interleaved."""
    contenders: dict[str, Callable[[int], object]] = {
        "query": lambda number: alike(traces, f"w[{number}]", AT_LEAST, over=over, exact_scores=False),
        "query_exact_scores": lambda number: alike(traces, f"w[{number}]", AT_LEAST, over=over),
    }
    if versions["faiss-cpu"]:
        import faiss

        faiss.omp_set_num_threads(1)
        vectors = units(rows, over)
        flat_index = faiss.IndexFlatIP(vectors.shape[1])
        flat_index.add(vectors)
        contenders["faiss"] = lambda number: flat_index.range_search(vectors[[number]], AT_LEAST)
    seconds: dict[str, list[float]] = {contender: [] for contender in contenders}
    for number in asked:
        turn = {key: partial(call, number) for key, call in contenders.items()}
        for key, times in interleaved(turn, rounds=3, slice_seconds=0, warm=1).items():
            seconds[key].append(statistics.median(times))
    for key, times in seconds.items():
        figures[f"{key}_ms.{name}"] = round(1000 * statistics.median(times), 2)
        if key != "faiss" and "faiss" in seconds:
            ratios = [theirs / mine for theirs, mine in zip(seconds["faiss"], times, strict=True)]
            figures[f"{key.replace('query', 'query_ratio')}.{name}"] = round(statistics.median(ratios), 2)


def graph(vectors: Floats, figures: Figures, versions: dict[str, str | None], full: bool) -> None:
    """Building hnswlib's graph at its usual settings: seconds at some sizes, and at 5 million by their growth."""
    if not versions["hnswlib"]:
        return
    import hnswlib

    rng = np.random.default_rng(2)
    vectors = vectors[rng.permutation(len(vectors))]
    sizes = [*GRAPH, GRAPH[-1] * 4] if full else GRAPH
    seconds = []
    for size in sizes:
        made = hnswlib.Index("ip", vectors.shape[1])
        made.init_index(size, M=16, ef_construction=200)
        made.set_num_threads(1)
        started = time.process_time()
        made.add_items(vectors[:size], num_threads=1)
        seconds.append(time.process_time() - started)
    power, scale = np.polyfit(np.log(sizes), np.log(seconds), 1)
    told = float(np.exp(scale + power * np.log(MILLIONS)))
    linear = seconds[-1] / sizes[-1] * MILLIONS
    figures["hnswlib_seconds_measured"], figures["hnswlib_measured_at"] = round(seconds[-1], 2), sizes[-1]
    figures["hnswlib_growth_power"], figures["hnswlib_seconds_at_5M_told"] = round(float(power), 3), round(told)
    figures["hnswlib_seconds_at_5M_if_linear"] = round(linear)
    ours = float(figures["build_seconds.gpt"] or 1) * MILLIONS / float(figures["parameters.gpt"] or 1)
    figures["build_ratio_hnswlib"] = round(told / ours)
    figures["build_ratio_hnswlib_if_linear"] = round(linear / ours)
    print(f"  hnswlib: {dict(zip(sizes, [round(s, 2) for s in seconds], strict=True))}, ours at 5M {ours:.1f} s")


def growth(mixing: Floats, figures: Figures, sizes: tuple[int, ...]) -> None:
    """Seconds of building and milliseconds of a query at some sizes."""
    for size in sizes:
        traces = ArrayTraces({"w": drawn(size, mixing)})
        started = time.process_time()
        index = shape_index(traces, span(traces, VALUES))
        built = time.process_time() - started
        asked = queries(index)
        ask = partial(alike, traces, at_least=AT_LEAST, over=VALUES, exact_scores=False)
        calls = {str(number): partial(ask, f"w[{number}]") for number in asked}
        times = interleaved(calls, rounds=3, slice_seconds=0, warm=1)
        query = 1000 * statistics.median(min(spent) for spent in times.values())
        figures[f"build_seconds.at_{size:.0e}"], figures[f"query_ms.at_{size:.0e}"] = round(built, 2), round(query, 2)
        print(f"  {size}: build {built:.2f} s, query {query:.2f} ms", flush=True)


if __name__ == "__main__":
    main()
