from __future__ import annotations

import json
from datetime import date, datetime, timezone
from pathlib import Path

import pyarrow as pa
import pytest
from support import MemorySource, parquet, row

from mlflow_monitor_reader import MissingDatasetError, MissingManifestError, ReaderError, Store
from mlflow_monitor_reader.manifest import part_of
from mlflow_monitor_reader.schema import SCHEMAS


def key(day: str, part: int = 0, dataset: str = "runs") -> str:
    return f"{dataset}/{day.replace('-', '/')}/part-{part}.parquet"


def runs(day: str, *names: str, application: str = "churn") -> bytes:
    return parquet("runs", [row("runs", run_id=name, date=date.fromisoformat(day), application=application) for name in names])


def ids(table: pa.Table) -> list[str]:
    return table["run_id"].to_pylist()


@pytest.fixture
def source() -> MemorySource:
    return MemorySource()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def store(source: MemorySource, waits: list[float]) -> Store:
    return Store(source, threads=1, sleep=waits.append)


def test_reads_the_named_objects_in_the_order_of_days(source: MemorySource, store: Store) -> None:
    source.publish({key("2026-02-28"): runs("2026-02-28", "a"), key("2026-03-01"): runs("2026-03-01", "b", "c")})
    result = store.read("runs")
    assert ids(result.table) == ["a", "b", "c"]
    assert result.table.schema == SCHEMAS["runs"]
    assert result.consistent
    assert result.watermark == datetime(2026, 3, 10, 15, 30, tzinfo=timezone.utc)
    assert result.objects == (key("2026-02-28"), key("2026-03-01"))


def test_requests_each_object_once_with_its_etag(source: MemorySource, store: Store) -> None:
    source.publish({key("2026-03-01"): runs("2026-03-01", "a")})
    store.read("runs")
    assert [etag is not None for name, etag in source.requests if not name.startswith("_")] == [True]


def test_filters_by_day_request_only_these_days_and_their_months(source: MemorySource, store: Store) -> None:
    days = ["2026-01-31", "2026-02-01", "2026-02-02", "2026-03-01"]
    source.publish({key(day): runs(day, day) for day in days})
    assert ids(store.read("runs", start="2026-02-01", end=date(2026, 2, 1)).table) == ["2026-02-01"]
    assert [name for name, _ in source.requests] == ["_latest.json", "_latest/2026-02.json", key("2026-02-01")]
    assert ids(store.read("runs", start="2026-02-02").table) == ["2026-02-02", "2026-03-01"]


def test_a_filter_by_application_requests_only_its_files(source: MemorySource, store: Store) -> None:
    # The part of `churn` of 4 is 2: docs/storage.md has the same example.
    assert part_of("churn", 4) == 2
    objects = {key("2026-03-01", part): runs("2026-03-01", f"part {part}") for part in range(4)}
    objects[key("2026-03-01", 2)] = parquet(
        "runs", [row("runs", run_id="own", application="churn"), row("runs", run_id="other", application="pricing")]
    )
    source.publish(objects)
    assert ids(store.read("runs", application="churn").table) == ["own"]
    assert source.requested() == [key("2026-03-01", 2)]
    assert ids(store.read("runs", application=[]).table) == []


def test_columns_are_those_that_were_asked_for(source: MemorySource, store: Store) -> None:
    source.publish({key("2026-03-01"): runs("2026-03-01", "a")})
    assert store.read("runs", columns=["run_id", "date"], application="churn").table.to_pylist() == [
        {"run_id": "a", "date": date(2026, 3, 1)}
    ]


def test_files_of_an_older_schema_have_nulls_in_the_newer_columns(source: MemorySource, store: Store) -> None:
    rows = [row("enriched_metrics", run_id="a", min_value=1.0)]
    source.publish(
        {
            key("2026-03-01", dataset="enriched_metrics"): parquet("enriched_metrics", rows, drop=("min_value", "max_value")),
            key("2026-03-02", dataset="enriched_metrics"): parquet("enriched_metrics", rows),
        }
    )
    assert store.read("enriched_metrics").table["min_value"].to_pylist() == [None, 1.0]


@pytest.mark.parametrize("dataset", SCHEMAS)
def test_a_dataset_without_rows_has_its_columns(source: MemorySource, store: Store, dataset: str) -> None:
    source.publish({})
    result = store.read(dataset)
    assert (result.table.schema, len(result.table), result.consistent) == (SCHEMAS[dataset], 0, True)


def test_a_replaced_object_is_found_by_the_next_manifest(source: MemorySource, store: Store, waits: list[float]) -> None:
    old, new = key("2026-03-01"), key("2026-03-02")
    source.publish({old: runs("2026-03-01", "a"), new: runs("2026-03-02", "b")})

    def replace(name: str, etag: str | None) -> None:
        if name == new and not waits:
            source.publish({old: runs("2026-03-01", "a2"), new: runs("2026-03-02", "b2")})

    source.before = replace
    result = store.read("runs")
    # Also the first one is read again: all objects are of one moment.
    assert ids(result.table) == ["a2", "b2"]
    assert result.consistent
    assert waits == [0.5]


def test_an_object_that_is_replaced_each_time_is_read_whole_and_named(
    source: MemorySource, store: Store, waits: list[float]
) -> None:
    calm, busy = key("2026-03-01"), key("2026-03-02")
    source.publish({calm: runs("2026-03-01", "calm"), busy: runs("2026-03-02", "0")})
    count = 0

    def replace(name: str, etag: str | None) -> None:
        nonlocal count
        if name == busy and etag is not None:
            count += 1
            source.publish({busy: runs("2026-03-02", f"{count}")})

    source.before = replace
    result = store.read("runs")
    assert ids(result.table) == ["calm", "3"]
    assert (result.consistent, result.newer, result.deleted) == (False, (busy,), ())
    assert waits == [0.5, 1.0]
    assert source.requested() == [calm, busy, busy, busy, busy]


def test_an_object_that_is_gone_is_named_unless_the_manifest_knows(source: MemorySource, store: Store) -> None:
    kept, gone = key("2026-03-01"), key("2026-03-02")
    source.publish({kept: runs("2026-03-01", "kept"), gone: runs("2026-03-02", "gone")})
    del source.objects[gone]
    result = store.read("runs")
    assert (ids(result.table), result.consistent, result.deleted) == (["kept"], False, (gone,))
    source.name()
    result = store.read("runs")
    assert (ids(result.table), result.consistent) == (["kept"], True)


def test_errors_say_what_to_do(source: MemorySource, store: Store) -> None:
    with pytest.raises(MissingManifestError, match="has no _latest.json: check the address"):
        store.read("runs")
    source.objects["_latest.json"] = json.dumps({"version": 2}).encode()
    with pytest.raises(MissingManifestError, match="has the version 2: upgrade mlflow-monitor-reader"):
        store.read("runs")
    source.objects["_latest.json"] = b"{"
    with pytest.raises(MissingManifestError, match="cannot be read"):
        store.read("runs")
    source.publish({})
    with pytest.raises(MissingDatasetError, match="no dataset 'run', only runs, "):
        store.read("run")
    with pytest.raises(ReaderError, match="platform_summary has no column application"):
        store.read("platform_summary", application="churn")


def test_reads_a_folder_and_does_not_take_a_file_that_changed(tmp_path: Path, source: MemorySource) -> None:
    source.publish({key("2026-03-01"): runs("2026-03-01", "a"), key("2026-03-02"): runs("2026-03-02", "b")})
    for name, data in source.objects.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    store = Store(tmp_path, sleep=lambda seconds: None)
    assert ids(store.read("runs").table) == ["a", "b"]
    (tmp_path / key("2026-03-02")).write_bytes(runs("2026-03-02", "newer"))
    result = store.read("runs")
    assert (ids(result.table), result.newer) == (["a", "newer"], (key("2026-03-02"),))
    (tmp_path / key("2026-03-02")).unlink()
    assert store.read("runs").deleted == (key("2026-03-02"),)


def test_pandas_polars_and_duckdb_get_the_same_rows(source: MemorySource, store: Store) -> None:
    values = row("runs", run_id="a", timestamp=datetime(2026, 3, 1, 12, tzinfo=timezone.utc), run_summary_metrics=[("auc", 0.9)])
    source.publish({key("2026-03-01"): parquet("runs", [values])})
    result = store.read("runs", columns=["run_id", "timestamp", "run_summary_metrics"])
    frame = result.to_pandas()
    assert frame["run_summary_metrics"][0] == {"auc": 0.9}
    assert str(frame["timestamp"].dt.tz) == "UTC"
    assert result.to_pandas(maps_as_dicts=False)["run_summary_metrics"][0] == [("auc", 0.9)]
    # A map since polars 2, before a list of pairs.
    assert result.to_polars()["run_summary_metrics"].to_list() in ([{"auc": 0.9}], [[{"key": "auc", "value": 0.9}]])
    assert result.to_duckdb().project("run_summary_metrics['auc'], epoch(timestamp)").fetchall() == [(0.9, 1772366400.0)]
