"""The wide part of the classifier: weights of subwords and of pairs of neighbours, straight to the logits.

In:  `OUT/examples.jsonl`, the tokenizer of a task, and for `widen` the parameters `OUT/<task>/NAME.npz` of the network.
Out: of `fit_wide` `OUT/<task>/linear.npz`, which needs no network: `wide` [vocabulary + `BUCKETS`, labels] and
     `wide_bias`, learnt from all sources; `own` [vocabulary, registers, labels] and `own_bias`, learnt from the
     texts of one register each; `gate` [vocabulary, registers] and `gate_bias`: how much a text looks like the register
     (softmax; none of them has the logit 0).
     Of `widen` `OUT/<task>/NAME.wide.npz`: the network and these, times how much each counts, chosen on dev.

The network generalises; a regularised linear model remembers which words a source flags. Each is right where
the other is not. A register is the way that a community talks: the same word is an insult in one and
none in another, which a single set of weights cannot say.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer

from .batches import Encoded, encode, load_tokenizer
from .metrics import area_under_curve, macro_f1_of_classes
from .prepare import WRITTEN
from .tasks import LEAST_WEIGHT, TASKS, Task, rows
from .train import REPEATS, balanced_weights, report, scores
from .wide_features import Weights, character_table, fit, wide_features

STRENGTH = 4.0
OWN_STRENGTH = 1.5
GATE_STRENGTH = 4.0
# Plain sentences, of which the written ones are the only examples, are of no register.
WRITTEN_COUNT = 10
# No more than 1.5: what a small source says of itself must not drown the rest elsewhere.
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
ROUNDS = 2
FEWEST = 100


def _quality(task: Task, data: Encoded, found: np.ndarray, label: int) -> float:
    """Area under the curve of a label, or macro F1: mean over the sources, by the root of their size."""
    figures, sizes = [], []
    for source in np.unique(data.sources):
        chosen = data.sources == source
        if task.exclusive:
            truth = data.targets[chosen].argmax(axis=1)
            if len(np.unique(truth)) < len(task.labels):
                continue
            figures.append(macro_f1_of_classes(truth, found[chosen].argmax(axis=1), len(task.labels)))
        else:
            chosen &= data.weights[:, label] >= LEAST_WEIGHT
            area = area_under_curve(data.targets[chosen, label], found[chosen, label])
            if chosen.sum() < FEWEST or np.isnan(area):
                continue
            figures.append(area)
        sizes.append(chosen.sum() ** 0.5)
    return float(np.average(figures, weights=sizes))


def _common(data: Encoded, features: sparse.csr_matrix, weights: np.ndarray) -> dict[str, np.ndarray]:
    labels = data.targets.shape[1]
    table, bias = np.zeros((features.shape[1], labels), np.float32), np.zeros(labels, np.float32)
    for label in range(labels):
        known = np.flatnonzero(weights[:, label] > 0)
        model = LogisticRegression(solver="liblinear", C=STRENGTH, tol=1e-2)
        model.fit(features[known], data.targets[known, label], sample_weight=weights[known, label])
        table[:, label], bias[label] = model.coef_[0], model.intercept_[0]
    return {"wide": table, "wide_bias": bias}


def own_parts(
    task: Task, data: Encoded, subwords: sparse.csr_matrix, tokenizer: Tokenizer, weights: np.ndarray,
) -> dict[str, np.ndarray]:
    registers, labels, characters = len(task.registers), len(task.labels), character_table(tokenizer)
    place = np.full(len(data.sources), registers)
    for number, register in enumerate(task.registers):
        place[data.sources == register] = number
    written = np.array([dataset.startswith(WRITTEN) for dataset in data.datasets])
    use = np.asarray((subwords[place < registers] > 0).sum(axis=0)).ravel()
    rare = np.argsort(-use, kind="stable")[task.register_subwords :]
    kept = sparse.diags(np.isin(np.arange(len(use)), rare, invert=True).astype(np.float32))
    one_hot = np.eye(registers + 1, dtype=np.float32)[place]
    counts = np.where(written, WRITTEN_COUNT, 1).astype(np.float32)[:, None]
    gate = fit((subwords @ kept).tocsr(), None, one_hot, counts, GATE_STRENGTH, True)
    own = np.zeros((subwords.shape[1], registers, labels), np.float32)
    own_bias = np.zeros((registers, labels), np.float32)
    for number, register in enumerate(task.registers):
        chosen = np.flatnonzero(place == number)
        known = [label for label in range(labels) if len(np.unique(data.targets[chosen, label])) == 2]
        targets, counts = data.targets[chosen][:, known], weights[chosen][:, known]
        found = fit(subwords[chosen], characters, targets, counts, OWN_STRENGTH, task.exclusive)
        own[:, number, known], own_bias[number, known] = kept @ found.table, found.bias
        print("fitted", register, flush=True)
    # Softmax does not change when one number is taken from all; the last one, none of the registers, becomes 0.
    table = gate.table[:, :-1] - gate.table[:, -1:]
    return {"gate": kept @ table, "gate_bias": gate.bias[:-1] - gate.bias[-1], "own": own, "own_bias": own_bias}


def own_logits(parts: dict[str, np.ndarray], subwords: sparse.csr_matrix) -> np.ndarray:
    """[texts, registers, labels], each register by its share of the text."""
    vocabulary, registers, labels = parts["own"].shape
    looks = np.exp(np.minimum(subwords @ parts["gate"] + parts["gate_bias"], 50))
    share = looks / (1 + looks.sum(axis=1, keepdims=True))
    each = (subwords @ parts["own"].reshape(vocabulary, -1)).reshape(-1, registers, labels) + parts["own_bias"]
    return each * share[:, :, None]


def fit_wide(task: Task, out: Path) -> None:
    folder = out / task.name
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    data = encode(rows(task, out, "train"), task, tokenizer)
    vocabulary = tokenizer.get_vocab_size()
    features = wide_features(data.ids, vocabulary)
    repeats = np.array([REPEATS.get(dataset, 1) for dataset in data.datasets])
    weights = (balanced_weights(data, task) * repeats[:, None]).astype(np.float32)
    parts = _common(data, features, weights)
    if task.registers:
        parts |= own_parts(task, data, features[:, :vocabulary].tocsr(), tokenizer, weights)
    np.savez(folder / "linear.npz", **parts)


def widen(task: Task, out: Path, name: str) -> None:
    folder = out / task.name
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    dev = encode(rows(task, out, "dev"), task, tokenizer)
    with np.load(folder / f"{name}.npz") as archive, np.load(folder / "linear.npz") as fitted:
        parameters, parts = dict(archive), dict(fitted)
    vocabulary, labels = tokenizer.get_vocab_size(), range(len(task.labels))
    features = wide_features(dev.ids, vocabulary)
    probability = np.clip(scores(parameters, dev, task), 1e-6, 1 - 1e-6)
    deep = np.log(probability) if task.exclusive else np.log(probability / (1 - probability))
    subwords, registers = features[:, :vocabulary].tocsr(), len(task.registers)
    added = [Weights(parts["wide"], parts["wide_bias"])(features)]
    if registers:
        added += list(own_logits(parts, subwords).transpose(1, 0, 2))
    counts = np.zeros((1 + registers, len(task.labels)), np.float32)
    # One part after the other, the common one first, each with what the others count already.
    for _ in range(ROUNDS):
        for label in labels[:1] if task.exclusive else labels:
            which = slice(None) if task.exclusive else label
            for part in range(1 + registers):
                counts[part, which] = 0
                rest = deep + sum(count * logits for count, logits in zip(counts, added))
                quality = [_quality(task, dev, rest + share * added[part], label) for share in SHARES]
                counts[part, which] = SHARES[int(np.argmax(np.round(quality, 5)))]
    for name_of_part, count in zip(["all", *task.registers], counts):
        print("counts", name_of_part, count.tolist(), flush=True)
    parts["wide"], parts["wide_bias"] = parts["wide"] * counts[0], parts["wide_bias"] * counts[0]
    if registers:
        parts["own"], parts["own_bias"] = parts["own"] * counts[1:], parts["own_bias"] * counts[1:]
    found = deep + sum(count * logits for count, logits in zip(counts, added))
    report(found, dev, task)
    np.savez(folder / f"{name}.wide.npz", **parameters, **parts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--name", help="the network; without it, the linear parts are fitted")
    arguments = parser.parse_args()
    task = TASKS[arguments.task]
    if arguments.name is None:
        fit_wide(task, arguments.out)
    else:
        widen(task, arguments.out, arguments.name)
