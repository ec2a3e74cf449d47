"""What a netlist means, and what each malformed one is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import (
    Names,
    bits_of,
    cases,
    clocked,
    depth,
    netlist,
    numbers_of,
    started,
    truth,
    used,
    values,
    words_of,
)
from ontogeny.isa.netlist_program import from_program, program
from ontogeny.isa.text import from_text

GOLDEN = Path(__file__).parents[1] / "golden"
XOR = ([7, 7, 7, 7], [[0, 1], [0, 2], [1, 2], [3, 4]], [5])


def test_four_nands_are_an_exclusive_or() -> None:
    net = netlist(2, *XOR)
    assert int(truth(net, cases(2))[0, 0]) & 15 == 0b0110
    assert depth(net) == 3 and used(net).all()


def test_the_first_fanin_is_the_lowest_bit() -> None:
    net = netlist(2, [0b0010], [[0, 1]], [2])  # one only for the input number 1: first one, second zero
    assert int(truth(net, cases(2))[0, 0]) & 15 == 0b0010
    swapped = netlist(2, [0b0010], [[1, 0]], [2])
    assert int(truth(swapped, cases(2))[0, 0]) & 15 == 0b0100


def test_registers_take_their_next_wire_at_a_tick() -> None:
    toggle = netlist(0, [0b01], [[0]], [0], next=[1], initial=[1])
    ticks = clocked(toggle, np.zeros((4, 0, 1), np.uint64))
    assert (ticks[:, toggle.outputs[0], 0] & np.uint64(1)).tolist() == [1, 0, 1, 0]
    assert started(toggle).tolist() == [[2**64 - 1]]


def test_equal_netlists_are_equal_and_hash_alike_whatever_their_padding() -> None:
    wide = netlist(2, [7], [[0, 1, -1]], [2])
    assert wide == netlist(2, [7], [[0, 1]], [2]) and len({wide, netlist(2, [7], [[0, 1]], [2])}) == 1
    assert wide != netlist(2, [8], [[0, 1]], [2])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"table": [7], "fanin": [[0, 2]], "outputs": [2]}, "a loop without a register: wire 2 takes 2"),
        ({"table": [7, 7], "fanin": [[0, 3], [0, 2]], "outputs": [2]}, "wire 2 takes 3 takes 2"),
        ({"table": [7, 7], "fanin": [[0, 3], [0, 1]], "outputs": [2]}, "gate 0 takes wire 3, a later gate"),
        (
            {"table": [7], "fanin": [[0, 9]], "outputs": [2]},
            "gate 0 takes wire 9, which nothing drives; wires are 0 to 2",
        ),
        ({"table": [7], "fanin": [[0, -2]], "outputs": [2]}, "gate 0 takes wire -2, which nothing drives"),
        ({"table": [7], "fanin": [[0, 1]], "outputs": [3]}, "output 0 is wire 3, which nothing drives"),
        ({"table": [7], "fanin": [[0, 1]], "outputs": [2], "next": [-1]}, "the next value of register 0 is wire -1"),
        ({"table": [7], "fanin": [[-1, 1]], "outputs": [2]}, "gate 0 has no fanin 0 and one after it"),
        ({"table": [16], "fanin": [[0, 1]], "outputs": [2]}, "gate 0 of 2 fanins has the table 0x10; expected 4 bits"),
        ({"table": [2], "fanin": [[]], "outputs": [2]}, "gate 0 of 0 fanins has the table 0x2; expected 1 bits"),
        ({"table": [7], "fanin": [[0] * 7], "outputs": [2]}, "k at most 6"),
        ({"table": [], "fanin": [], "outputs": [0], "next": [0], "initial": [2]}, "register 0 begins at 2"),
        ({"table": [], "fanin": [], "outputs": [0], "next": [0], "initial": []}, "for 1 registers"),
        ({"table": [], "fanin": [], "outputs": [0], "names": Names(("a", "a"), ("y",))}, "the name 'a' is given twice"),
        ({"table": [], "fanin": [], "outputs": [0], "names": Names(("a",), ("y",))}, "names for 1 inputs"),
    ],
)
def test_a_malformed_netlist_is_told_what_is_wrong(given: dict[str, Any], told: str) -> None:
    with pytest.raises(NetlistError) as refused:
        netlist(2, **given)
    assert told in str(refused.value)


def test_words_of_another_shape_are_refused() -> None:
    net = netlist(2, *XOR)
    with pytest.raises(NetlistError, match=r"expected uint64\[2, n\]"):
        values(net, np.zeros((3, 1), np.uint64))
    with pytest.raises(NetlistError, match="expected uint64"):
        clocked(net, np.zeros((1, 2, 1), np.int64))
    with pytest.raises(NetlistError, match="at most 30"):
        cases(31)


def test_programs_written_by_hand_are_netlists() -> None:
    adder = from_program(from_text((GOLDEN / "full_adder.typed.onto").read_text()))
    total, carry = truth(adder, cases(3))[:, 0] & np.uint64(255)
    assert (int(total), int(carry)) == (0b10010110, 0b11101000) and adder.gates == 9
    counter = from_program(from_text((GOLDEN / "counter.typed.onto").read_text()))
    ticks = clocked(counter, np.full((18, 1, 1), 2**64 - 1, np.uint64))
    bits = ticks[:, 1:5, 0] & np.uint64(1)
    assert [sum(int(bit) << i for i, bit in enumerate(row)) for row in bits] == [i % 16 for i in range(18)]


def test_a_program_of_numbers_is_no_netlist() -> None:
    made = from_text((GOLDEN / "full_adder.typed.onto").read_text().replace("nand %3 %c\n", "add %3 %c\n"))
    with pytest.raises(NetlistError, match="routine 'predict', instruction 8: add is no bit operation"):
        from_program(made)


def test_a_gate_of_three_is_a_routine_called() -> None:
    majority = netlist(3, [0b11101000], [[0, 1, 2]], [3])
    assert "lut3_e8" in [routine.name for routine in program(majority).routines]


def test_bits_are_packed_64_cases_to_a_word_and_taken_out_again() -> None:
    bits = np.random.default_rng(0).integers(0, 2, (2, 3, 70), np.uint8)
    words = words_of(bits)
    assert words.dtype == np.uint64 and words.shape == (2, 3, 2) and not (words[..., 1] >> np.uint64(6)).any()
    assert int(words[1, 2, 0]) >> 5 & 1 == bits[1, 2, 5] and int(words[1, 2, 1]) & 1 == bits[1, 2, 64]
    assert (bits_of(words.transpose(1, 0, 2), 70) == bits.transpose(1, 0, 2)).all()
    assert numbers_of(cases(8), 256).tolist() == list(range(256)) and numbers_of(cases(3), 8).tolist() == [*range(8)]
