"""Kafka to Parquet on S3 with librdkafka, pyarrow and boto3; at least once.

Reading goes on while one flush at a time is written by other threads: pyarrow releases the interpreter's lock.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import boto3
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.parquet as pq
from botocore.config import Config
from confluent_kafka import Consumer, TopicPartition

TOPIC = os.environ["BENCH_TOPIC"]
FLUSH_ROWS = int(os.environ["BENCH_FLUSH_ROWS"])
TEXT = ["id", "customer", "text", "user", "type", "lang", "created_at"]
SCHEMA = pa.schema([(name, pa.timestamp("us", "UTC") if name == "created_at" else pa.string()) for name in TEXT])

s3 = boto3.client("s3", endpoint_url=os.environ["BENCH_ENDPOINT"],
                  config=Config(s3={"addressing_style": "path"}, max_pool_connections=16,
                                request_checksum_calculation="when_required"))
uploads = ThreadPoolExecutor(8)
writer = ThreadPoolExecutor(1)
consumer = Consumer({
    "bootstrap.servers": os.environ["BENCH_BROKER"], "group.id": os.environ["BENCH_GROUP"],
    "enable.auto.commit": False, "auto.offset.reset": "earliest",
    "fetch.wait.max.ms": 50, "fetch.message.max.bytes": 8 << 20, "queued.max.messages.kbytes": 256 << 10,
})


def put(key: str, table: pa.Table) -> None:
    file = BytesIO()
    pq.write_table(table, file, compression="zstd", compression_level=1)
    s3.put_object(Bucket=os.environ["BENCH_BUCKET"], Key=key, Body=file.getvalue())


def flush(number: int, values: list, partitions: list, offsets: list, next_offsets: dict) -> None:
    table = pj.read_json(BytesIO(b"\n".join(values)), pj.ReadOptions(block_size=8 << 20),
                         pj.ParseOptions(explicit_schema=SCHEMA))
    hours = pc.floor_temporal(table["created_at"], unit="hour")
    table = table.append_column("partition", pa.array(partitions, pa.int32())) \
        .append_column("offset", pa.array(offsets, pa.int64())).append_column("_hour", hours) \
        .sort_by([("customer", "ascending"), ("created_at", "ascending")])
    groups = table.group_by(["customer", "_hour"], use_threads=False).aggregate([([], "count_all")])
    name = f"{os.getpid()}-{number}-{partitions[0]}-{offsets[0]}"
    # Sorted, every customer's hour is one slice; groups come in the order in which they begin.
    jobs, at, columns = [], 0, table.drop_columns("_hour")
    for group in groups.to_pylist():
        key = f"customer={group['customer']}/dt={group['_hour']:%Y-%m-%d}/hour={group['_hour']:%H}/{name}.parquet"
        jobs.append(uploads.submit(put, key, columns.slice(at, group["count_all"])))
        at += group["count_all"]
    for job in jobs:
        job.result()
    # The rows are safe, so the group may go past them.
    consumer.commit(offsets=[TopicPartition(TOPIC, p, o) for p, o in next_offsets.items()], asynchronous=False)


def main() -> None:
    ends, at = {}, {}

    def assigned(client: Consumer, partitions: list) -> None:
        for each in client.committed(partitions):
            low, high = client.get_watermark_offsets(each)
            ends[each.partition] = high
            at[each.partition] = each.offset if each.offset >= 0 else low

    consumer.subscribe([TOPIC], on_assign=assigned)
    values, partitions, offsets = [], [], []
    writing, number = None, 0
    while True:
        for message in consumer.consume(10_000, timeout=0.5):
            if message.error():
                raise SystemExit(str(message.error()))
            values.append(message.value())
            partitions.append(message.partition())
            offsets.append(message.offset())
            at[message.partition()] = message.offset() + 1
        done = bool(ends) and all(at[each] >= end for each, end in ends.items())
        if len(values) >= FLUSH_ROWS or (done and values):
            if writing:
                writing.result()
            writing = writer.submit(flush, number, values, partitions, offsets, dict(at))
            values, partitions, offsets = [], [], []
            number += 1
        if done:
            break
    if writing:
        writing.result()
    consumer.close()


main()
