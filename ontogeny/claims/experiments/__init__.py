"""One file per claim: a function that measures it with one seed, and the record `CLAIM`."""
