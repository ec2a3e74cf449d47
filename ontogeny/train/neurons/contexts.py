"""Detectors of what was read last, each with synapses to what follows that grow by Hebb's rule.

A context is a number of last letters, or the present word and so many before it. For each there is a detector, and its
synapse to a letter grows by 1 whenever the two were on together: pre times post, both of which are one or zero. Some
detectors fade: whenever one is on, all its synapses first shrink to a share of what they were, so that it says what
followed it lately. What they say together is weighed elsewhere (`mixing.py`).

There are more contexts than one could lay out, so a synapse lies in a row of a table found by a hash of detector and
letter, summed from random numbers (tabulation hashing: Zobrist 1970; Carter and Wegman 1979). A second hash of 24 bits
lies beside it, so that a row of another synapse is told from the own one; where two want one row the later one has it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ontogeny.isa.errors import CaptureError

WIDE = 1 << 62
TAGS = 1 << 24
"""A tag is a whole number below this, which f32 holds exactly."""


class Contexts(nn.Module):
    """How often each letter has followed the contexts that end a stretch of text: f32[batch, contexts, letters].

    First come the detectors that are `fading`, each of so many last letters, then those of `spans`, of so many too,
    and of `words`, of the present word and so many before it, all within the `reach` last letters. `wordly` says of
    each letter whether words are made of it. Stretches are i64[batch, reach], the last letter last, and may begin with
    `letters`, the number of no letter. `synapses` f32[rows, 2] has tags and counts. Raises CaptureError where rows are
    no power of two, a span is longer than the reach, or there is no detector.
    """

    placed: Tensor
    paired: Tensor
    kinds: Tensor
    following: Tensor
    wordly: Tensor
    synapses: Tensor

    def __init__(
        self, wordly: Sequence[bool], spans: Sequence[int], words: Sequence[int] = (), fading: Sequence[int] = (),
        *, keep: float = 0.7, reach: int = 32, rows: int = 1 << 21, seed: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        if rows < 2 or rows & (rows - 1):
            raise CaptureError(f"a table of {rows} rows; give a power of two")
        self.spans, self.words, self.fading = (*fading, *spans), tuple(words), len(fading)
        if not 1 <= max(self.spans, default=1) <= reach:
            raise CaptureError(f"a context of {max(self.spans)} letters in a reach of {reach}; give a longer reach")
        if not len(self):
            raise CaptureError("detectors of no context; give spans of letters, or numbers of words")
        self.letters, self.rows, self.keep = len(wordly), rows, keep
        random = torch.Generator().manual_seed(seed)
        several = self.letters + 1

        def drawn(*shape: int) -> Tensor:
            return torch.randint(WIDE, (*shape, 2), generator=random)

        self.register_buffer("placed", drawn(reach, several))
        self.register_buffer("paired", drawn(several, several))
        self.register_buffer("kinds", drawn(len(self)))
        self.register_buffer("following", drawn(self.letters))
        self.register_buffer("wordly", torch.tensor([*wordly, False]))
        self.register_buffer("synapses", torch.zeros(rows, 2))

    def __len__(self) -> int:
        return len(self.spans) + len(self.words)

    def forward(self, x: Tensor) -> Tensor:
        """The counts of all letters behind the contexts that x ends in."""
        return self._read(*self._rows(self._keys(x)[:, :, None] + self.following))

    def remember(self, x: Tensor, y: Tensor) -> None:
        """The synapses from the contexts that x ends in to the letters y, i64[batch], grow by 1.

        A detector that is on several times in a batch fades once.
        """
        keys = self._keys(x)
        if self.fading:
            self._fade(keys[:, : self.fading])
        places, tags = (each.flatten() for each in self._rows(keys + self.following[y][:, None]))
        self.synapses.index_put_((places,), torch.stack([tags, self._read(places, tags)], 1))
        self.synapses.index_put_((places,), torch.tensor([0.0, 1.0]).expand(len(places), 2), accumulate=True)

    def _fade(self, keys: Tensor) -> None:
        """All synapses of detectors, by their keys i64[batch, detectors, 2], shrink."""
        places, tags = self._rows(keys[:, :, None] + self.following)
        found = self.synapses[places]
        left = torch.where(found[..., 0] == tags, self.keep * found[..., 1], found[..., 1])
        self.synapses.index_put_((places,), torch.stack([found[..., 0], left], -1))

    def _read(self, places: Tensor, tags: Tensor) -> Tensor:
        """What lies in rows for keys of these tags."""
        found = self.synapses[places]
        return torch.where(found[..., 0] == tags, found[..., 1], 0.0)

    def _rows(self, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Rows of the table, i64[...], and tags, f32[...], of keys [..., 2]."""
        return keys[..., 0] & (self.rows - 1), (keys[..., 1] & (TAGS - 1)).to(torch.float32)

    def _keys(self, x: Tensor) -> Tensor:
        """A key for each context that x ends in: i64[batch, contexts, 2]."""
        back = x.flip(1)
        letters = self.placed[torch.arange(x.shape[1]), back]
        keys = [letters[:, :span].sum(1) for span in self.spans]
        keys += [(self._pairs(back) * within[..., None]).sum(1) for within in self._written(back)]
        return torch.stack(keys, 1) + self.kinds

    def _pairs(self, back: Tensor) -> Tensor:
        """A random number for each letter and the one before it, those of no word all alike: i64[batch, reach, 2]."""
        named = torch.where(self.wordly[back], back, self.letters)
        return self.paired[named, torch.cat([named[:, 1:], torch.full_like(named[:, :1], self.letters)], 1)]

    def _written(self, back: Tensor) -> list[Tensor]:
        """For each of `words`, which letters are in the present word or the so many before it: bool[batch, reach]."""
        within = self.wordly[back]
        behind = torch.cat([torch.ones_like(within[:, :1]), within[:, :-1]], 1)
        number = (within & ~behind).long().cumsum(1)
        return [within & (number <= before) for before in self.words]
