"""Bring all data sets into one table with fixed splits and no text shared between splits.

In:  the folder that `fetch.py` fills.
Out: `OUT/examples.jsonl`: text, language, dataset, split and, per label, target and weight.
     No text of a test split, compared in normalised form, is in any train or dev split.
"""

import argparse
import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from .everyday_sentences import everyday_sentences
from .group_sentences import group_sentences
from .readers import READERS, Example

LABELS = ("toxic", "hate", "spam")
_USER_OR_LINK = re.compile(r"@\w+|https?://\S+")
# Emoji and other symbols count: some texts differ in nothing else.
_NOT_WORD = re.compile(r"[^\w\u2190-\U0010ffff]+")


def _hash_split(text: str) -> str:
    first = hashlib.sha256(text.encode()).digest()[0]
    return "test" if first < 26 else "dev" if first < 52 else "train"


def _split(example: Example) -> str:
    if example.split is None:
        return _hash_split(example.text)
    if example.split == "divide":
        return "dev" if hashlib.sha256(example.text.encode()).digest()[0] < 26 else "train"
    return example.split


def _key(text: str) -> str:
    plain = _USER_OR_LINK.sub(" ", unicodedata.normalize("NFKC", text).lower())
    return _NOT_WORD.sub(" ", plain).strip() or plain.strip()


def _all(data: Path) -> Iterator[Example]:
    for name, read in READERS.items():
        yield from read(data / name)
    yield from group_sentences()
    yield from everyday_sentences()


def examples_without_leaks(data: Path) -> list[Example]:
    examples = [replace(example, split=_split(example)) for example in _all(data) if example.text.strip()]
    keys = [_key(example.text) for example in examples]
    in_test = {key for key, example in zip(keys, examples) if example.split == "test"}
    in_dev = {key for key, example in zip(keys, examples) if example.split == "dev"}
    kept, seen = [], set()
    for key, example in zip(keys, examples):
        leaks = (example.split != "test" and key in in_test) or (example.split == "train" and key in in_dev)
        if leaks or (key, example.dataset) in seen:
            continue
        seen.add((key, example.dataset))
        kept.append(example)
    return kept


def prepare(data: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    examples = examples_without_leaks(data)
    with (out / "examples.jsonl").open("w", encoding="utf-8") as file:
        for example in examples:
            file.write(json.dumps(asdict(example), ensure_ascii=False) + "\n")
    counts = Counter((example.dataset, example.split) for example in examples)
    for dataset in dict.fromkeys(example.dataset for example in examples):
        print(dataset, {split: counts[dataset, split] for split in ("train", "dev", "test")})


def read_examples(out: Path, split: str) -> list[dict]:
    with (out / "examples.jsonl").open(encoding="utf-8") as file:
        return [row for row in map(json.loads, file) if row["split"] == split]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    prepare(arguments.data, arguments.out)
