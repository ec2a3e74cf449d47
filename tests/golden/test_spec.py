"""The language's page is the one that the tables make, its example runs, and nothing is left out of it."""

from __future__ import annotations

from pathlib import Path

from ontogeny.isa.op import ATTRIBUTES, Group, Op
from ontogeny.isa.program import KINDS
from ontogeny.isa.spec import EXAMPLE, spec_text
from ontogeny.isa.text import format_text, from_text, to_text
from ontogeny.isa.text.parser import ACCEPTS, EXPECTED
from ontogeny.isa.types import DType

PAGE = Path(__file__).parents[2] / "docs" / "SPEC.md"


def test_the_page_is_generated() -> None:
    assert PAGE.read_text(encoding="utf-8") == spec_text(), "run: python -m ontogeny.isa.spec docs/SPEC.md"


def test_the_pages_example_is_a_program() -> None:
    assert to_text(from_text(EXAMPLE), types=True) == EXAMPLE == format_text(EXAMPLE)
    assert EXAMPLE in spec_text()


def test_nothing_is_left_out() -> None:
    page = spec_text()
    words = [op.text for op in Op] + [dtype.value for dtype in DType] + list(KINDS)
    assert [word for word in words if f"\n| `{word}` | " not in page] == []
    assert [group for group in Group if f"\n### {group.value}\n" not in page] == []


def test_every_kind_of_attribute_is_read_and_explained() -> None:
    kinds = {kind for attributes in ATTRIBUTES.values() for kind in attributes.values()}
    assert kinds == set(EXPECTED) == set(ACCEPTS)
