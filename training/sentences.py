"""Divide a comment with marked toxic characters into toxic and harmless sentences.

In:  a text and the character positions that annotators marked as toxic.
Out: pairs (text, toxic): the whole comment, and each longer sentence on its own.
"""

import re
from collections.abc import Iterator, Sequence

_END = re.compile(r"(?<=[.!?])\s+|\n+")
_SHORTEST = 20


def sentences_around_spans(text: str, spans: Sequence[int]) -> Iterator[tuple[str, bool]]:
    if not spans:
        return
    yield text, True
    marked = set(spans)
    start = 0
    for end in [*(match.end() for match in _END.finditer(text)), len(text)]:
        sentence = text[start:end].strip()
        toxic = any(position in marked for position in range(start, end))
        if len(sentence) >= _SHORTEST and sentence != text.strip():
            yield sentence, toxic
        start = end
