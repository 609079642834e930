"""Measure the exported model on the test splits and write the tables of the model card.

In:  the data folder, `OUT/examples.jsonl`, a model folder with `sluice.yaml`.
Out: Markdown on standard output; with `--card`, the part between the markers of
     `MODEL/README.md` is replaced by it.
"""

import argparse
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from .alarms import harmless_texts
from .fetch import DATASETS
from .metrics import area_under_curve, macro_f1, precision_recall_f1, weighted_f1
from .prepare import LABELS, read_examples
from .scoring import Scorer

START, END = "<!-- evaluation -->", "<!-- end of evaluation -->"
# Below this weight a label was inferred rather than annotated (`readers.py`).
LEAST_WEIGHT = 0.3
FEWEST = 10


@dataclass(frozen=True)
class Model:
    scorer: Scorer
    thresholds: dict[str, dict[str, float]]
    checks: list[dict]


def load(model: Path) -> Model:
    manifest = yaml.safe_load((model / "sluice.yaml").read_text(encoding="utf-8"))
    return Model(Scorer(model), manifest["thresholds"], manifest["checks"])


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def data_table(out: Path) -> str:
    counts = Counter(
        (row["dataset"], split) for split in ("train", "dev", "test") for row in read_examples(out, split)
    )
    origins = {dataset["name"]: dataset for dataset in DATASETS}
    rows = []
    for name in dict.fromkeys(name for name, _ in counts):
        origin = origins.get(name)
        source = f"[{name}]({origin['repository']})" if origin else name
        licence = origin["licence"] if origin else "written for this recipe"
        language = origin["language"] if origin else "several"
        rows.append([source, language, licence, *(str(counts[name, split]) for split in ("train", "dev", "test"))])
    return table(["Data set", "Language", "Licence", "Train", "Dev", "Test"], rows)


def _figure(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}"


def quality_row(names: list[str], truth: np.ndarray, scores: np.ndarray, levels: dict[str, float]) -> list[str]:
    review, block = scores >= levels["review"], scores >= levels["block"]
    precision, recall, f1 = precision_recall_f1(truth, review)
    block_precision, block_recall, _ = precision_recall_f1(truth, block)
    figures = [
        area_under_curve(truth, scores), precision, recall, f1, macro_f1(truth, review),
        weighted_f1(truth, review), block_precision, block_recall,
    ]
    return [*names, str(len(truth)), f"{truth.mean():.0%}", *(_figure(value) for value in figures)]


HEAD = [
    "Texts", "Positive", "AUROC", "Precision", "Recall", "F1", "Macro F1", "Weighted F1",
    "Block precision", "Block recall",
]


def quality_tables(model: Model, out: Path) -> tuple[str, str]:
    rows = read_examples(out, "test")
    scores = model.scorer.scores([row["text"] for row in rows])
    keys = np.array([(row["dataset"], row["language"]) for row in rows])
    by_set, by_language = [], []
    for column, label in enumerate(LABELS):
        pairs = np.array([row[label] for row in rows])
        known = pairs[:, 1] >= LEAST_WEIGHT
        truth = (pairs[:, 0] == 1).astype(int)

        def measured(chosen: np.ndarray, names: list[str]) -> list[list[str]]:
            chosen = chosen & known
            if min(truth[chosen].sum(), (1 - truth[chosen]).sum()) < FEWEST:
                return []
            return [quality_row(names, truth[chosen], scores[chosen, column], model.thresholds[label])]

        for dataset, language in dict.fromkeys(map(tuple, keys)):
            names = [label, dataset, language]
            by_set += measured((keys[:, 0] == dataset) & (keys[:, 1] == language), names)
        written = np.char.startswith(keys[:, 0], "group_") | np.char.startswith(keys[:, 0], "everyday_")
        for topic in ("group_", "everyday_"):
            by_set += measured(np.char.startswith(keys[:, 0], topic), [label, f"{topic}* (written)", "all"])
        for language in dict.fromkeys(keys[:, 1]):
            by_language += measured((keys[:, 1] == language) & ~written, [label, language])
    return (
        table(["Label", "Data set", "Language", *HEAD], by_set),
        table(["Label", "Language", *HEAD], by_language),
    )


def alarm_table(model: Model, data: Path, out: Path) -> str:
    rows = []
    for name, texts in harmless_texts(data, out):
        scores = model.scorer.scores(texts)
        over = {
            level: np.stack([scores[:, i] >= model.thresholds[label][level] for i, label in enumerate(LABELS)], 1)
            for level in ("review", "block")
        }
        shares = [over["review"].any(axis=1).mean(), *over["review"].mean(axis=0), over["block"].any(axis=1).mean()]
        rows.append([name, str(len(texts)), *(f"{share:.2%}" for share in shares)])
    return table(["Harmless texts", "Texts", "Flagged", *LABELS, "Blocked"], rows)


def running_table(model: Model, out: Path) -> str:
    texts = [row["text"] for row in read_examples(out, "test")][::40]
    difference = model.scorer.largest_padding_difference(texts)
    found = model.scorer.scores([check["text"] for check in model.checks])
    wanted = np.array([[check["scores"][label] for label in LABELS] for check in model.checks])
    ids = np.random.default_rng(0).integers(4, 30_000, (32, 25))
    mask = np.ones_like(ids)
    times = []
    for _ in range(300):
        start = time.perf_counter()
        model.scorer.run(ids, mask)
        times.append(time.perf_counter() - start)
    return table(["Check", "Result"], [
        [f"largest score difference, alone or in a padded batch ({len(texts)} texts)", f"{difference:.1e}"],
        ["largest difference from the scores in `sluice.yaml`", f"{np.abs(found - wanted).max():.1e}"],
        ["texts per second, one core, batches of 32 texts of 25 tokens", f"{32 / float(np.median(times)):,.0f}"],
    ])


def evaluate(data: Path, out: Path, model_folder: Path) -> str:
    model = load(model_folder)
    by_set, by_language = quality_tables(model, out)
    parts = [
        ("Data", data_table(out)), ("Quality per test set", by_set), ("Quality per language", by_language),
        ("False alarms", alarm_table(model, data, out)), ("Running", running_table(model, out)),
    ]
    return "\n\n".join(f"### {title}\n\n{body}" for title, body in parts)


def write_card(card: Path, tables: str) -> None:
    text = card.read_text(encoding="utf-8")
    before, after = text.split(START)[0], text.split(END)[1]
    card.write_text(f"{before}{START}\n\n{tables}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--card", action="store_true", help="write the tables into MODEL/README.md")
    arguments = parser.parse_args()
    tables = evaluate(arguments.data, arguments.out, arguments.model)
    print(tables)
    if arguments.card:
        write_card(arguments.model / "README.md", tables)
