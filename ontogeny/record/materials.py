"""The data of a run when it is opened again: the saved copy, or the same data given again, proved by fingerprint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from ontogeny.data.arrays import Arrays
from ontogeny.data.base import Array, Data, content_hash
from ontogeny.data.store import load, load_tensors
from ontogeny.isa.errors import DataError
from ontogeny.record.creating import DATA, VALID, valid_inputs


def find_data(folder: Path, kept: Mapping[str, Any], given: Data | None) -> Data:
    """The data that a run learns from. Raises DataError where it is neither saved nor given, or is another."""
    if given is None and not kept["saved"]:
        raise DataError(f"the data of {folder} was too large to be saved with it; pass data= when opening it")
    data = load(folder / DATA) if given is None else given
    if data.fingerprint != kept["fingerprint"]:
        raise DataError(
            f"this is not the data that {folder} was made with (fingerprint {data.fingerprint}, "
            f"expected {kept['fingerprint']}): its values, batch size or seed differ. Pass the original dataset"
        )
    return data


def find_valid(
    folder: Path, kept: Mapping[str, Any] | None, given: Arrays | Mapping[str, Array] | None
) -> dict[str, Array] | None:
    """The validation data of a run, by input name, or None. Raises as `find_data` does."""
    if kept is None:
        return None
    if given is None and not kept["saved"]:
        raise DataError(f"the validation data of {folder} was too large to be saved; pass valid= when opening it")
    try:
        valid = valid_inputs(given) or load_tensors(folder / DATA / VALID, kept["bf16"])
    except (OSError, SafetensorError) as error:
        raise DataError(f"the validation data of {folder} cannot be read ({error}); pass valid= instead") from error
    if content_hash(valid) != kept["fingerprint"]:
        raise DataError(f"this is not the validation data that {folder} was made with; pass the original")
    return valid
