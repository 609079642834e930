"""Find texts that are nearly the same as a text of another collection.

In:  two lists of normalised texts.
Out: per text of the first, whether some text of the second shares at least `LEAST_SHARED` of
     their character 5-grams (Jaccard). Candidates by MinHash bands, every hit checked exactly;
     the bands find 98 % of pairs that share 0.8 of their n-grams.
"""

import zlib
from collections import defaultdict

import numpy as np

LEAST_SHARED = 0.7
WIDTH = 5
BANDS, ROWS = 10, 4
SEED = 20
_PRIME = (1 << 31) - 1


def _grams(text: str) -> set[str]:
    return {text[i : i + WIDTH] for i in range(max(1, len(text) - WIDTH + 1))}


def _bands(texts: list[str]) -> np.ndarray:
    random = np.random.default_rng(SEED)
    factors = random.integers(1, _PRIME, (BANDS * ROWS, 1)).astype(np.uint64)
    offsets = random.integers(0, _PRIME, (BANDS * ROWS, 1)).astype(np.uint64)
    sketches = np.empty((len(texts), BANDS * ROWS), np.uint64)
    for row, text in enumerate(texts):
        values = np.fromiter((zlib.crc32(gram.encode()) for gram in _grams(text)), np.uint64)
        sketches[row] = ((values * factors + offsets) % _PRIME).min(axis=1)
    return sketches.reshape(len(texts), BANDS, ROWS)


def near_duplicates(texts: list[str], others: list[str]) -> np.ndarray:
    found = np.zeros(len(texts), bool)
    ours, theirs = _bands(texts), _bands(others)
    for band in range(BANDS):
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for index, sketch in enumerate(theirs[:, band]):
            buckets[sketch.tobytes()].append(index)
        for index in np.flatnonzero(~found):
            for other in buckets.get(ours[index, band].tobytes(), ())[:50]:
                mine, its = _grams(texts[index]), _grams(others[other])
                if len(mine & its) >= LEAST_SHARED * len(mine | its):
                    found[index] = True
                    break
    return found
