"""The autopilot: from what is found of a run to what is done about it, tried on forks and judged on other examples."""
