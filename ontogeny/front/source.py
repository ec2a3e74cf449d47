"""Lines of the user's own Python: where a function is defined, where an error came from, what a stack says."""

from __future__ import annotations

import linecache
import traceback
from types import FrameType
from typing import Any


def user_line(error: BaseException) -> str:
    """The innermost line of the traceback that belongs to neither torch nor this package."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if is_user(frame.filename):
            return f"{frame.filename}:{frame.lineno} `{frame.line}`"
    return "while tracing"


def is_user(filename: str) -> bool:
    """Whether a source file is the user's own."""
    return not any(part in filename for part in ("/torch/", "/ontogeny/front/", "<", "/contextlib.py"))


def where_from(stack: str) -> str:
    """The user's own line in a recorded stack, as `file.py:12 code`; empty where there is none."""
    lines = stack.splitlines()
    for at in range(len(lines) - 1, -1, -1):
        head = lines[at].strip()
        if head.startswith('File "') and is_user(head):
            name, _, rest = head[6:].partition('", line ')
            code = lines[at + 1].strip() if at + 1 < len(lines) else ""
            return f"{name.rsplit('/', 1)[-1]}:{rest.split(',')[0]} {code}"
    return ""


def line_of_code(function: Any) -> str:
    """Where a Python function is defined, as `file.py:12 code`; empty for one that is not written in Python."""
    code = getattr(function, "__code__", None)
    return where_from(stack_of(code.co_filename, code.co_firstlineno)) if code else ""


def users_stack(frame: FrameType | None) -> str:
    """The innermost frame of the user's in the form of a traceback; empty where there is none."""
    while frame is not None and not is_user(frame.f_code.co_filename):
        frame = frame.f_back
    return stack_of(frame.f_code.co_filename, frame.f_lineno) if frame else ""


def stack_of(file: str, line: int) -> str:
    """A frame in the form of a traceback."""
    return f'File "{file}", line {line}, in user\n{linecache.getline(file, line).strip()}'
