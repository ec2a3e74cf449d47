"""The three models of step_speed.py in JAX, with AdamW, as one jitted step. Nothing here runs where JAX is missing.

The losses of the first and the fifth step were found equal to torch's to four digits. The modular model's
accuracy, which the other contenders compute too, is left out here.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from models import CONTEXT, HEADS, Task


def jax_step(task: Task) -> Callable[[], object] | None:
    """One training step under jit on one CPU thread, or None where JAX is not installed."""
    if find_spec("jax") is None:
        return None
    import jax
    import jax.numpy as jnp

    model = task.model()
    params = {name: jnp.asarray(p.detach().numpy()) for name, p in model.named_parameters()}
    zeros = {name: jnp.zeros_like(p) for name, p in params.items()}
    batch = {name: jnp.asarray(values) for name, values in task.batches(1)[0].items()}
    settings = {"betas": (0.9, 0.999), **task.rule}
    forward = {"mlp": _mlp, "gpt": _gpt, "modular": _modular}[task.name]
    step = jax.jit(_trainer(forward, settings), donate_argnums=0)
    held = [(params, zeros, {name: jnp.zeros_like(p) for name, p in params.items()}, jnp.zeros((), jnp.int32))]

    def call() -> object:
        held[0], loss = step(held[0], batch)
        return jax.block_until_ready(loss)

    return call


def _trainer(forward: Callable[..., Any], settings: dict[str, Any]) -> Callable[..., Any]:
    import jax
    import jax.numpy as jnp

    lr, decay, (beta1, beta2) = settings["lr"], settings["weight_decay"], settings["betas"]

    def loss(params: Any, batch: Any) -> Any:
        scores = forward(params, batch["x"])
        chosen = jnp.take_along_axis(jax.nn.log_softmax(scores), batch["y"][..., None], -1)
        return -chosen.mean()

    def step(state: Any, batch: Any) -> Any:
        params, means, squares, count = state
        value, grads = jax.value_and_grad(loss)(params, batch)
        count = count + 1
        means = {k: beta1 * means[k] + (1 - beta1) * g for k, g in grads.items()}
        squares = {k: beta2 * squares[k] + (1 - beta2) * g * g for k, g in grads.items()}
        size, root = lr / (1 - beta1**count), jnp.sqrt(1 - beta2**count)
        new = {
            k: p * (1 - lr * decay) - size * means[k] / (jnp.sqrt(squares[k]) / root + 1e-8) for k, p in params.items()
        }
        return (new, means, squares, count), value

    return step


def _linear(p: Any, name: str, x: Any) -> Any:
    y = x @ p[f"{name}.weight"].T
    return y + p[f"{name}.bias"] if f"{name}.bias" in p else y


def _norm(p: Any, name: str, x: Any) -> Any:
    import jax.numpy as jnp

    x = x - x.mean(-1, keepdims=True)
    return x / jnp.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * p[f"{name}.weight"] + p[f"{name}.bias"]


def _attention(q: Any, k: Any, v: Any, causal: bool) -> Any:
    """[batch, length, width] each, split into heads."""
    import jax
    import jax.numpy as jnp

    q, k, v = (t.reshape(*t.shape[:2], HEADS, -1).transpose(0, 2, 1, 3) for t in (q, k, v))
    scores = q @ k.transpose(0, 1, 3, 2) / q.shape[-1] ** 0.5
    if causal:
        scores = jnp.where(jnp.tril(jnp.ones(scores.shape[-2:], bool)), scores, -jnp.inf)
    mixed = (jax.nn.softmax(scores) @ v).transpose(0, 2, 1, 3)
    return mixed.reshape(*mixed.shape[:2], -1)


def _mlp(p: Any, x: Any) -> Any:
    import jax

    return _linear(p, "third", jax.nn.relu(_linear(p, "second", jax.nn.relu(_linear(p, "first", x)))))


def _modular(p: Any, x: Any) -> Any:
    import jax
    import jax.numpy as jnp

    h = p["embed.weight"][x] + p["position"]
    k, v = jnp.split(_linear(p, "key_value", h), 2, -1)
    h = h[:, -1] + _linear(p, "out", _attention(_linear(p, "query", h[:, -1:]), k, v, False)[:, 0])
    return _linear(p, "unembed", h + _linear(p, "down", jax.nn.relu(_linear(p, "up", h))))


def _gpt(p: Any, x: Any) -> Any:
    import jax
    import jax.numpy as jnp

    h = p["embed.weight"][x] + p["place.weight"][:CONTEXT]
    for i in range(4):
        b = f"blocks.{i}."
        q, k, v = jnp.split(_linear(p, b + "qkv", _norm(p, b + "norm1", h)), 3, -1)
        h = h + _linear(p, b + "mix", _attention(q, k, v, True))
        up = jax.nn.gelu(_linear(p, b + "up", _norm(p, b + "norm2", h)), approximate=False)
        h = h + _linear(p, b + "down", up)
    return _linear(p, "out", _norm(p, "norm", h))
