"""Every kind of finding, one file each; a new kind is a new file and one line here."""

from ontogeny.ask.findings import (
    dead_units,
    diverging,
    duplicated_examples,
    edge_of_stability,
    exploding_gradient,
    failing_slice,
    frozen_by_mistake,
    gradients_not_zeroed,
    layer_not_moving,
    leakage,
    learning_rate_too_high,
    learning_rate_too_low,
    lost_updates,
    memorising,
    mislabelled_examples,
    saturated_units,
    shuffled_labels,
    stalled,
    vanishing_gradient,
)
from ontogeny.ask.kind import Kind

KINDS: dict[str, Kind] = {
    one.KIND.name: one.KIND
    for one in (
        diverging,
        gradients_not_zeroed,
        shuffled_labels,
        leakage,
        frozen_by_mistake,
        exploding_gradient,
        learning_rate_too_high,
        learning_rate_too_low,
        stalled,
        memorising,
        dead_units,
        saturated_units,
        vanishing_gradient,
        layer_not_moving,
        lost_updates,
        mislabelled_examples,
        duplicated_examples,
        failing_slice,
        edge_of_stability,
    )
}
"""By name, what is most urgent first."""
