"""A search that is written down: its journal, its states, its dials turned while it goes on, its lineage."""
