"""Calls, loops, branches, probes and asserts of the compiled machine: Python around lowered sub-routines.

`sub(name)` gives the lowered routine of that name as a function of tensors that returns a tuple of tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ontogeny.isa.errors import MachineError
from ontogeny.isa.op import Op
from ontogeny.machine.compiled.base_kernels import Function, Site

Sub = Callable[[str], Callable[..., tuple[Any, ...]]]


def _one(results: tuple[Any, ...]) -> Any:
    return results[0] if len(results) == 1 else results


def _call(site: Site, sub: Sub) -> Function:
    body = sub(site["body"])
    return lambda *args: _one(body(*args))


def _loop(site: Site, sub: Sub) -> Function:
    body, device = sub(site["body"]), site.device

    def run(count: torch.Tensor, *carried: torch.Tensor) -> Any:
        for turn in range(int(count)):
            carried = body(torch.tensor(turn, device=device), *carried)
        return _one(carried)

    return run


def _while(site: Site, sub: Sub) -> Function:
    test, body, limit = sub(site["test"]), sub(site["body"]), site["limit"]

    def run(*carried: torch.Tensor) -> Any:
        for _ in range(limit):
            if not bool(test(*carried)[0]):
                break
            carried = body(*carried)
        return _one(carried)

    return run


def _cond(site: Site, sub: Sub) -> Function:
    then, other = sub(site["then"]), sub(site["other"])
    return lambda pick, *args: _one(then(*args) if bool(pick) else other(*args))


def _assert(site: Site, sub: Sub) -> Function:
    message = site["message"]

    def run(holds: torch.Tensor) -> None:
        if not bool(holds.all()):
            raise MachineError(f"assert failed: {message}")

    return run


CONTROL: dict[Op, Callable[[Site, Sub], Function]] = {
    Op.CALL: _call,
    Op.LOOP: _loop,
    Op.WHILE: _while,
    Op.COND: _cond,
    Op.PROBE: lambda site, sub: lambda a: a,
    Op.ASSERT: _assert,
}


def control(site: Site, sub: Sub) -> Function:
    """The function of a control or debugging instruction."""
    return CONTROL[site.instr.op](site, sub)
