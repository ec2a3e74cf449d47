"""The text form of programs: `to_text`, `from_text`, `format_text`. Its grammar is in docs/SPEC.md.

`words` has tokens, names and numbers; `lines` a record for each sort of line and how it prints; `cursor` a place in a
line; `numbers` those that follow a size; `parser` one line into its record; `reader` and `writer` whole texts. Text
from anywhere is safe to read: it is bounded in size, nothing nests, nothing is evaluated, and whatever is wrong with
it is a TextError with line and column.
"""

from ontogeny.isa.text.checked import from_text
from ontogeny.isa.text.reader import format_text
from ontogeny.isa.text.writer import to_text

__all__ = ["format_text", "from_text", "to_text"]
