"""Bring all data sets into one table with fixed splits and no text shared between splits.

In:  the folder that `fetch.py` fills.
Out: `OUT/examples.jsonl`: text, language, dataset, split, per harm label target and weight, and the sentiment.
     No text of a test split, compared in normalised form or nearly (`near_duplicates.py`), is in any train or
     dev split, and none of a dev split in a train split.
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

from .contrast_sentences import contrast_sentences
from .everyday_sentences import everyday_sentences
from .group_sentences import group_sentences, neutral_mentions
from .near_duplicates import near_duplicates
from .readers import READERS, Example
from .sentiment_readers import SENTIMENT_READERS
from .stance_sentences import stance_sentences

LABELS = ("toxic", "hate", "spam")
WRITTEN = ("group_", "neutral_mentions", "everyday_", "contrast_", "stance_")
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
    for name, read in (READERS | SENTIMENT_READERS).items():
        yield from read(data / name)
    yield from group_sentences()
    yield from neutral_mentions()
    yield from everyday_sentences()
    yield from contrast_sentences()
    yield from stance_sentences()


def examples_without_leaks(data: Path) -> list[Example]:
    examples = [replace(example, split=_split(example)) for example in _all(data) if example.text.strip()]
    keys = [_key(example.text) for example in examples]
    held_out = {name: {k for k, example in zip(keys, examples) if example.split == name} for name in ("test", "dev")}
    rest = {name: {k for k, example in zip(keys, examples) if example.split == name} for name in ("train", "dev")}
    # Their splits differ by pattern on purpose, so only equal ones leak.
    written = {key for key, example in zip(keys, examples) if example.dataset.startswith(WRITTEN)}
    leaked = {name: rest[name] & held_out["test"] for name in rest}
    leaked["train"] |= rest["train"] & held_out["dev"]
    for name, others in (("dev", ("test",)), ("train", ("test", "dev"))):
        texts = sorted(rest[name] - leaked[name] - written)
        near = near_duplicates(texts, sorted(set().union(*(held_out[other] for other in others))))
        leaked[name] |= {text for text, is_near in zip(texts, near) if is_near}
    kept, seen = [], set()
    for key, example in zip(keys, examples):
        if key in leaked.get(example.split, ()) or (key, example.dataset) in seen:
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
