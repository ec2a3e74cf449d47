"""Numbers that follow a size: there and back, and found again from two points."""

from __future__ import annotations

import copy
import pickle

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ontogeny.isa.match import Sizes, UnmatchedError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr, Routine
from ontogeny.isa.resize import routine_at, unsized
from ontogeny.isa.sizes import PerSize, Size
from ontogeny.isa.verify import check_sizes
from tests.properties.programs import exact, fractions, programs, sizes

ns = st.integers(1, 5000)
times = st.integers(-2000, 2000).filter(bool)


@given(ns, times, st.integers(-2000, 2000), ns)
def test_a_size_is_its_number_and_moves_along_its_line(n: int, times: int, plus: int, other: int) -> None:
    size = Size(n, "batch", times, plus)
    assert size == times * n + plus and hash(size) == hash(times * n + plus)
    assert type(size + 0) is int and type(size * 2) is int
    assert size.at(other) == times * other + plus
    assert exact(size.at(other).at(n)) == exact(size)
    assert size.at(other).n_for(times * other + plus) == other
    assert size.n_for(times * other + plus) == other


@given(st.one_of(sizes, fractions))
def test_copies_follow_too(number: Size | PerSize) -> None:
    assert exact(copy.deepcopy(number)) == exact(number)
    assert exact(pickle.loads(pickle.dumps(number))) == exact(number)


def routine(*values: float) -> Routine:
    return Routine("r", (), tuple(Instr((), Op.CONST, (), (("value", value),)) for value in values), ())


@given(st.integers(2, 300), times, st.integers(-9, 9), ns)
def test_a_line_is_found_again_from_two_points(n: int, times: int, plus: int, other: int) -> None:
    line = Size(n, "batch", times, plus)
    per = PerSize(2.0, Size(n, "batch", abs(times)))
    first, second = routine(int(line), float(per)), routine(int(line.at(2 * n + 3)), float(per.at(2 * n + 3)))
    matched = Sizes("batch", n, 2 * n + 3).routine(first, second)
    assert routine_at(matched, {"batch": other}) == routine(line.at(other), per.at(other))
    assert exact(matched.body[0].attrs[0][1]) == exact(line)


@given(st.integers(4, 300), st.integers(2, 9), ns)
def test_what_is_rounded_is_no_line(n: int, parts: int, other: int) -> None:
    second = 2 * n + 3
    assume(second % parts or n % parts)
    try:
        matched = Sizes("batch", n, second).routine(routine(n // parts), routine(second // parts))
    except UnmatchedError:
        return
    value = matched.body[0].attrs[0][1]
    assert not isinstance(value, Size) or value.plus, "it would not be tried at a third size"


@settings(max_examples=50, deadline=None)
@given(programs)
def test_without_sizes_the_numbers_stay(program: object) -> None:
    plain = unsized(program)  # type: ignore[arg-type]
    check_sizes(plain)
    assert not plain.sizes
    assert repr(plain.routines) == repr(program.routines)  # type: ignore[attr-defined]
