"""The columns of the datasets, generated from the same description as docs/datasets.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files

import pyarrow as pa

_SUMMARY = pa.struct(
    [
        ("latest_value", pa.float64()),
        ("latest_status", pa.string()),
        ("avg_value", pa.float64()),
        ("trend", pa.float64()),
        ("display_name", pa.string()),
        ("unit", pa.string()),
    ]
)
_TYPES = {
    "VARCHAR": pa.string(),
    "DOUBLE": pa.float64(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", tz="UTC"),
    "VARCHAR[]": pa.list_(pa.string()),
    "MAP(VARCHAR, VARCHAR)": pa.map_(pa.string(), pa.string()),
    "MAP(VARCHAR, DOUBLE)": pa.map_(pa.string(), pa.float64()),
    "MAP(VARCHAR, STRUCT(latest_value DOUBLE, latest_status VARCHAR, avg_value DOUBLE, trend DOUBLE, "
    "display_name VARCHAR, unit VARCHAR))": pa.map_(pa.string(), _SUMMARY),
}

_DESCRIPTION: dict[str, dict[str, str]] = json.loads(files(__package__).joinpath("datasets.json").read_text("utf8"))
#: The schema of each dataset.
SCHEMAS = {
    dataset: pa.schema([(name, _TYPES[kind]) for name, kind in columns.items()])
    for dataset, columns in _DESCRIPTION.items()
}


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of a schema, in its order. Columns that an older file does not have are null."""
    columns = [
        table.column(field.name).cast(field.type) if field.name in table.column_names else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def select(schema: pa.Schema, columns: Sequence[str] | None) -> pa.Schema:
    """The schema with these columns only, in this order. :raises KeyError: the dataset has no such column"""
    return schema if columns is None else pa.schema([schema.field(name) for name in columns])
