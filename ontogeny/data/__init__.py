"""Deterministic, addressable examples: a batch is a pure function of (dataset, seed, step)."""
