"""Local learning rules: each parameter moves by what its own two ends know, without a gradient sent back through all.

One file a rule: its model, and what it moves each parameter against, written out (`front/local.py`). `table.py` has all
of them by name, with backpropagation beside them.
"""
