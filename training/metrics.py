"""Measures of a binary classifier, in NumPy.

In:  true labels (0/1) and scores.
Out: area under the ROC curve; precision, recall and F1 at a threshold.
"""

import numpy as np


def area_under_curve(truth: np.ndarray, scores: np.ndarray) -> float:
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return float("nan")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((ranks[truth == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def precision_recall_f1(truth: np.ndarray, flagged: np.ndarray) -> tuple[float, float, float]:
    hits = float((flagged & (truth == 1)).sum())
    precision = hits / flagged.sum() if flagged.any() else float("nan")
    recall = hits / (truth == 1).sum() if (truth == 1).any() else float("nan")
    return precision, recall, 2 * hits / max(1.0, float(flagged.sum() + (truth == 1).sum()))


def macro_f1(truth: np.ndarray, flagged: np.ndarray) -> float:
    return (precision_recall_f1(truth, flagged)[2] + precision_recall_f1(1 - truth, ~flagged)[2]) / 2


def weighted_f1(truth: np.ndarray, flagged: np.ndarray) -> float:
    share = truth.mean()
    yes, no = precision_recall_f1(truth, flagged)[2], precision_recall_f1(1 - truth, ~flagged)[2]
    return share * yes + (1 - share) * no


def macro_f1_of_classes(truth: np.ndarray, found: np.ndarray, classes: int) -> float:
    """Over the classes that the truth has: a source without neutral texts says nothing about them."""
    present = [c for c in range(classes) if (truth == c).any()]
    return float(np.mean([precision_recall_f1((truth == c).astype(int), found == c)[2] for c in present]))


def one_versus_one(truth: np.ndarray, scores: np.ndarray) -> float:
    """Mean area under the curve over ordered pairs of classes; `scores` [texts, classes] (Hand and Till 2001)."""
    classes = range(scores.shape[1])
    areas = [
        area_under_curve((truth[pair] == one).astype(int), scores[pair, one])
        for one in classes for other in classes if one != other
        for pair in (np.isin(truth, (one, other)),)
    ]
    return float(np.mean(areas))
