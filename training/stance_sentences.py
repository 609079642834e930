"""Sentences that differ in the stance towards a group, not in the words: hate and its denial, report, or praise.

In:  `stance_sentences.json` (slots and patterns, written for this recipe), the groups of `group_sentences.json`.
Out: `Example` objects: hatred of a group; harmless uses of the same words (denied, quoted, condemned, about things);
     and abuse of persons and professions, which is toxic without being hate. Test has other patterns and groups.
"""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

from .group_sentences import PATTERNS
from .readers import NO, YES, Example

CONTENT = json.loads((Path(__file__).parent / "stance_sentences.json").read_text(encoding="utf-8"))
TEXTS_PER_PATTERN = {"train": {"hateful": 26, "harmless": 30, "toxic": 26}, "test": {"hateful": 25, "harmless": 25, "toxic": 20}}
SEED = 20
_SLOT = re.compile(r"\{(\w+)\}")


def _filled(pattern: str, group: list[str], chosen: random.Random) -> str:
    slots = CONTENT["slots"]
    text = _SLOT.sub(lambda slot: group[int(slot[1])] if slot[1].isdigit() else chosen.choice(slots[slot[1]]), pattern)
    return text[0].upper() + text[1:] if pattern[0] in "{ABCDEFGHIJKLMNOPQRSTUVWXYZ\"" and chosen.random() < 0.8 else text


def stance_sentences() -> Iterator[Example]:
    chosen = random.Random(SEED)
    for split in ("train", "test"):
        groups = PATTERNS["en"]["groups"][split]
        for kind, patterns in ((kind, CONTENT[split][kind]) for kind in ("hateful", "harmless", "toxic")):
            toxic, hate = NO if kind == "harmless" else YES, YES if kind == "hateful" else NO
            for pattern in patterns:
                texts = {_filled(pattern, chosen.choice(groups), chosen) for _ in range(TEXTS_PER_PATTERN[split][kind])}
                for text in sorted(texts):
                    yield Example(text, "en", f"stance_{kind}", split, toxic, hate, NO)
