"""Turn examples into padded batches of token ids.

In:  examples (`tasks.rows`) and a tokenizer.
Out: `Encoded` (ids per text, targets and weights [texts, labels]) and batches of it,
     padded to one of a few lengths so that the network is compiled only a few times.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from .tasks import Task

MAX_TOKENS = 128
LENGTHS = (8, 16, 24, 32, 48, 64, 96, 128)
TOKENS_PER_BATCH = 8192


@dataclass(frozen=True)
class Encoded:
    ids: list[np.ndarray]
    targets: np.ndarray
    weights: np.ndarray
    sources: np.ndarray  # "data set language"
    datasets: np.ndarray


def load_tokenizer(path: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def token_ids(texts: list[str], tokenizer: Tokenizer) -> list[np.ndarray]:
    return [np.array(encoding.ids, np.int32) for encoding in tokenizer.encode_batch(texts)]


def encode(rows: list[dict], task: Task, tokenizer: Tokenizer) -> Encoded:
    if task.exclusive:
        targets = np.array([[row["sentiment"] == label for label in task.labels] for row in rows], np.float32)
        weights = np.ones_like(targets)
    else:
        pairs = np.array([[row[label] for label in task.labels] for row in rows], np.float32)
        targets, weights = pairs[:, :, 0], pairs[:, :, 1]
    return Encoded(
        token_ids([row["text"] for row in rows], tokenizer), targets, weights,
        np.array([f"{row['dataset']} {row['language']}" for row in rows]), np.array([row["dataset"] for row in rows]),
    )


def pad(ids: list[np.ndarray], length: int) -> tuple[np.ndarray, np.ndarray]:
    padded = np.zeros((len(ids), length), np.int32)
    mask = np.zeros((len(ids), length), np.float32)
    for row, text in enumerate(ids):
        padded[row, : len(text)] = text
        mask[row, : len(text)] = 1
    return padded, mask


def index_batches(ids: list[np.ndarray], order: np.ndarray, full_only: bool) -> Iterator[tuple[int, np.ndarray]]:
    """Yields (padded length, indices); texts of like length share a batch."""
    waiting: dict[int, list[int]] = {length: [] for length in LENGTHS}
    for index in order:
        length = next(length for length in LENGTHS if len(ids[index]) <= length)
        group = waiting[length]
        group.append(index)
        if len(group) == TOKENS_PER_BATCH // length:
            yield length, np.array(group)
            waiting[length] = []
    if not full_only:
        for length, group in waiting.items():
            if group:
                yield length, np.array(group)
