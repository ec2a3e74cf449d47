"""Sharpness: the largest eigenvalue of the loss's Hessian at a state, by Lanczos, with how far off it may be.

A product of the Hessian with a direction is the central difference of two gradients, which the program's own `learn`
gives: no rule is asked, so what the learning rate or the momentum are makes no difference. The program is evaluated in
double precision (`isa/widen.py`), so that the two may lie so near each other that kinks of the loss (ReLU) hardly ever
lie between, as automatic differentiation passes over them too. One that cannot be widened is asked in its own format,
where rounding and kinks add some hundredths; `format` says which. The residual |H v - l v| / |l| bounds what is left of
the iteration: some eigenvalue lies so near.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontogeny.ask.carry import wide
from ontogeny.ask.explain import native
from ontogeny.ask.layers import gradients
from ontogeny.data.base import Array
from ontogeny.isa.errors import ProgramError, RecordError
from ontogeny.isa.program import Program
from ontogeny.isa.types import DType
from ontogeny.isa.widen import widened
from ontogeny.record.attach import Attached
from ontogeny.record.recorded import Recorded
from ontogeny.record.stepper import Stepper
from ontogeny.record.watching import Alone

Floats = npt.NDArray[np.float64]
Product = Callable[[Floats], Floats]
MOST = 60
"""Products with the Hessian, two gradients each."""
CLOSE = 1e-3
"""The residual at which it ends."""
NUDGE = {DType.F64: 1e-10, DType.F32: 3e-3, DType.F16: 1e-1, DType.BF16: 1e-1}
"""How far the gradients are taken from the state, of the parameters' length, by the format they are computed in."""


@dataclass(frozen=True, slots=True)
class Sharpness:
    """The largest eigenvalue of the Hessian at the state `step`, by the batch that its step learns from.

    `residual` is relative to it: some eigenvalue lies within `residual * abs(value)`. `products` with the Hessian were
    taken. `norm` is the length of all parameters together, `slope` that of the gradient. `format` is the number format
    of the gradients. Where numbers have overflowed, what depends on them is NaN.
    """

    step: int
    value: float
    residual: float
    products: int
    norm: float
    slope: float
    format: str


def sharpness(run: Recorded | Attached, step: int | None = None, *, most: int = MOST) -> Sharpness:
    """The sharpness at a state, the present one by default; that of a run that has not begun will do.

    The parameters are all that `learn` updates. Raises RecordError for a step that there is not, for the record of a
    loop that is not ours, and for a program in which the gradients are not known.
    """
    whole = native(run)
    step = whole.step if step is None else step
    near = _Near(whole.as_of(step), step, whole.state(step))
    with np.errstate(all="ignore"):
        gradient, _ = near.gradient(np.zeros(near.size))
        value, residual, products = largest(near.product, near.size, most)
        slope = float(np.linalg.norm(gradient))
    return Sharpness(step, value, residual, products, near.norm, slope, str(near.format))


def largest(product: Product, size: int, most: int = MOST, close: float = CLOSE) -> tuple[float, float, int]:
    """The largest eigenvalue, by its sign, of a symmetric operator, its relative residual, and the products taken.

    Lanczos with full reorthogonalisation (Golub and Van Loan, Matrix Computations, section 10.3), from a random
    direction that is always the same. Stops once the residual is `close`. All is NaN where a product is no number.
    """
    vector = np.random.default_rng(0).normal(size=size)
    basis: list[Floats] = [vector / np.linalg.norm(vector)]
    diagonal, beside = list[float](), list[float]()
    value, residual = np.nan, np.inf
    while len(diagonal) < min(most, size):
        new = product(basis[-1])
        if not np.isfinite(new).all():
            return np.nan, np.nan, len(basis)
        diagonal.append(float(new @ basis[-1]))
        for one in (*basis, *basis):
            new = new - (new @ one) * one
        length = float(np.linalg.norm(new))
        values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
        value, bound = float(values[-1]), length * abs(float(vectors[-1, -1]))
        residual = bound / abs(value) if value else (np.inf if bound else 0.0)
        if residual <= close or not length > 0:
            break
        beside.append(length)
        basis.append(new / length)
    return value, residual, len(diagonal)


class _Near:
    """The gradient around a state, and from it products with the Hessian, over all parameters as one vector."""

    def __init__(self, run: Recorded, step: int, state: Mapping[str, Array]) -> None:
        self.places = gradients(run.program)
        if not self.places:
            raise RecordError(
                f"which values of {run.program.name!r} are gradients is not known, so its curvature cannot be told; "
                "a program that og.capture makes says it"
            )
        machine = run._seat.another()
        machine.load(state)
        inputs, self.dials = Stepper(run.ground, run._schedule).prepare(machine, step)
        program, self.format = _formatted(run.program, self.places)
        as_wide = self.format is DType.F64
        self.inputs = _widened(inputs) if as_wide else inputs
        self.state = _widened(machine.state()) if as_wide else machine.state()
        self.alone = Alone(run, self.places.values(), program=program)
        self.at = {name: wide(self.state[name]) for name in self.places}
        self.size = sum(array.size for array in self.at.values())
        with np.errstate(over="ignore", invalid="ignore"):
            self.norm = _length(self.at)

    def product(self, along: Floats) -> Floats:
        """The Hessian times a direction of length 1."""
        by = NUDGE[self.format] * max(self.norm, 1e-12)
        ahead, behind = self.gradient(by * along), self.gradient(-by * along)
        apart = _length({name: ahead[1][name] - behind[1][name] for name in self.places})
        return (ahead[0] - behind[0]) / apart if apart > 0 else np.full(self.size, np.nan)

    def gradient(self, by: Floats) -> tuple[Floats, dict[str, Floats]]:
        """The gradient so far from the state, as one vector, and where that is once rounded."""
        registers, first = dict(self.state), 0
        for name, array in self.at.items():
            there = array + by[first : first + array.size].reshape(array.shape)
            registers[name] = there.astype(self.state[name].dtype)
            first += array.size
        self.alone.load(registers)
        found = self.alone.values(self.inputs, self.dials)
        flat = [wide(found[value]).reshape(-1) for value in self.places.values()]
        return np.concatenate(flat), {name: wide(registers[name]) for name in self.places}


def _formatted(program: Program, places: Mapping[str, str]) -> tuple[Program, DType]:
    """The program in double precision, or as it is where that cannot be, and the coarsest format of its parameters."""
    try:
        return widened(program), DType.F64
    except ProgramError:
        return program, max((program.decl(name).type.dtype for name in places), key=NUDGE.__getitem__)


def _widened(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Arrays of floats as f64, the others as they are."""
    found = {name: np.asarray(array) for name, array in arrays.items()}
    return {name: one if one.dtype.kind in "biu" else one.astype(np.float64) for name, one in found.items()}


def _length(arrays: Mapping[str, Floats]) -> float:
    return float(np.sqrt(sum(float(np.square(array).sum()) for array in arrays.values())))
