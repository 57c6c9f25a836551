"""Opens every published object of a store with pyarrow, pandas, polars and DuckDB, and compares it with the data dictionary and with `_latest.json`.

open_datasets.py <folder | s3://bucket/prefix> [dataset that must have rows…]
"""

from __future__ import annotations

import re
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "readers/python/src"))
sys.path.insert(0, str(ROOT / "readers/python"))

from mlflow_monitor_reader import Store  # noqa: E402

DICTIONARY = ROOT / "docs/datasets.md"


def dictionary() -> dict[str, list[tuple[str, str, bool]]]:
    """By dataset: name, type and whether it may be null, as docs/datasets.md says."""
    text = DICTIONARY.read_text("utf8").split("<!-- dictionary -->")[1]
    described = {}
    for section in text.split("### `")[1:]:
        rows = re.findall(r"^\| `(\w+)` +\| `([^`]+)` +\| [^|]*\| ([^|]*?) +\|", section, re.M)
        described[section.split("`")[0]] = [
            (name, kind.replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"), nulls != "never") for name, kind, nulls in rows
        ]
    return described


def published(where: str) -> dict[str, bytes]:
    """All Parquet objects of datasets, as a plain listing finds them."""
    if not where.startswith("s3://"):
        root = Path(where)
        files = sorted(root.glob("[a-z]*/*/*/*/*.parquet"))
        return {file.relative_to(root).as_posix(): file.read_bytes() for file in files}
    import boto3

    bucket, _, prefix = where.removeprefix("s3://").partition("/")
    client = boto3.client("s3")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    names = {key: key.removeprefix(f"{prefix}/") for key in keys}
    return {
        name: client.get_object(Bucket=bucket, Key=key)["Body"].read()
        for key, name in names.items()
        if re.fullmatch(r"[a-z]\w+/\d+/\d+/\d+/part-\d+\.parquet", name)
    }


def check(where: str, with_rows: list[str]) -> None:
    described = dictionary()
    store = Store(where)
    assert list(store.datasets()) == list(described), "the module knows other datasets than the dictionary"
    objects = published(where)
    named = store.manifest().objects
    assert set(named) == set(objects), f"_latest.json and the listing differ: {set(named) ^ set(objects)}"
    for dataset, columns in described.items():
        names = [name for name, _, _ in columns]
        rows, files = 0, []
        with tempfile.TemporaryDirectory() as folder:
            for key, data in objects.items():
                if not key.startswith(f"{dataset}/"):
                    continue
                rows += check_object(data, names, named[key])
                files.append(str(Path(folder, f"{len(files)}.parquet")))
                Path(files[-1]).write_bytes(data)
            if files:
                check_all(dataset, files, columns, rows)
        assert rows > 0 or dataset not in with_rows, f"{dataset} has no rows"
        result = store.read(dataset)
        assert result.consistent and len(result.table) == rows, (dataset, len(result.table), rows)
        assert result.table.schema == store.schema(dataset)
        assert list(result.to_pandas().columns) == result.to_polars().columns == result.to_duckdb().columns == names
        print(f"{dataset}: {len(files)} files, {rows} rows")


def check_object(data: bytes, names: list[str], named: Any) -> int:
    metadata = pq.read_metadata(BytesIO(data))
    assert (named.size, named.rows) == (len(data), metadata.num_rows), named
    for columns in (
        pq.read_table(BytesIO(data)).column_names,
        list(pd.read_parquet(BytesIO(data)).columns),
        pl.read_parquet(BytesIO(data)).columns,
    ):
        assert columns == names, (named.key, columns)
    return metadata.num_rows


def check_all(dataset: str, files: list[str], columns: list[tuple[str, str, bool]], rows: int) -> None:
    relation = duckdb.read_parquet(files, union_by_name=True)
    found = list(zip(relation.columns, map(str, relation.types), strict=True))
    expected = [(name, kind) for name, kind, _ in columns]
    assert [(name, compact(kind)) for name, kind in found] == [(name, compact(kind)) for name, kind in expected], (dataset, found)
    for name, _, may_be_null in columns:
        nulls = relation.filter(f'"{name}" IS NULL').count("*").fetchall()[0][0]
        assert may_be_null or nulls == 0, f"{dataset}.{name} is null in {nulls} of {rows} rows"


def compact(kind: str) -> str:
    return re.sub(r'[\s"]', "", kind)


check(sys.argv[1], sys.argv[2:])
