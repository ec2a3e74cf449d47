"""What can go wrong, in words for the person who can mend it.

Every error that a face may show derives from OntogenyError; its message names the value, what was expected, and what to
do next.
"""

from __future__ import annotations


class OntogenyError(Exception):
    """An error with a message meant for a person."""


class ProgramError(OntogenyError):
    """A program that does not verify: the routine and instruction are named.

    They are also `routine` and `instruction`, counted from one; empty and 0 where the error is not about one.
    """

    def __init__(self, message: str, routine: str = "", instruction: int = 0) -> None:
        super().__init__(message)
        self.routine = routine
        self.instruction = instruction


class TextError(ProgramError):
    """Program text that does not parse or verify; `line` and `column` count from one."""

    def __init__(self, message: str, line: int, column: int, routine: str = "", instruction: int = 0) -> None:
        super().__init__(f"line {line}, column {column}: {message}", routine, instruction)
        self.line = line
        self.column = column


class MachineError(OntogenyError):
    """A program that could not go on: an index out of range, a failed assert, an input that is missing."""


class CaptureError(OntogenyError):
    """A model, loss or rule that cannot become a program; the user's own line is named."""


class RecordError(OntogenyError):
    """A run that is damaged, locked, full, or does not replay."""


class DataError(OntogenyError):
    """A dataset that is malformed or not the one that a run was made with."""


class EditError(OntogenyError):
    """An edit of a program that cannot be made; the program is as it was."""


class NetlistError(OntogenyError):
    """A gate network that is malformed: a wire that nothing drives, a loop without a register, a wrong table."""


class ClaimError(OntogenyError):
    """A claim that is not in the book, or a result of one that cannot be used."""


class SearchError(OntogenyError):
    """A search that makes no sense: a method, fitness, dial or budget that does not fit."""


class LawError(OntogenyError):
    """A scaling law that the runs at hand cannot support; the message says which runs would."""


class SmallError(OntogenyError):
    """A network that cannot be made smaller in the way asked for; the message says what is missing."""
