"""Questions about runs, one per file. They read, and never change what they ask."""
