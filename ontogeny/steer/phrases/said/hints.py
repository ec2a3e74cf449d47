"""How a command is offered that needs nothing named: the phrases leave out words that say nothing, which reads oddly."""

from __future__ import annotations

HINTS = {
    "history": "what was done?",
    "events": "what happened?",
    "diagnose": "what is wrong?",
    "status": "where are we?",
    "why": "why is it here?",
    "waste": "what is wasted?",
    "cost": "what does a step cost?",
    "recall": "what does it remember word for word?",
    "capacity": "how many bits per parameter has it memorised?",
    "price": "what would this cost on an H100?",
    "laws": "fit a scaling law to these runs",
    "moments": "which parameters are outliers?",
    "groups": "which parameters moved together?",
    "compare": "compare",
    "switch": "switch to the other run",
    "stop-learning": "remove the extra rows",
    "autopilot": "look after it",
    "again": "start over",
    "run": "one step",
    "undo": "undo",
}
"""By the name of the command."""
