"""Live runs: a process of their own that goes on without a terminal, and takes commands between steps."""
