"""How candidates are proposed: one method a file, each begin, ask, tell and best."""
