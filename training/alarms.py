"""Collections of harmless texts on which every flag is a false alarm.

In:  the data folder and the prepared test split.
Out: pairs (name, texts). None of these texts was trained on.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from .prepare import read_examples
from .thresholds import is_ordinary

# Languages of the sentiment data sets that the model was not trained to judge.
UNTRAINED = {
    "amh": "Amharic", "arq": "Algerian Arabic", "ary": "Moroccan Arabic", "hau": "Hausa", "ibo": "Igbo",
    "kin": "Kinyarwanda", "pcm": "Nigerian Pidgin", "por": "Portuguese", "swa": "Swahili", "tso": "Tsonga",
    "twi": "Twi", "yor": "Yoruba",
}


def _from_test_split(out: Path) -> Iterator[tuple[str, list[str]]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for row in read_examples(out, "test"):
        if row["dataset"] == "group_neutral":
            groups["neutral sentences naming a held-out group"].append(row["text"])
            groups[f"- of these in {row['language']}"].append(row["text"])
        elif row["dataset"] == "everyday_ordinary":
            groups["ordinary sentences with links, prices, commands"].append(row["text"])
        elif is_ordinary(row):
            name = "ordinary SMS (ham)" if row["dataset"] == "sms_spam" else "friendly comments (GoEmotions, positive)"
            groups[name].append(row["text"])
    yield from groups.items()


def _support_chat(data: Path) -> Iterator[tuple[str, list[str]]]:
    """Not fetched, because it is derived from 173 files; see README."""
    path = data / "ubuntu_irc" / "messages.jsonl.gz"
    if path.exists():
        with gzip.open(path, "rt", encoding="utf-8") as file:
            yield "technical support chat (Ubuntu IRC)", [json.loads(line)["text"] for line in file]


def _other_languages(data: Path) -> Iterator[tuple[str, list[str]]]:
    for code, language in UNTRAINED.items():
        lines = (data / "afrisenti" / f"data__{code}__test.tsv").read_text(encoding="utf-8").splitlines()
        cells = [line.rsplit("\t", 1) for line in lines]
        yield f"positive posts in {language}, not trained", [text for text, label in cells if label == "positive"]
    thai = (data / "wisesight" / "pos.txt").read_text(encoding="utf-8").splitlines()
    yield "positive posts in Thai, not trained", [line for line in thai if line.strip()]


def harmless_texts(data: Path, out: Path) -> Iterator[tuple[str, list[str]]]:
    yield from _from_test_split(out)
    yield from _support_chat(data)
    yield from _other_languages(data)
