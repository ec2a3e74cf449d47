"""The update rule of a program edited: `apply(program, "freeze", tensors=["embed.*"])` gives another program.

An edit is a file beside this one and a line in `table.py`. It acts on the routine `learn`, or adds one beside it
(`routines.py`); its instructions are noted with its own words, and edits compose.
"""

from ontogeny.front.edits.describe import describe
from ontogeny.front.edits.edited import Edited
from ontogeny.front.edits.table import EDITS, apply, apply_all

__all__ = ["EDITS", "Edited", "apply", "apply_all", "describe"]
