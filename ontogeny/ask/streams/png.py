"""PNG files as frames; needs Pillow, which Matplotlib brings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from ontogeny.isa.errors import DataError

MODES = {"1": "L", "P": "RGB", "LA": "RGBA"}
"""What is made of pictures that are not plain levels: all that they show stays."""


def frames(paths: Sequence[Path]) -> npt.NDArray[np.uint8]:
    """u8[frames, rows, columns] or with channels last. Raises DataError for no pictures, and for different shapes."""
    found = [_read(path) for path in paths]
    shapes = {one.shape for one in found}
    if len(shapes) != 1:
        raise DataError(f"the pictures differ in shape: {', '.join(map(str, sorted(shapes)))}; give those of one shape")
    return np.stack(found)


def _read(path: Path) -> npt.NDArray[np.uint8]:
    try:
        with Image.open(path) as picture:
            if picture.mode.startswith(("I", "F")):
                raise DataError(f"{path} has more than 8 bits a channel; give frames as .npy of 16-bit numbers")
            return np.asarray(picture.convert(MODES.get(picture.mode, picture.mode)), np.uint8)
    except (OSError, UnidentifiedImageError) as error:
        raise DataError(f"{path} cannot be read as a picture ({error})") from error
