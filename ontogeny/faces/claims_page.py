"""All claims as one HTML page that needs no network: verdicts, figures with their intervals, pictures, commands."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from string import Template

from ontogeny.claims.claim import Claim
from ontogeny.claims.result import Result
from ontogeny.faces.claims import Pairs, beside, command, figure_rows, short
from ontogeny.faces.claims_picture import svg
from ontogeny.faces.terminal import duration


def page(pairs: Pairs, title: str = "The book of verdicts") -> str:
    """The page, a table first and then a section for each claim."""
    rows = "".join(
        f'<tr><td><a href="#{claim.name}">{escape(claim.sentence)}</a></td><td>{_word(found)}</td>'
        f"<td>{'<br>'.join(map(escape, short(found)))}</td></tr>"
        for claim, found in pairs
    )
    body = "\n".join(
        [
            f"<h1>{escape(title)}</h1>",
            f"<table><tr><th>claim</th><th>verdict</th><th>figures</th></tr>{rows}</table>",
            *(_section(claim, found) for claim, found in pairs),
        ]
    )
    return Template(_file("page.html")).substitute(
        title=escape(title), style=_file("page.css"), body=body, script=_file("page.js")
    )


def _section(claim: Claim, found: Result | None) -> str:
    parts = [
        f'<h2 id="{claim.name}">{escape(claim.sentence)} {_word(found)}</h2>',
        f"<p>{escape(claim.how)}</p>",
    ]
    if found:
        cells = "".join(f"<tr>{''.join(f'<td>{escape(one)}</td>' for one in row)}</tr>" for row in figure_rows(found))
        heads = "<tr><th>expected</th><th>measured</th><th>interval</th><th>verdict</th></tr>"
        seeds = ", ".join(str(one.seed) for one in found.seeds)
        form = "full" if found.full else "quick"
        parts += [
            f"<table>{heads}{cells}</table>",
            svg(found),
            _beside(found),
            f'<p class="soft">{form} form, seeds {seeds}, {duration(found.seconds)} of CPU, {escape(found.date)}</p>',
        ]
    parts.append(f"<p><code>{escape(command(claim))}</code></p>")
    if claim.limits:
        parts.append(f'<p class="soft">{escape(claim.limits)}</p>')
    return "\n".join(parts)


def _beside(found: Result) -> str:
    heads, rows = beside(found)
    if not rows:
        return ""
    parts = [f"<tr>{''.join(f'<{tag}>{escape(one)}</{tag}>' for one in row)}</tr>" for tag, row in
             (("th", heads), *(("td", row) for row in rows))]  # fmt: skip
    return f"<table>{''.join(parts)}</table>"


def _word(found: Result | None) -> str:
    return f"<b>{found.verdict.value}</b>" if found else "not measured"


def _file(name: str) -> str:
    return files("ontogeny.faces").joinpath(name).read_text(encoding="utf-8")
