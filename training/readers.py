"""Read the original files of each data set and yield labelled texts.

In:  the folder that `fetch.py` fills (`DIR/<data set>/<file>`).
Out: `Example` objects. A label is a pair (target, weight); weight 0 means that
     the data set says nothing about this label.
"""

import ast
import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .sentences import sentences_around_spans

csv.field_size_limit(10**8)

Label = tuple[float, float]
UNKNOWN: Label = (0.0, 0.0)
YES: Label = (1.0, 1.0)
NO: Label = (0.0, 1.0)
# Follows from another label of the data set rather than from an annotator.
LIKELY_NO: Label = (0.0, 0.3)
LIKELY_YES: Label = (1.0, 0.5)
# Conversation collected for abuse research is hardly ever spam, but nobody checked it.
NOT_COLLECTED_AS_SPAM: Label = (0.0, 0.25)


@dataclass(frozen=True)
class Example:
    text: str
    language: str
    dataset: str
    split: str | None  # None: the data set has no official split
    toxic: Label = UNKNOWN
    hate: Label = UNKNOWN
    spam: Label = NOT_COLLECTED_AS_SPAM
    sentiment: str | None = None  # negative, neutral, positive; None: unknown, mixed or ambiguous


def _rows(path: Path, delimiter: str = ",", encoding: str = "utf-8-sig") -> Iterator[dict[str, str]]:
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        yield from csv.DictReader(file, delimiter=delimiter)


def _lines(path: Path) -> Iterator[list[str]]:
    for line in path.read_text(encoding="utf-8-sig", errors="replace").split("\n"):
        cells = line.rstrip("\r").split("\t")
        if len(cells) >= 2:
            yield cells


def davidson(folder: Path) -> Iterator[Example]:
    for row in _rows(folder / "labeled_data.csv"):
        hate, toxic = row["class"] == "0", row["class"] != "2"
        yield Example(row["tweet"], "en", "davidson2017", None, YES if toxic else NO, YES if hate else NO)


def hatexplain(folder: Path) -> Iterator[Example]:
    for split, name in (("train", "train"), ("dev", "val"), ("test", "test")):
        for text, label in json.loads((folder / f"data__hatexplain__{name}.json").read_text()):
            yield Example(
                text.replace("<user>", "@user"), "en", "hatexplain", split,
                NO if label == "normal" else YES, YES if label == "hatespeech" else NO,
            )


def cold(folder: Path) -> Iterator[Example]:
    for split in ("train", "dev", "test"):
        for row in _rows(folder / f"COLDataset__{split}.csv"):
            if row["label"] == "0":
                yield Example(row["TEXT"], "zh", "cold", split, NO, NO)
                continue
            # The fine label (2: against a group, 1: against a person) exists in the test split only;
            # the data set was collected by race, region and gender, so most offence is against groups.
            fine = row.get("fine-grained-label")
            hate = LIKELY_YES if fine is None else YES if fine == "2" else NO
            yield Example(row["TEXT"], "zh", "cold", split, YES, hate)


def convabuse(folder: Path) -> Iterator[Example]:
    against_groups = ("ableist", "homophobic", "racist", "sexist", "transphobic")
    for split, name in (("train", "train"), ("dev", "valid"), ("test", "test")):
        for row in _rows(folder / f"2_splits__ConvAbuseEMNLP{name}.csv"):
            votes = [
                level for annotator in range(1, 9) for level in (1, 0, -1, -2, -3)
                if row.get(f"Annotator{annotator}_is_abuse.{level}") in ("1", "1.0")
            ]
            if not votes:
                continue
            mean = sum(votes) / len(votes)
            grouped = sum(
                any(row.get(f"Annotator{a}_{kind}") in ("1", "1.0") for kind in against_groups) for a in range(1, 9)
            )
            toxic = YES if mean < 0 else NO if mean > 0.5 else UNKNOWN
            hate = YES if mean < 0 and grouped * 2 > len(votes) else NO if mean > 0.5 or grouped == 0 else UNKNOWN
            yield Example(row["user"], "en", "convabuse", split, toxic, hate)


def dravidian(folder: Path) -> Iterator[Example]:
    files = (
        ("kn", "train", "kannada_offensive_train_(1)"), ("kn", "dev", "kannada_offensive_dev"),
        ("kn", "test", "kannada_offensive_test_with_labels"), ("ml", "train", "mal_full_offensive_train"),
        ("ml", "dev", "mal_full_offensive_dev"), ("ml", "test", "mal_full_offensive_test_with_labels"),
        # The public copy lacks the Tamil training file: its dev file is divided by hash instead.
        ("ta", "divide", "tamil_offensive_full_dev"), ("ta", "test", "tamil_offensive_full_test_with_labels"),
    )
    for language, split, name in files:
        for text, label, *_ in _lines(folder / f"Datasets__{name}.csv"):
            label = label.strip().lower()
            if label.startswith("not-") or not label:
                continue
            if label.startswith("not_"):
                yield Example(text, language, "dravidian_offensive", split, NO, NO)
            elif label.startswith("off"):
                # "Group" also covers fans of an actor; in this annotation scheme most are groups of people.
                hate = LIKELY_YES if "insult_group" in label else NO
                yield Example(text, language, "dravidian_offensive", split, YES, hate)


def fox_news(folder: Path) -> Iterator[Example]:
    for line in (folder / "fox-news-comments.json").read_text().splitlines():
        row = json.loads(line)
        hateful = int(row["label"]) == 1
        yield Example(row["text"], "en", "fox_news", None, YES if hateful else UNKNOWN, YES if hateful else NO)


def gahd(folder: Path) -> Iterator[Example]:
    for row in _rows(folder / "gahd.csv"):
        hateful = row["label"] == "1"
        yield Example(
            row["text"], "de", "gahd", row["split"], YES if hateful else LIKELY_NO, YES if hateful else NO
        )


def germeval(folder: Path) -> Iterator[Example]:
    for split, name in (("divide", "training"), ("test", "test")):
        for text, coarse, fine in _lines(folder / f"germeval2018.{name}.txt"):
            text = text.replace("|LBR|", " ")
            yield Example(
                text, "de", "germeval2018", split,
                YES if coarse == "OFFENSE" else NO, YES if fine.strip() == "ABUSE" else NO,
            )


def hatemoji(folder: Path) -> Iterator[Example]:
    for split, name in (("train", "train"), ("dev", "validation"), ("test", "test")):
        for row in _rows(folder / f"HatemojiBuild__{name}.csv"):
            hateful = row["label_gold"] == "1"
            yield Example(
                row["text"], "en", "hatemoji_build", split, YES if hateful else LIKELY_NO, YES if hateful else NO
            )


def korean(folder: Path) -> Iterator[Example]:
    for text, label, *_ in _lines(folder / "Dataset.csv"):
        if label.strip() in ("0", "1"):
            malicious = label.strip() == "0"
            yield Example(
                text, "ko", "korean_malicious", None,
                YES if malicious else NO, UNKNOWN if malicious else LIKELY_NO,
            )


def mlma(folder: Path) -> Iterator[Example]:
    with zipfile.ZipFile(folder / "hate_speech_mlma.zip") as archive:
        for language in ("en", "fr", "ar"):
            content = archive.read(f"hate_speech_mlma/{language}_dataset.csv").decode("utf-8", "replace")
            for row in csv.DictReader(io.StringIO(content)):
                said = set(row["sentiment"].split("_"))
                hateful = "hateful" in said
                if hateful or said & {"offensive", "abusive", "disrespectful"}:
                    yield Example(row["tweet"], language, "mlma", None, YES, YES if hateful else NO)
                elif said == {"normal"}:
                    yield Example(row["tweet"], language, "mlma", None, NO, NO)


def roman_urdu(folder: Path) -> Iterator[Example]:
    # The published task 2 validation file repeats the training file, so task 2 is joined by text.
    kinds = {cells[0]: cells[1].strip() for part in ("train", "test") for cells in _lines(folder / f"task_2_{part}.tsv")}
    for split, part in (("train", "train"), ("dev", "validation"), ("test", "test")):
        for text, label, *_ in _lines(folder / f"task_1_{part}.tsv"):
            toxic = label.strip() == "0"
            kind = kinds.get(text)
            hate = NO if not toxic else UNKNOWN if kind is None else YES if kind in ("2", "3") else NO
            yield Example(text, "ur-Latn", "roman_urdu", split, YES if toxic else NO, hate)


def sms_spam(folder: Path) -> Iterator[Example]:
    for row in _rows(folder / "spam.csv", encoding="latin-1"):
        label = row.get("v1") or next(iter(row.values()))
        if label in ("spam", "ham"):
            spam = label == "spam"
            yield Example(
                row["v2"], "en", "sms_spam", None, LIKELY_NO if spam else NO, NO, YES if spam else NO
            )


def surge(folder: Path) -> Iterator[Example]:
    for row in _rows(folder / "toxicity_en.csv"):
        toxic = row["is_toxic"] == "Toxic"
        yield Example(row["text"], "en", "surge_toxicity", None, YES if toxic else NO, UNKNOWN if toxic else NO)


def toxic_spans(folder: Path) -> Iterator[Example]:
    for split, name in (("train", "train"), ("dev", "trial"), ("test", "test")):
        for row in _rows(folder / f"SemEval2021__data__tsd_{name}.csv"):
            spans = ast.literal_eval(row["spans"])
            for text, toxic in sentences_around_spans(row["text"], spans):
                yield Example(
                    text, "en", "toxic_spans", split,
                    YES if toxic else LIKELY_NO, UNKNOWN if toxic else LIKELY_NO,
                )


def goemotions(folder: Path) -> Iterator[Example]:
    groups = {"1": "negative", "2": "neutral", "3": "positive"}
    for split in ("train", "dev", "test"):
        for text, label, *_ in _lines(folder / f"data__group__{split}.tsv"):
            sentiment = groups.get(label.strip())  # group 0 is ambiguous; several groups are no single sentiment
            # Only praise and joy say something about toxicity; the other groups may hold both.
            harmless = LIKELY_NO if sentiment == "positive" else UNKNOWN
            yield Example(text, "en", "goemotions", split, harmless, harmless, sentiment=sentiment)


READERS: dict[str, Callable[[Path], Iterator[Example]]] = {
    "davidson2017": davidson, "hatexplain": hatexplain, "cold": cold, "convabuse": convabuse,
    "dravidian_offensive": dravidian, "fox_news": fox_news, "gahd": gahd, "germeval2018": germeval,
    "hatemoji_build": hatemoji, "korean_malicious": korean, "mlma": mlma, "roman_urdu": roman_urdu,
    "sms_spam": sms_spam, "surge_toxicity": surge, "toxic_spans": toxic_spans, "goemotions": goemotions,
}
