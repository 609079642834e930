"""Train the classifier on the prepared examples.

In:  `OUT/examples.jsonl` and `OUT/tokenizer.json`.
Out: `OUT/parameters.npz`: the averaged parameters; quality on the dev split on the way.
"""

import argparse
import time
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax

from .batches import Encoded, encode, index_batches, load_tokenizer, pad
from .metrics import area_under_curve
from .network import Parameters, initial_parameters, logits
from .prepare import LABELS, read_examples

SEED = 20
EPOCHS = 3
LEARNING_RATE = 2e-3
# Adam moves rare subwords as far as frequent ones, which learns single texts by heart.
EMBEDDING_RATE = 0.35
AVERAGE_DECAY = 0.998
# Small or rare kinds of text that the larger data sets would drown.
REPEATS = {
    "sms_spam": 3, "group_neutral": 4, "group_hateful": 5, "everyday_spam": 2, "everyday_ordinary": 2,
    "surge_toxicity": 2,
}


LARGEST_CORRECTION = 5.0


def balanced_weights(data: Encoded) -> np.ndarray:
    """Gives both answers equal weight per data set and language.

    Shares of toxic texts differ by collection (4 % to 83 %) and would otherwise become
    part of the score: a harmless English tweet would start out as probably toxic.
    """
    weights = data.weights.copy()
    source = np.char.add(np.char.add(data.datasets, " "), data.languages)
    for label in (LABELS.index("toxic"), LABELS.index("hate")):
        for name in np.unique(source):
            rows = source == name
            yes, no = rows & (data.targets[:, label] == 1), rows & (data.targets[:, label] == 0)
            sums = weights[yes, label].sum(), weights[no, label].sum()
            if min(sums) > 0:
                for answer, total in zip((yes, no), sums):
                    correction = sum(sums) / (2 * total)
                    weights[answer, label] *= np.clip(correction, 1 / LARGEST_CORRECTION, LARGEST_CORRECTION)
    return weights


def loss(parameters: Parameters, batch: tuple[jax.Array, ...], key: jax.Array) -> jax.Array:
    ids, mask, targets, weights = batch
    each = optax.sigmoid_binary_cross_entropy(logits(parameters, ids, mask, key), targets)
    return (each * weights).sum() / ids.shape[0]


def scores(parameters: Parameters, data: Encoded) -> np.ndarray:
    result = np.zeros_like(data.targets)
    forward = jax.jit(logits)
    for length, indices in index_batches(data.ids, np.arange(len(data.ids)), full_only=False):
        result[indices] = jax.nn.sigmoid(forward(parameters, *pad([data.ids[i] for i in indices], length)))
    return result


def report(parameters: Parameters, data: Encoded) -> None:
    found = scores(parameters, data)
    for label, name in enumerate(LABELS):
        known = data.weights[:, label] >= 0.3
        cells = []
        for dataset in np.unique(data.datasets[known]):
            rows = known & (data.datasets == dataset)
            area = area_under_curve(data.targets[rows, label], found[rows, label])
            if not np.isnan(area):
                cells.append(f"{dataset} {area:.3f}")
        print(f"  {name}: " + ", ".join(cells), flush=True)


def train(out: Path, epochs: int) -> None:
    tokenizer = load_tokenizer(out / "tokenizer.json")
    data = encode(read_examples(out, "train"), tokenizer)
    dev = encode(read_examples(out, "dev"), tokenizer)
    weights = balanced_weights(data)
    random = np.random.default_rng(SEED)
    repeats = np.array([REPEATS.get(dataset, 1) for dataset in data.datasets])
    pool = np.repeat(np.arange(len(data.ids)), repeats)
    steps = epochs * sum(1 for _ in index_batches(data.ids, pool, full_only=True))
    optimizer = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.adamw(optax.cosine_onecycle_schedule(steps, LEARNING_RATE, pct_start=0.1), weight_decay=1e-3),
    )
    parameters = initial_parameters(tokenizer.get_vocab_size(), len(LABELS), SEED)
    parameters["embedding"] = jnp.asarray(np.load(out / "embeddings.npy")) + 0.02 * parameters["embedding"]
    average, state, key = parameters, optimizer.init(parameters), jax.random.key(SEED)

    @partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(parameters, average, state, batch, key):
        value, gradient = jax.value_and_grad(loss)(parameters, batch, key)
        updates, state = optimizer.update(gradient, state, parameters)
        updates["embedding"] *= EMBEDDING_RATE
        parameters = optax.apply_updates(parameters, updates)
        average = jax.tree.map(lambda a, p: AVERAGE_DECAY * a + (1 - AVERAGE_DECAY) * p, average, parameters)
        return parameters, average, state, value

    average = jax.tree.map(jnp.copy, average)
    done, started = 0, time.monotonic()
    for epoch in range(epochs):
        values = []
        for length, indices in index_batches(data.ids, random.permutation(pool), full_only=True):
            ids, mask = pad([data.ids[i] for i in indices], length)
            batch = (ids, mask, data.targets[indices], weights[indices])
            parameters, average, state, value = step(parameters, average, state, batch, jax.random.fold_in(key, done))
            values.append(value)
            done += 1
        mean = float(np.mean(jax.device_get(values)))
        print(f"epoch {epoch + 1}: loss {mean:.4f}, {time.monotonic() - started:.0f} s", flush=True)
        report(average, dev)
        np.savez(out / "parameters.npz", **jax.device_get(average))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    arguments = parser.parse_args()
    train(arguments.out, arguments.epochs)
