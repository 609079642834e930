"""Fit the default thresholds on the dev split.

In:  the exported model, `OUT/examples.jsonl` and, where there are any, texts of ordinary chat (`alarms.py`).
Out: per label a `review` and a `block` threshold, and the same per language, where its dev texts suffice.

Precision is taken at equal shares of flaggable and harmless texts, averaged over the data
sets, because every data set has a share of its own that no real stream has. On top of
that, ordinary texts (short messages, friendly comments, chat) must rarely be flagged, nor
neutral sentences that name a group.
"""

from dataclasses import dataclass

import numpy as np

from .tasks import HARM

CANDIDATES = np.round(np.arange(0.40, 0.995, 0.01), 2)
# Annotated rather than inferred labels only.
TRUSTED_WEIGHT = 0.5
FEWEST = 20
# A threshold of a language rests on at least as many texts of each answer.
FEWEST_OF_LANGUAGE = 40
# Blocking on the few sources of one language asks for more distance than their precision does.
LEAST_BAND = 0.14
Levels = dict[str, float]


@dataclass(frozen=True)
class Aim:
    precision: float
    ordinary_flagged: float  # of each kind of ordinary text
    neutral_flagged: float  # of neutral sentences that name a group


AIMS = {"review": Aim(0.80, 0.006, 0.03), "block": Aim(0.93, 0.001, 0.005)}


def _rates(targets: np.ndarray, scores: np.ndarray, datasets: np.ndarray, threshold: float) -> tuple[float, float]:
    hits, alarms = [], []
    for dataset in np.unique(datasets):
        rows = datasets == dataset
        yes, no = rows & (targets == 1), rows & (targets == 0)
        if yes.sum() >= FEWEST and no.sum() >= FEWEST:
            hits.append((scores[yes] >= threshold).mean())
            alarms.append((scores[no] >= threshold).mean())
    return (float(np.mean(hits)), float(np.mean(alarms))) if hits else (0.0, 0.0)


def _lowest(aim: Aim, known: tuple[np.ndarray, ...], ordinary: list[np.ndarray], neutral: np.ndarray) -> float | None:
    for threshold in CANDIDATES:
        hit, alarm = _rates(*known, threshold)
        # A single text must not decide.
        calm = all((kind >= threshold).sum() <= max(1, aim.ordinary_flagged * len(kind)) for kind in ordinary)
        named = (neutral >= threshold).mean() if len(neutral) else 0
        quiet = calm and named <= aim.neutral_flagged
        if quiet and hit > 0 and hit >= aim.precision * (hit + alarm):
            return float(threshold)
    return None


def fit(rows: list[dict], scores: np.ndarray, chat: np.ndarray, otherwise: dict[str, Levels]) -> dict[str, Levels]:
    """`scores` of the dev rows and `chat` [texts, labels], scores of ordinary chat, which is English.

    A level that no threshold reaches is that of `otherwise`, or the highest candidate.
    """
    datasets = np.array([row["dataset"] for row in rows])
    ordinary = np.array([is_ordinary(row) for row in rows])
    result: dict[str, Levels] = {}
    for column, label in enumerate(HARM.labels):
        pairs = np.array([row[label] for row in rows])
        known = pairs[:, 1] >= TRUSTED_WEIGHT
        kinds = [scores[ordinary & (datasets == name), column] for name in np.unique(datasets[ordinary])]
        levels = {
            level: _lowest(
                aim, (pairs[known, 0], scores[known, column], datasets[known]), [*kinds, chat[:, column]],
                scores[datasets == "group_neutral", column],
            ) or otherwise.get(label, {}).get(level, float(CANDIDATES[-1]))
            for level, aim in AIMS.items()
        }
        levels["block"] = min(0.99, max(levels["block"], round(levels["review"] + 0.02, 2)))
        result[label] = levels
    return result


def fit_by_language(
    rows: list[dict], scores: np.ndarray, chat: np.ndarray, common: dict[str, Levels],
) -> dict[str, dict[str, Levels]]:
    """Language → label → levels, where the dev texts of the language have enough of both answers."""
    languages = np.array([row["language"] for row in rows])
    none = np.zeros((0, len(HARM.labels)), np.float32)
    result: dict[str, dict[str, Levels]] = {}
    for language in HARM.languages:
        chosen = np.flatnonzero(languages == language)
        of_language = [rows[i] for i in chosen]
        found = fit(of_language, scores[chosen], chat if language == "en" else none, common) if of_language else {}
        for label, levels in found.items():
            levels["block"] = min(0.99, max(levels["block"], round(levels["review"] + LEAST_BAND, 2)))
            pairs = np.array([row[label] for row in of_language])
            answers = pairs[pairs[:, 1] >= TRUSTED_WEIGHT, 0]
            if min((answers == 1).sum(), (answers == 0).sum()) >= FEWEST_OF_LANGUAGE:
                result.setdefault(language, {})[label] = levels
    return result


def is_ordinary(row: dict) -> bool:
    if row["dataset"] == "sms_spam":
        return row["spam"][0] == 0
    return row["dataset"] == "goemotions" and row["toxic"][1] > 0
