"""Every kind of finding, one file each; a new kind is a new file and one line here."""

from ontogeny.ask.findings import (
    diverging,
    duplicated_examples,
    leakage,
    memorising,
    stalled,
)
from ontogeny.ask.kind import Kind

KINDS: dict[str, Kind] = {
    one.KIND.name: one.KIND
    for one in (
        diverging,
        stalled,
        memorising,
        leakage,
        duplicated_examples,
    )
}
"""By name, what is most urgent first."""
