"""Write the manifest of a model folder, `sluice.yaml`.

In:  an exported model folder, the data folder, `OUT/examples.jsonl` (dev split) and `checks.json`.
Out: `MODEL/sluice.yaml`: version, languages, thresholds, check texts with scores, checksums.
"""

import argparse
import hashlib
import json
from pathlib import Path

from .alarms import chat_for_thresholds
from .batches import MAX_TOKENS
from .scoring import Scorer
from .tasks import TASKS, Task, rows
from .thresholds import Levels, fit, fit_by_language

VERSION = {"default": "2.0.0", "sentiment": "1.0.0"}
TOLERANCE = 0.05
FILES = ("config.json", "tokenizer.json", "onnx/model.onnx")


def _levels(levels: Levels) -> str:
    return "{ " + ", ".join(f"{level}: {value:.2f}" for level, value in levels.items()) + " }"


def package(task: Task, data: Path, out: Path, model: Path) -> None:
    scorer = Scorer(model)
    texts = json.loads((Path(__file__).parent / "checks.json").read_text(encoding="utf-8"))[task.name]
    lines = [
        f"name: sluice-{task.name}", f"version: {VERSION[task.name]}", f"max_tokens: {MAX_TOKENS}",
        f"languages: [{', '.join(task.languages)}]",
    ]
    if not task.exclusive:
        dev = rows(task, out, "dev")
        found = scorer.scores([row["text"] for row in dev]), scorer.scores(chat_for_thresholds(data))
        lines.append("thresholds:")
        common = fit(dev, *found, {})
        lines += [f"  {label}: {_levels(levels)}" for label, levels in common.items()]
        lines.append("language_thresholds:")
        for language, thresholds in fit_by_language(dev, *found, common).items():
            lines.append(f"  {language}:")
            lines += [f"    {label}: {_levels(levels)}" for label, levels in thresholds.items()]
    lines.append("checks:")
    for text, scores in zip(texts, scorer.scores(texts)):
        values = ", ".join(f"{label}: {score:.3f}" for label, score in zip(task.labels, scores))
        lines += [f"  - text: {json.dumps(text, ensure_ascii=False)}", f"    scores: {{ {values} }}"]
    lines += [f"tolerance: {TOLERANCE}", "files:"]
    for name in FILES:
        lines.append(f'  {name}: "{hashlib.sha256((model / name).read_bytes()).hexdigest()}"')
    (model / "sluice.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--model", type=Path, required=True)
    arguments = parser.parse_args()
    package(TASKS[arguments.task], arguments.data, arguments.out, arguments.model)
