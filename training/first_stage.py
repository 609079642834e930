"""The first stage of a cascade in front of the default model: one linear function of hashed n-grams per label.

In:  `OUT/examples.jsonl`; the model folder of the default model, the second stage and teacher.
Out: `MODEL`, a complete model folder without its card: `linear.bin`, `config.json`, `sluice.yaml`. The band comes from
     `sluice cascade fit` afterwards, which measures on the dev split what a band costs.

It learns what the second stage will say rather than what is true: half of the target is the teacher's probability, and
texts that nobody labelled for harm take part with the teacher's opinion alone. Platt scaling on the dev split then makes
its probabilities mean what the teacher's mean, and is folded into the weights.

`linear.bin`, little endian: the 8 bytes `SLUICELN`; uint32 version, bits, labels; float32 scale and float32 bias per
label; int8 codes [2^bits, labels], row-major. A code c stands for the weight c * |c|: steps are finest near 0, where most
weights are. Logit of a label = bias + scale * (sum of the weights of the text's n-grams, each occurrence counted) /
sqrt(number of n-grams).
"""

import argparse
import hashlib
import json
import struct
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from .metrics import area_under_curve
from .ngram_features import buckets
from .prepare import read_examples
from .scoring import Scorer
from .tasks import HARM, LEAST_WEIGHT

BITS = 19
NAME, VERSION = "first-stage", "1.0.0"
ANNOTATED = 0.5
# What an opinion of the teacher alone counts, against 1 for an annotated text.
TAUGHT_ALONE = 0.5
STRENGTH = 2.0
ITERATIONS = 80
LARGEST_CORRECTION = 5.0
# Weights beyond this quantile are clipped: a few n-grams must not cost all others their precision.
CLIPPED = 0.99999
MAGIC, LAYOUT = b"SLUICELN", 1


def features(texts: list[str], bits: int = BITS) -> sparse.csr_matrix:
    """[texts, 2^bits]: occurrences of each n-gram over the root of their number."""
    columns, values, ends = [], [], [0]
    for text in texts:
        column, count = np.unique(buckets(text, bits), return_counts=True)
        columns.append(column.astype(np.int32))
        values.append((count / np.sqrt(max(1, count.sum()))).astype(np.float32))
        ends.append(ends[-1] + len(column))
    return sparse.csr_matrix((np.concatenate(values), np.concatenate(columns), np.array(ends)), (len(texts), 1 << bits))


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(logits, -50, 50)))


def fit(data: sparse.csr_matrix, target: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logistic regression with soft targets and an L2 penalty: weights [buckets, labels] and bias [labels]."""
    buckets_, labels = data.shape[1], target.shape[1]
    transposed = data.T.tocsr()

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        matrix = flat.reshape(buckets_ + 1, labels)
        logits = data @ matrix[:-1].astype(np.float32) + matrix[-1]
        entropy = np.logaddexp(0, logits) - target * logits
        error = ((_sigmoid(logits) - target) * weight).astype(np.float32)
        gradient = np.empty_like(matrix)
        gradient[:-1] = transposed @ error + matrix[:-1] / STRENGTH
        gradient[-1] = error.sum(axis=0)
        return float((entropy * weight).sum() + (matrix[:-1] ** 2).sum() / (2 * STRENGTH)), gradient.ravel()

    start = np.zeros((buckets_ + 1) * labels)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS, "maxcor": 6})
    matrix = found.x.reshape(buckets_ + 1, labels)
    return matrix[:-1].astype(np.float32), matrix[-1].astype(np.float32)


def weights_of(rows: list[dict]) -> tuple[np.ndarray, np.ndarray]:
    """Annotated targets and weights [rows, labels]; answers count alike within a data set and language."""
    pairs = np.array([[row[label] for label in HARM.labels] for row in rows], np.float32)
    targets, weights = pairs[:, :, 0], np.where(pairs[:, :, 1] >= LEAST_WEIGHT, pairs[:, :, 1], 0)
    sources = np.array([f"{row['dataset']} {row['language']}" for row in rows])
    for source in np.unique(sources):
        for label, name in enumerate(HARM.labels):
            chosen = (sources == source) & (weights[:, label] > 0)
            yes, no = chosen & (targets[:, label] == 1), chosen & (targets[:, label] == 0)
            sums = weights[yes, label].sum(), weights[no, label].sum()
            if name == "spam" or min(sums) == 0:
                continue
            for answer, total in zip((yes, no), sums):
                weights[answer, label] *= np.clip(sum(sums) / (2 * total), 1 / LARGEST_CORRECTION, LARGEST_CORRECTION)
    return targets, weights


def quantised(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 codes and the scale of each label."""
    scale = np.array([np.quantile(np.abs(column[column != 0]), CLIPPED) for column in weights.T]) / 127**2
    codes = np.sign(weights) * np.sqrt(np.abs(weights) / scale)
    return np.clip(np.round(codes), -127, 127).astype(np.int8), scale.astype(np.float32)


def decoded(codes: np.ndarray) -> np.ndarray:
    wide = codes.astype(np.int32)
    return wide * np.abs(wide)


def platt(logits: np.ndarray, teacher: np.ndarray) -> tuple[float, float]:
    """Slope and intercept with which the sigmoid of the logits is nearest to the teacher's probabilities."""
    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        mapped = parameters[0] * logits + parameters[1]
        error = _sigmoid(mapped) - teacher
        entropy = (np.logaddexp(0, mapped) - teacher * mapped).mean()
        return float(entropy), np.array([(error * logits).mean(), error.mean()])

    slope, intercept = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS").x
    return float(slope), float(intercept)


def write(model: Path, weights: np.ndarray, scale: np.ndarray, bias: np.ndarray) -> None:
    model.mkdir(parents=True, exist_ok=True)
    header = MAGIC + struct.pack("<III", LAYOUT, BITS, len(HARM.labels))
    (model / "linear.bin").write_bytes(header + scale.astype("<f4").tobytes() + bias.astype("<f4").tobytes() + weights.tobytes())
    config = {
        "model_type": "sluice-linear", "problem_type": "multi_label_classification",
        "id2label": {str(index): label for index, label in enumerate(HARM.labels)},
        "label2id": {label: index for index, label in enumerate(HARM.labels)},
    }
    (model / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def scores(model: Path, texts: list[str]) -> np.ndarray:
    """Probabilities as Sluice computes them, from the exported file."""
    content = (model / "linear.bin").read_bytes()
    _, bits, labels = struct.unpack_from("<III", content, 8)
    scale, bias = np.frombuffer(content, "<f4", 2 * labels, 20).reshape(2, labels).astype(np.float64)
    weights = decoded(np.frombuffer(content, np.int8, offset=20 + 8 * labels).reshape(1 << bits, labels))
    result = np.zeros((len(texts), labels))
    for row, text in enumerate(texts):
        found = buckets(text, bits)
        result[row] = bias + scale * weights[found].sum(axis=0, dtype=np.int64) / np.sqrt(max(1, len(found)))
    return _sigmoid(result)


def package(model: Path, teacher: Path) -> None:
    """Writes the manifest; thresholds and languages are those of the second stage."""
    texts = json.loads((Path(__file__).parent / "checks.json").read_text(encoding="utf-8"))["default"]
    kept = [
        line for line in (teacher / "sluice.yaml").read_text(encoding="utf-8").split("checks:")[0].splitlines()
        if not line.startswith(("name:", "version:", "max_tokens:"))
    ]
    lines = [f"name: {NAME}", f"version: {VERSION}", *kept, "checks:"]
    for text, found in zip(texts, scores(model, texts)):
        values = ", ".join(f"{label}: {score:.4f}" for label, score in zip(HARM.labels, found))
        lines += [f"  - text: {json.dumps(text, ensure_ascii=False)}", f"    scores: {{ {values} }}"]
    lines += ["tolerance: 0.001", "files:"]
    for name in ("config.json", "linear.bin"):
        lines.append(f'  {name}: "{hashlib.sha256((model / name).read_bytes()).hexdigest()}"')
    (model / "sluice.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def train(out: Path, teacher: Path, model: Path) -> None:
    scorer = Scorer(teacher)
    rows = {split: read_examples(out, split) for split in ("train", "dev")}
    texts = {split: [row["text"] for row in part] for split, part in rows.items()}
    opinion = {split: scorer.scores(part) for split, part in texts.items()}
    data = {split: features(part) for split, part in texts.items()}
    print({split: (part.shape[0], part.nnz) for split, part in data.items()}, flush=True)
    targets, weights = weights_of(rows["train"])
    annotated = weights > 0
    mixed = np.where(annotated, ANNOTATED * targets + (1 - ANNOTATED) * opinion["train"], opinion["train"])
    found, bias = fit(data["train"], mixed, np.where(annotated, weights, TAUGHT_ALONE))
    small, scale = quantised(found)
    raw = data["dev"] @ (decoded(small).astype(np.float32) * scale)
    exact = data["dev"] @ found
    dev_targets, dev_weights = weights_of(rows["dev"])
    for label, name in enumerate(HARM.labels):
        slope, intercept = platt(raw[:, label] + bias[label], opinion["dev"][:, label])
        scale[label], bias[label] = scale[label] * slope, bias[label] * slope + intercept
        known = dev_weights[:, label] > 0
        truth = dev_targets[known, label].astype(int)
        areas = [area_under_curve(truth, each[known, label]) for each in (opinion["dev"], exact, raw)]
        print(name, "slope %.2f; dev AUROC: teacher %.4f, linear %.4f, int8 %.4f" % (slope, *areas), flush=True)
    write(model, small, scale, bias)
    package(model, teacher)


def write_fixture(model: Path, fixture: Path) -> None:
    """Rewrites scores and numbers of n-grams of the texts of a fixture: TypeScript must compute the same."""
    texts = [row["text"] for row in json.loads(fixture.read_text(encoding="utf-8"))]
    rows = [
        {"text": text, "ngrams": len(buckets(text, BITS)), "scores": [round(float(score), 7) for score in found]}
        for text, found in zip(texts, scores(model, texts))
    ]
    fixture.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder with examples.jsonl")
    parser.add_argument("--teacher", type=Path, help="model folder of the second stage")
    parser.add_argument("--model", type=Path, required=True, help="folder to write")
    parser.add_argument("--fixture", type=Path, help="only rewrite the scores of this fixture of the tests")
    arguments = parser.parse_args()
    if arguments.fixture:
        write_fixture(arguments.model, arguments.fixture)
    else:
        train(arguments.out, arguments.teacher, arguments.model)
