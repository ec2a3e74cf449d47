"""Scaling laws, fitted to the runs at hand: what more parameters, more data or more epochs would give."""
