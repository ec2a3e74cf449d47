"""The environment variables that are heeded, a line each: `ontogeny --help` and the README's table read it here."""

from __future__ import annotations

VARIABLES: dict[str, str] = {
    "ONTOGENY_RUNS": "the folder of the runs; else `runs`, where one stands",
    "ONTOGENY_MODEL_URL": "the endpoint of a language model that the chat may ask; unset, nothing is sent anywhere",
    "ONTOGENY_MODEL": "the model's name there",
    "ONTOGENY_MODEL_KEY": "a token for that endpoint, which is never kept",
    "ONTOGENY_KEEP_HEAP": "with 0 the memory of a step is given back to the system after it, which is slower",
    "OMP_NUM_THREADS": "threads of a step; a run remembers how many, since its bits may depend on it",
    "NUMBA_DISABLE_JIT": "with 1 the codec of recorded loops is not compiled, which is much slower",
    "XDG_CONFIG_HOME": "the folder in which `ontogeny mcp --http` keeps its token, ontogeny/mcp-token; else ~/.config",
}


def told() -> str:
    """All of them as paragraphs."""
    return "\n\n".join(["Environment variables:", *(f"{name}: {meaning}." for name, meaning in VARIABLES.items())])
