"""Linear models over character and word n-grams, one per label and source: the first teacher.

In:  `OUT/examples.jsonl`.
Out: `OUT/<task>/ngrams.npz`: `train` and `dev` [texts, labels], the probability of each label, NaN where the
     source has no such label. Those of the train split come from models that have not seen the text (four
     folds), so that the student learns what can be generalised; those of dev from a model of the whole split.

Such models know spellings that a subword vocabulary cuts up, and are strong where a source is small.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from .metrics import area_under_curve, macro_f1_of_classes
from .tasks import TASKS, Task, rows

FOLDS = 4
SEED = 20
FEWEST = 60
_WRITTEN = ("group_", "everyday_", "contrast_", "stance_")


def _features(texts: list[str]) -> sparse.csr_matrix:
    characters = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 5), n_features=1 << 19, alternate_sign=False)
    words = HashingVectorizer(ngram_range=(1, 2), n_features=1 << 18, alternate_sign=False, token_pattern=r"\w+|[^\w\s]")
    parts = [part.transform(texts) for part in (characters, words)]
    return sparse.hstack([TfidfTransformer(sublinear_tf=True).fit_transform(part) for part in parts]).tocsr()


def _fit(features: sparse.csr_matrix, target: np.ndarray) -> LogisticRegression:
    return LogisticRegression(solver="liblinear", C=4.0, class_weight="balanced", tol=1e-2).fit(features, target)


def _probability(models: list[LogisticRegression], features: sparse.csr_matrix) -> np.ndarray:
    each = np.stack([1 / (1 + np.exp(-model.decision_function(features))) for model in models], 1)
    return each if len(models) == 1 else each / each.sum(axis=1, keepdims=True)


def _predictions(train: sparse.csr_matrix, target: np.ndarray, dev: sparse.csr_matrix, classes: int):
    def fitted(chosen: np.ndarray) -> list[LogisticRegression]:
        answers = range(classes) if classes > 2 else (1,)
        return [_fit(train[chosen], target[chosen] == answer) for answer in answers]

    held_out = np.zeros((len(target), classes if classes > 2 else 1))
    for seen, unseen in StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(target, target):
        held_out[unseen] = _probability(fitted(seen), train[unseen])
    return held_out, _probability(fitted(np.arange(len(target))), dev)


def teach(task: Task, out: Path) -> None:
    parts = {split: rows(task, out, split) for split in ("train", "dev")}
    result = {split: np.full((len(part), len(task.labels)), np.nan, np.float32) for split, part in parts.items()}
    sources = {split: np.array([f"{row['dataset']} {row['language']}" for row in part]) for split, part in parts.items()}
    for source in np.unique(sources["train"]):
        if source.startswith(_WRITTEN) or source.startswith("toxic_spans"):
            continue
        index = {split: np.flatnonzero(sources[split] == source) for split in parts}
        texts = [parts[split][i]["text"] for split in parts for i in index[split]]
        features = _features(texts)
        train, dev = features[: len(index["train"])], features[len(index["train"]) :]
        if not dev.shape[0]:
            continue
        if task.exclusive:
            target = np.array([task.labels.index(parts["train"][i]["sentiment"]) for i in index["train"]])
            if len(np.unique(target)) < 3:
                continue
            result["train"][index["train"]], result["dev"][index["dev"]] = _predictions(train, target, dev, 3)
            truth = np.array([task.labels.index(parts["dev"][i]["sentiment"]) for i in index["dev"]])
            found = result["dev"][index["dev"]].argmax(axis=1)
            print(source, f"dev macro F1 {macro_f1_of_classes(truth, found, 3):.3f}", flush=True)
            continue
        for column, label in enumerate(task.labels):
            pairs = np.array([parts["train"][i][label] for i in index["train"]])
            known = pairs[:, 1] >= 0.3
            target = pairs[known, 0].astype(int)
            if min((target == 1).sum(), (target == 0).sum()) < FEWEST:
                continue
            held_out, predicted = _predictions(train[np.flatnonzero(known)], target, dev, 2)
            result["train"][index["train"][known], column] = held_out[:, 0]
            result["dev"][index["dev"], column] = predicted[:, 0]
            pairs = np.array([parts["dev"][i][label] for i in index["dev"]])
            known = pairs[:, 1] >= 0.3
            area = area_under_curve(pairs[known, 0].astype(int), predicted[known, 0])
            print(source, label, f"dev AUROC {area:.3f}", flush=True)
    np.savez(out / task.name / "ngrams.npz", **result)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--task", choices=TASKS, required=True)
    arguments = parser.parse_args()
    teach(TASKS[arguments.task], arguments.out)
