"""The page of commands is the one that the registry makes; its examples are commands, and words that mean them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import ontogeny as og
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.command import Command, Heading
from ontogeny.steer.live.loop_commands import LOOP
from ontogeny.steer.phrases.context import Context
from ontogeny.steer.phrases.grammar import SAID
from ontogeny.steer.phrases.reader import read
from ontogeny.steer.reference import ANSWERED, EXAMPLES, page
from ontogeny.steer.registry import BY_NAME, COMMANDS, command
from ontogeny.steer.session import Session

PAGE = Path(__file__).parents[2] / "docs" / "STEERING.md"
CONTEXT = Context(
    run="modular",
    step=1000,
    last=1000,
    tensors=("embed.weight", "out.weight"),
    matrices=("embed.weight", "out.weight"),
    dials={"lr": 0.01, "weight_decay": 0.1},
    metrics=("loss", "valid.loss"),
    inputs=("x", "y"),
    runs=("modular", "digits"),
    discarded=("digits-900",),
)


def test_the_page_is_generated() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m ontogeny.steer.reference docs/STEERING.md"


def test_nothing_is_left_out() -> None:
    assert set(EXAMPLES) == set(BY_NAME)
    assert set(LOOP) <= set(BY_NAME) and set(BY_NAME) >= ANSWERED
    assert [heading.value for heading in Heading if f"\n## {heading.value}\n" not in page()] == []
    for kind in COMMANDS:
        assert f"\n### {kind.NAME}\n" in page()
        assert all(f"| `{name}` | " in page() for name in kind.model_fields)


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_the_words_of_an_example_mean_its_command(name: str) -> None:
    words, arguments = EXAMPLES[name]
    assert name in SAID, "the chat has no phrase for it"
    reading = read(words, CONTEXT)
    assert list(reading.commands) == [command(name, arguments)], reading.unsure


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the record of a loop, and a run beside it."""
    home = tmp_path_factory.mktemp("loops")
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with og.attach(model, optimizer, home / "loop") as recording:
        for _ in range(20):
            loss = model(torch.randn(4, 3)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            recording.step(loss)
    return home


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.NAME)
def test_the_record_of_a_loop_answers_or_says_why_not(kind: type[Command], loop: Path) -> None:
    given = {key: value for key, value in EXAMPLES[kind.NAME][1].items() if key != "run"}
    given |= dict.fromkeys(given.keys() & {"element", "names"}, "weight[1,2]")
    given |= {"tensors": ["weight"]} if "tensors" in given else {}
    given |= {"of": "loss"} if "of" in given else {}
    given |= {"run": "loop"} if kind.NAME in ("switch", "take-back") else {}
    session = Session(RunsFolder(loop), "loop")
    if kind.NAME in ANSWERED:
        assert session.do(command(kind.NAME, given)).text
        return
    with pytest.raises(OntogenyError) as said:
        session.do(command(kind.NAME, given))
    assert "\n" not in str(said.value)
