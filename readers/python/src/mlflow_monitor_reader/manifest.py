"""`_latest.json` and its parts: which objects are the newest ones."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from .errors import MissingManifestError
from .sources import Source

HEAD = "_latest.json"
_KEY = re.compile(r"(?P<dataset>\w+)/(?P<year>\d{4})/(?P<month>\d{2})/(?P<day>\d{2})/part-(?P<part>\d+)\.parquet")


@dataclass(frozen=True)
class ManifestObject:
    """One published object."""

    key: str
    #: As the store returned it, to be sent as `If-Match`.
    etag: str
    #: Bytes.
    size: int
    #: None if it is not known.
    rows: int | None
    dataset: str
    day: date
    #: From 0; days with several files are divided by application.
    part: int


@dataclass(frozen=True)
class Manifest:
    """The newest objects of the months that were asked for."""

    #: Everything that MLflow stored before this time is published; None before the first pipeline run has finished.
    watermark: datetime | None
    objects: Mapping[str, ManifestObject]

    def select(
        self, dataset: str, start: date | None, end: date | None, applications: Iterable[str] | None
    ) -> list[ManifestObject]:
        """The objects that can have rows of these days and applications, oldest day first."""
        found = [each for each in self.objects.values() if each.dataset == dataset and _within(each.day, start, end)]
        found.sort(key=lambda each: (each.day, each.part))
        if applications is None:
            return found
        files: dict[date, int] = {}
        for each in found:
            files[each.day] = max(files.get(each.day, 0), each.part + 1)
        names = list(applications)
        return [each for each in found if each.part in {part_of(name, files[each.day]) for name in names}]


def part_of(application: str, files: int) -> int:
    """Which of the files of a day has the rows of an application (docs/storage.md, "Files per day")."""
    return int(hashlib.sha256(application.encode()).hexdigest()[:8], 16) % files


def read_manifest(source: Source, start: date | None, end: date | None) -> Manifest:
    """Reads the head and the parts of the months between two days, both included.

    :raises MissingManifestError: there is none, or it cannot be read
    """
    head = _json(source, HEAD)
    if head is None:
        raise MissingManifestError(f"{source!r} has no {HEAD}: check the address, and that mlflow-monitor has published there")
    objects: dict[str, ManifestObject] = {}
    for month in head["months"]:
        if not _within(month, start and f"{start:%Y-%m}", end and f"{end:%Y-%m}"):
            continue
        # None: its last object has been deleted since the head was read.
        part = _json(source, f"_latest/{month}.json") or {"objects": {}}
        for key, facts in part["objects"].items():
            described = _object(key, facts)
            if described is not None:
                objects[key] = described
    watermark = head["watermark"]
    return Manifest(watermark and datetime.fromisoformat(watermark.replace("Z", "+00:00")), objects)


def _json(source: Source, key: str) -> Any:
    body = source.get(key)
    if body is None:
        return None
    try:
        document = json.loads(body.data)
        if document["version"] == 1:
            return document
    except (ValueError, KeyError, TypeError) as error:
        raise MissingManifestError(f"{key} of {source!r} cannot be read: {error}") from error
    raise MissingManifestError(f"{key} of {source!r} has the version {document['version']}: upgrade mlflow-monitor-reader")


def _object(key: str, facts: Mapping[str, Any]) -> ManifestObject | None:
    match = _KEY.fullmatch(key)
    if match is None:
        return None
    day = date(int(match["year"]), int(match["month"]), int(match["day"]))
    return ManifestObject(key, facts["etag"], facts["size"], facts["rows"], match["dataset"], day, int(match["part"]))


def _within(value: Any, start: Any, end: Any) -> bool:
    return (start is None or value >= start) and (end is None or value <= end)
