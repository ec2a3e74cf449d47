"""Whether a person agreed to a change: asked by their client, or shown by a token that only the preview of it tells.

A token is the hash of one command at one place, under a key that this process alone knows; it is good once. So a call
that a model was talked into changes nothing: before, the preview of that very change must have been asked for, in a
call of its own that a client shows.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets

from pydantic import BaseModel, Field

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.command import Command

KEY = secrets.token_bytes(32)
KEPT = 100
"""Previews whose tokens are good."""


class Consent(BaseModel):
    """What a person is asked."""

    agreed: bool = Field(description="Do it")


class Confirmations:
    """The changes that were previewed in one conversation, and not yet made."""

    def __init__(self) -> None:
        self._shown: dict[str, None] = {}

    def issue(self, command: Command, place: str) -> str:
        """The token of a change that is previewed, at a place."""
        token = token_of(command, place)
        self._shown[token] = None
        while len(self._shown) > KEPT:
            del self._shown[next(iter(self._shown))]
        return token

    def redeem(self, command: Command, place: str, token: str) -> None:
        """Uses a token up. Raises OntogenyError for one of anything else."""
        if token not in self._shown or not hmac.compare_digest(token, token_of(command, place)):
            raise OntogenyError(
                "nothing was done: this token is not that of this very change at this very place, or was used "
                "already; call again without it, show the person what it would do, and confirm with the new token"
            )
        del self._shown[token]


def token_of(command: Command, place: str) -> str:
    """The hash of a command that is given at a place."""
    said = {"command": command.NAME, "arguments": command.given(), "place": place}
    return hmac.new(KEY, json.dumps(said, sort_keys=True).encode(), hashlib.sha256).hexdigest()[:20]
