"""Weights as candidates: flat vectors, and small networks judged many at once."""
