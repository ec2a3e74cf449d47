"""Regimes of learning, one a file: what is done to a learner beside its rule, or how several of them learn together."""
