"""Write the manifest of the model folder, `sluice.yaml`.

In:  an exported model folder, `OUT/examples.jsonl` (dev split) and `checks.json`.
Out: `MODEL/sluice.yaml`: version, languages, thresholds, check texts with scores, checksums.
"""

import argparse
import hashlib
import json
from pathlib import Path

from .batches import MAX_TOKENS
from .prepare import LABELS, read_examples
from .scoring import Scorer
from .thresholds import fit

NAME = "sluice-default"
VERSION = "1.0.0"
LANGUAGES = ["en", "de", "fr", "ar", "zh", "ko", "ta", "ta-Latn", "ml", "ml-Latn", "kn", "kn-Latn", "ur-Latn"]
TOLERANCE = 0.05
FILES = ("config.json", "tokenizer.json", "onnx/model.onnx")


def package(out: Path, model: Path) -> None:
    scorer = Scorer(model)
    dev = read_examples(out, "dev")
    thresholds = fit(dev, scorer.scores([row["text"] for row in dev]))
    texts = json.loads((Path(__file__).parent / "checks.json").read_text(encoding="utf-8"))
    lines = [
        f"name: {NAME}", f"version: {VERSION}", f"max_tokens: {MAX_TOKENS}",
        f"languages: [{', '.join(LANGUAGES)}]", "thresholds:",
    ]
    for label in LABELS:
        levels = ", ".join(f"{level}: {value:.2f}" for level, value in thresholds[label].items())
        lines.append(f"  {label}: {{ {levels} }}")
    lines.append("checks:")
    for text, scores in zip(texts, scorer.scores(texts)):
        values = ", ".join(f"{label}: {score:.3f}" for label, score in zip(LABELS, scores))
        lines += [f"  - text: {json.dumps(text, ensure_ascii=False)}", f"    scores: {{ {values} }}"]
    lines += [f"tolerance: {TOLERANCE}", "files:"]
    for name in FILES:
        lines.append(f'  {name}: "{hashlib.sha256((model / name).read_bytes()).hexdigest()}"')
    (model / "sluice.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    arguments = parser.parse_args()
    package(arguments.out, arguments.model)
