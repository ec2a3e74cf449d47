"""The reference page of steering, made from the registry: `python -m ontogeny.steer.reference docs/STEERING.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ontogeny.steer.command import Command, Effect, Heading
from ontogeny.steer.live.loop_commands import LOOP
from ontogeny.steer.registry import BY_NAME, COMMANDS

INTRODUCTION = """\
# Steering

This page is generated from the registry of commands by `python -m ontogeny.steer.reference docs/STEERING.md`; do not
edit it.

A **command** is a record of plain arguments. A **session** takes it: it stands at a run and a step of it, the last one
unless it went back. What changes a run changes it from the next step on, as an entry of its journal, and a line says
which command it was, by whom, and what came of it. A session that stands in the past forks there first, so nothing
that was recorded is lost. Every command can be foretold: what it will do, how many steps it computes, and about how
long these take, by the step times of the run's own record.

One and the same command can be given

| from | as |
| --- | --- |
| the shell | `ontogeny mark RUN early`; `--dry-run` only foretells, `--json` answers for programs |
| Python | `og.steering("runs/one").mark(name="early")`; `.foretell("mark", name="early")` |
| words | `ontogeny chat RUN`: what changes a run is previewed and confirmed |
| a program that speaks MCP | `ontogeny mcp` |

The shell has `run` and `switch` of steering as `resume` and `show`. Each of its commands is a session of its own, which
begins at the run's last step: `ontogeny back` only shows a step of a run that is not live, and `ontogeny fork RUN STEP`
makes a run to change from there.

A **live** run has a process of its own (`ontogeny live RUN`) and takes commands between two steps; whoever gives it
one need not know that. A **loop** that is not ours takes some while it runs, once it calls
`og.steerable(recording)`; its record answers questions afterwards.
"""
PLACES = """\
## Places

Where a step is meant: `900`, `-10` (before where one stands), `start`, `last`, the name of a mark, or `before it`,
`when it` or `where it` and what happened: memorised, generalised, spiked, diverged, catapulted, was best.

## Conditions

`valid.accuracy >= 0.99`, `loss < 10%`, `norm(embed.weight) > 10` (also `mean`, `std`, `min`, `max`),
`out.weight[3,7] < 0`, `generalised`, the name of a finding of `diagnose`; joined by `and` and `or`. Nothing of it is
evaluated as code.
"""
ANSWERED = {
    "status",
    "curve",
    "events",
    "why",
    "history",
    "alike",
    "groups",
    "explain",
    "moments",
    "diagnose",
    "switch",
}
"""What the record of a loop that is not ours can be told."""
EXAMPLES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "run": ("run 500 steps", {"steps": 500}),
    "again": ("start again with seed 3", {"seed": 3}),
    "autopilot": ("look after it with a budget of 3x", {"budget": "3x"}),
    "pause": ("pause", {}),
    "resume": ("resume", {}),
    "stop": ("stop the process", {}),
    "back": ("go back to before it generalised", {"to": "before it generalised"}),
    "mark": ("mark this as early", {"name": "early"}),
    "fork": ("fork at 900", {"at": "900"}),
    "switch": ("switch to digits", {"run": "digits"}),
    "keep": ("keep this run", {}),
    "discard": ("discard this run", {}),
    "take-back": ("take back digits-900", {"run": "digits-900"}),
    "set": ("halve the learning rate", {"dial": "lr", "by": 0.5}),
    "call": ("call sleep", {"routine": "sleep"}),
    "rule": ("clip the gradients at 1", {"edit": "clip", "arguments": {"norm": 1.0}}),
    "freeze": ("freeze embed.weight", {"tensors": ["embed.weight"]}),
    "unfreeze": ("unfreeze embed.weight", {"tensors": ["embed.weight"]}),
    "alter": ("prune 20% of out.weight", {"how": "prune", "tensors": ["out.weight"], "amount": 0.2}),
    "leave-out": ("leave out examples 3,17", {"examples": "3,17"}),
    "learn-again": ("learn again from examples 3,17", {"examples": "3,17"}),
    "learn": ("learn examples 3,17 as well", {"examples": "3,17"}),
    "stop-learning": ("remove the extra rows of examples 3,17", {"examples": "3,17"}),
    "mix": ("mix in 25% of examples 0:40", {"examples": "0:40", "share": 0.25}),
    "forget": ("forget examples 3,17", {"examples": "3,17"}),
    "status": ("status", {}),
    "curve": ("show valid.loss", {"of": "valid.loss"}),
    "events": ("what happened", {}),
    "compare": ("compare with digits", {"to": "digits"}),
    "why": ("why is it like that", {}),
    "alike": ("what moves like embed.weight[3,7]", {"element": "embed.weight[3,7]"}),
    "groups": ("which parameters move together", {}),
    "explain": ("why did embed.weight[3,7] change", {"names": "embed.weight[3,7]"}),
    "moments": ("which parameters are unusual", {}),
    "what-if": ("what if the learning rate had been 0.01 from step 900", {"dials": {"lr": 0.01}, "start": 900}),
    "waste": ("what is wasted", {}),
    "cost": ("what does a step cost", {}),
    "diagnose": ("what is wrong", {}),
    "recall": ("what does it remember word for word", {}),
    "capacity": ("how many bits per parameter has it memorised", {}),
    "price": ("what would 10,000 steps cost on an H100", {"for_steps": 10_000, "machine": "8xH100"}),
    "laws": ("fit a scaling law to these runs", {}),
    "undo": ("undo", {}),
    "history": ("history", {}),
}
"""An example of each command: in words, and its arguments."""
KINDS = {
    "string": "text",
    "number": "number",
    "integer": "whole number",
    "boolean": "yes or no",
    "array": "names",
    "object": "names and values",
}


def page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *_listing(), PLACES, *(line for heading in Heading for line in _under(heading))])


def _listing() -> Iterator[str]:
    yield "## All commands\n"
    yield "| command | does | effect | live run | loop |"
    yield "| --- | --- | --- | --- | --- |"
    for kind in COMMANDS:
        live, effect = "by its process" if kind.LIVE else "from its record", kind.EFFECT.name.lower()
        yield f"| [`{kind.NAME}`](#{kind.NAME}) | {kind.MEANING} | {effect} | {live} | {of_loop(kind)} |"
    yield ""
    yield from (f"- *{effect.name.lower()}*: {effect.value}" for effect in Effect)
    yield ""


def of_loop(kind: type[Command]) -> str:
    """Whether a loop that is not ours can be given a command."""
    if kind.NAME in LOOP:
        return "while it runs"
    return "from its record" if kind.NAME in ANSWERED else "no"


def _under(heading: Heading) -> Iterator[str]:
    yield f"## {heading.value}\n"
    for kind in COMMANDS:
        if kind.HEADING is heading:
            yield from _section(kind)


def _section(kind: type[Command]) -> Iterator[str]:
    words, given = EXAMPLES[kind.NAME]
    yield f"### {kind.NAME}\n"
    yield f"{kind.MEANING}\n"
    yield "| argument | takes | default | meaning |"
    yield "| --- | --- | --- | --- |"
    known = kind.model_json_schema()["properties"]
    for name, field in kind.model_fields.items():
        default = "needed" if field.is_required() else shown(field.get_default(call_default_factory=True))
        yield f"| `{name}` | {takes(known[name])} | {default} | {known[name].get('description', '')} |"
    arguments = ", ".join(f"{name}={value!r}" for name, value in given.items()).replace("'", '"')
    yield f'\nIn words: "{words}". In Python: `steering.{kind.NAME.replace("-", "_")}({arguments})`\n'


def takes(schema: Mapping[str, Any]) -> str:
    """What an argument takes, with its range."""
    whole = {**schema, **next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), {})}
    if "enum" in whole:
        return ", ".join(f"`{one}`" for one in whole["enum"])
    above = f"above {whole['exclusiveMinimum']:g}" if "exclusiveMinimum" in whole else ""
    least = f"from {whole['minimum']:g}" if "minimum" in whole else above
    most = f"to {whole['maximum']:,}" if "maximum" in whole else ""
    return " ".join(filter(None, [KINDS[whole["type"]], least, most]))


def shown(value: Any) -> str:
    """A default, as a person writes it."""
    if value is None or value in ("", (), {}):
        return "none"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else f"`{value}`"


def main() -> None:
    """Writes the page."""
    assert set(EXAMPLES) >= set(BY_NAME)
    Path(sys.argv[1]).write_text(page())


if __name__ == "__main__":
    main()
