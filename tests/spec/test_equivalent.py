"""Equality of netlists: what is compared, and how it is known."""

from __future__ import annotations

import numpy as np
import pytest

from ontogeny.evolve.circuits import solver
from ontogeny.evolve.circuits.convert import nand_only
from ontogeny.evolve.circuits.equivalent import equivalent
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist, netlist


def adder(bits: int, flip: int = -1) -> Netlist:
    """A ripple-carry adder of full adders as tables of three; `flip` is a position whose carry is wrong in one case."""
    table, fanin, outputs, carry = [], [], [], -1
    for bit in range(bits):
        takes = [bit, bits + bit] if carry < 0 else [bit, bits + bit, carry]
        table += [0b0110, 0b1000] if carry < 0 else [0b10010110, 0b11101000 ^ (128 if bit == flip else 0)]
        fanin += [[*takes, *[-1] * (3 - len(takes))]] * 2
        outputs.append(2 * bits + len(table) - 2)
        carry = 2 * bits + len(table) - 1
    return netlist(2 * bits, table, fanin, [*outputs, carry])


def test_all_cases_are_tried_up_to_twenty_inputs() -> None:
    net = adder(10)
    found = equivalent(net, nand_only(net))
    assert found and found.how == "all 1048576 cases"


@pytest.mark.skipif(not solver.INSTALLED, reason="python-sat is not installed")
def test_more_inputs_are_proved() -> None:
    net = adder(24)
    found = equivalent(net, nand_only(net))
    assert found and found.how == "by SAT, over 2^48 cases"


@pytest.mark.skipif(not solver.INSTALLED, reason="python-sat is not installed")
def test_one_case_in_two_to_the_sixty_four_is_found() -> None:
    wide = 64
    chain = [[0, 1], *([2 + i, wide + i] for i in range(wide - 2))]
    every = netlist(wide, [8] * (wide - 1), chain, [2 * wide - 2])
    never = netlist(wide, [0], [[]], [wide])
    found = equivalent(every, never)
    assert not found and found.how == "by SAT" and found.case == (1,) * wide and found.differs == "output o0"


def test_a_wrong_carry_is_shown_with_its_case() -> None:
    found = equivalent(adder(6), adder(6, flip=3))
    a, b = (sum(bit << i for i, bit in enumerate(found.case[n : n + 6])) for n in (0, 6))
    assert not found and (a & 8) and (b & 8) and ((a & 7) + (b & 7)) > 7


def test_registers_that_begin_otherwise_are_told() -> None:
    one, other = (netlist(0, [1], [[0]], [0], next=[1], initial=[bit]) for bit in (0, 1))
    assert equivalent(one, other).differs == "what register r0 begins at"


def test_other_numbers_of_inputs_are_refused() -> None:
    with pytest.raises(NetlistError, match="expected the same numbers of each"):
        equivalent(adder(2), adder(3))


def test_without_the_solver_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "INSTALLED", False)
    with pytest.raises(NetlistError, match="ontogeny\\[sat\\]"):
        equivalent(adder(12), nand_only(adder(12)))
    assert np.array_equal(adder(12).outputs, adder(12).outputs) and equivalent(adder(12), adder(12))


def test_a_full_adder_of_two_tables_is_nine_nands() -> None:
    assert nand_only(netlist(3, [0x96, 0xE8], [[0, 1, 2]] * 2, [3, 4])).gates == 9
