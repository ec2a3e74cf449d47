"""A run, or several side by side, as one HTML page that needs no network: curves, journal, cost, program and proof."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template

import numpy as np

from ontogeny.faces.chart import chart, key
from ontogeny.faces.costs import Line, top
from ontogeny.faces.terminal import amount, number, size
from ontogeny.faces.view import View
from ontogeny.faces.words import said
from ontogeny.isa.program import Program
from ontogeny.isa.text import to_text
from ontogeny.record.journal import Entry

MOST_ENTRIES = 500
MOST_TEXT = 2_000_000


def page(runs: Sequence[View], title: str = "", proof: str = "") -> str:
    """The page of the first run, with the others beside it in the curves. `proof` says what a replay found."""
    main = runs[0]
    parts = [
        f"<h1>{escape(title or main.name)}</h1>",
        f'<p class="soft">{_what(main)}</p>',
        _facts(main),
        _curves(runs),
        "".join(_journal(run) for run in runs),
        _tensors(main) if main.program is None else _cost(main.program),
        _proof(runs, proof),
        "" if main.program is None else _program(main.program),
    ]
    return Template(_file("page.html")).substitute(
        title=escape(title or main.name), style=_file("page.css"), body="\n".join(parts), script=_file("page.js")
    )


def _file(name: str) -> str:
    return files("ontogeny.faces").joinpath(name).read_text(encoding="utf-8")


def _what(run: View) -> str:
    if run.program is None:
        return "The record of a loop: values of its parameters, step by step, and what it told of itself."
    return (
        f"A run of the program <b>{escape(run.program.name)}</b>: a pure function of program, data, seed and journal."
    )


def _facts(run: View) -> str:
    facts: dict[str, str] = {"steps": f"{run.step:,}"}
    facts["parameters"] = amount(run.parameters)
    for measure in run.measures()[:2]:
        for kind, (_, values) in run.lines(measure).items():
            known = values[np.isfinite(values)] if run.program is None else values
            shown = f"{known[-1]:.2%}" if "accuracy" in measure else number(float(known[-1]))
            facts[f"{kind} {measure}"] = shown
    facts |= {name: str(value) for name, value in run.about.items() if value is not None}
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts.items())
    return f'<dl class="facts">{cells}</dl>'


def _curves(runs: Sequence[View]) -> str:
    measures = list(dict.fromkeys(measure for run in runs for measure in run.measures()))
    figures = "".join(chart(runs, measure, place) for place, measure in enumerate(measures))
    return f'<h2 id="curves">Curves</h2>{key(runs)}{figures}{_evaluations(runs[0])}'


def _evaluations(run: View) -> str:
    if not run.evaluations:
        return ""
    names = list(dict.fromkeys(name for row in run.evaluations for name in row))
    rows = [[number(row[name]) if name in row else "" for name in names] for row in run.evaluations]
    return f"<details><summary>Every evaluation as a table</summary>{_table('', names, rows, names)}</details>"


def _journal(run: View) -> str:
    entries = run.journal[-MOST_ENTRIES:]
    rows = [[str(entry.at), entry.kind, said(entry), entry.author, _when(entry)] for entry in entries]
    left_out = len(run.journal) - len(entries)
    caption = f"The {len(entries)} latest of {len(run.journal)} entries" if left_out else ""
    body = _table(caption, ["step", "what", "how", "by", "when (UTC)"], rows, ["step"])
    return f"<h2>Journal of {escape(run.name)}</h2>{body}"


def _when(entry: Entry) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(entry.time)) if entry.time else ""


def _tensors(run: View) -> str:
    rows = [[t.name, t.dtype.value, " x ".join(map(str, t.shape)), f"{t.size:,}"] for t in run.tensors]
    heads = ["tensor", "format", "shape", "parameters"]
    return f'<h2 id="tensors">What was recorded</h2>{_table("", heads, rows, ["parameters"])}'


def _cost(program: Program) -> str:
    routine = "learn" if program.has("learn") else program.routines[0].name if program.routines else ""
    if not routine:
        return ""
    lines, total = top(program, routine, 10)
    rows = [_cost_row(line, total.operations) for line in lines]
    caption = (
        f"One call of {routine}: {amount(total.operations)} operations, {size(total.bytes)} read and written. "
        "The ten instructions that compute the most:"
    )
    heads = ["instruction", "phase", "your line", "operations", "share", "bytes"]
    body = _table(caption, heads, rows, ["operations", "share", "bytes"])
    return f'<h2 id="cost">Cost</h2>{body}'


def _cost_row(line: Line, total: float) -> list[str]:
    share = line.operations / total if total else 0.0
    return [line.text, line.phase, line.where, amount(line.operations), f"{share:.1%}", size(line.bytes)]


def _proof(runs: Sequence[View], proof: str) -> str:
    rows = [[run.name, str(run.step), run.final] for run in runs if run.program is not None]
    if not rows:
        return ""
    body = _table("", ["run", "step", "hash of the whole state"], rows, ["step"])
    words = (
        "Every step's state was hashed as it was computed; a replay with the same hashes is the same run, bit for bit."
    )
    return f'<h2 id="proof">Proof</h2><p class="soft">{words}</p>{body}<p>{escape(proof)}</p>'


def _program(program: Program) -> str:
    text = to_text(program)
    if len(text) > MOST_TEXT:
        text = text[:MOST_TEXT] + "\n# ... cut here; ontogeny disasm shows the whole"
    count = sum(len(routine.body) for routine in program.routines)
    return (
        f'<h2 id="program">Program</h2><details><summary>{count:,} instructions as text</summary>'
        f'<pre tabindex="0">{escape(text)}</pre></details>'
    )


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str]) -> str:
    sides = ['class="right"' if head in right else "" for head in heads]
    top_row = "".join(f'<th scope="col" {side}>{escape(head)}</th>' for head, side in zip(heads, sides, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f"<td {_side(side, cell)}>{escape(cell)}</td>" for cell, side in zip(row, sides, strict=True))
        + "</tr>"
        for row in rows
    )
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f'<div class="scroll"><table>{above}<thead><tr>{top_row}</tr></thead><tbody>{body}</tbody></table></div>'


def _side(side: str, cell: str) -> str:
    return side or ('class="mono"' if cell.startswith(("%", "commit", "assert")) else "")
