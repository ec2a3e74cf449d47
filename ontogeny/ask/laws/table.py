"""The forms of laws by name, the richest first: a new one is a form, a line here, and its needs in `support.py`."""

from __future__ import annotations

from ontogeny.ask.laws.forms import CHINCHILLA, DATA, SIZE, TUNED, Form
from ontogeny.ask.laws.repetition import EXCESSIVE, REPETITION

FORMS: dict[str, Form] = {form.name: form for form in (TUNED, EXCESSIVE, REPETITION, CHINCHILLA, SIZE, DATA)}
