"""The server over HTTP, for clients of this machine that have the token, and for nobody else.

A stranger on the network cannot reach it: only loopback addresses are served. A web page in the owner's browser can
reach it, but says where it comes from (Origin) or by which name it asked (Host), and has no token. Whatever fails one
of these is answered before its body is read.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
import secrets
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import UNSUPPORTED_PROTOCOL_VERSION
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ontogeny.faces.mcp.desk import MOST, SILENT
from ontogeny.faces.mcp.server import SteeringServer
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.disk import disk

PATH = "/mcp"
LARGEST = 1 << 20
"""Bytes of a request."""
TOKEN_FILE = "mcp-token"
VERSION = "mcp-protocol-version"


def serve(
    server: SteeringServer, host: str, port: int, token_file: str, told: Callable[[str, Path, str], None]
) -> None:
    """Serves until it is interrupted; `told(url, token file, new token)` is called once it listens.

    Raises OntogenyError for an address that others could reach, or that is taken.
    """
    _loopback(host)
    path = Path(token_file) if token_file else default_token_file()
    token, new = kept_token(path)
    listening = _listening(host, port)
    names = allowed_hosts(listening.getsockname()[1])
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        max_request_body_size=LARGEST,
        max_sessions=MOST,
        session_idle_timeout=SILENT,
        transport_security=TransportSecuritySettings(
            allowed_hosts=names, allowed_origins=[f"http://{name}" for name in names]
        ),
    )
    told(
        f"http://{host if ':' not in host else f'[{host}]'}:{listening.getsockname()[1]}{PATH}",
        path,
        token if new else "",
    )
    settings = uvicorn.Config(
        Guard(app, token, names),
        log_level="error",
        access_log=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=2,
    )
    uvicorn.Server(settings).run(sockets=[listening])


class Guard:
    """Lets requests through that name this server, come from no web page, and have the token."""

    def __init__(self, app: ASGIApp, token: str, names: list[str]) -> None:
        self.app, self.token, self.names = app, token, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or passes it on."""
        refused = self.refusal(Headers(scope=scope)) if scope["type"] == "http" else None
        await (refused or self.app)(scope, receive, send)

    def refusal(self, headers: Headers) -> Response | None:
        """What to answer to a request that is not let through, None for one that is."""
        if headers.get("host", "") not in self.names:
            return Response("this server is called by its loopback address alone", 421)
        if "origin" in headers and headers["origin"] not in [f"http://{name}" for name in self.names]:
            return Response("web pages of other origins are not served", 403)
        scheme, _, given = headers.get("authorization", "").partition(" ")
        held = hmac.compare_digest(given.lstrip(" ").encode(), self.token.encode())
        if scheme.lower() != "bearer" or not held:  # RFC 9110: the name of a scheme is the same in any case
            said = "the token is missing or wrong; `ontogeny mcp --http` says where it is kept"
            return Response(said, 401, {"WWW-Authenticate": "Bearer"})
        version = headers.get(VERSION)
        if version is not None and version not in HANDSHAKE_PROTOCOL_VERSIONS:
            return _by_handshake(version)
        return None


def _by_handshake(version: str) -> Response:
    """What tells a client to begin a session, in which it stands at a run and a step: the newest form has none."""
    data = {"supported": list(HANDSHAKE_PROTOCOL_VERSIONS), "requested": version}
    error = {"code": UNSUPPORTED_PROTOCOL_VERSION, "message": "sessions are needed here: initialize", "data": data}
    return JSONResponse({"jsonrpc": "2.0", "id": None, "error": error}, 400)


def allowed_hosts(port: int) -> list[str]:
    """By what names clients may call a server at a port of this machine."""
    return [f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")]


def default_token_file() -> Path:
    """Where the token is kept: with the owner's other settings."""
    root = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(root) / "ontogeny" / TOKEN_FILE


def kept_token(path: Path) -> tuple[str, bool]:
    """The token that a file holds, and whether it was made just now. OntogenyError where others may read it."""
    with disk("making", path.parent):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with disk("writing", path):
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
    except OntogenyError as error:
        if not isinstance(error.__cause__, FileExistsError):
            raise
        return _read(path), False
    token = secrets.token_urlsafe(32)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{token}\n")
    return token, True


def _read(path: Path) -> str:
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise OntogenyError(f"{path} may be read by others, so its token is none; remove it, and another is made")
    token = path.read_text().strip()
    if len(token) < 20:
        raise OntogenyError(f"{path} holds no token; remove it, and another is made")
    return token


def _loopback(host: str) -> None:
    try:
        safe = ipaddress.ip_address(host).is_loopback
    except ValueError:
        safe = host == "localhost"
    if not safe:
        raise OntogenyError(
            f"{host} could be reached from elsewhere; this is served at 127.0.0.1, localhost or ::1 alone"
        )


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise OntogenyError(
            f"port {port} of {host} cannot be had: {error.strerror}; give another with --port"
        ) from error
