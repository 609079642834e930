"""Initial subword embeddings from co-occurrence, without labels.

In:  the texts of the train split and the tokenizer.
Out: `OUT/embeddings.npy` [vocabulary, dimensions]: positive pointwise mutual information
     of subwords at most four apart, reduced by a singular value decomposition.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

from .batches import load_tokenizer
from .network import EMBEDDING
from .prepare import read_examples

WINDOW = 4
CONTEXT_SMOOTHING = 0.75
SEED = 20
FIRST_ORDINARY_ID = 4


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


def embed(out: Path) -> None:
    tokenizer = load_tokenizer(out / "tokenizer.json")
    texts = list({row["text"]: None for row in read_examples(out, "train")})
    ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    information = positive_information(cooccurrence(ids, tokenizer.get_vocab_size()))
    start = np.random.default_rng(SEED).normal(size=information.shape[0])
    vectors, values, _ = svds(information, k=EMBEDDING, v0=start)
    table = vectors * np.sqrt(values)
    length = np.linalg.norm(table, axis=1, keepdims=True)
    # Frequent subwords would otherwise be much longer than rare ones.
    table = np.where(length > 0, table / np.maximum(length, 1e-6), 0)
    np.save(out / "embeddings.npy", table.astype(np.float32))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    embed(parser.parse_args().out)
