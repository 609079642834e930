"""Advertising and fraud of recent years, and ordinary sentences that look like it.

In:  `everyday_sentences.json`: sentence patterns with slots, written for this recipe.
Out: `Example` objects. The only public spam data used is from short messages before 2012;
     links, prices and commands in ordinary talk must not be taken for spam either.
"""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

from .readers import NO, YES, Example

CONTENT = json.loads((Path(__file__).parent / "everyday_sentences.json").read_text(encoding="utf-8"))
VARIANTS = {("train", "spam"): 12, ("train", "ordinary"): 30, ("test", "spam"): 6, ("test", "ordinary"): 6}
SEED = 20
_SLOT = re.compile(r"\{(\w+)\}")


def _variants(pattern: str, count: int) -> list[str]:
    chosen = random.Random(f"{SEED} {pattern}")

    def fill(slot: re.Match[str]) -> str:
        return chosen.choice(CONTENT["slots"][slot[1]])

    return sorted({_SLOT.sub(fill, pattern) for _ in range(count)})


def everyday_sentences() -> Iterator[Example]:
    for (split, kind), count in VARIANTS.items():
        spam = YES if kind == "spam" else NO
        for language, patterns in CONTENT[split][kind].items():
            for text in (text for pattern in patterns for text in _variants(pattern, count)):
                yield Example(text, language, f"everyday_{kind}", split, toxic=NO, hate=NO, spam=spam)
