"""Fetch the data sets named in `datasets.json` and check every file against its SHA-256.

In:  `datasets.json`; the public origin (raw GitHub files at a fixed commit) or `--from DIR`.
Out: `DIR/<data set>/<file>`, byte for byte as published.
"""

import argparse
import hashlib
import json
import shutil
import urllib.parse
import urllib.request
from pathlib import Path

DATASETS = json.loads((Path(__file__).parent / "datasets.json").read_text())


def _address(dataset: dict, file: dict) -> str:
    owner_and_name = dataset["repository"].removeprefix("https://github.com/")
    return f"https://raw.githubusercontent.com/{owner_and_name}/{dataset['commit']}/{urllib.parse.quote(file['path'])}"


def fetch(target: Path, source: Path | None = None) -> None:
    for dataset in DATASETS:
        for file in dataset["files"]:
            path = target / dataset["name"] / file["file"]
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                if source is not None:
                    shutil.copyfile(source / dataset["name"] / file["file"], path)
                else:
                    with urllib.request.urlopen(_address(dataset, file), timeout=60) as reply:
                        path.write_bytes(reply.read())
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            if found != file["sha256"]:
                raise SystemExit(f"{path}: sha256 is {found}, expected {file['sha256']}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder to fill")
    parser.add_argument("--from", dest="source", type=Path, help="local copies instead of the public origin")
    arguments = parser.parse_args()
    fetch(arguments.data, arguments.source)
