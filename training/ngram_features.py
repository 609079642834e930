"""Hashed n-grams of a text: what the first stage of a cascade reads.

In:  texts. Out: per text the buckets of its n-grams, one entry for each occurrence.

`src/classify/ngram-features.ts` computes the same; `test/classify/fixtures/first_stage.json` (`first_stage.py --fixture`)
holds both to it. The rules:

- Of the first `CHARACTERS` UTF-16 units of the text, in lower case, with every ASCII digit as 0.
- A word is a run of units that are neither white space nor ASCII punctuation; a punctuation mark is a word of one unit.
- Features: each word; each pair of neighbouring words; of each word that is no punctuation mark, with a space on both
  sides, all runs of `SHORTEST` to `LONGEST` units.
- The hash of units u1 .. un is FNV-1a over 16-bit units, 32 bits wide, from the seed of the kind of feature; a pair goes on
  from the hash of its first word through a space. The bucket is its upper bits: (h * `SPREAD` mod 2^32) >> (32 - bits).
"""

from collections.abc import Iterator

import numpy as np

CHARACTERS = 1024
SHORTEST, LONGEST = 2, 5
PRIME = np.uint32(0x01000193)
SPREAD = np.uint32(0x9E3779B1)
RUN_SEED = np.uint32(0x811C9DC5)
WORD_SEED = np.uint32(0x2B7E1516)
SPACE = 0x20


def _kinds() -> np.ndarray:
    """Of each unit: 0 separates words, 1 is a word by itself, 2 is part of a word."""
    kinds = np.full(1 << 16, 2, np.uint8)
    kinds[:0x80] = 1
    for first, last in (("0", "9"), ("A", "Z"), ("a", "z")):
        kinds[ord(first) : ord(last) + 1] = 2
    spaces = [*range(0x21), 0x7F, 0x85, 0xA0, 0x1680, *range(0x2000, 0x2010), *range(0x2028, 0x2030), 0x205F, 0x3000, 0xFEFF]
    kinds[spaces] = 0
    return kinds


KINDS = _kinds()


def units(text: str) -> np.ndarray:
    encoded = text.encode("utf-16-le", "surrogatepass")[: 2 * CHARACTERS]
    lower = encoded.decode("utf-16-le", "surrogatepass").lower()
    found = np.frombuffer(lower.encode("utf-16-le", "surrogatepass"), np.uint16)
    return np.where((found >= 0x30) & (found <= 0x39), np.uint16(0x30), found)


def _step(hashes: np.ndarray, unit: np.ndarray) -> np.ndarray:
    return (hashes ^ unit.astype(np.uint32)) * PRIME


def buckets(text: str, bits: int) -> np.ndarray:
    text_units = units(text)
    kinds = KINDS[text_units]
    shift = np.uint32(32 - bits)
    found: list[np.ndarray] = []
    words: list[int] = []
    for start, end, is_word in _words(kinds):
        h = int(WORD_SEED)
        for unit in text_units[start:end]:
            h = ((h ^ int(unit)) * int(PRIME)) & 0xFFFFFFFF
        words.append(h)
        if len(words) > 1:
            pair = ((words[-2] ^ SPACE) * int(PRIME)) & 0xFFFFFFFF
            words_pair = ((pair ^ h) * int(PRIME)) & 0xFFFFFFFF
            found.append(np.array([words_pair], np.uint32))
        if not is_word:
            continue
        padded = np.concatenate([[SPACE], text_units[start:end], [SPACE]]).astype(np.uint32)
        hashes = np.full(len(padded), RUN_SEED, np.uint32)
        for length in range(1, min(LONGEST, len(padded)) + 1):
            count = len(padded) - length + 1
            hashes = _step(hashes[:count], padded[length - 1 :])
            if length >= SHORTEST:
                found.append(hashes)
    found.append(np.array(words, np.uint32))
    return ((np.concatenate(found) * SPREAD) >> shift).astype(np.int32)


def _words(kinds: np.ndarray) -> Iterator[tuple[int, int, bool]]:
    start = -1
    for at, kind in enumerate(kinds):
        if kind == 2:
            start = at if start < 0 else start
            continue
        if start >= 0:
            yield start, at, True
            start = -1
        if kind == 1:
            yield at, at + 1, False
    if start >= 0:
        yield start, len(kinds), True
