"""Read the data sets that are labelled with a sentiment only.

In:  the folder that `fetch.py` fills (`DIR/<data set>/<file>`).
Out: `Example` objects with a sentiment and without any harm label: praise in a language says
     nothing about what abuse looks like there.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from .readers import UNKNOWN, Example

SENTIMENTS = ("negative", "neutral", "positive")
AFRISENTI = {
    "amh": "am", "arq": "arq", "ary": "ary", "hau": "ha", "ibo": "ig", "kin": "rw", "pcm": "pcm", "por": "pt",
    "swa": "sw", "tso": "ts", "twi": "tw", "yor": "yo",
}


def _example(text: str, language: str, dataset: str, split: str | None, sentiment: str | None) -> Example:
    return Example(text, language, dataset, split, UNKNOWN, UNKNOWN, UNKNOWN, sentiment)


def afrisenti(folder: Path) -> Iterator[Example]:
    for code, language in AFRISENTI.items():
        for split in ("train", "dev", "test"):
            lines = (folder / f"data__{code}__{split}.tsv").read_text(encoding="utf-8").splitlines()[1:]
            for text, label in (line.rsplit("\t", 1) for line in lines if "\t" in line):
                if label.strip() in SENTIMENTS:
                    yield _example(text, language, "afrisenti", split, label.strip())


def dravidian_sentiment(folder: Path) -> Iterator[Example]:
    files = (
        ("ml", None, "programs__mal_full_sentiment_train.tsv"), ("ml", "test", "programs__mal_full_sentiment_test.tsv"),
        ("ta", None, "programs__tamil_sentiment_full_dev.csv"),
    )
    for language, split, name in files:
        for line in (folder / name).read_text(encoding="utf-8-sig", errors="replace").splitlines():
            text, _, label = line.strip().rstrip(";").rpartition(";")
            label = label.strip().lower()
            if text and label in ("positive", "negative"):
                yield _example(text, language, "dravidian_sentiment", split, label)
    for line in (folder / "programs__Tamil_first_ready_for_sentiment.csv").read_text(encoding="utf-8").splitlines():
        label, _, text = line.partition("\t")
        if text and label.strip().lower() in ("positive", "negative"):
            yield _example(text.strip(), "ta", "dravidian_sentiment", None, label.strip().lower())


def wisesight(folder: Path) -> Iterator[Example]:
    for name, sentiment in (("neg", "negative"), ("neu", "neutral"), ("pos", "positive")):
        for text in (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines():
            yield _example(text, "th", "wisesight", None, sentiment)


SENTIMENT_READERS: dict[str, Callable[[Path], Iterator[Example]]] = {
    "afrisenti": afrisenti, "dravidian_sentiment": dravidian_sentiment, "wisesight": wisesight,
}
