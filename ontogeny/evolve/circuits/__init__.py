"""Gate networks as a person handles them: simplified, converted, proved equal, read from files and written, drawn."""
