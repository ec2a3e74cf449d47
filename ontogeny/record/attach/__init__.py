"""Recording a training loop that is not ours: every parameter at every step, from a plain PyTorch loop or a trainer.

`loop.py` has `attach`; `attached.py` reads what was recorded, and needs no torch.
"""

from ontogeny.record.attach.attached import Attached, is_attached

__all__ = ["Attached", "is_attached"]
