"""What the linear parts of the classifier see of a text, and how their weights are fitted.

In:  token ids of texts, and the tokenizer that cut them.
Out: sparse counts [texts, vocabulary + `BUCKETS`] over the root of the length: the subwords between the two frame
     tokens, and pairs of neighbours by hash, (first * `FACTOR` + second) modulo `BUCKETS`; weights for them.

In `fit`, the weight of a subword is its own plus those of its character n-grams (2 to 5, the start of a word marked), so
that what is learnt about one spelling serves the others. Fitted as two tables, it is exported as one: the
n-grams of a subword are known before there is a text.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import minimize
from tokenizers import Tokenizer

BUCKETS = 1 << 18
FACTOR = 50_021
CHARACTER_BUCKETS = 1 << 18
SHORTEST, LONGEST = 2, 5
# How strongly a character n-gram counts beside its subword, before fitting: less, because they are more.
CHARACTERS = 0.3
FIRST_ORDINARY_ID = 4
ITERATIONS = 50


def _ngrams(token: str) -> set[str]:
    marked = token[2:] if token.startswith("##") else "<" + token
    widths = range(SHORTEST, LONGEST + 1)
    return {marked[i : i + width] for width in widths for i in range(len(marked) - width + 1)}


def character_table(tokenizer: Tokenizer) -> sparse.csr_matrix:
    """[vocabulary, `CHARACTER_BUCKETS`]: which n-grams each subword has."""
    places = [
        (place, zlib.crc32(ngram.encode()) % CHARACTER_BUCKETS)
        for token, place in tokenizer.get_vocab().items() if place >= FIRST_ORDINARY_ID
        for ngram in sorted(_ngrams(token))
    ]
    row, column = np.array(places).T
    shape = (tokenizer.get_vocab_size(), CHARACTER_BUCKETS)
    return sparse.csr_matrix((np.full(len(row), CHARACTERS, np.float32), (row, column)), shape=shape)


def wide_features(ids: Sequence[np.ndarray], vocabulary: int) -> sparse.csr_matrix:
    inner = [text[1:-1].astype(np.int64) for text in ids]
    columns = [
        np.concatenate([text, vocabulary + (text[:-1] * FACTOR + text[1:]) % BUCKETS]) for text in inner
    ]
    ends = np.cumsum([0, *map(len, columns)])
    values = np.repeat([max(len(text), 1) ** -0.5 for text in inner], np.diff(ends)).astype(np.float32)
    shape = (len(ids), vocabulary + BUCKETS)
    return sparse.csr_matrix((values, np.concatenate(columns), ends), shape=shape)


@dataclass(frozen=True)
class Weights:
    table: np.ndarray  # [features, outputs]
    bias: np.ndarray  # [outputs]

    def __call__(self, features: sparse.csr_matrix) -> np.ndarray:
        return features @ self.table + self.bias


def fit(
    features: sparse.csr_matrix, characters: sparse.csr_matrix | None, targets: np.ndarray, weights: np.ndarray,
    strength: float, exclusive: bool,
) -> Weights:
    """Logistic regression (softmax if `exclusive`) on subwords by L-BFGS, their character n-grams tied or not."""
    vocabulary, outputs = features.shape[1], targets.shape[1]
    size = (vocabulary + (characters.shape[1] if characters is not None else 0)) * outputs
    backwards = features.T.tocsr()
    to_ngrams = characters.T.tocsr() if characters is not None else None

    def table(free: np.ndarray) -> np.ndarray:
        return free if characters is None else free[:vocabulary] + characters @ free[vocabulary:]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        free = flat[:size].reshape(-1, outputs).astype(np.float32)
        found = features @ table(free) + flat[size:].astype(np.float32)
        if exclusive:
            shifted = found - found.max(axis=1, keepdims=True)
            total = np.exp(shifted).sum(axis=1, keepdims=True)
            error = -(weights * targets * (shifted - np.log(total))).sum()
            slope = weights * (np.exp(shifted) / total - targets)
        else:
            error = (weights * (np.logaddexp(0, found) - targets * found)).sum()
            slope = weights * (1 / (1 + np.exp(-found)) - targets)
        above = backwards @ slope.astype(np.float32)
        gradient = strength * (above if to_ngrams is None else np.concatenate([above, to_ngrams @ above]))
        value = strength * float(error) + 0.5 * float((free * free).sum())
        return value, np.concatenate([(gradient + free).ravel(), strength * slope.sum(axis=0)]).astype(np.float64)

    start = np.zeros(size + outputs)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS, "maxcor": 6}).x
    return Weights(table(found[:size].reshape(-1, outputs).astype(np.float32)), found[size:].astype(np.float32))
