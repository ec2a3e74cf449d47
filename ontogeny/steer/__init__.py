"""Steering: commands that are checked, foretold, and become entries of a run's journal."""
