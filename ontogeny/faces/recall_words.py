"""What `ontogeny recall` says of items, of examples left out, and of estimates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.markup import escape

from ontogeny.ask.extraction import Continued
from ontogeny.ask.left_out import InAll, LeftOut
from ontogeny.ask.memorised import Memorised, Side
from ontogeny.ask.recall import Group, Recall
from ontogeny.ask.subsets import Agreement, Estimated
from ontogeny.faces.terminal import number, table


def say(console: Console, found: Recall, count: int) -> None:
    """The tables of a recall."""
    console.print(_sides(found.memorised))
    if (index := found.memorised.index) is not None:
        console.print(
            f"memorisation index [bold]{index.value:.3f}[/] ({index.low:.3f} to {index.high:.3f}): {index.known:.1%} "
            f"of {index.canaries} canaries are known, {index.by_chance:.1%} of {index.controls} that were in no batch",
            soft_wrap=True,
        )
    console.print(_groups("by how often an item was seen", "times", found.by_seen))
    console.print(_groups("by how many steps ago it was seen last", "steps_ago", found.by_recency))
    if found.continued is not None:
        console.print(_continued("training items", found.continued), soft_wrap=True)
        if found.baseline is not None:
            console.print(_continued("held-out windows", found.baseline), soft_wrap=True)
    elif found.silent:
        console.print(f"[dim]not continued: {escape(found.silent)}[/]", soft_wrap=True)
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


def _continued(what: str, one: Continued) -> str:
    told = one.as_json()
    return (
        f"{told['exact']:.1%} of {told['windows']} {what} continued exactly, {one.length} tokens after {one.prefix}; "
        f"{told['tokens']:.1%} of the tokens right, the first error after {told['until_first_error']:.1%} of them"
    )


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
    console.print(
        f"[bold]{whole.memorised:.1%}[/] ({whole.low:.1%} to {whole.high:.1%}) of {whole.examples} examples left "
        f"out are right only where they were trained on; {whole.by_chance:.1%} are lost by chance, where another one "
        f"was left out",
        soft_wrap=True,
    )
    console.print(
        f"an example costs {number(whole.needed)} more without itself, {number(whole.needed_by_chance)} more without "
        f"another",
        soft_wrap=True,
    )
    shown = table("left out, each by itself", item="right", first="right", seen="right", loss="right",
                  without="right", memorised="left")  # fmt: skip
    for one in sorted(found, key=lambda one: -float(one.needed[-1]))[:count]:
        cells = str(one.number), str(one.first), str(one.seen), number(one.loss[-1]), number(one.loss_without[-1])
        shown.add_row(*cells, "yes" if one.memorised[-1] else "no")
    console.print(shown)


def say_estimated(console: Console, found: Estimated, both: Agreement | None, count: int) -> None:
    """An estimate for all examples, and how it compares with exact answers."""
    share, error = float(np.nanmean(found.memorised)), float(np.nanmean(found.memorised_error))
    console.print(
        f"estimated by {found.retrainings} retrainings: {share:.1%} memorised in the mean over {len(found.numbers)} "
        f"examples; the standard error of one example is {error:.1%}",
        soft_wrap=True,
    )
    if both is not None:
        console.print(
            f"against {both.examples} left out exactly: correlation {both.correlation:.2f}, off by {number(both.bias)} "
            f"in the mean and {number(both.error)} root mean square",
            soft_wrap=True,
        )
    shown = table("the most memorised by estimate", item="right", memorised="right", error="right", needed="right")
    order = np.argsort(-np.nan_to_num(found.memorised, nan=-1.0), kind="stable")
    for at in order[:count]:
        cells = number(found.memorised[at]), number(found.memorised_error[at]), number(found.needed[at])
        shown.add_row(str(found.numbers[at]), *cells)
    console.print(shown)
