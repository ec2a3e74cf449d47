"""What many contexts have seen, mixed to one prediction by a small network that learns while it reads.

Each context's counts are blended with what the shorter ones before it say, the less the more often it was met (PPM's
escape, Cleary and Witten 1984; here how much is learned). The logarithms of all these probabilities are added up with
weights that a network chooses at every letter, by how sure each context is and which letters came last: the gated
mixing of compressors such as PAQ (Mahoney 2005) and of gated linear networks (Veness et al. 2017), over letters.

Two rules learn at once: Hebb's the synapses of the contexts, gradient descent the mixing.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ontogeny.train.neurons.contexts import Contexts

LITTLE = 1e-4


class Mixing(nn.Module):
    """Scores f32[batch, letters] of what follows stretches i64[batch, reach], by their `contexts`."""

    def __init__(self, contexts: Contexts, width: int = 32, last: int = 2, embedded: int = 8) -> None:
        super().__init__()
        count = len(contexts)
        self.contexts, self.last = contexts, last
        self.embed = nn.Embedding(contexts.letters + 1, embedded)
        self.hidden = nn.Linear(5 * count + last * embedded, width)
        self.out = nn.Linear(width, 2 * count + 1)
        nn.init.zeros_(self.out.weight)
        with torch.no_grad():
            self.out.bias.copy_(torch.tensor([0.0] * count + [1 / count] * count + [0.0]))

    def forward(self, x: Tensor) -> Tensor:
        """Scores of every letter."""
        counts, count = self.contexts(x), len(self.contexts)
        met, kinds = counts.sum(-1), (counts > 0).to(counts.dtype).sum(-1)
        given = torch.cat([_sureness(counts, met, kinds), self.embed(x[:, -self.last :]).flatten(1)], 1)
        said = self.out(torch.tanh(self.hidden(given)))
        escapes = kinds * said[:, :count].exp() + LITTLE
        share, total = torch.full_like(counts[:, 0], 1 / counts.shape[-1]), torch.zeros_like(counts[:, 0])
        for at in range(count):
            escape = escapes[:, at, None]
            share = (counts[:, at] + escape * share) / (met[:, at, None] + escape)
            total = total + said[:, count + at, None] * share.log()
        scores: Tensor = total * said[:, -1:].exp()
        return scores


def _sureness(counts: Tensor, met: Tensor, kinds: Tensor) -> Tensor:
    """How sure contexts may be, f32[batch, 5 contexts]: how often met, how many letters followed, how one-sidedly."""
    top, known = counts.amax(-1), (met > 0).to(counts.dtype)
    alone = (kinds == 1).to(counts.dtype) * met.log1p()
    return torch.cat([met.log1p(), kinds.log1p(), top / met.clamp(min=1.0), known, alone], 1)


def reading_loss(model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Cross entropy in nats of y i64[batch] after x; a network that is learning then remembers what it was told."""
    assert isinstance(model, Mixing)
    scores = model(batch["x"])
    if model.training:
        model.contexts.remember(batch["x"], batch["y"])
    return {"loss": F.cross_entropy(scores, batch["y"])}
