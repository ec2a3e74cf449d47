"""The language: operations, types, programs, text form, verifier, cost. Imports nothing of ours."""
