"""Text from anywhere: whatever is wrong is a TextError, in time that grows no faster than the text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontogeny.isa.errors import TextError
from ontogeny.isa.text import format_text, from_text, to_text
from ontogeny.isa.text import reader as reader_module
from ontogeny.isa.text.words import MAX_LINE, MAX_TEXT
from tests.pace import paced

EXAMPLES = [
    path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parents[2] / "examples").glob("*.onto"))
]
WORDS = sorted({word for text in EXAMPLES for word in re.findall(r"[\w.]+|\S", text)})
FRAGMENTS = st.one_of(
    st.sampled_from(
        [*WORDS, "nan", "-inf", "1e999", "9" * 70, '"', "\\", "\n", "%", "->", "\x00", "-1", "[", "{", "99999999999"]
    ),
    st.text(max_size=3),
)


def reads_or_refuses(text: str) -> None:
    """Reading and formatting either succeed, and then agree, or raise TextError with a place inside the text."""
    for work in (from_text, format_text):
        try:
            work(text)
        except TextError as error:
            lines = text.split("\n")
            assert 1 <= error.line <= len(lines)
            assert 1 <= error.column <= len(lines[error.line - 1]) + 1
            assert str(error).startswith(f"line {error.line}, column {error.column}: ")
            assert str(error).isprintable()
            assert len(str(error)) < 2000
        else:
            assert work is not from_text or to_text(from_text(to_text(from_text(text)))) == to_text(from_text(text))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80))
def test_random_bytes(data: bytes) -> None:
    reads_or_refuses(data.decode("latin-1"))
    reads_or_refuses(data.decode("utf-8", "surrogateescape"))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(FRAGMENTS, st.just("\n"), st.just(" ")), max_size=40))
def test_random_words(words: list[str]) -> None:
    reads_or_refuses("program p\n" + " ".join(words))


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(EXAMPLES), st.data())
def test_damaged_programs(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        stop = min(len(text), start + data.draw(st.sampled_from((0, 0, 1, 2, 5, 40))))
        text = text[:start] + data.draw(FRAGMENTS) + text[stop:]
    reads_or_refuses(text)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(EXAMPLES), st.data())
def test_words_exchanged(text: str, data: st.DataObject) -> None:
    tokens = re.split(r"([\w.]+)", text)
    for _ in range(data.draw(st.integers(1, 3))):
        tokens[data.draw(st.integers(0, len(tokens) // 2 - 1)) * 2 + 1] = data.draw(st.sampled_from(WORDS))
    reads_or_refuses("".join(tokens))


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: str(text).split("program ")[1].split()[0])
def test_truncated_anywhere(text: str) -> None:
    for stop in range(0, len(text), 7):
        reads_or_refuses(text[:stop])


CALLS = "program p\nroutine a():\n  call {body=b}\n  return\nroutine b():\n  call {body=a}\n  return\n"


def test_routines_that_call_each_other_in_a_circle() -> None:
    with pytest.raises(TextError, match="circle"):
        from_text(CALLS)


def test_a_long_chain_of_calls() -> None:
    chain = "".join(f"routine r{i}():\n  call {{body=r{i + 1}}}\n  return\n" for i in range(3000))
    with pytest.raises(TextError, match="deep"):
        from_text(f"program p\n{chain}routine r3000():\n  return\n")


HUGE = 1 << 20
HEAD = "program p\nroutine r():\n"
HOSTILE = {
    "digits": HEAD + "  %x = const {value=" + "9" * HUGE,
    "digits of a size": "program p\nparam w: f32[" + "9" * HUGE + "]",
    "digits and dots": HEAD + "  %x = const {value=" + "9." * (HUGE // 2),
    "digits then a letter": HEAD + "  %x = const {value=" + "9" * HUGE + "x",
    "exponent": HEAD + "  %x = const {value=1e" + "9" * HUGE,
    "quotes that do not end": HEAD + '  %x = probe {name="' + '\\"' * (HUGE // 2),
    "quotes": HEAD + '"' * HUGE,
    "backslashes": HEAD + '  probe {name="' + "\\" * HUGE,
    "escapes": HEAD + '  probe {name="' + "\\n" * (HUGE // 2) + '"',
    "brackets": HEAD + "[" * HUGE,
    "lists in lists": HEAD + "  %x = const {value=" + "[" * HUGE,
    "braces": HEAD + "  %x = add " + "{" * HUGE,
    "operands": HEAD + "  %x = add " + "%x " * (HUGE // 3),
    "results": HEAD + "%x, " * (HUGE // 4),
    "percents": HEAD + "%" * HUGE,
    "minuses": HEAD + "  %x = const {value=" + "-" * HUGE,
    "a long word": HEAD + "  %x = " + "a" * HUGE,
    "a long attribute": HEAD + "  %x = softmax %x {" + "d" * HUGE + "=1}",
    "a long line head": HEAD + "a" * HUGE,
    "spaces": HEAD + " " * HUGE + "!",
    "dimensions": "program p\nparam w: f32[" + "1," * (HUGE // 2),
    "many empty lines": "\n" * 900_000,
    "a note of bars": HEAD + "  %x = add %x ;" + "|" * HUGE,
    "a note of quotes": HEAD + '  %x = add %x ; "' + '\\"' * (HUGE // 2),
    "a note of spaces": HEAD + '  %x = add %x ; "" ' + " " * HUGE + "x",
    "too many lines": "\n" * 1_000_001,
    "a line too long": "program p\n#" + "x" * MAX_LINE,
    "an element count": "program p\nparam w: f32[" + ",".join(["1099511627776"] * 16) + "]",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_refused_quickly(name: str) -> None:
    def refused() -> None:
        with pytest.raises(TextError) as caught:
            from_text(HOSTILE[name])
        assert len(str(caught.value)) < 1000

    assert paced(refused) < 4


def test_a_text_over_the_size_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_TEXT == 64 << 20
    monkeypatch.setattr(reader_module, "MAX_TEXT", 100)
    with pytest.raises(TextError, match="100 are the most"):
        from_text("program p\n" + "#" * 100)


def test_five_thousand_instructions_take_well_under_half_a_second() -> None:
    norm = "%{0}: f32[64,64], %m{0}: f32[64,1], %r{0}: f32[64,1] = layer_norm %{1} %w %w {{rank=1, eps=1e-05}} ; x"
    head = "program p\nparam a: f32[64,64]\nparam b: f32[64]\nroutine r():\n%0 = read {name=a}\n%w = read {name=b}"
    text = "\n".join([head, *(norm.format(i, i - 1) for i in range(1, 5001)), "return"])
    assert paced(lambda: from_text(text, check=False), times=3) < 0.5
    assert from_text(text) == from_text(text, check=False)
