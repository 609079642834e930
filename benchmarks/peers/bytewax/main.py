"""Kafka to Parquet on S3 as a dataflow of Bytewax: messages are collected by shard, and each collection is a file."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from io import BytesIO
from itertools import count

import boto3
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.config import Config
from bytewax import operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition

TEXT = ["id", "customer", "text", "user", "type", "lang"]
SCHEMA = pa.schema([*((name, pa.string()) for name in TEXT), ("created_at", pa.timestamp("us", "UTC")),
                    ("partition", pa.int32()), ("offset", pa.int64())])


class ParquetPartition(StatelessSinkPartition):
    def __init__(self) -> None:
        self._s3 = boto3.client("s3", endpoint_url=os.environ["BENCH_ENDPOINT"],
                                config=Config(s3={"addressing_style": "path"}, max_pool_connections=16,
                                              request_checksum_calculation="when_required"))
        self._uploads = ThreadPoolExecutor(8)
        self._numbers = count()

    def write_batch(self, items: list) -> None:
        jobs = [self._uploads.submit(self._put, shard, rows) for shard, rows in items]
        for job in jobs:
            job.result()

    def _put(self, shard: str, rows: list) -> None:
        customer, hour = shard.rsplit(" ", 1)
        rows.sort(key=lambda row: row[0]["created_at"])
        columns = [[value.get(name) for value, _, _ in rows] for name in TEXT]
        times = [datetime.fromisoformat(value["created_at"]) for value, _, _ in rows]
        arrays = [*columns, times, [partition for _, partition, _ in rows], [offset for _, _, offset in rows]]
        table = pa.Table.from_arrays([pa.array(each, field.type) for each, field in zip(arrays, SCHEMA)], schema=SCHEMA)
        file = BytesIO()
        pq.write_table(table, file, compression="zstd", compression_level=1)
        self._s3.put_object(
            Bucket=os.environ["BENCH_BUCKET"], Body=file.getvalue(),
            Key=f"customer={customer}/dt={hour[:10]}/hour={hour[11:]}/{os.getpid()}-{next(self._numbers)}.parquet")


class ParquetSink(DynamicSink):
    def build(self, _step_id: str, _worker_index: int, _worker_count: int) -> ParquetPartition:
        return ParquetPartition()


def parse(messages: list) -> list:
    rows = []
    for message in messages:
        value = orjson.loads(message.value)
        rows.append((f"{value['customer']} {value['created_at'][:13]}", (value, message.partition, message.offset)))
    return rows


flow = Dataflow("bench")
source = KafkaSource([os.environ["BENCH_BROKER"]], [os.environ["BENCH_TOPIC"]], tail=False, batch_size=10_000,
                     add_config={"fetch.message.max.bytes": str(8 << 20)})
rows = op.flat_map_batch("parse", op.input("read", flow, source), parse)
# A customer's hour is a file when it has so many rows, or waited so long.
files = op.collect("collect", rows, timeout=timedelta(seconds=10), max_size=int(os.environ["BENCH_FLUSH_ROWS"]) // 10)
op.output("write", files, ParquetSink())
