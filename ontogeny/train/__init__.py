"""Regimes of learning, clients of the machine: schedules, routines, neurons, local rules, and making small again."""
