"""Sentences that name a group of people, written for this recipe.

In:  `group_sentences.json`: per language, groups and sentence patterns, neutral and hateful.
Out: `Example` objects. Training, dev and test use different patterns; test also uses
     other groups, so that it measures more than recall of the training sentences.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from .readers import NO, YES, Example

_FOLDER = Path(__file__).parent
PATTERNS = json.loads((_FOLDER / "group_sentences.json").read_text(encoding="utf-8"))
# Enough to weaken "names a group, so it is hate" without drowning the real comments of a language.
MOST_PER_KIND = {"train": 700, "dev": 120, "test": 120}


def _sample(texts: set[str], count: int) -> list[str]:
    return sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest())[:count]


def _sentences(language: str, kind: str, split: str) -> set[str]:
    content = PATTERNS[language]
    groups = content["groups"]["test" if split == "test" else "train"]
    return {
        text[0].upper() + text[1:] if language in ("en", "de", "fr") else text
        for pattern in content[kind][split]
        for group in groups
        for text in [pattern.format(*group)]
    }


def group_sentences() -> Iterator[Example]:
    for language in PATTERNS:
        for split, most in MOST_PER_KIND.items():
            for kind, label in (("neutral", NO), ("hateful", YES)):
                for text in _sample(_sentences(language, kind, split), most):
                    yield Example(text, language, f"group_{kind}", split, toxic=label, hate=label, spam=NO)


def neutral_mentions() -> Iterator[Example]:
    """Test only: 25 neutral patterns that training does not have, with 40 groups: 1,000 English sentences."""
    content = json.loads((_FOLDER / "neutral_mentions.json").read_text(encoding="utf-8"))
    for pattern in content["patterns"]:
        for group in content["groups"]:
            text = pattern.format(*group)
            yield Example(text[0].upper() + text[1:], "en", "neutral_mentions", "test", toxic=NO, hate=NO, spam=NO)
