"""Which elements a question is about: `embed.weight[3,7]`, a row `[3]` or `[3,:]`, a whole tensor, several of these."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import RecordError
from ontogeny.record.trace.layout import Tensor
from ontogeny.record.trace.traces import Traces, named

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Members:
    """Elements of one tensor, by their flat places, each once and in rising order."""

    tensor: Tensor
    places: Places

    @property
    def names(self) -> list[str]:
        """What they are called, as `shown` says it."""
        if not self.tensor.shape:
            return [self.tensor.name]
        index = (axis.tolist() for axis in np.unravel_index(self.places, self.tensor.shape))
        return [f"{self.tensor.name}[{','.join(map(str, at))}]" for at in zip(*index, strict=True)]


def members(traces: Traces, asked: str | Iterable[str]) -> tuple[Members, ...]:
    """The elements that are asked for, tensor by tensor in the model's order.

    Raises RecordError with the nearest name for a tensor that there is not, and for places outside of one.
    """
    found: dict[str, list[Places]] = {}
    for text in [asked] if isinstance(asked, str) else asked:
        for name, places in _named(traces, text):
            found.setdefault(name, []).append(places)
    if not found:
        raise RecordError("no parameter was named; name one as embed.weight[3,7]")
    tensors = [tensor for name, tensor in traces.tensors.items() if name in found]
    return tuple(Members(tensor, np.unique(np.concatenate(found[tensor.name]))) for tensor in tensors)


def _named(traces: Traces, text: str) -> list[tuple[str, Places]]:
    parts = re.fullmatch(r"\s*([^\[\]]+?)\s*(?:\[([-\d,:\s]*)\])?\s*", text)
    if not parts:
        raise RecordError(f"{text!r} names no parameter; write embed.weight[3,7], embed.weight[3,:] or embed.weight")
    name, inside = parts[1], parts[2]
    tensors: Mapping[str, Tensor] = traces.tensors
    matching = [tensors[n] for n in tensors if fnmatchcase(n, name)] if "*" in name else [named(traces, name)]
    if not matching:
        raise RecordError(f"no recorded tensor matches {name!r}; there are {', '.join(tensors)}")
    return [(tensor.name, _places(tensor, text, inside)) for tensor in matching]


def _places(tensor: Tensor, text: str, inside: str | None) -> Places:
    if inside is None or not inside.strip():
        return np.arange(tensor.size)
    axes = [part.strip() for part in inside.split(",")]
    if len(axes) > len(tensor.shape):
        raise RecordError(f"{tensor.name} has {len(tensor.shape)} dimensions {list(tensor.shape)}, not {len(axes)}")
    try:
        whole = [":"] * (len(tensor.shape) - len(axes))
        picked = [_axis(length, part) for length, part in zip(tensor.shape, [*axes, *whole], strict=True)]
        found: Places = np.ravel_multi_index(np.ix_(*picked), tensor.shape).reshape(-1)
    except (IndexError, ValueError) as error:
        raise RecordError(f"{text} lies outside of {tensor.name}, whose shape is {list(tensor.shape)}") from error
    if not len(found):
        raise RecordError(f"{text} holds no element of {tensor.name}, whose shape is {list(tensor.shape)}")
    return found


def _axis(length: int, part: str) -> Places:
    """A place along a dimension, or a stretch of places."""
    places = np.arange(length)
    if ":" not in part:
        return places[[int(part)]]
    return places[slice(*(int(bound) if bound.strip() else None for bound in part.split(":")))]
