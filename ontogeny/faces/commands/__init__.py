"""One file per command: a function `command` whose arguments and docstring are what the shell shows."""
