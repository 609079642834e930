"""Score texts with the exported model, as a user of the model would.

In:  a model folder (`onnx/model.onnx`, `tokenizer.json`) and texts.
Out: scores [texts, labels] between 0 and 1: each by itself, or sharing 1 where labels exclude each other.
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime

from .batches import LENGTHS, load_tokenizer

BATCH = 64


class Scorer:
    def __init__(self, model: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(model / "onnx" / "model.onnx"), options)
        config = json.loads((model / "config.json").read_text(encoding="utf-8"))
        self.labels = len(config["id2label"])
        self.exclusive = config["problem_type"] == "single_label_classification"
        self.tokenizer = load_tokenizer(model / "tokenizer.json")

    def run(self, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        (logits,) = self.session.run(["logits"], {"input_ids": ids, "attention_mask": mask})
        if not self.exclusive:
            return 1 / (1 + np.exp(-logits))
        each = np.exp(logits - logits.max(axis=1, keepdims=True))
        return each / each.sum(axis=1, keepdims=True)

    def encode(self, texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]

    def padded(self, ids: list[list[int]], length: int | None = None) -> np.ndarray:
        length = length or max(len(text) for text in ids)
        batch = np.zeros((2, len(ids), length), np.int64)
        for row, text in enumerate(ids):
            batch[0, row, : len(text)] = text
            batch[1, row, : len(text)] = 1
        return self.run(batch[0], batch[1])

    def scores(self, texts: list[str]) -> np.ndarray:
        ids = self.encode(texts)
        order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
        result = np.zeros((len(ids), self.labels), np.float32)
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            result[chosen] = self.padded([ids[index] for index in chosen])
        return result

    def largest_padding_difference(self, texts: list[str]) -> float:
        """One text alone and unpadded, against all of them in one batch padded to the limit."""
        ids = self.encode(texts)
        together = self.padded(ids, LENGTHS[-1])
        alone = np.concatenate([self.padded([text]) for text in ids])
        return float(np.abs(together - alone).max())
