"""Reading datasets: `Store.read` returns a `Result`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .errors import MissingDatasetError, ReaderError
from .manifest import Manifest, ManifestObject, read_manifest
from .schema import SCHEMAS, conform, select
from .sources import Body, Changed, FolderSource, S3Source, Source

#: How often an object may be found replaced before its current version is taken.
ATTEMPTS = 3
#: Seconds before the manifest is read again: the service names an object shortly after it has put it.
WAITS = (0.5, 1.0)


@dataclass(frozen=True)
class Result:
    """Rows of a dataset, and what they were read from."""

    table: pa.Table
    #: Everything that MLflow stored before this time is in the rows; None before the first pipeline run has finished.
    watermark: datetime | None
    #: The keys of the objects that were read.
    objects: tuple[str, ...]
    #: Objects that were replaced faster than they could be read: each was read whole, but is newer than the other objects.
    newer: tuple[str, ...] = ()
    #: Objects that were deleted meanwhile, as by a retention period: their rows are missing.
    deleted: tuple[str, ...] = field(default=())

    @property
    def consistent(self) -> bool:
        """Whether all objects are those that one manifest names."""
        return not self.newer and not self.deleted

    def to_arrow(self) -> pa.Table:
        return self.table

    def to_pandas(self, *, maps_as_dicts: bool = True) -> Any:
        """A pandas DataFrame. :param maps_as_dicts: MAP columns as dictionaries; otherwise as lists of pairs"""
        return self.table.to_pandas(maps_as_pydicts="strict" if maps_as_dicts else None)

    def to_polars(self) -> Any:
        """A polars DataFrame. MAP columns are `List(Struct(key, value))`."""
        import polars

        return polars.from_arrow(self.table)

    def to_duckdb(self, connection: Any = None) -> Any:
        """A DuckDB relation. :param connection: by default that of the module `duckdb`"""
        import duckdb

        return (connection or duckdb).from_arrow(self.table)


class Store:
    """The datasets below a folder or a prefix of a bucket.

    :param where: a path, `s3://bucket/prefix`, or a `Source`
    :param client: a `boto3.client("s3")` for `s3://`
    :param threads: requests at the same time
    """

    def __init__(
        self,
        where: str | Path | Source,
        *,
        client: Any = None,
        threads: int = 8,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._source = _source_of(where, client)
        self._threads = threads
        self._sleep = sleep

    def datasets(self) -> tuple[str, ...]:
        """The names of the datasets that this release knows."""
        return tuple(SCHEMAS)

    def schema(self, dataset: str) -> pa.Schema:
        """The columns of a dataset. :raises MissingDatasetError:"""
        if dataset not in SCHEMAS:
            raise MissingDatasetError(f"there is no dataset {dataset!r}, only {', '.join(SCHEMAS)}")
        return SCHEMAS[dataset]

    def manifest(self, start: date | str | None = None, end: date | str | None = None) -> Manifest:
        """The newest objects of the months between two days, both included. :raises MissingManifestError:"""
        return read_manifest(self._source, _day(start), _day(end))

    def read(
        self,
        dataset: str,
        *,
        start: date | str | None = None,
        end: date | str | None = None,
        application: str | Iterable[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> Result:
        """Reads the rows of a dataset. Only objects that can have such rows are requested, each by one request.

        :param start: the first day (UTC), `YYYY-MM-DD`; by default the first one
        :param end: the last day (UTC), included; by default the last one
        :param application: only rows of this application, or of any of these
        :param columns: only these columns, in this order
        :raises MissingDatasetError: there is no such dataset
        :raises MissingManifestError: there is no `_latest.json`
        :raises ReaderError: there is no such column
        """
        full = self.schema(dataset)
        wanted = _names(application)
        unknown = {*(columns or ()), *(("application",) if wanted is not None else ())} - set(full.names)
        if unknown:
            raise ReaderError(f"{dataset} has no column {', '.join(sorted(unknown))}")
        first, last = _day(start), _day(end)

        def selected(manifest: Manifest) -> list[ManifestObject]:
            return manifest.select(dataset, first, last, wanted)

        read = self._read_objects(lambda: read_manifest(self._source, first, last), selected)
        schema = select(full, columns)
        tables = [_decode(body, schema, wanted) for body in read.bodies.values()]
        table = pa.concat_tables([schema.empty_table(), *tables])
        return Result(table, read.watermark, tuple(read.bodies), tuple(read.newer), tuple(read.deleted))

    def _read_objects(
        self, load: Callable[[], Manifest], selected: Callable[[Manifest], list[ManifestObject]]
    ) -> _Read:
        bodies: dict[str, Body] = {}
        for attempt in range(ATTEMPTS):
            # Also what was read before may have been replaced: all objects are to be those of one manifest.
            manifest = load()
            objects = selected(manifest)
            changed: list[str] = []
            missing = [each for each in objects if each.key not in bodies or bodies[each.key].etag != each.etag]
            for each, body in zip(missing, self._get_all([(each.key, each.etag) for each in missing]), strict=True):
                if body is None:
                    changed.append(each.key)
                else:
                    bodies[each.key] = body
            if not changed:
                return _Read({each.key: bodies[each.key] for each in objects}, manifest.watermark)
            if attempt < ATTEMPTS - 1:
                self._sleep(WAITS[attempt])
        for key, body in zip(changed, self._get_all([(key, None) for key in changed]), strict=True):
            if body is None:
                bodies.pop(key, None)
            else:
                bodies[key] = body
        found = {each.key: bodies[each.key] for each in objects if each.key in bodies}
        return _Read(
            found, manifest.watermark, [key for key in changed if key in found], [key for key in changed if key not in found]
        )

    def _get_all(self, wanted: Sequence[tuple[str, str | None]]) -> list[Body | None]:
        """None: the object has another ETag, or does not exist."""
        if not wanted:
            return []
        with ThreadPoolExecutor(min(self._threads, len(wanted))) as pool:
            return list(pool.map(self._get, wanted))

    def _get(self, wanted: tuple[str, str | None]) -> Body | None:
        try:
            return self._source.get(*wanted)
        except Changed:
            return None


@dataclass(frozen=True)
class _Read:
    bodies: dict[str, Body]
    watermark: datetime | None
    newer: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)


def _source_of(where: str | Path | Source, client: Any) -> Source:
    if isinstance(where, str) and where.startswith("s3://"):
        bucket, _, prefix = where.removeprefix("s3://").partition("/")
        return S3Source(bucket, prefix, client)
    return FolderSource(where) if isinstance(where, (str, Path)) else where


def _decode(body: Body, schema: pa.Schema, applications: list[str] | None) -> pa.Table:
    file = pq.ParquetFile(BytesIO(body.data))
    names = [*schema.names, *(("application",) if applications is not None else ())]
    table = file.read(columns=[name for name in dict.fromkeys(names) if name in file.schema_arrow.names])
    if applications is not None:
        table = table.filter(pc.is_in(table["application"], pa.array(applications, pa.string())))
    return conform(table, schema)


def _names(application: str | Iterable[str] | None) -> list[str] | None:
    if application is None:
        return None
    return [application] if isinstance(application, str) else list(application)


def _day(value: date | str | None) -> date | None:
    if value is None or not isinstance(value, str):
        return value.date() if isinstance(value, datetime) else value
    return date.fromisoformat(value)
