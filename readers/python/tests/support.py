"""Builds stores as mlflow-monitor does: the object first, then the manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq

from mlflow_monitor_reader.schema import SCHEMAS
from mlflow_monitor_reader.sources import Body, Changed


def row(dataset: str, **values: object) -> dict[str, object]:
    return {name: values.get(name) for name in SCHEMAS[dataset].names}


def parquet(dataset: str, rows: list[dict[str, object]], drop: tuple[str, ...] = (), **options: object) -> bytes:
    """A file of a dataset. :param drop: columns that an older release did not write :param options: of the writer"""
    table = pa.Table.from_pylist(rows, schema=SCHEMAS[dataset]).drop_columns(list(drop))
    sink = BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


class MemorySource:
    """A store in memory that counts its requests, and lets a test act before each."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.before: Callable[[str, str | None], None] = lambda key, etag: None

    def get(self, key: str, etag: str | None = None) -> Body | None:
        self.requests.append((key, etag))
        self.before(key, etag)
        data = self.objects.get(key)
        if data is None or (etag is not None and etag_of(data) != etag):
            if etag is not None:
                raise Changed(key)
            return None
        return Body(data, etag_of(data))

    def publish(self, objects: dict[str, bytes], watermark: str | None = "2026-03-10T15:30:00.000Z") -> None:
        self.objects.update(objects)
        self.name(watermark)

    def name(self, watermark: str | None = "2026-03-10T15:30:00.000Z") -> None:
        """Makes the manifest name the current objects."""
        months: dict[str, dict[str, object]] = {}
        for key, data in self.objects.items():
            if not key.startswith("_"):
                _, year, month, *_ = key.split("/")
                months.setdefault(f"{year}-{month}", {})[key] = {"etag": etag_of(data), "size": len(data), "rows": None}
        for month, named in months.items():
            self.objects[f"_latest/{month}.json"] = json.dumps({"version": 1, "objects": named}).encode()
        head = {"version": 1, "watermark": watermark, "months": sorted(months)}
        self.objects["_latest.json"] = json.dumps(head).encode()

    def requested(self) -> list[str]:
        """The keys of the objects that were requested since the last call."""
        keys = [key for key, _ in self.requests if not key.startswith("_")]
        self.requests.clear()
        return keys


def etag_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
