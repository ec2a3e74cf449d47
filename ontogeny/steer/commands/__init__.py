"""The commands of steering: what belongs together, in one file each."""
