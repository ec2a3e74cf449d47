"""What `ontogeny recall` says of items, of examples left out, and of estimates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.markup import escape

from ontogeny.ask.left_out import InAll, LeftOut
from ontogeny.ask.memorised import Memorised, Side
from ontogeny.ask.recall import Group, Recall
from ontogeny.ask.remembered import (
    continued_words,
    estimated_words,
    index_words,
    left_out_words,
    target_words,
)
from ontogeny.ask.subsets import Agreement, Estimated
from ontogeny.faces.terminal import number, table


def say(console: Console, found: Recall, count: int) -> None:
    """The tables of a recall."""
    console.print(_sides(found.memorised))
    for sentence in (*target_words(found), *index_words(found)):
        console.print(escape(sentence), soft_wrap=True)
    console.print(_groups("by how often an item was seen", "times", found.by_seen))
    console.print(_groups("by how many steps ago it was seen last", "steps_ago", found.by_recency))
    for sentence in continued_words(found):
        console.print(escape(sentence), soft_wrap=True)
    if count:
        console.print(_items(found, count))


def _sides(found: Memorised) -> object:
    shown = table("", **{"": "left", "examples": "right", "loss": "right", "targets_right": "right", "exact": "right"})
    for name, side in (("trained on", found.train), ("held out", found.valid)):
        if side is not None:
            shown.add_row(name, *_shares(side))
    return shown


def _shares(side: Side) -> tuple[str, ...]:
    return str(side.examples), number(side.loss), f"{side.right:.1%}", f"{side.exact:.1%}"


def _groups(title: str, column: str, groups: Sequence[Group]) -> object:
    shown = table(title, **{column: "right", "items": "right", "loss": "right", "right": "right", "exact": "right"})
    for one in groups:
        span = str(one.low) if one.low == one.high else f"{one.low} to {one.high}"
        shown.add_row(span, str(one.items), number(one.loss), f"{one.right:.1%}", f"{one.exact:.1%}")
    return shown


def _items(found: Recall, count: int) -> object:
    """The items that are known best."""
    columns = {"item": "right", "seen": "right", "last": "right", "loss": "right", "right": "right"}
    said = {int(n): place for place, n in enumerate(found.continued_numbers)} if found.continued else {}
    shown = table(
        "the items that are known best",
        **columns,
        **({"rank": "right", "least_probability": "right"} if found.classes else {}),
        **({"continued": "right"} if said else {}),
    )
    for place in np.argsort(found.items.loss, kind="stable")[:count]:
        last, own = int(found.last[place]), int(found.numbers[place])
        cells = [str(own), str(found.seen[place]), str(last) if last >= 0 else "never", number(found.items.loss[place])]
        cells.append(f"{found.items.right[place]:.1%}")
        if found.classes:
            cells += [number(found.items.rank[place]), number(found.items.reached[place])]
        if said and found.continued is not None:
            cells.append(f"{found.continued.until[said[own]]} of {found.continued.length}" if own in said else "")
        shown.add_row(*cells)
    return shown


def say_left_out(console: Console, found: Sequence[LeftOut], whole: InAll, count: int) -> None:
    """Examples that were left out one by one."""
    for sentence in left_out_words(whole):
        console.print(escape(sentence), soft_wrap=True)
    shown = table("left out, each by itself", item="right", first="right", seen="right", loss="right",
                  without="right", memorised="left")  # fmt: skip
    for one in sorted(found, key=lambda one: -float(one.needed[-1]))[:count]:
        cells = str(one.number), str(one.first), str(one.seen), number(one.loss[-1]), number(one.loss_without[-1])
        shown.add_row(*cells, "yes" if one.memorised[-1] else "no")
    console.print(shown)


def say_estimated(console: Console, found: Estimated, both: Agreement | None, count: int) -> None:
    """An estimate for all examples, and how it compares with exact answers."""
    for sentence in estimated_words(found, both):
        console.print(escape(sentence), soft_wrap=True)
    shown = table("the most memorised by estimate", item="right", memorised="right", error="right", needed="right")
    order = np.argsort(-np.nan_to_num(found.memorised, nan=-1.0), kind="stable")
    for at in order[:count]:
        cells = map(_known, (found.memorised[at], found.memorised_error[at], found.needed[at]))
        shown.add_row(str(found.numbers[at]), *cells)
    console.print(shown)


def _known(value: float) -> str:
    """A number, or nothing where none is known."""
    return number(value) if np.isfinite(value) else ""
