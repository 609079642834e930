"""The two models that the recipe makes, and what differs between them.

In:  nothing. Out: `TASKS` by name; `rows` picks the examples that a task learns from or is measured on.
"""

from dataclasses import dataclass
from pathlib import Path

from .prepare import read_examples
from .sentiment_readers import AFRISENTI, SENTIMENTS


LEAST_WEIGHT = 0.3


@dataclass(frozen=True)
class Run:
    """One call of `train`: passes over the data, with the n-gram teacher or without, from where another run ended."""

    name: str
    passes: int
    taught: bool
    seed: int
    start: str | None = None


@dataclass(frozen=True)
class Task:
    name: str  # of the model, and of its folder under OUT
    labels: tuple[str, ...]
    exclusive: bool  # one label per text (softmax) or any number (sigmoid)
    vocabulary: int
    runs: tuple[Run, ...]  # the last one is what is exported
    languages: tuple[str, ...]  # languages whose labels the model has learnt, both ways
    registers: tuple[str, ...] = ()  # "data set language" whose meaning of the labels is learnt apart (`linear.py`)
    register_subwords: int = 1 << 20  # only those that the registers use most have a weight there, which saves space


HARM = Task(
    "default", ("toxic", "hate", "spam"), False, 48_000,
    (
        Run("first", 2, False, 20), Run("second", 1, True, 21, "first"), Run("third", 1, True, 22, "second"),
        Run("final", 2, True, 23, "third"),
    ),
    ("en", "de", "fr", "ar", "zh", "ko", "ta", "ml", "kn", "ur-Latn"),
    (
        "hatexplain en", "davidson2017 en", "germeval2018 de", "gahd de", "roman_urdu ur-Latn",
        "mlma fr", "mlma ar", "dravidian_offensive ta", "dravidian_offensive kn", "dravidian_offensive ml",
    ),
)
SENTIMENT = Task(
    "sentiment", SENTIMENTS, True, 56_000, (Run("final", 4, True, 21),),
    ("en", "th", "am", "arq", "ary", "ha", "ig", "rw", "pcm", "pt", "sw", "ts", "tw", "yo"),
    tuple(f"afrisenti {language}" for language in AFRISENTI.values()), 22_000,
)
TASKS = {task.name: task for task in (HARM, SENTIMENT)}


def rows(task: Task, out: Path, split: str) -> list[dict]:
    examples = read_examples(out, split)
    if task.exclusive:
        return [row for row in examples if row["sentiment"]]
    # "Not collected as spam" alone is not worth a text.
    return [row for row in examples if any(row[label][1] >= LEAST_WEIGHT for label in task.labels)]


def vocabulary_texts(task: Task, out: Path) -> list[str]:
    """Texts of the train split, labelled for the task or not; for harm, none of languages it cannot judge."""
    others = ("afrisenti", "wisesight")
    examples = read_examples(out, "train")
    if task.exclusive:
        return [row["text"] for row in examples if row["sentiment"]]
    return [row["text"] for row in examples if row["dataset"] not in others]
