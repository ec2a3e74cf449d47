"""Hugging Face models: while they are traced they are told so, and leave out the checks that look at tensors' values.

Without a check the library assumes the general case (several sequences packed into one row), whose mask is right for
the special ones too. Nothing here imports transformers: only a library that the model came from is told.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PLACES = ("transformers.masking_utils", "transformers.modeling_utils", "transformers.utils.import_utils")
"""The modules that ask `is_tracing`, in transformers 5."""


@contextmanager
def told_of_tracing() -> Iterator[None]:
    """Within it, transformers' own `is_tracing` says yes."""
    modules: list[Any] = [sys.modules[name] for name in PLACES if hasattr(sys.modules.get(name), "is_tracing")]
    before = [module.is_tracing for module in modules]
    try:
        for module in modules:
            module.is_tracing = _yes
        yield
    finally:
        for module, function in zip(modules, before, strict=True):
            module.is_tracing = function


def _yes(tensor: Any = None) -> bool:
    return True
