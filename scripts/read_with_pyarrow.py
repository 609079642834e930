"""Reads an archive with pyarrow and with DuckDB and holds both against the JSON lines it was made from.

    pip install pyarrow duckdb
    python scripts/read_with_pyarrow.py out sample/content.jsonl.gz

Expects one input file with the default field mapping. Exits 1 when anything disagrees: rows, unique ids, one customer and
one UTC day per file, the bytes of each text, every line settled exactly once.
"""
import glob
import gzip
import json
import os
import sys

import duckdb
import pyarrow.parquet as pq


def lines_of(path):
    with open(path, "rb") as file:
        magic = file.read(2)
    with (gzip.open if magic == b"\x1f\x8b" else open)(path, "rb") as file:
        return file.read().split(b"\n")


def main(out, source):
    problems = []
    table = pq.read_table(out)
    sql = "select count(*), count(distinct id) from read_parquet(?, hive_partitioning = true)"
    rows, ids = duckdb.execute(sql, [f"{out}/**/*.parquet"]).fetchall()[0]
    if not rows == ids == table.num_rows:
        problems.append(f"pyarrow reads {table.num_rows} rows, DuckDB {rows} with {ids} different ids")

    files = glob.glob(f"{out}/customer=*/dt=*/*.parquet")
    for path in files:
        one = pq.ParquetFile(path).read(columns=["customer", "created_at"])
        customers = set(one["customer"].to_pylist())
        days = {time.strftime("%Y-%m-%d") for time in one["created_at"].to_pylist()}
        folder = os.path.basename(os.path.dirname(path))
        if len(customers) != 1 or {f"dt={day}" for day in days} != {folder}:
            problems.append(f"{path}: customers {customers}, days {days}")
    if str(table.schema.field("created_at").type) != "timestamp[us, tz=UTC]":
        problems.append(f"created_at is {table.schema.field('created_at').type}")

    lines = lines_of(source)
    offsets = table["offset"].to_pylist()
    for offset, text in zip(offsets, table["content"].to_pylist()):
        expected = json.loads(lines[offset])["text"]
        if expected.encode("utf-16", "surrogatepass").decode("utf-16", "replace") != text:
            problems.append(f"line {offset}: the text differs")
    dead = []
    for path in glob.glob(f"{out}/_dead_letters/**/*.jsonl", recursive=True):
        with open(path, encoding="utf-8") as file:
            dead += [json.loads(line)["offset"] for line in file]
    filled = [number for number, line in enumerate(lines) if line.strip()]
    if sorted(offsets + dead) != filled:
        problems.append(f"{len(offsets)} rows and {len(dead)} dead letters do not settle {len(filled)} lines once each")

    print(f"{len(files)} files, {table.num_rows} rows, {len(dead)} dead letters, {len(problems)} problems")
    print("\n".join(problems[:20]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
