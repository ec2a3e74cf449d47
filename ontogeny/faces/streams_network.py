"""The last models of a stream: networks of this project's machine that learn it as it comes. Need torch."""

from __future__ import annotations

import numpy as np

from ontogeny.ask.capacity import read_once
from ontogeny.ask.laws.of_runs import parameters_of
from ontogeny.ask.streams.pictures import near
from ontogeny.ask.streams.stream import IMAGES, TEXT, Model, Sent, Stream
from ontogeny.train.online import Task, learned_online, of_images, of_sound, of_text
from ontogeny.train.reading import of_read_text

MOST_BITS = 8


def by_network(stream: Stream) -> Sent:
    """The prequential code of a run that goes through the stream once; no parameter is sent."""
    task, paid = task_of(stream)
    with learned_online(task) as run:
        return Sent(read_once(run) + paid, paid, parameters_of(run.program))


def by_contexts(stream: Stream) -> Sent:
    """The same of a network of contexts; of its synapses, those that have a row are held."""
    task, paid = of_read_text(stream.symbols, stream.bits)
    with learned_online(task) as run:
        synapses = int(np.count_nonzero(np.asarray(run.state()["contexts.synapses"])[:, 1]))
        return Sent(read_once(run) + paid, paid, parameters_of(run.program) + synapses)


def networks_of(stream: Stream) -> tuple[Model, ...]:
    """Those that can learn a stream: of images each symbol is a class of its own, so that there may not be too many."""
    if stream.kind == TEXT:
        return (NETWORK, CONTEXTS)
    return () if stream.kind == IMAGES and stream.bits > MOST_BITS else (NETWORK,)


def task_of(stream: Stream) -> tuple[Task, float]:
    """What a stream is to a network, and the bits that are paid beside."""
    if stream.kind == TEXT:
        return of_text(stream.symbols, stream.bits), 0.0
    if stream.kind == IMAGES:
        inputs, difference, paid = near(stream.symbols.astype(np.int64), stream.bits)
        return of_images(inputs, difference, stream.bits), paid
    return of_sound(stream.symbols, stream.bits), 0.0


NETWORK = Model("network", "a small one, which pays for each part before it learns it", by_network)
CONTEXTS = Model(
    "network of contexts",
    "orders 1 to 18 and words by Hebb's rule, mixed by a network, all learned as it comes",
    by_contexts,
)
