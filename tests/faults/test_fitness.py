"""A fitness that raises, gives NaN, never returns or kills its process costs its candidate, not the search."""

from __future__ import annotations

import math
import os
import signal
import time

import pytest

from ontogeny.evolve import CGP, Judged, batch, each, search
from ontogeny.isa.errors import SearchError
from ontogeny.isa.netlist import Netlist, cases, netlist, truth

TARGET = 0b0110


def wrong(net: Netlist) -> float:
    return float((int(truth(net, cases(2))[0, 0]) & 15 ^ TARGET).bit_count())


def raising(net: Netlist) -> float:
    if net.gates % 2:
        raise ValueError("an odd number of gates")
    return wrong(net)


def not_a_number(net: Netlist) -> float:
    return math.nan if net.gates % 2 else wrong(net)


def never_returning(net: Netlist) -> float:
    while net.gates == 3:
        time.sleep(1)
    return wrong(net)


def killing(net: Netlist) -> float:
    if net.gates == 3:
        os._exit(7)
    return wrong(net)


def interrupted(net: Netlist) -> float:
    """Ctrl-C of a terminal, which tells this process too; for three gates the one that waits for it alone."""
    os.kill(os.getppid() if net.gates == 3 else os.getpid(), signal.SIGINT)
    time.sleep(0.1)
    return float(net.gates)


def test_ctrl_c_ends_the_question_and_not_the_next_one(capfd: pytest.CaptureFixture[str]) -> None:
    three, other = (netlist(2, [0b0111] * n, [[0, 1, -1, -1]] * n, [2]) for n in (3, 2))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with each(interrupted, 2, 1) as fitness:
            with pytest.raises(KeyboardInterrupt):
                fitness.errors([three])
            assert fitness.errors([other]) == [2.0] and not fitness.failures
    finally:
        signal.signal(signal.SIGINT, before)
    assert not capfd.readouterr().err


@pytest.mark.parametrize(
    "function, seconds, told",
    [
        (raising, None, "raised ValueError: an odd number of gates"),
        (raising, 10.0, "raised ValueError: an odd number of gates"),
        (not_a_number, None, "gave NaN"),
        (never_returning, 0.1, "took longer than 0.1 s"),
        (killing, 10.0, "ended its process with 7"),
    ],
)
def test_the_search_goes_on(function: object, seconds: float | None, told: str) -> None:
    assert callable(function)
    with each(function, 2, 1, seconds) as fitness:
        found = search(CGP(6, "nand", 2), fitness, evaluations=3000 if seconds is None else 60, seed=3, goal=-1.0)
    assert fitness.failed > 0
    assert any(told in failure for failure in found.failures)
    assert len(found.failures) <= 20
    assert found.error < math.inf


def test_in_a_batch_only_the_one_that_fails_has_failed() -> None:
    nets = [search(CGP(9, "nand"), each(wrong, 2, 1, None), seed=seed, evaluations=30).net for seed in range(8)]
    odd = [net.gates % 2 for net in nets]
    assert 0 < sum(odd) < 8
    with batch(lambda many: [raising(net) for net in many], 2, 1, seconds=None) as fitness:
        assert [math.isinf(error) for error in fitness.errors(nets)] == list(map(bool, odd))
    with batch(lambda many: [0.0], 2, 1, seconds=None) as short:
        assert short.errors(nets) == [0.0] * 8


def test_something_that_is_no_number_has_failed_and_is_told() -> None:
    with each(lambda net: "good", 2, 1, seconds=None) as fitness:  # type: ignore[arg-type,return-value]
        found = search(CGP(5), fitness, evaluations=10)
    assert not found.solved and math.isinf(found.error)
    assert "could not convert" in found.failures[0]


def test_no_process_is_left_and_the_limit_is_checked() -> None:
    fitness: Judged = each(wrong, 2, 1, 5.0)
    fitness.errors([search(CGP(5), each(wrong, 2, 1, None), evaluations=1).net])
    process = fitness._worker[0] if fitness._worker else None
    assert process is not None and process.is_alive()
    fitness.close()
    assert not process.is_alive()
    with pytest.raises(SearchError, match="time limit of 0"):
        each(wrong, 2, 1, 0)
