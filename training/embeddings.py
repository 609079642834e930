"""Initial subword embeddings, without labels.

In:  the texts of the train split, the tokenizer of a task and, where there is one, `OUT/words.npz`
     (`word_vectors.py`).
Out: `OUT/<task>/embeddings.npy` [vocabulary, dimensions], two parts side by side: positive pointwise mutual
     information of subwords at most four apart in the texts, and the vectors of the subwords by themselves in a
     general language model; each reduced by a singular value decomposition.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds
from tokenizers import Tokenizer

from .batches import load_tokenizer
from .network import EMBEDDING
from .tasks import TASKS, Task, vocabulary_texts

WINDOW = 4
CONTEXT_SMOOTHING = 0.75
SEED = 20
FIRST_ORDINARY_ID = 4
FROM_TEXTS = 64


def cooccurrence(texts: list[list[int]], vocabulary: int) -> sparse.csr_matrix:
    # One long row of tokens with gaps, so that no pair spans two texts.
    gap = np.full(WINDOW, -1)
    line = np.concatenate([part for ids in texts for part in (np.array(ids), gap)])
    counts = sparse.csr_matrix((vocabulary, vocabulary), dtype=np.float64)
    for distance in range(1, WINDOW + 1):
        left, right = line[:-distance], line[distance:]
        real = (left >= FIRST_ORDINARY_ID) & (right >= FIRST_ORDINARY_ID)
        weight = np.full(real.sum(), 1 / distance)
        counts = counts + sparse.csr_matrix((weight, (left[real], right[real])), shape=counts.shape)
    return (counts + counts.T).tocsr()


def positive_information(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    pairs = counts.tocoo()
    row = np.asarray(counts.sum(axis=1)).ravel()
    context = row**CONTEXT_SMOOTHING
    share = context / context.sum()
    information = np.log(pairs.data / (row[pairs.row] * share[pairs.col]))
    kept = information > 0
    return sparse.csr_matrix((information[kept], (pairs.row[kept], pairs.col[kept])), shape=counts.shape)


def _unit(table: np.ndarray) -> np.ndarray:
    # Frequent subwords would otherwise be much longer than rare ones.
    length = np.linalg.norm(table, axis=1, keepdims=True)
    return np.where(length > 0, table / np.maximum(length, 1e-6), 0)


def from_texts(texts: list[str], tokenizer: Tokenizer, dimensions: int) -> np.ndarray:
    ids = [encoding.ids for encoding in tokenizer.encode_batch(list(dict.fromkeys(texts)))]
    information = positive_information(cooccurrence(ids, tokenizer.get_vocab_size()))
    start = np.random.default_rng(SEED).normal(size=information.shape[0])
    vectors, values, _ = svds(information, k=dimensions, v0=start, tol=1e-2)
    return _unit(vectors * np.sqrt(values))


def from_words(tokenizer: Tokenizer, path: Path, dimensions: int) -> np.ndarray:
    with np.load(path) as archive:
        place = {word: i for i, word in enumerate(archive["words"].tolist())}
        known = archive["vectors"].astype(np.float32)
    vocabulary = {token: place.get(token.removeprefix("##")) for token in tokenizer.get_vocab()}
    tokens = [token for token, at in vocabulary.items() if at is not None]
    ids = [tokenizer.token_to_id(token) for token in tokens]
    rows = known[[vocabulary[token] for token in tokens]]
    rows -= rows.mean(axis=0)
    values, directions = np.linalg.eigh(rows.T @ rows)
    # The square root of the usual scaling: the first directions are mostly script and length of the word.
    scaled = rows @ directions[:, -dimensions:] / np.maximum(values[-dimensions:], 1e-6) ** 0.25
    table = np.zeros((tokenizer.get_vocab_size(), dimensions), np.float32)
    table[ids] = _unit(scaled)
    return table


def embed(task: Task, out: Path) -> None:
    tokenizer = load_tokenizer(out / task.name / "tokenizer.json")
    words = out / "words.npz"
    texts = vocabulary_texts(task, out)
    if words.exists():
        parts = [
            from_texts(texts, tokenizer, FROM_TEXTS), from_words(tokenizer, words, EMBEDDING - FROM_TEXTS),
        ]
        table = _unit(np.concatenate(parts, axis=1))
    else:
        table = from_texts(texts, tokenizer, EMBEDDING)
    np.save(out / task.name / "embeddings.npy", table.astype(np.float32))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--task", choices=TASKS, required=True)
    arguments = parser.parse_args()
    embed(TASKS[arguments.task], arguments.out)
