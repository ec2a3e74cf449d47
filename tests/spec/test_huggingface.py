"""Hugging Face models, small and randomly initialised, train by the machine as they do in plain PyTorch.

Equal bit for bit at one thread.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

import ontogeny as og
from ontogeny.front.capture import capture
from tests.spec.training import Batch, differences, learned, trained

transformers = pytest.importorskip("transformers", reason="transformers is not installed: pip install ontogeny[hf]")

STEPS = 20
SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
PLAIN = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def gpt2() -> nn.Module:
    dropout = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    ends = {"bos_token_id": 0, "eos_token_id": 0, "use_cache": False}
    config = transformers.GPT2Config(vocab_size=99, n_positions=32, n_embd=32, n_layer=2, n_head=4, **dropout, **ends)
    return transformers.GPT2LMHeadModel(config)


def llama() -> nn.Module:
    config = transformers.LlamaConfig(vocab_size=99, num_key_value_heads=2, use_cache=False, **SMALL)
    return transformers.LlamaForCausalLM(config)


def bert() -> nn.Module:
    return transformers.BertForSequenceClassification(
        transformers.BertConfig(vocab_size=99, num_labels=3, **SMALL, **PLAIN)
    )


def vit() -> nn.Module:
    config = transformers.ViTConfig(image_size=16, patch_size=4, num_labels=5, **SMALL, **PLAIN)
    return transformers.ViTForImageClassification(config)


def text() -> Batch:
    ids = torch.randint(1, 99, (4, 12))
    return {"input_ids": ids, "labels": ids}


def sentence() -> Batch:
    mask = torch.ones(4, 12, dtype=torch.int64)
    mask[1, 8:] = 0
    return {"input_ids": torch.randint(1, 99, (4, 12)), "attention_mask": mask, "labels": torch.randint(0, 3, (4,))}


def image() -> Batch:
    return {"pixel_values": torch.randn(4, 3, 16, 16), "labels": torch.randint(0, 5, (4,))}


def own_loss(model: nn.Module, batch: Batch) -> torch.Tensor:
    """The loss that the model computes itself."""
    result: torch.Tensor = model(**batch).loss
    return result


CASES: dict[str, tuple[Callable[[], nn.Module], Callable[[], Batch], float]] = {
    "gpt-2": (gpt2, text, 0.0),
    "llama": (llama, text, 0.0),
    "bert": (bert, sentence, 0.0),
    "vit": (vit, image, 0.0),
}


@pytest.mark.parametrize("name", CASES)
def test_twenty_steps_are_those_of_plain_pytorch(name: str) -> None:
    torch.manual_seed(0)
    make, batch, tolerance = CASES[name]
    model, batches = make(), [batch() for _ in range(STEPS)]
    machine, ours = learned(capture(model, own_loss, og.adamw(lr=1e-3, weight_decay=0.1), batches[0]), batches)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    plain = trained(model, own_loss, optimizer, batches)
    count, largest = differences(machine, model)
    np.testing.assert_allclose(ours, plain, rtol=max(tolerance, 1e-12))
    assert largest <= tolerance, f"{count} elements differ, by {largest} at most"


def test_dropout_of_gpt2_is_captured_exactly() -> None:
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=99, n_positions=32, n_embd=32, n_layer=1, n_head=4, use_cache=False, bos_token_id=0, eos_token_id=0
    )
    learner = capture(transformers.GPT2LMHeadModel(config), own_loss, og.adamw(), text())
    assert learner.check["gradient_difference"] <= 1e-6
