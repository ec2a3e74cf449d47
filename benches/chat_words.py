"""What the chat makes of words without a language model: how many it reads rightly, and how long that takes.

Four files of paraphrases (tests/phrases/README.md): two that the weights are fitted to, one that choices were made by,
and one that nobody who works on the reader has seen.
Every reading that does more than ask is then said to a real run in a chat that answers "no":
a journal that has changed after it is a change that nobody confirmed. A change that is read wrongly would be shown and
asked about; how many of those there are is told beside, and how many would be done unasked where a person has allowed
that (misread_unasked).
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from chat_compared import CONTEXT, lines, right
from common import ROOT, Figures, arguments, close, one_thread, peers
from rich.console import Console
from torch import nn

import ontogeny as og
from ontogeny.faces.chat import Chat
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.command import Effect
from ontogeny.steer.phrases.grammar import grammar
from ontogeny.steer.phrases.reader import PhraseReader, read
from ontogeny.steer.reading import Reading
from ontogeny.steer.session import Session

FILES = ("tuning", "tuning_blind", "validation", "heldout")
STEPS = 30


def main() -> None:
    """All files, then the changes that nobody confirmed."""
    arguments(__doc__ or "")
    one_thread()
    figures: Figures = {}
    started = time.process_time()
    grammar()
    figures["load_ms"] = round(1000 * (time.process_time() - started))
    moving: list[str] = []
    for name in FILES:
        moving += of_file(name, figures)
    with tempfile.TemporaryDirectory() as home:
        begin(Path(home) / "modular")
        figures["wrong_changes"] = unconfirmed(Path(home), moving)
    figures["said_to_a_run"] = len(moving)
    for name, value in figures.items():
        print(f"  {name:24} {value}")
    targets = {"right_heldout": (">=", 0.9), "wrong_changes": ("<=", 0.0), "p95_ms": ("<=", 50.0)}
    close("chat_words", figures, targets, peers("torch"))


def of_file(name: str, figures: Figures) -> list[str]:
    """A file's figures; the words that are read as more than questions."""
    phrases = lines(ROOT / "tests" / "phrases" / f"{name}.jsonl")
    readings: list[Reading] = []
    taken: list[float] = []
    for phrase in phrases:
        started = time.process_time()
        readings.append(read(phrase["words"], CONTEXT))
        taken.append(1000 * (time.process_time() - started))
    good = [right(phrase["expect"], one.commands) for phrase, one in zip(phrases, readings, strict=True)]
    taken.sort()
    figures[f"phrases_{name}"] = len(phrases)
    figures[f"right_{name}"] = round(sum(good) / len(good), 4)
    figures[f"misread_changes_{name}"] = sum(one.changes and not ok for one, ok in zip(readings, good, strict=True))
    figures[f"misread_unasked_{name}"] = sum(
        one.changes and one.sure and not ok for one, ok in zip(readings, good, strict=True)
    )
    figures[f"p50_ms_{name}"] = round(taken[len(taken) // 2], 2)
    figures["p95_ms"] = max(round(taken[int(0.95 * len(taken))], 2), figures.get("p95_ms") or 0)
    return [phrase["words"] for phrase, one in zip(phrases, readings, strict=True) if _moves(one)]


def _moves(reading: Reading) -> bool:
    return any(command.EFFECT is not Effect.ASKS for command in reading.commands)


def unconfirmed(home: Path, said: Sequence[str]) -> int:
    """How often a journal changed though every question was answered with no."""
    session = Session(RunsFolder(home), "modular")
    chat = Chat(session, (PhraseReader(),), Console(file=io.StringIO()), lambda prompt, text: "n", quiet=True)
    before, changed = journals(home), 0
    for words in said:
        session.move(home / "modular")
        chat.take(words)
        after = journals(home)
        changed += after != before
        before = after
    return changed


def journals(home: Path) -> dict[str, Any]:
    """The bytes of every journal beneath a folder."""
    return {str(file): file.read_bytes() for file in sorted(home.rglob("journal.jsonl"))}


class Modular(nn.Module):
    """Parameters called like those of the example, and very few of them."""

    def __init__(self) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.randn(3, 4) * 0.1)
        self.embed = nn.Embedding(8, 4)
        self.query, self.out = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
        self.key_value = nn.Linear(4, 4, bias=False)
        self.up, self.down = nn.Linear(4, 8), nn.Linear(8, 4)
        self.unembed = nn.Linear(4, 7, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits [batch, 7] of numbers [batch, 3]."""
        h = self.embed(x) + self.position
        h = h + self.out(self.key_value(self.query(h)))
        h = h + self.down(torch.relu(self.up(h)))
        return self.unembed(h[:, -1])


def begin(folder: Path) -> None:
    """A run of some steps of modular addition, too small to learn it."""
    torch.manual_seed(0)
    pairs = torch.cartesian_prod(torch.arange(7), torch.arange(7))
    x = torch.cat([pairs, torch.full((49, 1), 7)], 1)
    data = {"x": x.numpy(), "y": (pairs.sum(1) % 7).numpy()}

    def loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return nn.functional.cross_entropy(model(batch["x"]), batch["y"])

    first = {name: torch.from_numpy(values[:16]) for name, values in data.items()}
    learner = og.capture(Modular(), loss, og.adamw(lr=0.015, weight_decay=1.0), first)
    with og.create(folder, learner, og.Arrays(data, batch_size=16), seed=1) as run:
        run.advance(STEPS)


if __name__ == "__main__":
    main()
