"""Do everything for both models: fetch, prepare, train, export, package, evaluate.

In:  the public data sets (downloaded, or local copies with `--from DIR`).
Out: per task `OUT/model/<task>`, a complete model folder without its card, and `OUT/<task>/evaluation.md`, the
     tables of the card. With `--tables-only`, nothing is trained: the data is prepared, and the tables of the
     models in `--models DIR` are written into their cards.
"""

import argparse
import shutil
from pathlib import Path

from .embeddings import embed
from .evaluate import evaluate, write_card
from .export import export
from .fetch import fetch
from .linear import fit_wide, widen
from .ngram_teacher import teach
from .package import package
from .prepare import prepare
from .tasks import TASKS
from .train import train
from .vocabulary import train_tokenizer


def run(data: Path, out: Path, tokenizers: Path | None) -> None:
    from .word_vectors import word_vectors  # the tables alone need no language model

    for task in TASKS.values():
        if tokenizers:
            (out / task.name).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(tokenizers / task.name / "tokenizer.json", out / task.name / "tokenizer.json")
        else:
            train_tokenizer(task, out)
    word_vectors(out)
    for task in TASKS.values():
        model = out / "model" / task.name
        embed(task, out)
        teach(task, out)
        for each in task.runs:
            train(task, out, each.name, ["ngrams"] if each.taught else [], each.seed, each.passes, each.start)
        final = task.runs[-1].name
        fit_wide(task, out)
        widen(task, out, final)
        export(task, out, f"{final}.wide", model)
        package(task, data, out, model)
        (out / task.name / "evaluation.md").write_text(evaluate(task, data, out, model) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets; what is missing is fetched")
    parser.add_argument("--out", type=Path, required=True, help="folder for everything produced")
    parser.add_argument("--from", dest="source", type=Path, help="local copies instead of the public origin")
    parser.add_argument("--tokenizers", type=Path, help="model folders whose tokenizers are kept, such as models")
    parser.add_argument("--tables-only", action="store_true", help="only rewrite the tables of the cards")
    parser.add_argument("--models", type=Path, default=Path("models"), help="where --tables-only finds the models")
    arguments = parser.parse_args()
    fetch(arguments.data, arguments.source)
    prepare(arguments.data, arguments.out)
    if arguments.tables_only:
        for task in TASKS.values():
            folder = arguments.models / task.name
            write_card(folder / "README.md", evaluate(task, arguments.data, arguments.out, folder))
    else:
        run(arguments.data, arguments.out, arguments.tokenizers)
