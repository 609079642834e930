"""Sentences in which the same words insult or do not, written for this recipe.

In:  `contrast_sentences.json`: patterns with an insult, said to someone, or quoted, asked about or denied;
     and harmless sentences with words that often come with violence.
Out: `Example` objects; test uses other patterns than training.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from .readers import NO, UNKNOWN, YES, Example

CONTENT = json.loads((Path(__file__).parent / "contrast_sentences.json").read_text(encoding="utf-8"))


def contrast_sentences() -> Iterator[Example]:
    for split, plain in (("train", "harmless_plain"), ("test", "test_plain")):
        for kind, toxic, hate in (("toxic", YES, UNKNOWN), ("harmless", NO, NO)):
            for pattern in CONTENT[split][kind]:
                for insult in CONTENT["insults"]:
                    text = pattern.replace("{insult}", insult)
                    for article in ("a", "A"):
                        if insult[0] in "ai":
                            text = text.replace(f"{article} {insult}", f"{article}n {insult}")
                    yield Example(text, "en", f"contrast_{kind}", split, toxic, hate, NO)
        for text in CONTENT[plain]:
            yield Example(text, "en", "contrast_harmless", split, NO, NO, NO)
