"""A person's own Python file -> its experiment. The file is theirs, and it is run as Python runs a script."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ontogeny.isa.errors import OntogenyError
from ontogeny.record.experiment import Experiment

FUNCTION = "experiment"
WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def load_experiment(file: str, options: Mapping[str, str]) -> Experiment:
    """Run `file` and call its `experiment` with the options, each read as what its default is."""
    function = getattr(_module(Path(file)), FUNCTION, None)
    if not callable(function):
        raise OntogenyError(f"{file} holds no function {FUNCTION}(); write one that returns an ontogeny.Experiment")
    made = function(**_arguments(file, inspect.signature(function), options))
    if not isinstance(made, Experiment):
        raise OntogenyError(f"{FUNCTION}() in {file} returned a {type(made).__name__}; an Experiment was expected")
    return made


def arguments_of(file: str) -> dict[str, Any]:
    """The arguments of a file's `experiment` that have a default, with it."""
    function = getattr(_module(Path(file)), FUNCTION, None)
    known = inspect.signature(function).parameters if callable(function) else {}
    return {name: one.default for name, one in known.items() if one.default is not one.empty}


def pairs(words: Sequence[str]) -> dict[str, str]:
    """NAME=VALUE words as a mapping."""
    for word in words:
        if "=" not in word:
            raise OntogenyError(f"{word!r} is not of the form NAME=VALUE")
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def _module(path: Path) -> ModuleType:
    if not path.is_file():
        raise OntogenyError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(f"experiment_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise OntogenyError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except (SyntaxError, ImportError) as error:
        raise OntogenyError(f"{path} cannot be run: {error}") from error
    finally:
        sys.path.pop(0)
    return module


def _arguments(file: str, signature: inspect.Signature, options: Mapping[str, str]) -> dict[str, Any]:
    known = {name: one for name, one in signature.parameters.items() if one.kind is not one.VAR_KEYWORD}
    takes_any = len(known) < len(signature.parameters)
    for name in options:
        if name not in known and not takes_any:
            raise OntogenyError(f"{file} has no option {name!r}; it has {', '.join(known) or 'none'}")
    for name, one in known.items():
        if one.default is one.empty and name not in options:
            raise OntogenyError(f"{file} needs {name}=...; add it to the command")
    return {name: _value(name, text, known[name].default if name in known else "") for name, text in options.items()}


def _value(name: str, text: str, default: Any) -> Any:
    """The text as the kind of thing that the default is."""
    if isinstance(default, bool):
        if text.lower() not in WORDS:
            raise OntogenyError(f"{name}={text!r}: yes or no was expected")
        return WORDS[text.lower()]
    if not isinstance(default, int | float):
        return text
    try:
        return type(default)(text)
    except ValueError as error:
        kind = "whole number" if isinstance(default, int) else "number"
        raise OntogenyError(f"{name}={text!r}: a {kind} was expected") from error
