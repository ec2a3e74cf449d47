"""SOAP: Adam in the eigenbasis of Shampoo's preconditioners (Vyas et al. 2024, arXiv 2409.11321), for matrices.

A gradient G of a matrix has two averages, of G Gᵀ and of Gᵀ G. Adam goes by G as it looks in the eigenvectors of both,
and its step is turned back. A tensor of three dimensions is a stack of matrices, each with averages of its own; of any
other shape, or with a side that is too long, a parameter goes by AdamW.

Two things are not the authors'. The eigenvectors are followed at every step by one sweep of Jacobi's rotations, all at
once and made orthogonal again by a Newton-Schulz iteration, where they take a QR decomposition every ten: so the rule
is products and sums alone. And the first step is taken, where they only begin their averages with it.
"""

from __future__ import annotations

from collections.abc import Mapping

from ontogeny.front.author import Value, maximum
from ontogeny.front.rules.adamw import adamw
from ontogeny.front.rules.rule import Rule, Shape, Slots
from ontogeny.isa.op import Op

SLOTS = ("exp_avg", "exp_avg_sq", "gram_left", "gram_right", "basis_left", "basis_right")
FURTHEST = 0.5
"""The norm of all rotations of one step together, in radians, at most."""
POLISHED = 2
"""Rounds of the Newton-Schulz iteration; it begins within an eighth of orthogonal."""


def soap(
    lr: float = 3e-3,
    *,
    betas: tuple[float, float] = (0.9, 0.99),
    shampoo_beta: float = 0.95,
    eps: float = 1e-10,
    weight_decay: float = 0.0,
    longest: int = 256,
) -> Rule:
    """SOAP; dials `lr`, `weight_decay`, `beta1`, `beta2`, `eps` and `shampoo_beta`, what of the averages stays.

    A matrix with a side above `longest` goes by AdamW: an average has as many elements as its side squared.
    """
    plain = adamw()

    def turns(shape: Shape) -> bool:
        return len(shape) in (2, 3) and max(shape[-2:]) <= longest

    def update(g: Value, p: Value, state: Slots, dials: Mapping[str, Value]) -> tuple[Value, Slots]:
        return (_turning if turns(p.shape) else plain.update)(g, p, state, dials)

    def shapes(shape: Shape) -> Mapping[str, Shape]:
        return _shapes(shape) if turns(shape) else {"exp_avg": shape, "exp_avg_sq": shape}

    dials = {"lr": lr, "weight_decay": weight_decay, "beta1": betas[0], "beta2": betas[1], "eps": eps}
    return Rule("soap", {**dials, "shampoo_beta": shampoo_beta}, SLOTS, update, elementwise=False, shapes=shapes)


def _turning(g: Value, p: Value, state: Slots, dials: Mapping[str, Value]) -> tuple[Value, Slots]:
    """The update of a matrix, or of a stack of them."""
    kept, step = dials["shampoo_beta"], dials["step"]
    left = state["gram_left"].lerp(g @ _turned(g), 1.0 - kept)
    right = state["gram_right"].lerp(_turned(g) @ g, 1.0 - kept)
    rows, columns = followed(state["basis_left"], left), followed(state["basis_right"], right)
    mean = state["exp_avg"].lerp(g, 1.0 - dials["beta1"])
    seen = _turned(rows) @ g @ columns
    square = state["exp_avg_sq"].scale(dials["beta2"]).addcmul(seen, seen, 1.0 - dials["beta2"])
    denominator = square.sqrt() / (1.0 - dials["beta2"] ** step).sqrt() + dials["eps"]
    direction = rows @ ((_turned(rows) @ mean @ columns) / denominator) @ _turned(columns)
    p = p.scale(1.0 - dials["lr"] * dials["weight_decay"])
    new = p.axpy(direction, -(dials["lr"] / (1.0 - dials["beta1"] ** step)))
    bases = rows - _identity(rows), columns - _identity(columns)
    return new, dict(zip(SLOTS, (mean, square, left, right, *bases), strict=True))


def _shapes(shape: Shape) -> Mapping[str, Shape]:
    """The averages are square; the bases as well, kept less the identity, so that they begin at zero."""
    *stack, rows, columns = shape
    left, right = (*stack, rows, rows), (*stack, columns, columns)
    return dict(zip(SLOTS, (shape, shape, left, right, left, right), strict=True))


def followed(before: Value, average: Value) -> Value:
    """Eigenvectors [..., n, n], as columns, of an average [..., n, n], from those of the step before less the identity.

    The angle between i and j is Jacobi's for a small one, a d / (d² + 4 a²) with a = A[i, j], d = A[j, j] - A[i, i].
    """
    one = _identity(before)
    basis = before + one
    seen = _turned(basis) @ average @ basis
    own, last = seen * one, len(seen.shape) - 1
    apart = own.sum(last - 1, keep=True) - own.sum(last, keep=True)
    angles = (seen - own) * apart / (apart * apart + seen * seen * 4.0 + 1e-37)
    norm = (angles * angles).sum(last - 1, last, keep=True).sqrt()
    basis = basis @ (one + angles * (FURTHEST / maximum(norm, FURTHEST)))
    for _ in range(POLISHED):
        basis = basis * 1.5 - basis @ (_turned(basis) @ basis) * 0.5
    return basis


def _turned(matrix: Value) -> Value:
    """The transpose of the last two dimensions."""
    last = len(matrix.shape)
    return matrix.permute(*range(last - 2), last - 1, last - 2)


def _identity(like: Value) -> Value:
    """The identity [n, n] for a matrix [..., n, n]."""
    places = [
        Value(like.builder, *like.builder.emit(Op.IOTA, dim=dim, shape=like.shape[-2:], dtype=like.dtype))
        for dim in (0, 1)
    ]
    return places[0].equals(places[1]).cast(like.dtype)
