"""A file is about one thing and a function fits on a screen."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("ontogeny", "benches", "tools", "examples")
FILES = sorted(path.relative_to(ROOT).as_posix() for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 40


@pytest.mark.parametrize("file", FILES)
def test_a_file_says_what_it_is_about_and_is_not_two_things(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), f"{file} does not say what it is about"
    assert len(text.splitlines()) <= LINES_OF_A_FILE


@pytest.mark.parametrize("file", FILES)
def test_a_function_is_not_two(file: str) -> None:
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno + 1 <= LINES_OF_A_FUNCTION, f"{file}:{node.lineno} {node.name}"
