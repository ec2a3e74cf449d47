"""A run that is recorded like any other, in a folder that is thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ontogeny.data.base import Data
from ontogeny.machine.learner import Learner
from ontogeny.record.run import Run, create


@contextmanager
def temporary(learner: Learner, data: Data, **settings: Any) -> Iterator[Run]:
    """A new run at step 0, settings and errors as of `create`. It is gone when the block ends, and forks beside it."""
    with tempfile.TemporaryDirectory() as folder, create(Path(folder) / "run", learner, data, **settings) as run:
        yield run
