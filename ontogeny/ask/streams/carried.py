"""How much a stream carries once it is predicted: what every model of its kind takes, the weakest first.

All are lossless: nothing of the symbols is discarded. What a model takes is its code, and whatever of the model has to
be sent with it; the program that both sides run is not counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from ontogeny.ask.compressors import COMPRESSORS, bits_of
from ontogeny.ask.streams import pictures, texts, waves
from ontogeny.ask.streams.mixing import by_context
from ontogeny.ask.streams.stream import IMAGES, SOUND, TEXT, Model, Sent, Stream
from ontogeny.isa.errors import DataError

OF_KIND = {TEXT: texts.MODELS, SOUND: waves.MODELS, IMAGES: pictures.MODELS}
MADE = {
    "text": ("made", "text"), "chain": ("made", "chain"),
    "voice": ("sounds", "voice"), "strings": ("sounds", "strings"),
    "pink": ("sounds", "pink_noise"), "white": ("sounds", "white_noise"),
    "scene": ("scenes", "scene"), "noisy": ("scenes", "noisy_scene"), "digits": ("digits", "digits"),
}  # fmt: skip
"""The streams that are made here, or come with Python and scikit-learn: where each is made."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a stream took with a model: bits as `Sent` says, and the CPU seconds that it took to find them."""

    model: Model
    sent: Sent
    seconds: float


@dataclass(frozen=True, slots=True)
class Carried:
    """A stream, and what it took with each model, in their order."""

    stream: Stream
    taken: tuple[Taken, ...]

    def rate(self, taken: Taken) -> float:
        """Bits a second with a model."""
        return taken.sent.bits / self.stream.seconds

    @property
    def least(self) -> Taken:
        """The model with which it takes least."""
        return min(self.taken, key=lambda one: one.sent.bits)

    @property
    def truth(self) -> float | None:
        """Bits a second by how it was made, where that is known."""
        known = self.stream.truth
        return None if known is None else known.bits * self.stream.rate

    def as_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        stream, known = self.stream, self.stream.truth
        models = [
            {
                "model": one.model.name,
                "words": one.model.words,
                "bits": one.sent.bits,
                "bits_per_second": self.rate(one),
                "bits_per_symbol": one.sent.bits / stream.symbols.size,
                "parameter_bits": one.sent.parameters,
                "holds": one.sent.holds,
                "cpu_seconds": one.seconds,
            }
            for one in self.taken
        ]
        made = None if known is None else {"bits_per_second": self.truth, "how": known.how, "at_most": known.at_most}
        about = {"stream": stream.name, "kind": stream.kind, "how": stream.how, "symbols": stream.symbols.size}
        rates = {"seconds": stream.seconds, "symbols_per_second": stream.rate, "sensor_bits_per_second": stream.sensor}
        return {**about, **rates, "truth": made, "lossless": True, "models": models}


def carried(stream: Stream, further: Iterable[Model] = ()) -> Carried:
    """What a stream takes with all models of its kind and then with further ones.

    Several channels are coded one after the other, each as a stream of its own: what one tells of another is not used.
    """
    return Carried(stream, tuple(_each(stream, [*models_of(stream.kind), *further])))


def models_of(kind: str) -> tuple[Model, ...]:
    """The models of a kind, weakest first: as it is, how frequent each symbol is, compressors, the kind's own."""
    return (RAW, FREQUENT, *PACKERS, *OF_KIND[kind])


def made(name: str) -> Stream:
    """A stream that is made here, by its name. Raises DataError for one that is not, or needs what is not installed."""
    if name not in MADE:
        raise DataError(f"no stream {name!r} is made here; there are {', '.join(MADE)}, or name a file")
    module, function = MADE[name]
    try:
        make: Callable[[], Stream] = getattr(import_module(f"ontogeny.ask.streams.{module}"), function)
    except ImportError as error:
        raise DataError(f"the stream {name!r} needs {error.name}: pip install 'ontogeny[demo]'") from error
    return make()


def _each(stream: Stream, models: Iterable[Model]) -> Iterator[Taken]:
    for model in models:
        began = time.process_time()
        parts = [model.sent(one) for one in stream.channels()]
        sent = Sent(sum(p.bits for p in parts), sum(p.parameters for p in parts), sum(p.holds for p in parts))
        yield Taken(model, sent, time.process_time() - began)


def _raw(stream: Stream) -> Sent:
    return Sent(float(stream.bits * stream.symbols.size))


def _frequent(stream: Stream) -> Sent:
    symbols = stream.symbols.reshape(-1)
    return by_context(symbols, np.zeros(symbols.size, np.uint64), stream.bits)


def _packed(name: str, stream: Stream) -> Sent:
    return Sent(bits_of(name, stream.packed()))


RAW = Model("as it is", "what the sensor gives", _raw)
FREQUENT = Model("order 0", "how often each symbol came so far", _frequent)
PACKERS = tuple(Model(name, "a general compressor, of the bytes", partial(_packed, name)) for name in COMPRESSORS)
