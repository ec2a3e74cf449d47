"""Runs as resources: their list, a run's journal and program as text, its curves and its chart as pictures."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp_types import Resource as Listed

from ontogeny.ask.chart import chart
from ontogeny.faces.mcp import answers
from ontogeny.faces.mcp.conversation import Named
from ontogeny.faces.mcp.desk import Desk
from ontogeny.faces.sources import view_of
from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.text import to_text
from ontogeny.record.attach import Attached
from ontogeny.record.run import Run
from ontogeny.record.runs_folder import RunsFolder

ROOT = "ontogeny://runs"
LISTED = 20
"""Runs whose resources are listed one by one; those of the others are read by the same pattern."""
LINES = 500
"""Lines of a journal that are told, the latest."""
SMALL = (480, 200)
"""Columns and rows of a chart's pixels."""
Recorded = Run | Attached


def journal(run: Recorded) -> str:
    """The latest lines of a run's journal, as JSON lines."""
    rows = [
        {"kind": one.kind, "at": one.at, "author": one.author, "time": one.time, **one.content} for one in run.entries
    ]
    return "\n".join(answers.as_text(answers.cleaned(row)) for row in rows[-LINES:])


def program(run: Recorded) -> str:
    """A run's program as text."""
    if not isinstance(run, Run):
        raise OntogenyError(f"{run.folder.name} is the record of a loop that is not ours, and has no program")
    return answers.visible(to_text(run.program))


def curves_svg(run: Recorded) -> str:
    """Loss and accuracy against steps."""
    return _curves(run, "svg").decode()


def curves_png(run: Recorded) -> bytes:
    """The same as pixels."""
    return _curves(run, "png")


def chart_png(run: Recorded) -> bytes:
    """All parameters against steps, as the density of their charts."""
    wide, tall = SMALL
    found = chart(run, columns=wide, rows=tall)
    drawn, target = _drawing("ontogeny.faces.density_picture").draw_density(found, "", False), io.BytesIO()
    drawn.savefig(target, format="png", dpi=_drawing("ontogeny.faces.density_picture").DPI)
    return target.getvalue()


KINDS: dict[str, tuple[str, Callable[[Recorded], str | bytes]]] = {
    "journal": ("application/jsonl", journal),
    "program": ("text/plain", program),
    "curves.svg": ("image/svg+xml", curves_svg),
    "curves.png": ("image/png", curves_png),
    "chart.png": ("image/png", chart_png),
}
"""What can be read of a run: its type, and how it is made."""


def offer(server: MCPServer[Any], desk: Desk) -> None:
    """Lets a server's clients read the runs."""

    @server.resource(ROOT, name="runs", description="The runs at a glance.", mime_type="application/json")
    def runs() -> str:
        return json.dumps(answers.cleaned(desk.listing().result()))

    for kind, (mime, make) in KINDS.items():
        server.resource(f"{ROOT}/{{run}}/{kind}", name=kind, description=_meaning(make), mime_type=mime)(
            _reader(desk, make)
        )


def listed(desk: Desk) -> list[Listed]:
    """The resources of the runs written to last."""
    names = [folder.name for folder in desk.runs.all()[:LISTED] if folder.name == answers.line(folder.name)]
    return [
        Listed(uri=f"{ROOT}/{name}/{kind}", name=f"{name} {kind}", mime_type=mime, description=_meaning(make))
        for name in names
        for kind, (mime, make) in KINDS.items()
    ]


def _reader(desk: Desk, make: Callable[[Recorded], str | bytes]) -> Callable[[str], str | bytes]:
    named: RunsFolder = Named(desk.runs.root)

    def read(run: str) -> str | bytes:
        try:
            folder = named.find(run)
        except OntogenyError as error:
            raise ResourceNotFoundError(answers.cleaned(str(error))) from error
        try:
            return make(desk.open(folder))
        except OntogenyError as error:
            raise ResourceError(answers.cleaned(str(error))) from error

    return read


def _curves(run: Recorded, kind: str) -> bytes:
    drawing, target = _drawing("ontogeny.faces.picture"), io.BytesIO()
    drawing.draw([view_of(run)]).savefig(target, format=kind, metadata={"Date": None} if kind == "svg" else None)
    return target.getvalue()


def _drawing(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise OntogenyError("pictures need Matplotlib: pip install 'ontogeny[demo]'") from error


def _meaning(make: Callable[[Recorded], str | bytes]) -> str:
    return (make.__doc__ or "").strip()
