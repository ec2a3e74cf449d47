"""The debugger at a prompt, with gdb's words and abbreviations. Whatever goes wrong is one line, and it asks again.

A command is a method `do_NAME` whose docstring is its help: usage, two spaces, meaning. Any unambiguous beginning of a
name will do, and ALIASES come first. An empty line repeats the last command.
"""

from __future__ import annotations

import cmd
import warnings
from collections.abc import Callable
from typing import IO

import numpy as np

from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.tables import declarations
from ontogeny.machine.breakpoints import brief
from ontogeny.machine.conditions import parse_place
from ontogeny.machine.debugger import Line, Stop, Why, backtrace, line_of
from ontogeny.record.debug import RunDebugger

ALIASES = {
    "s": "step", "n": "next", "c": "continue", "b": "break", "p": "print", "l": "list", "bt": "backtrace",
    "f": "finish", "out": "finish", "rs": "back", "reverse-step": "back", "rc": "reverse-continue", "i": "info",
    "w": "watch", "d": "delete", "q": "quit", "h": "help", "where": "backtrace", "EOF": "quit",
}  # fmt: skip
MOST = 1_000_000


class Shell(cmd.Cmd):
    """A prompt over a RunDebugger."""

    prompt = "(onto) "

    def __init__(self, debugger: RunDebugger, stdin: IO[str] | None = None, stdout: IO[str] | None = None) -> None:
        super().__init__(stdin=stdin, stdout=stdout)
        self.debugger = debugger
        steps = f"{debugger.run.folder.name}: steps 0 to {debugger.run.step - 1}"
        self.intro = f"{steps}; {debugger.steps.says}. Type help for the commands."

    def preloop(self) -> None:
        """Says where it stands before the first prompt."""
        self.say(self.intro or "")
        self.intro = None
        self.show()

    def say(self, text: str) -> None:
        """A line to the terminal."""
        self.stdout.write(f"{text}\n")
        self.stdout.flush()

    def onecmd(self, line: str) -> bool:
        """One command. Errors and interruptions become one line."""
        name, _, rest = (line.strip() or self.lastcmd).partition(" ")
        if not name:
            return False
        if line != "EOF":
            self.lastcmd = f"{name} {rest}".strip()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return bool(self._command(name)(rest.strip()))
        except OntogenyError as error:
            self.say(f"error: {' '.join(str(error).split())}")
        except KeyboardInterrupt:
            self.debugger.restore()
            self.say("interrupted")
            self.show()
        return False

    def do_step(self, text: str) -> None:
        """step [N]  one instruction, into what it calls or is defined by"""
        self._moves(self.debugger.step, text)

    def do_next(self, text: str) -> None:
        """next [N]  one instruction of this routine, over what it calls"""
        self._moves(self.debugger.next, text)

    def do_finish(self, _: str) -> None:
        """finish  out of this routine (also: out)"""
        self._moves(self.debugger.out, "")

    def do_continue(self, _: str) -> None:
        """continue  on to the next breakpoint, over steps too"""
        self._moves(self.debugger.go, "")

    def do_back(self, text: str) -> None:
        """back [N]  the state one instruction earlier"""
        self._moves(self.debugger.back, text)

    def do_reverse_continue(self, _: str) -> None:
        """reverse-continue  back to the last breakpoint before here, over steps too"""
        self._moves(self.debugger.reverse, "")

    def do_goto(self, text: str) -> None:
        """goto N  to the beginning of step N"""
        self.debugger.visit(_count(text))
        self.show()

    def do_break(self, text: str) -> None:
        """break NUMBER | ROUTINE:NUMBER | OP | ROUTINE | step N | if NAME > 3 | if nonfinite | if changed NAME[3]"""
        number, point = self.debugger.add(text)
        self.say(f"breakpoint {number}: {point}")

    def do_watch(self, text: str) -> None:
        """watch NAME | NAME[3]  stop when a register's element changes, or a value is made"""
        number, point = self.debugger.add(text, watch=True)
        self.say(f"breakpoint {number}: {point}")

    def do_delete(self, text: str) -> None:
        """delete [N]  forget breakpoint N, or all"""
        for number in [_count(text)] if text else list(self.debugger.breakpoints):
            self.debugger.remove(number)

    def do_print(self, text: str) -> None:
        """print NAME | NAME[0:3, 2]  a value or register, or a part of it"""
        place = parse_place(text)
        value = place.of(self.debugger.debugger.value(place.name))
        shown = np.array2string(value.astype(np.float32) if value.dtype.name == "bfloat16" else value, threshold=60)
        self.say(f"{place}: {value.dtype}{list(value.shape)} = {shown}")
        staged = self.debugger.debugger.execution.staged.get(place.name)
        if staged is not None and self.debugger.debugger.depth:
            self.say(f"    at the end of the step: {brief(place.of(staged))}")

    def do_list(self, text: str) -> None:
        """list [N]  N instructions before and after this one, with the user's own lines"""
        routine, lines = self.debugger.debugger.listing(_count(text or "5"))
        self.say(f"routine {routine.name}")
        wide = min(72, max((len(line.text) for line in lines), default=0))
        for line in lines:
            self.say(_listed(line, wide))

    def do_backtrace(self, _: str) -> None:
        """backtrace  where every routine under way stands"""
        for line in backtrace(self.debugger.debugger.execution.stack) or ["at the end of the step"]:
            self.say(line)

    def do_info(self, text: str) -> None:
        """info breakpoints | values | registers | dials | step"""
        topics: dict[str, Callable[[], list[str]]] = {
            "breakpoints": self._breakpoints, "values": self._values, "registers": self._registers,
            "dials": lambda: [f"{name} = {value:g}" for name, value in self.debugger.dials().items()],
            "step": self._step,
        }  # fmt: skip
        found = [name for name in topics if text and name.startswith(text)]
        if len(found) != 1:
            raise OntogenyError(f"info about what? {', '.join(topics)}")
        for line in topics[found[0]]() or ["none"]:
            self.say(line)

    def do_set(self, text: str) -> None:
        """set DIAL VALUE  a dial, from this step on, in this session alone"""
        words = text.replace("=", " ").split()
        try:
            name, value = words[-2], float(words[-1])
        except (IndexError, ValueError):
            raise OntogenyError("write set DIAL VALUE, such as set lr 0.01") from None
        self.debugger.set_dial(name, value)
        self.say(f"{name} = {value:g} from step {self.debugger.step_number} on; the run itself is left as it is")

    def do_help(self, text: str) -> None:
        """help [COMMAND]  this list"""
        chosen = [self._name(text)] if text else _names()
        for name in chosen:
            self.say(str(getattr(self, f"do_{name.replace('-', '_')}").__doc__))

    def do_quit(self, _: str) -> bool:
        """quit  leave; the run is as it was"""
        return True

    def show(self, stop: Stop | None = None) -> None:
        """Why it stopped, and where it stands now."""
        if stop is not None and stop.why in (Why.HIT, Why.ERROR):
            self.say(f"{'breakpoint' if stop.why is Why.HIT else 'error:'} {' '.join(stop.text.split())}")
        if stop is not None and stop.why is Why.BEGINNING:
            self.say("the beginning of the run")
        inner, number = self.debugger.debugger, self.debugger.step_number
        if inner.finished:
            results = ", ".join(f"{name} = {brief(value)}" for name, value in inner.results.items())
            self.say(f"step {number} ended: {results}")
            return
        frame = inner.frame()
        if instr := frame.instruction:
            line = line_of(instr, frame.position + 1)
            self.say(f"step {number} {frame.routine.name}:{line.number}  {line.text}" + _where(line))

    def completenames(self, text: str, *_: object) -> list[str]:
        """The commands that begin so, for the tab key."""
        return [name for name in _names() if name.startswith(text)]

    def _moves(self, move: Callable[[], Stop], text: str) -> None:
        stop = move()
        for _ in range(min(_count(text or "1"), MOST) - 1):
            if stop.why is not Why.MOVED:
                break
            stop = move()
        self.show(stop)

    def _command(self, name: str) -> Callable[[str], bool | None]:
        found: Callable[[str], bool | None] = getattr(self, f"do_{self._name(name).replace('-', '_')}")
        return found

    def _name(self, name: str) -> str:
        full = ALIASES.get(name, name)
        found = [full] if full in _names() else [one for one in _names() if one.startswith(full)]
        if len(found) != 1:
            raise OntogenyError(f"{name!r} may be {', '.join(found)}" if found else f"no command {name!r}; type help")
        return found[0]

    def _step(self) -> list[str]:
        done, inner = self.debugger.debugger.point
        inside = f", and {inner} inside the next" if inner else ""
        return [f"step {self.debugger.step_number}, {done} instructions done{inside}", self.debugger.steps.says]

    def _breakpoints(self) -> list[str]:
        return [f"{number}: {point}" for number, point in self.debugger.breakpoints.items()]

    def _values(self) -> list[str]:
        stack = self.debugger.debugger.execution.stack
        values = stack[-1].values if stack else self.debugger.debugger.results
        return [f"{name}: {value.dtype}{list(value.shape)} = {brief(value)}" for name, value in values.items()]

    def _registers(self) -> list[str]:
        return [f"{decl.kind} {name}: {decl.type}" for name, decl in declarations(self.debugger.run.program).items()]


def _names() -> list[str]:
    return sorted(name[3:].replace("_", "-") for name in vars(Shell) if name.startswith("do_"))


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise OntogenyError(f"{text!r} is no count; write a whole number")
    return int(text)


def _where(line: Line) -> str:
    return f"    | {line.where}" if line.where else ""


def _listed(line: Line, wide: int) -> str:
    mark = "->" if line.current else "  "
    return f"{mark} {line.number:>5}  {line.text:<{wide}}{_where(line)}".rstrip()
