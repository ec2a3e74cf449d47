"""The chat with a language model: asked only where one is configured and the phrases do not understand."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ontogeny.faces.cli import app
from ontogeny.record.run import open_run
from ontogeny.steer.model import endpoint
from tests.regression import begin

ODD = "it feels as though it stumbled about, could that be done more gently somehow"
PROPOSES = {
    "index": 0,
    "id": "a",
    "function": {"name": "change", "arguments": '{"command": "set", "dial": "lr", "by": 0.5}'},
}


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    found: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            first = found[-1]["messages"][-1]["role"] == "user"
            delta = {"tool_calls": [PROPOSES]} if first else {"content": "I would halve the rate."}
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            self.wfile.write(f"data: {json.dumps({'choices': [{'delta': delta}]})}\n\ndata: [DONE]\n\n".encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with begin(tmp_path / "one") as run:
        run.advance(3)
    monkeypatch.setenv("ONTOGENY_RUNS", str(tmp_path))
    monkeypatch.setenv(endpoint.URL, f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv(endpoint.NAME, "tiny")
    yield found
    server.shutdown()
    server.server_close()


def said(text: str, answer: str = "") -> str:
    result = CliRunner().invoke(app, ["chat", "one", "-c", text], input=answer)
    return result.output


def lr(folder: Path) -> float:
    return open_run(folder / "one").dials()["lr"]


def test_a_models_change_is_shown_and_not_done_unless_confirmed(asked: list[Any], tmp_path: Path) -> None:
    output = said(ODD, "n\n")
    assert "I would halve the rate." in output and "turn lr of one from 0.05 to 0.025" in output
    assert lr(tmp_path) == 0.05
    said(ODD, "y\n")
    assert lr(tmp_path) == 0.025


def test_it_is_not_asked_what_the_phrases_understand(asked: list[Any]) -> None:
    said("what is the loss?")
    assert not asked


def test_nothing_is_sent_where_none_is_configured(asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(endpoint.URL)
    monkeypatch.delenv(endpoint.NAME)
    said(ODD)
    assert not asked
