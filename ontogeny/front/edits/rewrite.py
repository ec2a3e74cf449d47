"""A program's routine `learn` while it is edited: a list of instructions into which others are put.

Edits are found again by their notes (`notes.py`). Each puts its instructions between a value and whoever uses it, so
taking it out again is to hand on the value that it took.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from ontogeny.front.author import Value
from ontogeny.front.edits.edited import LEARN, Edited, changed_registers
from ontogeny.front.edits.notes import COMMITS, GRADIENTS, RATES, Standing, all_standing, kind
from ontogeny.front.update import CLIP, UPDATE
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import EditError
from ontogeny.isa.op import Op
from ontogeny.isa.periodic import periodic
from ontogeny.isa.program import Decl, Instr, Note, Program
from ontogeny.isa.prune import LASTING
from ontogeny.isa.tables import declarations
from ontogeny.isa.types import DType, Type
from ontogeny.isa.verify import value_types, verify
from ontogeny.machine.learner import Array

INLINE = (Op.READ, Op.CONST, Op.IOTA)
"""What parts of a routine may share without one having it from the other."""
COUNTERS = ("seed", "step")


@dataclass(slots=True)
class Rewrite:
    """The program so far, with `learn` apart; what its dials and new registers are to be; what to say of it.

    `declared` are the registers of a new rule, which stay also where it uses them for no parameter,
    `former` the makers of values before the rule was replaced.
    """

    before: Program
    program: Program
    body: list[Instr]
    returns: tuple[tuple[str, str], ...]
    types: dict[str, Type]
    number: int
    values: dict[str, Array] = field(default_factory=dict)
    dials: dict[str, float] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    declared: frozenset[str] = frozenset()
    former: dict[str, Instr] = field(default_factory=dict)
    _found: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, program: Program) -> Rewrite:
        """A program to be edited. Raises EditError where it has no `learn` that can be."""
        if not program.has(LEARN):
            raise EditError(f"program {program.name!r} has no routine {LEARN!r}, so there is no update to edit")
        routine = program.routine(LEARN)
        body = _clip_noted(routine.body)
        numbers = (int(out) for instr in body for out in instr.out if out.isdecimal())
        return cls(
            program, program, body, routine.returns, dict(value_types(program, routine)), max(numbers, default=-1) + 1
        )

    def become(self, body: Iterable[Instr]) -> None:
        """Other instructions in the place of those there are."""
        self.body = list(body)
        self._found.clear()

    @property
    def makers(self) -> dict[str, Instr]:
        """The instruction that makes each value. Not to be modified."""
        found: dict[str, Instr] = self._table("makers", lambda: {out: i for i in self.body for out in i.out})
        return found

    @property
    def commits(self) -> dict[str, int]:
        """Where each register is committed. Not to be modified."""
        own = lambda: {str(i.attr("name")): at for at, i in enumerate(self.body) if i.op is Op.COMMIT}  # noqa: E731
        found: dict[str, int] = self._table("commits", own)
        return found

    def _table(self, name: str, make: Callable[[], Any]) -> Any:
        """What is made of the body, made anew where that has changed since."""
        if name not in self._found:
            self._found[name] = make()
        return self._found[name]

    @property
    def standing(self) -> list[Standing]:
        """The edits that the program has by now."""
        return all_standing(self.body)

    @property
    def marked(self) -> bool:
        """Whether notes say what the update is."""
        return any(self.body[at].note.phase == UPDATE for at in self.commits.values())

    def decl(self, name: str) -> Decl | None:
        """The declaration called so, if there is one."""
        return declarations(self.program).get(name)

    def declare(self, decl: Decl) -> None:
        """A new register: a dial before the inputs, a state before the counters. Raises EditError for a name in use."""
        if self.decl(decl.name):
            raise EditError(f"the program already has a register {decl.name!r}; choose another name")
        decls = self.program.decls
        later = ("input",) if decl.kind == "dial" else ("dial", "input")
        places = (at for at, d in enumerate(decls) if d.kind in later or (decl.kind == "state" and d.name in COUNTERS))
        at = next(places, len(decls))
        self.program = replace(self.program, decls=(*decls[:at], decl, *decls[at:]))

    def dial(self, name: str, value: float | None) -> None:
        """A dial of the program: new with this value, or there already and, where one is given, to be set to it."""
        known = self.decl(name)
        if known is None:
            self.declare(Decl("dial", name, Type(DType.F64), default=value))
        elif known.kind != "dial":
            raise EditError(f"the program has another register {name!r} ({known.kind}), so no dial can be called so")
        if value is not None:
            self.dials[name] = float(value)

    @contextmanager
    def adding(self, where: str, at: int) -> Iterator[Builder]:
        """A builder whose instructions come to stand at a place, with a note that says which edit they are of."""
        builder = Builder.continuing(self.program, [], {}, self.number)
        builder.types = self.types
        builder.note = Note(UPDATE, where)
        yield builder
        self.body[at:at] = builder.body
        self.number = builder.count
        self._found.clear()

    def substitute(self, places: Iterator[int] | list[int], old: str, new: str) -> None:
        """The instructions at places use `new` where they used `old`."""
        for at in places:
            instr = self.body[at]
            self.body[at] = replace(instr, args=tuple(new if arg == old else arg for arg in instr.args))
        self._found.clear()

    def commit(self, register: str) -> int | None:
        """Where a register is committed."""
        return self.commits.get(register)

    def updates(self, register: str) -> bool:
        """Whether the update commits a register; where no notes say what is update, whether `learn` does."""
        at = self.commit(register)
        return at is not None and (not self.marked or self.body[at].note.phase == UPDATE)

    def taken(self, value: str, makers: Mapping[str, Instr]) -> str:
        """The value that an edit took to make this one of."""
        where = makers[value].note.where
        while value in makers and makers[value].note.where == where and makers[value].op not in INLINE:
            value = _operand(makers[value], makers)
        return value

    @property
    def stages(self) -> dict[str, str]:
        """What edits between gradients or rates and the rule made of which values. Not to be modified."""
        found: dict[str, str] = self._table("stages", self._stages)
        return found

    def _stages(self) -> dict[str, str]:
        names, makers = GRADIENTS | RATES, self.makers
        users: dict[str, list[Instr]] = {}
        for instr in self.body:
            for arg in instr.args:
                users.setdefault(arg, []).append(instr)
        own = (i for i in self.body if kind(i) in names and i.out and i.op not in INLINE)
        out = (i.out[0] for i in own if any(u.note.where != i.note.where for u in users.get(i.out[0], ())))
        return {self.taken(value, makers): value for value in out}

    def staged(self, value: str) -> str:
        """What the edits so far make of a gradient or a rate."""
        while value in self.stages:
            value = self.stages[value]
        return value

    def wrap(self, register: str, where: str, change: Callable[[Builder, Value], Value]) -> None:
        """What a register becomes is changed, below the edits that come later in the order of commits."""
        at = self.commit(register)
        assert at is not None
        level, makers = COMMITS[where.partition(" ")[0]], self.makers
        value, users = self.body[at].args[0], [at]
        while value in makers and COMMITS.get(kind(makers[value]), 0) > level:
            below = self.taken(value, makers)
            inside = self._led(value, makers)
            users = [i for i, instr in enumerate(self.body) if below in instr.args and inside.intersection(instr.out)]
            value = below
        with self.adding(where, min(users)) as builder:
            new = change(builder, Value(builder, value)).name
            count = len(builder.body)
        self.substitute([place + count for place in users], value, new)

    def raw(self, register: str) -> str:
        """What the rule itself makes of a register."""
        at = self.commit(register)
        assert at is not None
        value, makers = self.body[at].args[0], self.makers
        while value in makers and kind(makers[value]) in COMMITS:
            value = self.taken(value, makers)
        return value

    def _led(self, value: str, makers: Mapping[str, Instr]) -> set[str]:
        """The values of one edit that lead to its result."""
        where, waiting, found = makers[value].note.where, [value], set[str]()
        while waiting:
            name = waiting.pop()
            if name in makers and name not in found and makers[name].note.where == where:
                found.add(name)
                waiting += makers[name].args
        return found

    def strip(self, where: str) -> None:
        """Takes an edit out: what it made becomes again what it was made of."""
        makers = self.makers
        own = [instr for instr in self.body if instr.note.where == where and instr.note.phase == UPDATE]
        outs = {out for instr in own for out in instr.out if instr.op not in INLINE}
        used = {arg for i in self.body if i.note.where != where for arg in i.args} & outs
        rule = self._rule_note()
        self.become(
            replace(i, note=rule) if i.note.where == where and i.op in INLINE else i
            for i in self.body
            if i.note.where != where or i.op is not Op.COMMIT
        )
        for value in used:
            at = [place for place, i in enumerate(self.body) if value in i.args and i.note.where != where]
            self.substitute(at, value, self.taken(value, makers))
        self.prune()

    def _rule_note(self) -> Note:
        own = (i.note for i in self.body if i.note.phase == UPDATE and not kind(i))
        return next(own, Note(UPDATE))

    def prune(self) -> None:
        """Removes what is noted as update and leads to nothing."""
        needed, kept = {value for _, value in self.returns}, []
        for instr in reversed(self.body):
            if instr.note.phase != UPDATE or instr.op in LASTING or needed.intersection(instr.out):
                kept.append(instr)
                needed.update(instr.args)
        self.become(kept[::-1])

    def finished(self, description: str) -> Edited:
        """The edited program, verified, without the dials and states that it no longer uses."""
        self.prune()
        learn = replace(self.program.routine(LEARN), body=tuple(self.body), returns=self.returns)
        routines = tuple(learn if r.name == LEARN else r for r in self.program.routines)
        program = replace(self.program, routines=routines)
        gone = named(self.before) - named(program) - self.declared
        program = replace(program, decls=tuple(d for d in program.decls if not (_droppable(d) and d.name in gone)))
        verify(program)
        there = {decl.name for decl in program.decls}
        values = {name: value for name, value in self.values.items() if name in there}
        dials = {name: value for name, value in self.dials.items() if name in there}
        said = (*self.changes, *changed_registers(self.before, program))
        return Edited(self.before, program, values, dials, description, tuple(dict.fromkeys(said)))


def named(program: Program) -> set[str]:
    """The registers that a program uses, and the dials that have its routines called."""
    memory = (Op.READ, Op.COMMIT)
    used = {str(i.attr("name")) for routine in program.routines for i in routine.body if i.op in memory}
    return used | set(periodic(program).values())


def _droppable(decl: Decl) -> bool:
    return decl.kind in ("dial", "state") and decl.name not in COUNTERS


def _operand(instr: Instr, makers: Mapping[str, Instr]) -> str:
    """The operand that an edit's instruction changes: of a choice the last, of pieces what they are cut from."""
    if instr.op is Op.WHERE:
        return instr.args[2]
    if instr.op is Op.CAT:
        own = instr.note.where
        whole = (makers[arg].args[0] for arg in instr.args if arg in makers and makers[arg].op is Op.SLICE)
        return next((v for v in whole if v not in makers or makers[v].note.where != own), instr.args[0])
    return instr.args[0]


def _clip_noted(body: tuple[Instr, ...]) -> list[Instr]:
    """The body with the bound on the gradients' norm noted as such, also where it was captured before that was done."""
    scalars, clip, noted = set[str](), Note(UPDATE, CLIP), []
    for instr in body:
        mine = instr.note.phase == UPDATE and instr.note.where != CLIP
        reads = instr.op is Op.READ and instr.attr("name") == CLIP
        applied = instr.op is Op.MUL and instr.args[1] in scalars
        if mine and (reads or scalars.intersection(instr.args)):
            scalars.update(() if applied else instr.out)
            instr = replace(instr, note=clip)
        noted.append(instr)
    return noted
