"""Detectors of contexts against plain dictionaries; their mixing; what held-out text costs a network that reads on."""

from __future__ import annotations

import bz2
from collections import Counter

import numpy as np
import pytest
import torch

from ontogeny.claims.tasks import text_bits
from ontogeny.front.rules import sgd
from ontogeny.isa.errors import CaptureError
from ontogeny.train.neurons.contexts import Contexts
from ontogeny.train.neurons.mixing import Mixing
from ontogeny.train.reading import stretches

LETTERS = "ab ."
WORDLY = [letter.isalpha() for letter in LETTERS]
REACH = 12


def drawn(count: int, seed: int = 0) -> str:
    return "".join(np.random.default_rng(seed).choice(list(LETTERS), count, p=[0.4, 0.3, 0.2, 0.1]))


def examples(text: str) -> tuple[torch.Tensor, torch.Tensor]:
    given = stretches(np.array([LETTERS.index(letter) for letter in text]), len(LETTERS), REACH)
    return torch.from_numpy(given["x"]), torch.from_numpy(given["y"])


def word(before: str) -> tuple[str, ...]:
    """The word that is being written, as the pairs of letters that it has."""
    found = "".join(letter if letter.isalpha() else " " for letter in before[-REACH:]).rpartition(" ")[2]
    started = " " + found if len(found) < REACH else found
    return tuple(sorted(started[at : at + 2] for at in range(len(started) - 1)))


def test_detectors_count_what_followed_them_as_a_dictionary_does() -> None:
    text = drawn(400)
    x, y = examples(text)
    contexts = Contexts(WORDLY, (1, 3), (0,), reach=REACH, rows=1 << 16)
    for begin in range(0, 320, 32):
        contexts.remember(x[begin : begin + 32], y[begin : begin + 32])
    found = contexts(x[320:]).numpy()
    for at, of in enumerate((lambda t: t[-1:], lambda t: t[-3:], word)):
        seen = Counter((of(text[:place]), text[place]) for place in range(320))
        wanted = [[seen[of(text[:place]), letter] for letter in LETTERS] for place in range(320, 400)]
        assert (found[:, at] == np.array(wanted)).all()


def test_words_before_are_told_by_their_letters_whatever_stands_between() -> None:
    contexts = Contexts(WORDLY, (), (1,), reach=REACH, rows=1 << 16)
    stretches = ["ab ba", "ab. ba", "aab ba", "ab b", "ab ba "]
    x = torch.stack([examples(text + "a")[0][-1] for text in stretches])
    contexts.remember(x[:1], torch.tensor([2]))
    assert contexts(x)[:, 0, 2].tolist() == [1, 1, 0, 0, 0]


def test_a_fading_detector_says_what_followed_lately() -> None:
    contexts = Contexts(WORDLY, (1,), fading=(1,), keep=0.5, reach=REACH, rows=1 << 12)
    x = examples("ba")[0][-1:]  # after b
    for letter in (0, 0, 1):
        contexts.remember(x, torch.tensor([letter]))
    assert contexts(x)[0].tolist() == [[0.75, 1, 0, 0], [2, 1, 0, 0]]


def test_a_row_that_another_synapse_took_says_nothing_of_the_first() -> None:
    contexts = Contexts(WORDLY, (2, 4), reach=REACH, rows=2)
    x, y = examples(drawn(64))
    contexts.remember(x, y)
    assert contexts(x).count_nonzero() < 2 * 64


@pytest.mark.parametrize(("wrong", "said"), [({"rows": 3}, "power of two"), ({"spans": (13,)}, "longer reach")])
def test_what_cannot_be_is_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(CaptureError, match=said):
        Contexts(**{"wordly": WORDLY, "spans": (1,), "reach": REACH, **wrong})  # type: ignore[arg-type]
    with pytest.raises(CaptureError, match="no context"):
        Contexts(WORDLY, ())


def test_mixing_foretells_what_it_has_read_before_it_has_learned_to_weigh() -> None:
    torch.manual_seed(0)
    mixing = Mixing(Contexts(WORDLY, (1, 2, 4), (0,), reach=REACH, rows=1 << 14))
    x, y = examples("ab ba. ".replace("b.", ".") * 30)
    with torch.no_grad():
        before = mixing(x[100:])
        mixing.contexts.remember(x[:100], y[:100])
        after = mixing(x[100:])
    assert before.log_softmax(-1).exp().max() == pytest.approx(1 / len(LETTERS), abs=1e-4)
    assert (after.argmax(-1) == y[100:]).all()


def test_compressors_are_charged_for_what_they_add() -> None:
    learnt, held_out = np.arange(200), np.arange(100)
    added = len(bz2.compress(bytes(range(200)) + bytes(range(100)))) - len(bz2.compress(bytes(range(200))))
    assert text_bits.compressed("bz2", learnt, held_out) == 8 * added / 100


def test_a_run_is_charged_before_it_learns_and_a_static_one_never_learns() -> None:
    text, first = text_bits.whole()[:192], 96
    given = stretches(text, len(text_bits.alphabet()))
    model = text_bits.network((1, 2), (0,), (1,), rows=1 << 12)
    plain = text_bits.network((1, 2), (0,), (1,), rows=1 << 12)
    x, y = (torch.from_numpy(given[name]) for name in ("x", "y"))

    def cost(begin: int, end: int) -> float:
        with torch.no_grad():
            logs = plain(x[begin:end]).double().log_softmax(-1)
        return float(-logs.gather(1, y[begin:end, None]).sum() / np.log(2))

    with text_bits.reading(model, text, sgd(lr=0.0), mode="exact") as run:
        run.advance(6)
        adaptive, static = text_bits.adaptive(run, first), text_bits.static(run, text, 3, first, 40)
    costs = []
    for begin in range(0, 192, 32):
        if begin == first:
            unread = cost(first, 192)
        costs.append(cost(begin, begin + 32))
        plain.contexts.remember(x[begin : begin + 32], y[begin : begin + 32])
    assert adaptive == pytest.approx(sum(costs[3:]) / 96, rel=1e-4)
    assert static == pytest.approx(unread / 96, rel=1e-4)
    assert adaptive < static
