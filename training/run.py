"""Do everything: fetch, prepare, train, export, package, evaluate.

In:  the public data sets (downloaded, or local copies with `--from DIR`).
Out: `OUT/model`, a complete model folder, and `OUT/evaluation.md`, the tables of the card.
"""

import argparse
import shutil
from pathlib import Path

from .embeddings import embed
from .evaluate import evaluate
from .export import export
from .fetch import fetch
from .package import package
from .prepare import prepare
from .train import EPOCHS, train
from .vocabulary import train_tokenizer


def run(data: Path, out: Path, source: Path | None, tokenizer: Path | None, epochs: int) -> None:
    model = out / "model"
    fetch(data, source)
    prepare(data, out)
    if tokenizer:
        shutil.copyfile(tokenizer, out / "tokenizer.json")
    else:
        train_tokenizer(out)
    embed(out)
    train(out, epochs)
    export(out, model)
    package(out, model)
    (out / "evaluation.md").write_text(evaluate(data, out, model) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder for the data sets")
    parser.add_argument("--out", type=Path, required=True, help="folder for everything produced")
    parser.add_argument("--from", dest="source", type=Path, help="local copies instead of the public origin")
    parser.add_argument("--tokenizer", type=Path, help="a tokenizer.json to keep instead of training one")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    arguments = parser.parse_args()
    run(arguments.data, arguments.out, arguments.source, arguments.tokenizer, arguments.epochs)
