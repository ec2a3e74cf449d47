"""A recorded search that is killed, steered and damaged comes to the same result, bit for bit."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from ontogeny.evolve import CGP, Ageing, Gates, each, equals, search
from ontogeny.evolve.recording import kept, states
from ontogeny.evolve.recording.inbox import Turn, put
from ontogeny.evolve.recording.recorded import RecordedSearch, open_search, record
from ontogeny.isa.errors import NetlistError, RecordError, SearchError
from ontogeny.isa.netlist import Netlist, cases, truth

PARITY = equals(lambda number: number.bit_count() & 1, 5, 1)
METHOD = CGP(70, "nand", 1)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """States are kept ten times a second."""
    monkeypatch.setattr(kept, "EVERY", 0.1)
    monkeypatch.setattr(kept, "SHARE", 1.0)


@contextmanager
def going(folder: Path) -> Iterator[BaseProcess]:
    """A process of its own that goes on with a search."""
    process = multiprocessing.get_context("fork").Process(target=lambda: open_search(folder).go_on())
    process.start()
    try:
        yield process
    finally:
        if process.is_alive():
            os.kill(process.pid or 0, signal.SIGKILL)
        process.join()


def until(what: Callable[[], object]) -> None:
    """Waits until something is so."""
    ends = time.monotonic() + 120
    while not what():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.02)


def at_end(folder: Path) -> str:
    """The digest of where a search stands; it is over, and replays."""
    opened = open_search(folder)
    assert opened.course.over and opened.verify()[-1] == opened.course.evaluations
    return states.digest(opened.course.standing)


def test_kills_at_any_moment_change_nothing(tmp_path: Path) -> None:
    record(tmp_path / "first", METHOD, PARITY, seed=0, evaluations=1000).go_on()  # compiles, which is not to be timed
    straight = record(tmp_path / "straight", METHOD, PARITY, seed=0, prune=500_000)
    began = time.monotonic()
    found = straight.go_on()
    whole = time.monotonic() - began
    folder, moments = tmp_path / "killed", random.Random(1)
    record(folder, METHOD, PARITY, seed=0, prune=500_000)
    killed = 0
    for _ in range(6):
        with going(folder) as process:
            process.join(moments.uniform(0.0, whole))
            killed += process.is_alive()
    assert killed
    open_search(folder).go_on()
    assert at_end(folder) == states.digest(straight.course.standing)
    assert open_search(folder).found().best == found.best


def test_dials_turned_from_another_process_are_journalled_and_replay_after_a_kill(tmp_path: Path) -> None:
    record(tmp_path, METHOD, PARITY, seed=3, evaluations=4_000_000, prune=100_000_000)
    with going(tmp_path):
        until(lambda: kept.Kept(tmp_path).all())
        entries = [open_search(tmp_path).turn(*one, author="her") for one in (("offspring", 3), ("hits", 2))]
        assert all(entry is not None and entry.author == "her" for entry in entries)
        refused = pytest.raises(SearchError, match="there is no dial 'offsprings'; this search has evaluations")
        with refused:
            open_search(tmp_path).turn("offsprings", 3)
        until(lambda: max(kept.Kept(tmp_path).all()) > open_search(tmp_path).entries[-1].at)
    assert dict(open_search(tmp_path).dials()) | {"offspring": 3, "hits": 2} == dict(open_search(tmp_path).dials())
    assert open_search(tmp_path).entries[0].at > 0
    opened = open_search(tmp_path)
    opened.turn("gates", (7, 6))
    opened.turn("weights", [5])
    opened.turn("evaluations", opened.course.evaluations + 30_000)
    opened.turn("prune", 20_000)
    with going(tmp_path) as process:
        process.join()
    at_end(tmp_path)
    assert [entry["dial"] for entry in opened.entries if entry.kind == "dial"] == [
        "offspring", "hits", "gates", "weights", "evaluations", "prune",
    ]  # fmt: skip


def test_what_waits_in_the_inbox_is_taken_once_and_nonsense_is_refused(tmp_path: Path) -> None:
    opened = record(tmp_path, METHOD, PARITY, seed=3, evaluations=1000)
    for turn in (one := Turn("hits", 2), Turn("hits", -2), Turn("weights", "much")):
        put(tmp_path, turn)
    opened.go_on()
    put(tmp_path, one)  # as if it had been killed between the journal's line and this file's end
    opened.turn("evaluations", 2000)
    opened.go_on()
    assert [(entry.kind, entry["dial"]) for entry in opened.entries] == [
        ("dial", "hits"), ("refused", "hits"), ("refused", "weights"), ("dial", "evaluations"),
    ]  # fmt: skip
    assert not list((tmp_path / "inbox").iterdir())
    at_end(tmp_path)


def test_a_turn_after_states_were_lost_holds_no_earlier_than_one_before_it(tmp_path: Path) -> None:
    opened = record(tmp_path, METHOD, PARITY, seed=3, evaluations=1000)
    opened.go_on()
    opened.turn("evaluations", 3000)
    opened.go_on()
    for path in opened.kept.all().values():
        path.unlink()
    later = open_search(tmp_path).turn("hits", 2)
    assert later is not None and later.at == 1000
    found = open_search(tmp_path).go_on()
    assert found.evaluations == 3000
    at_end(tmp_path)


@pytest.mark.parametrize("seconds", [0.05, None])
def test_a_torn_journal_and_a_damaged_state_are_mended(tmp_path: Path, seconds: float | None) -> None:
    """Also of a search that was over: its last state is written again."""
    record(tmp_path, METHOD, PARITY, seed=0, prune=300_000).go_on(seconds=seconds)
    last = max(kept.Kept(tmp_path).all().items())[1]
    last.write_bytes(last.read_bytes()[:-30])
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'{"kind":"dial","at":3,"di')
    with (tmp_path / "progress.jsonl").open("ab") as file:
        file.write(b'{"evalu')
    found = open_search(tmp_path).go_on()
    assert found.best == search(METHOD, PARITY, seed=0, prune=300_000).best
    at_end(tmp_path)
    content = bytearray(last.read_bytes()) if last.exists() else None
    assert content is None or last.stat().st_size > 0


def test_a_state_is_never_unpickled_and_one_flipped_bit_is_seen(tmp_path: Path) -> None:
    state = METHOD.begin(PARITY.space, 0)
    states.write(tmp_path / "one.npz", state)
    assert states.digest(states.read(tmp_path / "one.npz", METHOD.begin(PARITY.space, 1))) == states.digest(state)
    content = bytearray((tmp_path / "one.npz").read_bytes())
    for place in range(40, len(content), 97):
        flipped = content.copy()
        flipped[place] ^= 4
        (tmp_path / "two.npz").write_bytes(flipped)
        try:
            assert states.digest(states.read(tmp_path / "two.npz", state)) == states.digest(state)
        except RecordError:
            continue


def sometimes_slow(net: Netlist) -> float:
    """Wrong bits of an exclusive or; some candidates never return while a file says so."""
    if net.gates % 2 and Path(os.environ["ONTOGENY_TEST_SLOW"]).exists():
        time.sleep(60)
    return float((int(truth(net, cases(2))[0, 0]) & 15 ^ 6).bit_count())


def test_what_failed_by_the_clock_has_failed_in_every_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flag = tmp_path / "slow"
    monkeypatch.setenv("ONTOGENY_TEST_SLOW", str(flag))
    flag.touch()
    folder = tmp_path / "search"
    opened = record(folder, CGP(6, "nand", 2), each(sometimes_slow, 2, 1, 0.3), seed=3, evaluations=24, goal=-1.0)
    found = opened.go_on()
    failed = [entry for entry in opened.entries if entry.kind == "failed"]
    assert failed and all("longer than 0.3 s" in entry["why"] for entry in failed)
    flag.unlink()
    assert at_end(folder) and open_search(folder).found().best == found.best
    for path in kept.Kept(folder).all().values():
        path.unlink()
    assert open_search(folder).go_on().best == found.best
    other = record(tmp_path / "b", CGP(6, "nand", 2), each(sometimes_slow, 2, 1), seed=3, evaluations=24, goal=-1.0)
    other.go_on()
    assert at_end(tmp_path / "b") != at_end(folder)


def test_a_worker_that_is_killed_from_outside_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONTOGENY_TEST_SLOW", str(tmp_path / "never"))
    with each(sometimes_slow, 2, 1) as fitness:
        nets = [CGP(6, "nand").best(CGP(6, "nand").begin(fitness.space, seed)).candidate for seed in range(3)]
        before = fitness.errors(nets)
        assert fitness._worker is not None
        os.kill(fitness._worker[0].pid or 0, signal.SIGKILL)
        assert fitness.errors(nets) == before and not fitness.failures


def test_one_process_at_a_time_goes_on_with_a_search(tmp_path: Path) -> None:
    record(tmp_path, METHOD, PARITY, seed=3, evaluations=10_000_000, prune=10_000_000)
    with going(tmp_path):
        until(lambda: kept.Kept(tmp_path).all())
        with pytest.raises(RecordError, match="another process goes on with the search"):
            open_search(tmp_path).go_on()


def test_what_cannot_be_written_down_is_said(tmp_path: Path) -> None:
    with pytest.raises(SearchError, match="put it at the top of a Python file"):
        record(tmp_path / "a", METHOD, each(lambda net: 0.0, 2, 1, None))
    with pytest.raises(SearchError, match="does not know how it was made"):
        record(tmp_path / "a", METHOD, object())  # type: ignore[arg-type]
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "note").touch()
    with pytest.raises(RecordError, match="is not empty"):
        record(tmp_path / "b", METHOD, PARITY)
    with pytest.raises(RecordError, match="holds no search"):
        open_search(tmp_path / "nothing")
    with pytest.raises(NetlistError, match="no gate set 'x'"):
        record(tmp_path / "c", METHOD, PARITY, seed=1).turn("gates", "x")


def test_the_source_of_a_fitness_is_kept_and_proved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONTOGENY_TEST_SLOW", str(tmp_path / "never"))
    folder = tmp_path / "search"
    genome = Ageing(Gates(8), 10, 3, 5)
    opened: RecordedSearch = record(folder, genome, each(sometimes_slow, 2, 1, None), evaluations=60)
    assert opened.go_on().best == search(genome, each(sometimes_slow, 2, 1, None), evaluations=60).best
    source = next((folder / "source").iterdir())
    source.write_text(source.read_text() + "\n# another\n")
    with pytest.raises(RecordError, match="is not what the journal names"):
        open_search(folder)
