"""Collections of harmless texts on which every flag is a false alarm.

In:  the data folder and the prepared test split.
Out: (name, texts, their languages). None of these texts was trained on.
"""

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from .prepare import read_examples
from .sentiment_readers import AFRISENTI
from .thresholds import is_ordinary

Collection = tuple[str, list[str], list[str]]
# Languages of the sentiment data sets that the model was not trained to judge.
UNTRAINED = {
    "amh": "Amharic", "arq": "Algerian Arabic", "ary": "Moroccan Arabic", "hau": "Hausa", "ibo": "Igbo",
    "kin": "Kinyarwanda", "pcm": "Nigerian Pidgin", "por": "Portuguese", "swa": "Swahili", "tso": "Tsonga",
    "twi": "Twi", "yor": "Yoruba",
}


def _from_test_split(out: Path) -> Iterator[Collection]:
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in read_examples(out, "test"):
        if row["dataset"] == "group_neutral":
            groups["neutral sentences naming a held-out group"].append((row["text"], row["language"]))
            groups[f"- of these in {row['language']}"].append((row["text"], row["language"]))
        elif row["dataset"] == "neutral_mentions":
            groups["1,000 neutral sentences naming one of 40 groups"].append((row["text"], row["language"]))
        elif row["dataset"] == "contrast_harmless":
            groups["insults quoted or denied, violent words in harmless use"].append((row["text"], row["language"]))
        elif row["dataset"] == "stance_harmless":
            groups["hatred denied, quoted or condemned, praise of groups"].append((row["text"], row["language"]))
        elif row["dataset"] == "everyday_ordinary":
            groups["ordinary sentences with links, prices, commands"].append((row["text"], row["language"]))
        elif is_ordinary(row):
            name = "ordinary SMS (ham)" if row["dataset"] == "sms_spam" else "friendly comments (GoEmotions, positive)"
            groups[name].append((row["text"], row["language"]))
    for name, pairs in groups.items():
        yield name, *map(list, zip(*pairs))


def _chat(data: Path, first_bytes: range) -> list[str]:
    """Not fetched, because it is derived from 173 files; see README. The first byte of its hash picks a text."""
    path = data / "ubuntu_irc" / "messages.jsonl.gz"
    if not path.exists():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    return [text for text in texts if hashlib.sha256(text.encode()).digest()[0] in first_bytes]


def chat_for_thresholds(data: Path) -> list[str]:
    return _chat(data, range(26))


def _other_languages(data: Path) -> Iterator[Collection]:
    for code, language in UNTRAINED.items():
        lines = (data / "afrisenti" / f"data__{code}__test.tsv").read_text(encoding="utf-8").splitlines()
        cells = [line.rsplit("\t", 1) for line in lines]
        texts = [text for text, label in cells if label == "positive"]
        yield f"positive posts in {language}, not trained", texts, [AFRISENTI[code]] * len(texts)
    thai = (data / "wisesight" / "pos.txt").read_text(encoding="utf-8").splitlines()
    texts = [line for line in thai if line.strip()]
    yield "positive posts in Thai, not trained", texts, ["th"] * len(texts)


def harmless_texts(data: Path, out: Path) -> Iterator[Collection]:
    yield from _from_test_split(out)
    chat = _chat(data, range(192, 256))
    if chat:
        yield "technical support chat (Ubuntu IRC)", chat, ["en"] * len(chat)
    yield from _other_languages(data)
