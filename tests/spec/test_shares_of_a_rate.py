"""A learning rate of 10% is a tenth of what it is, as people mean it, never 0.1. A share of momentum is a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from ontogeny.steer.phrases.reader import PhraseReader
from ontogeny.steer.session import Session
from tests.small import begin


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder: Path = tmp_path_factory.mktemp("shares")
    with begin(folder / "one") as run:
        run.advance(2)
    return Session(folder, "one")


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("set lr 10%", {"by": 0.1}),
        ("set lr=10%", {"by": 0.1}),
        ("set lr to 10%", {"by": 0.1}),
        ("cut the learning rate to 25 percent", {"by": 0.25}),
        ("the learning rate to ten percent", {"by": 0.1}),
        ("make lr 150%", {"by": 1.5}),
        ("reduce the lr to 10% over 5 steps", {"by": 0.1, "over": 5}),
        ("lower the learning rate by 10%", {"by": 0.9}),
        ("lr down 30%", {"by": 0.7}),
        ("set the lr 20% lower", {"by": 0.8}),
        ("bump lr 10%", {"by": 1.1}),
        ("reduce lr 10%", {"by": 0.9}),
        ("lower the learning rate 10%", {"by": 0.9}),
        ("set momentum to 90%", {"dial": "momentum", "to": 0.9}),
    ],
)
def test_a_share_of_a_rate_is_of_what_it_is(session: Session, words: str, given: dict[str, object]) -> None:
    (command,) = PhraseReader().read(words, session).commands
    assert command.given() == {"dial": "lr", **given}
