"""Kafka to Parquet on S3 as an application of Quix Streams: a batching sink that is written at every checkpoint."""

import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from io import BytesIO

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.config import Config
from confluent_kafka import Consumer, TopicPartition
from quixstreams import Application
from quixstreams.sinks import BatchingSink, SinkBatch

TOPIC = os.environ["BENCH_TOPIC"]
TEXT = ["id", "customer", "text", "user", "type", "lang"]
SCHEMA = pa.schema([*((name, pa.string()) for name in TEXT), ("created_at", pa.timestamp("us", "UTC")),
                    ("partition", pa.int32()), ("offset", pa.int64())])


class ParquetSink(BatchingSink):
    def setup(self) -> None:
        self._s3 = boto3.client("s3", endpoint_url=os.environ["BENCH_ENDPOINT"],
                                config=Config(s3={"addressing_style": "path"}, max_pool_connections=16,
                                              request_checksum_calculation="when_required"))
        self._uploads = ThreadPoolExecutor(8)

    def write(self, batch: SinkBatch) -> None:
        shards = defaultdict(list)
        for item in batch:
            value = item.value
            shards[value["customer"], value["created_at"][:13]].append((value, item.offset))
        jobs = [self._uploads.submit(self._put, batch, shard, rows) for shard, rows in shards.items()]
        for job in jobs:
            job.result()

    def _put(self, batch: SinkBatch, shard: tuple, rows: list) -> None:
        (customer, hour), file = shard, BytesIO()
        rows.sort(key=lambda row: row[0]["created_at"])
        columns = [[value.get(name) for value, _ in rows] for name in TEXT]
        times = [datetime.fromisoformat(value["created_at"]) for value, _ in rows]
        arrays = [*columns, times, [batch.partition] * len(rows), [offset for _, offset in rows]]
        table = pa.Table.from_arrays([pa.array(each, field.type) for each, field in zip(arrays, SCHEMA)], schema=SCHEMA)
        pq.write_table(table, file, compression="zstd", compression_level=1)
        name = f"{os.getpid()}-{batch.partition}-{batch.start_offset}"
        self._s3.put_object(Bucket=os.environ["BENCH_BUCKET"], Body=file.getvalue(),
                            Key=f"customer={customer}/dt={hour[:10]}/hour={hour[11:]}/{name}.parquet")


def remaining() -> int:
    """Messages between what the group committed and the present end."""
    client = Consumer({"bootstrap.servers": os.environ["BENCH_BROKER"], "group.id": os.environ["BENCH_GROUP"]})
    partitions = [TopicPartition(TOPIC, each) for each in client.list_topics(TOPIC).topics[TOPIC].partitions]
    count = 0
    for each in client.committed(partitions):
        low, high = client.get_watermark_offsets(each)
        count += high - (each.offset if each.offset >= 0 else low)
    client.close()
    return count


def main() -> None:
    left = remaining()
    if left == 0:
        return
    app = Application(
        broker_address=os.environ["BENCH_BROKER"], consumer_group=os.environ["BENCH_GROUP"], auto_offset_reset="earliest",
        commit_every=int(os.environ["BENCH_FLUSH_ROWS"]), commit_interval=60, auto_create_topics=False,
        loglevel="WARNING", max_partition_buffer_size=100_000,
        consumer_extra_config={"fetch.message.max.bytes": 8 << 20, "queued.max.messages.kbytes": 256 << 10},
    )
    app.dataframe(app.topic(TOPIC, value_deserializer="json")).sink(ParquetSink())
    app.run(count=left, collect=False)


main()
