"""GPT-2 or Llama from Hugging Face, small and randomly initialised, learns to copy.

    ontogeny run examples/huggingface.py model=llama

Every row is a random stretch of symbols, written twice: the second half can be known, the first cannot. Nothing is
downloaded. Needs transformers: pip install ontogeny[hf].
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

import ontogeny as og

SYMBOLS = 16


def gpt2(width: int, depth: int, length: int) -> nn.Module:
    """GPT-2 without dropout."""
    size = {"n_positions": length, "n_embd": width, "n_layer": depth, "n_head": 4}
    plain = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0, "use_cache": False}
    return GPT2LMHeadModel(GPT2Config(vocab_size=SYMBOLS, bos_token_id=0, eos_token_id=0, **size, **plain))


def llama(width: int, depth: int, length: int) -> nn.Module:
    """Llama with half as many heads for keys and values."""
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    size = {"hidden_size": width, "intermediate_size": 2 * width, "num_hidden_layers": depth}
    ends = {"bos_token_id": 0, "eos_token_id": 0, "use_cache": False, "max_position_embeddings": length}
    return LlamaForCausalLM(LlamaConfig(vocab_size=SYMBOLS, **heads, **size, **ends))


MODELS = {"gpt2": gpt2, "llama": llama}


def loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Cross entropy of the second half, and how much of it is right."""
    half = batch["ids"].shape[1] // 2
    scores = model(input_ids=batch["ids"]).logits[:, half - 1 : -1]
    wanted = batch["ids"][:, half:]
    accuracy = (scores.argmax(-1) == wanted).float().mean()
    return {"loss": F.cross_entropy(scores.flatten(0, 1), wanted.flatten()), "accuracy": accuracy}


def rows(count: int, length: int, seed: int) -> dict[str, np.ndarray]:
    """Random symbols, written twice: [count, 2 length]."""
    symbols = np.random.default_rng(seed).integers(1, SYMBOLS, (count, length))
    return {"ids": np.concatenate([symbols, symbols], axis=1)}


def experiment(
    model: str = "gpt2",
    lr: float = 3e-3,
    weight_decay: float = 0.01,
    batch_size: int = 32,
    width: int = 64,
    depth: int = 2,
    length: int = 8,
    seed: int = 0,
) -> og.Experiment:
    """The task, ready to run."""
    if model not in MODELS:
        raise og.OntogenyError(f"there is no model {model!r}; choose one of {', '.join(MODELS)}")
    torch.manual_seed(seed)
    train, valid = rows(8192, length, seed), rows(128, length, seed + 1)
    example = {name: values[:batch_size] for name, values in train.items()}
    rule = og.adamw(lr=lr, weight_decay=weight_decay).with_clip(1.0)
    learner = og.capture(MODELS[model](width, depth, 2 * length), loss, rule, example, valid=valid, name=model)
    data = og.Arrays(train, batch_size=batch_size, seed=seed)
    held_out = {f"valid.{name}": values for name, values in valid.items()}
    return og.Experiment(learner, data, held_out, seed=seed, evaluate_every=50, name=model)
