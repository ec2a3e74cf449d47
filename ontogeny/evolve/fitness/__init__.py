"""What a search goes by: tables, data, traces, runs, any Python function."""
