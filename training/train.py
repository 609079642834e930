"""Train the classifier of a task on the prepared examples and the teachers' opinions of them.

In:  `OUT/examples.jsonl`; of the task `tokenizer.json`, `embeddings.npy`, the teachers named with `--teacher` and,
     with `--start`, the parameters to go on from.
Out: `OUT/<task>/NAME.npz`: the averaged parameters; quality on the dev split on the way.
"""

import argparse
import random
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from tokenizers import Tokenizer

from .augment import CUT_OTHERWISE, RESPELT, respelt, thinned
from .batches import Encoded, encode, index_batches, load_tokenizer, pad, token_ids
from .metrics import area_under_curve, macro_f1_of_classes
from .network import Parameters, initial_parameters, logits
from .tasks import TASKS, Task, rows

SEED = 20
LEARNING_RATE = 2e-3
# Adam moves rare subwords as far as frequent ones, which learns single texts by heart.
EMBEDDING_RATE = 0.35
AVERAGE_DECAY = 0.998
# How much of the target is the annotators' answer, where a teacher has one too.
ANNOTATED = 0.5
# The heads of single sources let the trunk learn what each source means by a label; they are not exported.
SOURCE_HEADS = 0.5
# Small or rare kinds of text that the larger data sets would drown.
REPEATS = {
    "sms_spam": 3, "group_neutral": 2, "group_hateful": 2, "everyday_spam": 2, "everyday_ordinary": 2,
    "surge_toxicity": 2, "contrast_toxic": 2, "contrast_harmless": 3,
    "stance_hateful": 2, "stance_harmless": 2, "stance_toxic": 2,
}
LARGEST_CORRECTION = 5.0
# A run that goes on from another's parameters must not undo them.
CONTINUED = 0.5


def balanced_weights(data: Encoded, task: Task) -> np.ndarray:
    """Gives the answers equal weight per data set and language.

    Shares of toxic texts differ by collection (4 % to 83 %) and would otherwise become
    part of the score: a harmless English tweet would start out as probably toxic.
    """
    weights = data.weights.copy()
    for source in np.unique(data.sources):
        rows_of = data.sources == source
        for label in range(len(task.labels)):
            if not task.exclusive and task.labels[label] == "spam":
                continue
            yes, no = rows_of & (data.targets[:, label] == 1), rows_of & (data.targets[:, label] == 0)
            sums = weights[yes, label].sum(), weights[no, label].sum()
            if min(sums) == 0:
                continue
            if task.exclusive:
                correction = rows_of.sum() / (len(task.labels) * yes.sum())
                weights[yes] *= np.clip(correction, 1 / LARGEST_CORRECTION, LARGEST_CORRECTION)
                continue
            for answer, total in zip((yes, no), sums):
                correction = sum(sums) / (2 * total)
                weights[answer, label] *= np.clip(correction, 1 / LARGEST_CORRECTION, LARGEST_CORRECTION)
    return weights


def with_teachers(data: Encoded, teachers: list[np.ndarray]) -> np.ndarray:
    """Targets between the annotators' answer and the mean opinion of the teachers that have one."""
    if not teachers:
        return data.targets
    stacked = np.stack(teachers)
    known = ~np.isnan(stacked)
    opinion = np.where(known, stacked, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    mixed = ANNOTATED * data.targets + (1 - ANNOTATED) * opinion
    return np.where(known.any(axis=0), mixed, data.targets).astype(np.float32)


def _cross_entropy(task: Task, found: jax.Array, targets: jax.Array, weights: jax.Array) -> jax.Array:
    if task.exclusive:
        return (optax.softmax_cross_entropy(found, targets) * weights[:, 0]).sum()
    return (optax.sigmoid_binary_cross_entropy(found, targets) * weights).sum()


def probabilities(task: Task, found: np.ndarray) -> np.ndarray:
    if task.exclusive:
        each = np.exp(found - found.max(axis=1, keepdims=True))
        return each / each.sum(axis=1, keepdims=True)
    return 1 / (1 + np.exp(-found))


_forward = jax.jit(logits)


def scores(parameters: Parameters, data: Encoded, task: Task) -> np.ndarray:
    result = np.zeros_like(data.targets)
    for length, indices in index_batches(data.ids, np.arange(len(data.ids)), full_only=False):
        # A last, smaller batch would be compiled anew.
        size = next(n for n in (1 << k for k in range(20)) if n >= len(indices))
        filled = np.resize(indices, size)
        found = _forward(parameters, *pad([data.ids[i] for i in filled], length))
        result[indices] = np.asarray(found)[: len(indices), : len(task.labels)]
    return probabilities(task, result)


def report(found: np.ndarray, data: Encoded, task: Task) -> None:
    if task.exclusive:
        figures = {}
        for source in np.unique(data.sources):
            chosen = data.sources == source
            truth = data.targets[chosen].argmax(axis=1)
            if len(np.unique(truth)) == len(task.labels):
                figures[source] = macro_f1_of_classes(truth, found[chosen].argmax(axis=1), len(task.labels))
        mean = np.mean([value for source, value in figures.items() if source.startswith("afrisenti")])
        print("  " + ", ".join(f"{source} {value:.3f}" for source, value in figures.items()))
        print(f"  mean of AfriSenti {mean:.4f}", flush=True)
        return
    for label, name in enumerate(task.labels):
        known = data.weights[:, label] >= 0.3
        cells = []
        for source in np.unique(data.sources[known]):
            chosen = known & (data.sources == source)
            area = area_under_curve(data.targets[chosen, label], found[chosen, label])
            if not np.isnan(area):
                cells.append(f"{source} {area:.3f}")
        print(f"  {name}: " + ", ".join(cells), flush=True)


def varied(ids: list[np.ndarray], texts: list[str], tokenizer: Tokenizer, chosen: random.Random) -> list[np.ndarray]:
    """The ids of the texts, some of them respelt, some cut into other subwords."""
    result = list(ids)
    ways = [chosen.random() for _ in texts]
    otherwise = thinned(tokenizer, chosen)
    cut = [i for i, way in enumerate(ways) if way < CUT_OTHERWISE]
    spelt = [i for i, way in enumerate(ways) if way >= 1 - RESPELT]
    for places, new in (
        (cut, token_ids([texts[i] for i in cut], otherwise)),
        (spelt, token_ids([respelt(texts[i], chosen) for i in spelt], tokenizer)),
    ):
        for i, tokens in zip(places, new):
            result[i] = tokens
    return result


def train(
    task: Task, out: Path, name: str, teachers: Sequence[str], seed: int, passes: int, start: str | None = None
) -> None:
    folder = out / task.name
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    parts = {split: rows(task, out, split) for split in ("train", "dev")}
    data, dev = (encode(part, task, tokenizer) for part in parts.values())
    texts = [row["text"] for row in parts["train"]]
    weights = balanced_weights(data, task)
    targets = with_teachers(data, [np.load(folder / f"{teacher}.npz")["train"] for teacher in teachers])
    sources = np.unique(data.sources, return_inverse=True)[1].astype(np.int32)
    heads = int(sources.max()) + 1
    order, chosen = np.random.default_rng(seed), random.Random(seed)
    pool = np.repeat(np.arange(len(texts)), [REPEATS.get(dataset, 1) for dataset in data.datasets])
    rate = LEARNING_RATE * (CONTINUED if start else 1)
    steps = passes * sum(1 for _ in index_batches(data.ids, pool, full_only=True))
    optimizer = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.adamw(optax.cosine_onecycle_schedule(steps, rate, pct_start=0.1), weight_decay=1e-3),
    )
    labels = len(task.labels)
    parameters = initial_parameters(tokenizer.get_vocab_size(), labels * (1 + heads), seed)
    parameters["embedding"] = jnp.asarray(np.load(folder / "embeddings.npy")) + 0.02 * parameters["embedding"]
    if start:
        with np.load(folder / f"{start}.npz") as archive:
            for part in archive.files:
                fresh = parameters[part]
                known = jnp.asarray(archive[part])
                # The heads of the single sources were not kept.
                parameters[part] = known if known.shape == fresh.shape else fresh.at[..., :labels].set(known)
    state, key = optimizer.init(parameters), jax.random.key(seed)

    def loss(parameters, batch, key):
        ids, mask, targets, weights, source = batch
        found = logits(parameters, ids, mask, key)
        by_source = found[:, labels:].reshape(-1, heads, labels)
        own = jnp.take_along_axis(by_source, source[:, None, None], axis=1)[:, 0]
        total = _cross_entropy(task, found[:, :labels], targets, weights)
        return (total + SOURCE_HEADS * _cross_entropy(task, own, targets, weights)) / ids.shape[0]

    @partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(parameters, average, state, batch, key):
        value, gradient = jax.value_and_grad(loss)(parameters, batch, key)
        updates, state = optimizer.update(gradient, state, parameters)
        updates["embedding"] *= EMBEDDING_RATE
        parameters = optax.apply_updates(parameters, updates)
        average = jax.tree.map(lambda a, p: AVERAGE_DECAY * a + (1 - AVERAGE_DECAY) * p, average, parameters)
        return parameters, average, state, value

    average = jax.tree.map(jnp.copy, parameters)
    done, started = 0, time.monotonic()
    for epoch in range(passes):
        ids = varied(data.ids, texts, tokenizer, chosen)
        values = []
        for length, indices in index_batches(ids, order.permutation(pool), full_only=True):
            padded, mask = pad([ids[i] for i in indices], length)
            batch = (padded, mask, targets[indices], weights[indices], sources[indices])
            parameters, average, state, value = step(parameters, average, state, batch, jax.random.fold_in(key, done))
            values.append(value)
            done += 1
        mean = float(np.mean(jax.device_get(values)))
        print(f"epoch {epoch + 1}: loss {mean:.4f}, {time.monotonic() - started:.0f} s", flush=True)
        report(scores(average, dev, task), dev, task)
        kept = dict(jax.device_get(average))
        kept |= {"output": kept["output"][:, :labels], "output_bias": kept["output_bias"][:labels]}
        np.savez(folder / f"{name}.npz", **kept)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--name", default="parameters")
    parser.add_argument("--teacher", action="append", default=[], help="a file OUT/<task>/NAME.npz, without .npz")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--start", help="go on from OUT/<task>/START.npz")
    arguments = parser.parse_args()
    task = TASKS[arguments.task]
    train(task, arguments.out, arguments.name, arguments.teacher, arguments.seed, arguments.passes, arguments.start)
