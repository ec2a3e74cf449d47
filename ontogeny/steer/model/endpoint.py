"""An OpenAI-compatible endpoint: a conversation and tools in, an answer out. Nothing is sent unless one is configured.

ONTOGENY_MODEL_URL   http://127.0.0.1:11434/v1   (Ollama, llama.cpp, vLLM, or a hosted one)
ONTOGENY_MODEL       qwen3:8b                    the model's name there
ONTOGENY_MODEL_KEY   optional: sent as a bearer token, and never kept, shown or logged
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from ontogeny.isa.errors import OntogenyError

URL = "ONTOGENY_MODEL_URL"
NAME = "ONTOGENY_MODEL"
KEY = "ONTOGENY_MODEL_KEY"
MOST = 1 << 20
"""Bytes of an answer that are read."""
CONNECT, PATIENCE = 5.0, 60.0
"""Seconds to wait for a connection, and for the next piece of an answer."""
LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the model called, with its arguments as the text that it wrote."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said: words, and calls of tools."""

    text: str
    calls: tuple[Call, ...]

    def message(self) -> dict[str, Any]:
        """The answer as a message of the conversation."""
        calls = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in self.calls
        ]
        return {"role": "assistant", "content": self.text or None, **({"tool_calls": calls} if calls else {})}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model answers, and what it is called there."""

    url: str
    model: str
    key: str = field(default="", repr=False)
    patience: float = PATIENCE

    @property
    def local(self) -> bool:
        """Whether it is on this machine, so that nothing leaves it."""
        return urlsplit(self.url).hostname in LOCAL

    def ask(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> Answer:
        """What the model answers to a conversation. Raises OntogenyError, without the key, where it does not."""
        body = {"model": self.model, "messages": list(messages), "tools": list(tools), "stream": True, "temperature": 0}
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        try:
            with (
                httpx.Client(timeout=httpx.Timeout(self.patience, connect=CONNECT), follow_redirects=False) as client,
                client.stream("POST", f"{self.url.rstrip('/')}/chat/completions", json=body, headers=headers) as answer,
            ):
                if answer.status_code != 200:
                    raise OntogenyError(_refused(self, answer))
                return _gathered(_pieces(answer))
        except httpx.TimeoutException as error:
            raise OntogenyError(f"the model at {self.url} did not answer within {self.patience:g} s") from error
        except httpx.HTTPError as error:
            raise OntogenyError(f"the model at {self.url} cannot be reached: {type(error).__name__}") from error


def configured() -> Endpoint | None:
    """The endpoint that the environment names; None where it names none. Raises OntogenyError for half of one."""
    url, model = os.environ.get(URL, "").strip(), os.environ.get(NAME, "").strip()
    if not url and not model:
        return None
    if not (url and model):
        raise OntogenyError(f"set both {URL} and {NAME}, or neither: {NAME if url else URL} is missing")
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise OntogenyError(f"{URL} is {url!r}; an address such as http://127.0.0.1:11434/v1 was expected")
    return Endpoint(url, model, os.environ.get(KEY, ""))


def _refused(endpoint: Endpoint, answer: httpx.Response) -> str:
    """A refusal in words, with what the endpoint said clipped to a line, and the key taken out where it was echoed."""
    said = b"".join(_bounded(answer.iter_bytes(), 2000)).decode(errors="replace")
    said = " ".join((said.replace(endpoint.key, "***") if endpoint.key else said).split())[:200]
    return f"the model at {endpoint.url} refused with status {answer.status_code}: {said}"


def _bounded(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    taken = 0
    for piece in pieces:
        yield piece[: most - taken]
        taken += len(piece)
        if taken >= most:
            return


def _pieces(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """The parts of a streamed answer, or the one part of an answer that was not streamed after all."""
    if "event-stream" not in answer.headers.get("content-type", ""):
        yield _object(b"".join(_bounded(answer.iter_bytes(), MOST)).decode(errors="replace"))
        return
    taken = 0
    for line in answer.iter_lines():
        taken += len(line)
        if taken > MOST:
            raise OntogenyError(f"the model's answer is longer than {MOST} bytes")
        if line.startswith("data:") and (data := line[5:].strip()) and data != "[DONE]":
            yield _object(data)


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OntogenyError(f"the model's answer is not JSON: {text[:80]!r}") from error
    if not isinstance(found, dict):
        raise OntogenyError(f"the model's answer is not of the protocol: {text[:80]!r}")
    if found.get("error"):
        raise OntogenyError(f"the model refused: {str(found['error'])[:200]}")
    return found


def _gathered(pieces: Iterator[dict[str, Any]]) -> Answer:
    """The whole answer from its parts. Whatever is not of the protocol is passed over."""
    text: list[str] = []
    calls: dict[int, dict[str, str]] = {}
    for piece in pieces:
        for choice in piece.get("choices") or ():
            said = (choice.get("delta") or choice.get("message") or {}) if isinstance(choice, dict) else {}
            if isinstance(said.get("content"), str):
                text.append(said["content"])
            for place, part in enumerate(said.get("tool_calls") or ()):
                if isinstance(part, dict):
                    _add(calls.setdefault(int(part.get("index", place)), {"id": "", "name": "", "arguments": ""}), part)
    made = [Call(one["id"] or f"call-{at}", one["name"], one["arguments"]) for at, one in sorted(calls.items())]
    return Answer("".join(text).strip(), tuple(made))


def _add(call: dict[str, str], part: Mapping[str, Any]) -> None:
    function = part.get("function") or {}
    call["id"] = call["id"] or str(part.get("id") or "")
    call["name"] += str(function.get("name") or "") if not call["name"] else ""
    arguments = function.get("arguments")
    call["arguments"] += arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments else ""
