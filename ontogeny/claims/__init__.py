"""The book of verdicts: claims about learning as experiments, whose verdict is computed from what was measured."""
