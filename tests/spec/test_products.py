"""The fast mode's own matrix product: the true one for any size and strides, rounded no more than torch's own
product rounds it, and the same bits with any threads.

Its file is imported by the tests themselves, since it imports the whole of inductor.
"""

from __future__ import annotations

import pytest
import torch

DEPTHS = [2, 3, 5, 10, 16, 32, 64, 80, 97, 128, 256, 512, 700, 1024, 3072, 20000]
SIDES = [(1, 256), (256, 1), (64, 10), (17, 33), (64, 80)]
SIZES = [(1, 1, 1), (64, 80, 10), (9, 33, 47), (8, 16, 16), (130, 64, 97), (17, 5, 32), (256, 128, 384)]


def laid(rows: int, columns: int, turned: bool, generator: torch.Generator) -> torch.Tensor:
    """A random matrix, with its rows or its columns together in memory."""
    made = torch.randn(columns, rows, generator=generator).t() if turned else None
    return torch.randn(rows, columns, generator=generator) if made is None else made


@pytest.mark.slow
@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_is_the_product(size: tuple[int, int, int], left: bool, right: bool) -> None:
    from ontogeny.machine.compiled.products import ontogeny_addmm, ontogeny_mm

    (m, depth, n), generator = size, torch.Generator().manual_seed(0)
    a, b = laid(m, depth, left, generator), laid(depth, n, right, generator)
    bias, out = torch.randn(n, generator=generator), torch.full((m, n), torch.nan)
    ontogeny_mm(a, b, out=out)
    torch.testing.assert_close(out, (a.double() @ b.double()).float(), rtol=1e-5, atol=1e-4)
    ontogeny_addmm(bias, a, b, out=out)
    torch.testing.assert_close(out, (bias.double() + a.double() @ b.double()).float(), rtol=1e-5, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("depth", DEPTHS)
def test_rounds_no_more_than_torch(depth: int) -> None:
    """The root mean square error over random normal matrices, within 5% for chance."""
    from ontogeny.machine.compiled.products import ontogeny_mm

    generator = torch.Generator().manual_seed(0)
    for m, n in SIDES:
        for left, right in ((False, False), (False, True), (True, False), (True, True)):
            ours, theirs = [], []
            for _ in range(3):
                a, b, out = laid(m, depth, left, generator), laid(depth, n, right, generator), torch.empty(m, n)
                ontogeny_mm(a, b, out=out)
                true = a.double() @ b.double()
                ours.append(out - true)
                theirs.append(torch.mm(a, b) - true)
            assert torch.stack(ours).norm() <= 1.05 * torch.stack(theirs).norm(), (m, n, left, right)


@pytest.mark.slow
def test_threads_change_no_bit() -> None:
    from ontogeny.machine.compiled.products import ontogeny_mm

    generator, before, found = torch.Generator().manual_seed(0), torch.get_num_threads(), []
    a, b = laid(256, 128, True, generator), laid(128, 384, True, generator)
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            out = torch.empty(256, 384)
            ontogeny_mm(a, b, out=out)
            found.append(out)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)
