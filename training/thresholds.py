"""Fit the default thresholds on the dev split.

In:  the exported model and `OUT/examples.jsonl`.
Out: per label a `review` and a `block` threshold.

Precision is taken at equal shares of flaggable and harmless texts, averaged over the data
sets, because every data set has a share of its own that no real stream has. On top of
that, ordinary texts (short messages, friendly comments) must rarely be flagged.
"""

from dataclasses import dataclass

import numpy as np

from .prepare import LABELS

CANDIDATES = np.round(np.arange(0.50, 0.995, 0.01), 2)
# Annotated rather than inferred labels only.
TRUSTED_WEIGHT = 0.5


@dataclass(frozen=True)
class Aim:
    precision: float
    ordinary_flagged: float


AIMS = {"review": Aim(0.82, 0.01), "block": Aim(0.93, 0.001)}


def _rates(targets: np.ndarray, scores: np.ndarray, datasets: np.ndarray, threshold: float) -> tuple[float, float]:
    hits, alarms = [], []
    for dataset in np.unique(datasets):
        rows = datasets == dataset
        yes, no = rows & (targets == 1), rows & (targets == 0)
        if yes.sum() >= 20 and no.sum() >= 20:
            hits.append((scores[yes] >= threshold).mean())
            alarms.append((scores[no] >= threshold).mean())
    return float(np.mean(hits)), float(np.mean(alarms))


def fit(rows: list[dict], scores: np.ndarray) -> dict[str, dict[str, float]]:
    datasets = np.array([row["dataset"] for row in rows])
    ordinary = np.array([is_ordinary(row) for row in rows])
    result: dict[str, dict[str, float]] = {}
    for column, label in enumerate(LABELS):
        pairs = np.array([row[label] for row in rows])
        known = pairs[:, 1] >= TRUSTED_WEIGHT
        fitted = {}
        for level, aim in AIMS.items():
            for threshold in CANDIDATES:
                hit, alarm = _rates(pairs[known, 0], scores[known, column], datasets[known], threshold)
                flagged = max(
                    (scores[ordinary & (datasets == dataset), column] >= threshold).mean()
                    for dataset in np.unique(datasets[ordinary])
                )
                if hit >= aim.precision * (hit + alarm) and flagged <= aim.ordinary_flagged:
                    break
            fitted[level] = float(threshold)
        fitted["block"] = max(fitted["block"], round(fitted["review"] + 0.02, 2))
        result[label] = fitted
    return result


def is_ordinary(row: dict) -> bool:
    if row["dataset"] == "sms_spam":
        return row["spam"][0] == 0
    return row["dataset"] == "goemotions" and row["toxic"][1] > 0
