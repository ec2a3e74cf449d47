"""What people say for each command: a file for each heading."""
