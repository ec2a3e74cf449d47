"""Streams: no code below the entropy, the right one at it; what predictors leave gives the symbols back; files."""

from __future__ import annotations

import json
import math
import wave
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from ontogeny.ask.capacity import read_once
from ontogeny.ask.streams import pixels
from ontogeny.ask.streams.carried import FREQUENT, MADE, Carried, Taken, carried, made, models_of
from ontogeny.ask.streams.files import of_file
from ontogeny.ask.streams.linear import ORDERS, coefficients, residuals, rice_bits
from ontogeny.ask.streams.made import text
from ontogeny.ask.streams.mixing import by_context, last
from ontogeny.ask.streams.scenes import scene
from ontogeny.ask.streams.stream import IMAGES, PUBLISHED, SOUND, TEXT, Stream, codes
from ontogeny.faces.cli import app
from ontogeny.faces.streams_network import CONTEXTS, NETWORK, by_contexts, by_network, networks_of
from ontogeny.faces.streams_page import rows
from ontogeny.faces.terminal import amount
from ontogeny.isa.errors import DataError
from ontogeny.train.online import learned_online, of_text

DRAWN = 20_000
SURE = 5.0
"""Standard deviations: what is drawn may carry so much less than its entropy by chance."""


def bits_of(found: Carried) -> dict[str, float]:
    return {one.model.name: one.sent.bits / found.stream.symbols.size for one in found.taken}


def letters(symbols: np.ndarray, bits: int = 8) -> Stream:
    return Stream("drawn", TEXT, symbols.astype(np.uint8), bits, 1.0, "")


def test_no_code_is_below_the_entropy_of_independent_letters_and_order_0_is_at_it() -> None:
    shares = np.array([0.5, 0.25, 0.125, 0.0625, 0.0625])
    drawn = np.random.default_rng(0).choice(5, DRAWN, p=shares)
    surprise = -np.log2(shares)
    entropy, deviation = (shares * surprise).sum(), math.sqrt((shares * surprise**2).sum() - (shares @ surprise) ** 2)
    found = bits_of(carried(letters(97 + drawn)))
    assert all(bits > entropy - SURE * deviation / math.sqrt(DRAWN) for bits in found.values()), found
    realised = surprise[drawn].mean()
    # Krichevsky and Trofimov 1981: at most 1 + log2(n) / 2 above the best fixed share, for each node of the tree.
    nodes = found["order 0"] * DRAWN - realised * DRAWN
    assert 0 < nodes < (4 + 8) * (1 + math.log2(DRAWN) / 2)
    assert min(found, key=lambda name: found[name]) == "order 0"


def test_order_1_reaches_the_entropy_of_a_markov_chain_and_no_code_is_below_it() -> None:
    chain = made("chain")
    assert chain.truth is not None
    found = bits_of(carried(chain))
    best = min(found, key=lambda name: found[name])
    assert best == "order 1"
    stays, count = 0.85, chain.symbols.size
    deviation = math.sqrt(stays * (1 - stays)) * abs(math.log2(stays / ((1 - stays) / 7)))
    assert all(bits > chain.truth.bits - SURE * deviation / math.sqrt(count) for bits in found.values())
    assert found["order 1"] < chain.truth.bits + SURE * deviation / math.sqrt(count) + 0.02 < found["order 0"] - 1


@pytest.mark.parametrize("name", ["white", "pink"])
def test_sound_of_known_entropy_is_reached_and_not_undercut(name: str) -> None:
    stream = made(name)
    stream = replace(stream, symbols=stream.symbols[:10_000])
    found = bits_of(carried(stream))
    assert stream.truth is not None
    chance = SURE * math.log2(math.e) / math.sqrt(2 * stream.symbols.size)  # of the log density of a normal number
    assert all(bits > stream.truth.bits - chance for bits in found.values()), found
    assert found["least squares 16"] < stream.truth.bits + 0.08


def test_a_tone_is_predicted_by_two_samples_and_white_noise_by_none() -> None:
    tone = np.rint(9000 * np.sin(0.05 * np.arange(8000)))
    found = bits_of(carried(Stream("tone", SOUND, codes(tone, 16), 16, 8000.0, "")))
    assert found["linear 2, Rice"] < found["linear 1, Rice"] - 3
    assert found["least squares 2"] < 3 < 13 < found["order 0"]
    orders = [found[f"linear {order}, Rice"] for order in ORDERS]
    assert all(more <= less for less, more in pairwise(orders)), "each may do what a lower one does"
    ramp = bits_of(carried(Stream("ramp", SOUND, codes(3 * np.arange(8000) - 9000, 16), 16, 8000.0, "")))
    assert ramp["linear 2, Rice"] < 1.1 < 2 < ramp["linear 1, Rice"], "what goes on straight takes two samples"


@pytest.mark.parametrize("order", [0, 1, 8])
def test_what_linear_prediction_leaves_gives_the_samples_back(order: int) -> None:
    frame = np.cumsum(np.random.default_rng(order).integers(-300, 300, 1000)).astype(np.int64)
    whole, shift = coefficients(frame, order)
    left = residuals(frame, whole, shift).tolist()
    back = left[:order]
    for at in range(order, len(left)):
        back.append(left[at] + (sum(w * back[at - 1 - k] for k, w in enumerate(whole.tolist())) >> shift))
    assert back == frame.tolist()
    assert abs(whole).max(initial=0) < 1 << 13


def test_the_length_of_rice_codes_is_that_of_the_codes() -> None:
    left = np.random.default_rng(1).integers(-40, 40, 600)
    folded = [2 * value if value >= 0 else -2 * value - 1 for value in left.tolist()]

    def written(part: list[int], power: int) -> str:
        return "".join("1" * (v >> power) + "0" + (f"{v & (1 << power) - 1:0{power}b}" if power else "") for v in part)

    parts = [folded[first : first + 256] for first in range(0, 600, 256)]
    assert rice_bits(left)[0] == sum(min(len(written(part, power)) for power in range(12)) for part in parts)


@pytest.mark.parametrize("predictor", [pixels.left, pixels.paeth, pixels.median, pixels.earlier])
def test_a_pixel_is_predicted_from_those_before_it_alone(predictor: object) -> None:
    frames = np.random.default_rng(2).integers(0, 256, (2, 5, 6))
    told = predictor(frames)  # type: ignore[operator]
    for at in np.ndindex(frames.shape):
        later = frames.copy().reshape(-1)
        later[np.ravel_multi_index(at, frames.shape) :] = 0
        assert predictor(later.reshape(frames.shape))[at] == told[at]  # type: ignore[operator]


def test_predictors_are_those_of_the_standards() -> None:
    square = np.array([[[10, 20], [40, 0]]])  # nw, n; w, and the pixel that is asked about
    assert (pixels.left(square)[0, 1, 1], pixels.paeth(square)[0, 1, 1], pixels.median(square)[0, 1, 1]) == (40, 40, 40)
    flat = np.array([[[30, 20], [40, 0]]])
    assert (pixels.paeth(flat)[0, 1, 1], pixels.median(flat)[0, 1, 1]) == (30, 30)


def test_blocks_that_moved_are_found_where_they_were() -> None:
    before = np.random.default_rng(3).integers(0, 256, (24, 24))
    frames = np.stack([before, np.roll(before, (2, -1), (0, 1))])
    known, ways = pixels.moved(frames)
    assert (known[1, 8:16, 8:16] == frames[1, 8:16, 8:16]).all() and ways[4] > 0
    assert len(ways) == 9


def test_a_scene_carries_little_and_a_noisy_camera_adds_no_less_than_its_noise() -> None:
    clean, noisy = carried(scene(frames=7)), carried(scene(frames=7, noise=True))
    assert clean.truth is not None and noisy.truth is not None
    assert clean.truth < clean.rate(clean.least) < clean.stream.sensor / 4
    rate = noisy.stream.rate * math.log2(3)
    assert all(noisy.rate(one) > rate for one in noisy.taken)
    assert noisy.truth == pytest.approx(rate, rel=0.01) and noisy.least.model.name == "contexts mixed"


def test_channels_are_coded_one_by_one_and_nothing_of_them_is_lost() -> None:
    two = np.random.default_rng(4).integers(0, 256, (3, 8, 8, 2)).astype(np.uint8)
    stream = Stream("two", IMAGES, two, 8, 384.0, "")
    one, other = stream.channels()
    assert (np.stack([one.symbols, other.symbols], axis=-1) == two).all() and one.seconds == stream.seconds == 1.0
    motion = next(taken for taken in carried(stream).taken if taken.model.name == "motion")
    assert motion.sent.bits == sum(motion.model.sent(part).bits for part in (one, other))


def test_a_network_pays_for_each_part_before_it_learns_it() -> None:
    symbols = np.tile(np.arange(8), 60)
    with learned_online(of_text(symbols, 3)) as run:
        losses, batch = run.metrics()["loss"], run.data.order.batch_size
        assert read_once(run) == pytest.approx(losses.sum() * batch / math.log(2))
    assert losses[0] == pytest.approx(math.log(8), rel=0.2) and losses[-1] < 0.1


@pytest.mark.parametrize("kind", [TEXT, SOUND, IMAGES])
def test_a_network_takes_no_less_than_chance_carries(kind: str) -> None:
    rng = np.random.default_rng(8)
    drawn = rng.integers(0, 256, (3, 16, 16)) if kind == IMAGES else rng.integers(0, 256, 600)
    found = by_network(Stream("chance", kind, drawn.astype(np.uint8), 8, 1.0, ""))
    assert 8 * drawn.size - SURE < found.bits < 12 * drawn.size and found.holds > 1000


def test_a_network_of_contexts_takes_text_twice_for_less_than_any_order_takes_it_once() -> None:
    english = text(1280)
    found = by_contexts(replace(english, symbols=np.tile(english.symbols, 2)))
    orders = [by_context(english.symbols, last(english.symbols, order), 8).bits for order in range(5)]
    assert 2 * english.symbols.size < found.bits < min(orders), "what was read is known, and the first time is paid for"
    assert found.parameters == 256, "a bit for each byte: whether it occurs"
    assert found.holds > 10 * english.symbols.size, "a letter has synapses from 19 contexts, many of them from it alone"
    assert networks_of(english) == (NETWORK, CONTEXTS) and networks_of(made("white")) == (NETWORK,)


def test_files_are_what_they_hold(tmp_path: Path) -> None:
    samples = np.random.default_rng(6).integers(-(1 << 15), 1 << 15, (300, 2))
    with wave.open(str(tmp_path / "a.wav"), "wb") as sound:
        sound.setparams((2, 2, 44100, 0, "NONE", ""))
        sound.writeframes(samples.astype("<i2").tobytes())
    found = of_file(tmp_path / "a.wav", most=400)
    assert (found.symbols == samples[:200] + (1 << 15)).all() and found.sensor == 2 * 16 * 44100
    assert "the first 200 of 300" in found.how
    np.save(tmp_path / "f.npy", np.arange(48, dtype=np.uint8).reshape(3, 4, 4))
    found = of_file(tmp_path / "f.npy", second=10.0)
    assert (found.symbols.shape, found.rate, found.bits) == ((3, 4, 4), 160.0, 8)
    shown = np.random.default_rng(9).integers(0, 256, (2, 5, 7, 3)).astype(np.uint8)
    (tmp_path / "film").mkdir()
    for place, frame in enumerate(shown):
        Image.fromarray(frame).save(tmp_path / "film" / f"{place}.{('png', 'PNG')[place]}")
    found = of_file(tmp_path / "film")
    assert (found.symbols == shown).all() and found.sensor == 24 * 5 * 7 * 3 * 8
    part = of_file(tmp_path / "film", most=50)
    assert np.array_equal(part.symbols, shown[:1, :2]) and part.sensor == found.sensor
    assert "the first 1 of 2 frames [5, 7, 3] of film, of it the first 2 of 5 rows" in part.how
    (tmp_path / "words.txt").write_text("five words of seven letters " * 50, encoding="utf-8")
    found = of_file(tmp_path / "words.txt")
    assert found.rate == pytest.approx(250 / 60 * 28 / 5) and found.kind == TEXT


@pytest.mark.parametrize("kind", [TEXT, SOUND, IMAGES])
def test_the_shortest_streams_are_coded_too(kind: str) -> None:
    symbols = np.array([3], np.uint8)
    found = carried(Stream("one", kind, symbols.reshape(1, 1, 1) if kind == IMAGES else symbols, 8, 1.0, ""))
    assert all(0 < one.sent.bits < 600 for one in found.taken)


def shell(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["streams", *words])
    assert result.exit_code == exit_code, result.output
    return result


def test_the_shell_says_it_and_draws_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("words.txt").write_text("to be or not to be " * 40, encoding="utf-8")
    found = json.loads(shell("words.txt", "--no-network", "--json", "-o", "page/streams.md").stdout)
    one = found["streams"][0]
    assert one["sensor_bits_per_second"] == pytest.approx(8 * 250 / 60 * 19 / 6) and one["lossless"] is True
    assert [each["model"] for each in one["models"]][:2] == ["as it is", "order 0"]
    rates = [each["bits_per_second"] for each in one["models"]]
    assert rates[0] == pytest.approx(one["sensor_bits_per_second"]) and min(rates) < rates[0] / 5
    assert Path("page/streams.png").stat().st_size > 10_000 and Path("page/streams.svg").exists()
    page = Path("page/streams.md").read_text(encoding="utf-8")
    assert "![" in page and "| contexts mixed |" in page
    assert "as `ontogeny streams words.txt --no-network -o page/streams.md` made it" in page
    said = shell("words.txt", "--no-network").output
    assert "of the sensor" in said and "Koch et al. 2006" in said and "contexts mixed" in said


def test_the_page_of_the_documentation_is_that_of_these_models_and_streams() -> None:
    page = (Path(__file__).parents[2] / "docs" / "streams.md").read_text(encoding="utf-8")
    assert all(f"| {rate.name} | {amount(rate.bits)} | {rate.source} |\n" in page for rate in PUBLISHED)
    parts = dict(part.split("\n", 1) for part in page.split("\n## ")[1:])
    about, streams = parts.pop("What the models go by"), [made(name) for name in MADE]
    assert list(parts) == [stream.name for stream in streams]
    told = set[str]()
    for stream in streams:
        part, models = parts[stream.name], [*models_of(stream.kind), *networks_of(stream)]
        assert [line.split(" | ")[0][2:] for line in part.splitlines() if line.startswith("| ")][2:] == [
            model.name for model in models
        ]
        assert stream.how[1:] in part
        told |= {f"| {model.name} | {model.words} |" for model in models}
        if stream.name != "text":  # which differs between versions of Python
            (row,) = rows(Carried(stream, (Taken(FREQUENT, FREQUENT.sent(stream), 0.0),)))
            assert f"| {' | '.join(row)} |\n" in part
    assert set(about.strip().splitlines()[2:]) == told


@pytest.mark.parametrize(
    ("name", "said"),
    [("nowhere.wav", "there is no file"), ("bytes.bin", "no text in UTF-8"), ("bad.wav", "cannot be read as sound"),
     ("empty.txt", "is empty"), ("bad.npy", "cannot be read as an array"), ("float.npy", "give u8 or u16"),
     ("folder", "without .png"), ("several.npy", "holds several arrays"), ("cut.wav", "it ends too early"),
     ("still.wav", "2 samples, 0 a second")],
)  # fmt: skip
def test_bad_files_are_told_in_a_line(tmp_path: Path, name: str, said: str) -> None:
    for file, data in {"bytes.bin": b"\xff\xfe\x00", "bad.wav": b"RIFF", "empty.txt": b"", "bad.npy": b"x"}.items():
        (tmp_path / file).write_bytes(data)
    np.save(tmp_path / "float.npy", np.zeros((2, 2)))
    np.savez(tmp_path / "several.npz", np.zeros(2))
    (tmp_path / "several.npz").rename(tmp_path / "several.npy")
    header = b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0" + bytes(8) + b"\2\0\x10\0"  # one channel of 16 bits
    (tmp_path / "cut.wav").write_bytes(header[:30])
    (tmp_path / "still.wav").write_bytes(header + b"data\4\0\0\0abcd")
    (tmp_path / "folder").mkdir()
    result = shell(str(tmp_path / name), "--no-network", exit_code=1)
    assert said in " ".join(result.output.split()) and "something unexpected" not in result.output


def test_no_name_is_not_the_present_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.zeros((4, 4), np.uint8)).save("a.png")
    for name in ("", " "):
        assert "names no stream; give one of" in " ".join(shell(name, "--no-network", exit_code=1).output.split())


@pytest.mark.parametrize("second", [0.0, math.inf, math.nan])
def test_frames_come_at_a_rate_that_can_be(tmp_path: Path, second: float) -> None:
    np.save(tmp_path / "f.npy", np.zeros((2, 2, 2), np.uint8))
    with pytest.raises(DataError, match="a number above 0"):
        of_file(tmp_path / "f.npy", second=second)


def test_an_order_that_looks_back_takes_no_symbol_that_is_yet_to_come() -> None:
    symbols = np.random.default_rng(7).integers(0, 256, 64)
    for order, place in ((1, 20), (3, 40)):
        changed = symbols.copy()
        changed[place:] ^= 1
        assert (last(symbols, order)[: place + 1] == last(changed, order)[: place + 1]).all()
    costs = [by_context(symbols[:count], last(symbols[:count], 0), 8).bits for count in (16, 32, 64)]
    assert all(less < more for less, more in pairwise(costs))
    with pytest.raises(DataError, match="no stream 'nothing' is made here"):
        made("nothing")
