"""What each ATen operation of a traced PyTorch step means in the language: one table, keyed by its name.

A new ATen operation is one new entry in the file of its family.
"""

from ontogeny.front.aten.elementwise import ELEMENTWISE
from ontogeny.front.aten.layers import LAYERS
from ontogeny.front.aten.movement import MOVEMENT
from ontogeny.front.aten.table import Context, Handler, Meta

ATEN: dict[str, Handler] = {**ELEMENTWISE, **MOVEMENT, **LAYERS}

__all__ = ["ATEN", "Context", "Handler", "Meta"]
