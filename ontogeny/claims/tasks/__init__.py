"""What claims are measured on: small tasks, the same for every claim."""
