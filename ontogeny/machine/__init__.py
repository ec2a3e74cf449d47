"""Evaluates programs: the reference machine, the compiled machine, the debugger, the conformance suite."""
