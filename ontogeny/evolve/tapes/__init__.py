"""Learners searched for from empty programs: tapes as candidates, their evolution, what was found."""
