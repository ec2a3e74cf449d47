"""What a clause and the fillers of its slots look like to the weights: short strings, of which buckets are made."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from ontogeny.steer.phrases.items import Item
from ontogeny.steer.phrases.normal import normal
from ontogeny.steer.phrases.tokens import Word

_KINDS = "NUMBER PERCENT FRACTION TIMES ORDINAL ELEMENT RANGE PATTERN DOTTED METRIC DIAL TENSOR RUN MARK INPUT QUOTED"
ABSTRACT = frozenset(_KINDS.split())
"""Kinds of words that stand for themselves: which number it is says nothing of what is to be done."""
_SHOWN = "tensors dial metric examples place condition steps window values optimiser setting run"
SHOWN = frozenset(_SHOWN.split())
"""Types of items that stand in a clause's pattern for the words that name them."""
GRAMS = (3, 4)
LONG = 12


@lru_cache(1 << 18)
def bucket(feature: str, size: int) -> int:
    """Which of `size` weights a feature has; two may share one."""
    return zlib.crc32(feature.encode()) % size


def symbols(said: Sequence[Word]) -> list[str]:
    """Each word as the weights see it: its one form, or its kind."""
    return [word.kind if word.kind in ABSTRACT else normal(word.text) for word in said]


Beside = tuple[str, ...]
"""The two words before a clause and the two after it."""
ALONE: Beside = ("<<", "<", ">", ">>")


def of_clause(said: Sequence[Word], there: Sequence[Item], beside: Beside = ALONE) -> set[str]:
    """The features of a clause: words, letters, pairs, its pattern with what it names left open, what is beside it."""
    plain = symbols(said)
    framed, pattern = ["<", *plain, ">"], ["<", *_pattern(plain, there), ">"]
    found = {f"w:{one}" for one in plain}
    found |= {f"g:{gram}" for one in set(plain) if not one.isupper() for gram in _grams(one)}
    found |= {f"b:{a} {b}" for a, b in pairwise(framed)}
    found |= {f"s:{a} {b}" for a, b in zip(plain, plain[2:], strict=False)}
    found |= {f"t:{item.type}" for item in there}
    found |= {f"a:{a} {b}" for a, b in pairwise(pattern)}
    found |= {f"c:{a} {b} {c}" for a, b, c in zip(pattern, pattern[1:], pattern[2:], strict=False)}
    found |= set(_beside(plain, beside))
    asks = bool(said) and said[-1].text == "?"
    return found | {f"n:{min(len(said), LONG) // 2}", f"f:{pattern[1]}", f"?:{asks}"}


def _beside(plain: Sequence[str], beside: Beside) -> Iterator[str]:
    """A clause by what stands before and after it: and it; then."""
    one_before, before, after, one_after = beside
    yield from (
        f"l:{before}",
        f"r:{after}",
        f"l2:{one_before} {before}",
        f"r2:{after} {one_after}",
        f"lr:{before} {after}",
    )
    yield from (f"l1:{one_before}", f"r1:{one_after}", f"lf:{before} {plain[0]}", f"rl:{plain[-1]} {after}")


def _grams(word: str) -> Iterator[str]:
    framed = f"<{word}>"
    for size in GRAMS:
        for at in range(len(framed) - size + 1):
            yield framed[at : at + size]


def _pattern(plain: Sequence[str], there: Sequence[Item]) -> Iterator[str]:
    longest: dict[int, Item] = {}
    for item in there:
        if item.type in SHOWN and (item.start not in longest or item.stop > longest[item.start].stop):
            longest[item.start] = item
    at = 0
    while at < len(plain):
        yield longest[at].type.upper() if at in longest else plain[at]
        at = longest[at].stop if at in longest else at + 1


def of_filler(
    intent: str, slot: str, filler: str, item: Item | None, said: Sequence[Word], plain: Sequence[str],
    there: Sequence[Item],
) -> list[str]:  # fmt: skip
    """The features of a way to fill a slot of an intent; no item: by words alone, or not at all."""
    tag = f"{slot}|{filler}"
    if item is None:
        words = [f"w:{one}" for one in set(plain)]
        pairs = [f"{tag}|b:{a} {b}" for a, b in pairwise(plain)]
        types = [f"{intent}|{tag}|t:{type_}" for type_ in {one.type for one in there}]
        each = [f"{own}|{word}" for word in words for own in (filler, tag, f"{intent}|{tag}")]
        return [f"{intent}|{tag}", tag, *each, *pairs, *types]
    around = list(_around(item, said, plain, there))
    found = [f"{intent}|{tag}", tag, *(f"{own}|{one}" for one in around for own in (filler, tag, f"{intent}|{tag}"))]
    if item.type in ("number", "tensors", "factor"):
        kind = said[item.start].kind if item.type == "number" else ""
        beside = {one for at, one in enumerate(plain) if not item.start <= at < item.stop}
        tags = (f"{tag}|", f"{tag}|{kind}|", f"{filler}|{kind}|")
        found += [f"{own}w:{one}" for one in beside for own in tags]
    return found


def of_words(intent: str, slot: str, filler: str, plain: Sequence[str]) -> Iterator[list[str]]:
    """For each word, the features by which it speaks for a filler by words alone."""
    for word in set(plain):
        yield [f"{own}|w:{word}" for own in (filler, f"{slot}|{filler}", f"{intent}|{slot}|{filler}")]


def _around(item: Item, said: Sequence[Word], plain: Sequence[str], there: Sequence[Item]) -> Iterator[str]:
    """An item by its neighbours, its place among those of its type, and what it is part of."""
    framed = ["<<", "<", *plain, ">", ">>"]
    before, one_before = framed[item.start], framed[item.start + 1]
    after, one_after = framed[item.stop + 3], framed[item.stop + 2]
    kind = said[item.start].kind if item.type == "number" else item.type
    yield from (f"p1:{one_before}", f"n1:{one_after}", f"p2:{before}", f"n2:{after}")
    yield from (f"p21:{before} {one_before}", f"n12:{one_after} {after}", f"k:{kind}")
    yield from (f"pk:{one_before} {kind}", f"kn:{kind} {one_after}", f"long:{min(item.stop - item.start, 4)}")
    same = [one for one in there if one.type == item.type]
    yield f"nth:{sum(one.start < item.start for one in same)}"
    yield f"last:{not any(one.start > item.start for one in same)}"
    yield f"ends:{item.stop == len(plain)}"
    if item.type == "number":
        value = abs(item.value)
        yield f"whole:{value == int(value)}|{kind}"
        yield f"size:{int(math.log10(value + 1e-12))}|{kind}"
        covers = {one.type for one in there if one.start <= item.start and one.stop >= item.stop}
        yield from (f"in:{one}" for one in covers - {"number", "list"})
