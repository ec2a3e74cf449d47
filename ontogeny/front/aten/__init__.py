"""What each ATen operation of a traced PyTorch step means in the language: one table, keyed by its name.

A new ATen operation is one new entry in the file of its family. What has no entry, or an entry that answers
NotImplemented, is taken by PyTorch's own definition of it in simpler operations (`decompose`), where there is one.
"""

from ontogeny.front.aten.elementwise import ELEMENTWISE
from ontogeny.front.aten.functions import FUNCTIONS
from ontogeny.front.aten.indexing import INDEXING
from ontogeny.front.aten.layers import LAYERS
from ontogeny.front.aten.movement import MOVEMENT
from ontogeny.front.aten.ordering import ORDERING
from ontogeny.front.aten.products import PRODUCTS
from ontogeny.front.aten.resample import RESAMPLE
from ontogeny.front.aten.table import Context, Handler, Meta

_FAMILIES = (ELEMENTWISE, FUNCTIONS, MOVEMENT, INDEXING, ORDERING, RESAMPLE, PRODUCTS, LAYERS)
ATEN: dict[str, Handler] = {name: handler for family in _FAMILIES for name, handler in family.items()}

__all__ = ["ATEN", "Context", "Handler", "Meta"]
