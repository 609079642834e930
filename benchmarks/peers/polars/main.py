"""Kafka to Parquet on S3 with librdkafka, polars and boto3, as fast as these allow; at least once.

Reading goes on while one flush at a time is written by other threads: polars and zlib release the interpreter's lock.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import boto3
import polars as pl
from botocore.config import Config
from confluent_kafka import Consumer, TopicPartition

TOPIC = os.environ["BENCH_TOPIC"]
FLUSH_ROWS = int(os.environ["BENCH_FLUSH_ROWS"])
TEXT = ["id", "customer", "text", "user", "type", "lang", "created_at"]
SCHEMA = {name: pl.String for name in TEXT}

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


def put(key: str, frame: pl.DataFrame) -> None:
    file = BytesIO()
    frame.sort("created_at").write_parquet(file, compression="zstd", compression_level=1)
    s3.put_object(Bucket=os.environ["BENCH_BUCKET"], Key=key, Body=file.getvalue())


def flush(number: int, values: list, partitions: list, offsets: list, next_offsets: dict) -> None:
    frame = pl.read_ndjson(b"\n".join(values), schema=SCHEMA).with_columns(
        pl.col("created_at").str.to_datetime(time_unit="us", time_zone="UTC"),
        partition=pl.Series(partitions, dtype=pl.Int32),
        offset=pl.Series(offsets, dtype=pl.Int64),
    ).with_columns(_dt=pl.col("created_at").dt.date(), _hour=pl.col("created_at").dt.hour())
    parts = frame.partition_by("customer", "_dt", "_hour", as_dict=True)
    name = f"{os.getpid()}-{number}-{partitions[0]}-{offsets[0]}"
    jobs = [uploads.submit(put, f"customer={customer}/dt={day}/hour={hour:02}/{name}.parquet", part.drop("_dt", "_hour"))
            for (customer, day, hour), part in parts.items()]
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
