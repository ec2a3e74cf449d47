"""Arrays as bare pointers, for loops in which the count of an array's references would cost more than its items.

Numba counts references wherever an array enters a function or is taken out of a named tuple, each time by an atomic
addition, and does not see that a loop could do without. A pointer counts nothing, checks no index, and has no negative
ones. It keeps nothing alive: whoever takes one must have been given the array by a caller who still holds it.
"""

from __future__ import annotations

from typing import Any

from numba.core.errors import TypingError
from numba.core.types.misc import CPointer

from ontogeny.machine.swarm.vectors import emitted


@emitted
def pointer(typing: Any, array: Any) -> Any:
    """To the first item of a contiguous array; p[i] is then the item i, however many axes the array has."""
    if array.layout != "C":
        raise TypingError(f"a pointer to {array}; expected a contiguous array")

    def made(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, given[0]).data

    return CPointer(array.dtype)(array), made
