"""Runs: the one loop, the journal, keyframes, replay, forks."""
