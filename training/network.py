"""The classifier: subword embeddings, one bank of 1-D convolutions, three ways of pooling, two dense layers.

In:  parameters, token ids [batch, length] and mask [batch, length] (1 real, 0 padding).
Out: logits [batch, outputs]. Padding never reaches a logit: padded positions are zero
     before the convolution, as the border of a text is, and are left out of the pooling.
"""

import jax
import jax.numpy as jnp
import numpy as np

WIDTH = 5
EMBEDDING = 128
FILTERS = 256
HEADS = 4
HIDDEN = 128

Parameters = dict[str, jax.Array]


def initial_parameters(vocabulary: int, outputs: int, seed: int) -> Parameters:
    random = np.random.default_rng(seed)

    def normal(*shape: int, scale: float) -> jax.Array:
        return jnp.asarray(random.normal(0, scale, shape), jnp.float32)

    pooled = 3 * FILTERS + EMBEDDING
    return {
        "embedding": normal(vocabulary, EMBEDDING, scale=0.1),
        "convolution": normal(WIDTH * EMBEDDING, FILTERS, scale=(2 / (WIDTH * EMBEDDING)) ** 0.5),
        "convolution_bias": jnp.zeros(FILTERS),
        "attention": normal(FILTERS, HEADS, scale=FILTERS**-0.5),
        "hidden": normal(pooled, HIDDEN, scale=(2 / pooled) ** 0.5),
        "hidden_bias": jnp.zeros(HIDDEN),
        "output": normal(HIDDEN, outputs, scale=HIDDEN**-0.5),
        "output_bias": jnp.zeros(outputs),
    }


def _drop(key: jax.Array | None, x: jax.Array, rate: float, shape: tuple[int, ...]) -> jax.Array:
    if key is None:
        return x
    return x * jax.random.bernoulli(key, 1 - rate, shape) / (1 - rate)


def _attended(parameters: Parameters, y: jax.Array, weight: jax.Array) -> jax.Array:
    """Each head reads its own share of the filters, at the positions it finds worth reading."""
    batch, length, _ = y.shape
    share = jax.nn.softmax(y @ parameters["attention"] - 1e4 * (1 - weight), axis=1)
    per_head = y.reshape(batch, length, HEADS, FILTERS // HEADS)
    return (per_head * share[:, :, :, None]).sum(axis=1).reshape(batch, FILTERS)


def logits(parameters: Parameters, ids: jax.Array, mask: jax.Array, key: jax.Array | None = None) -> jax.Array:
    """With `key`, dropout is on (training); without it, the result is deterministic."""
    keys = [None] * 3 if key is None else list(jax.random.split(key, 3))
    batch, length = ids.shape
    weight = mask[:, :, None]
    x = parameters["embedding"][ids] * weight
    x = _drop(keys[0], x, 0.1, (batch, length, 1))
    x = _drop(keys[1], x, 0.2, (batch, 1, EMBEDDING))
    before = (WIDTH - 1) // 2
    padded = jnp.pad(x, ((0, 0), (before, WIDTH - 1 - before), (0, 0)))
    windows = jnp.concatenate([padded[:, i : i + length] for i in range(WIDTH)], axis=2)
    y = jax.nn.relu(windows @ parameters["convolution"] + parameters["convolution_bias"]) * weight
    count = jnp.maximum(mask.sum(axis=1, keepdims=True), 1)
    pooled = [y.max(axis=1), y.sum(axis=1) / count, _attended(parameters, y, weight), x.sum(axis=1) / count]
    pooled = jnp.concatenate(pooled, axis=1)
    pooled = _drop(keys[2], pooled, 0.35, pooled.shape)
    hidden = jax.nn.relu(pooled @ parameters["hidden"] + parameters["hidden_bias"])
    return hidden @ parameters["output"] + parameters["output_bias"]
