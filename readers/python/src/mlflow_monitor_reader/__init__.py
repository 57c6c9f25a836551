"""Reads the datasets of mlflow-monitor while they change. Start with `Store`."""

from .errors import MissingDatasetError, MissingManifestError, ReaderError
from .manifest import Manifest, ManifestObject
from .sources import FolderSource, S3Source, Source
from .store import Result, Store

__all__ = [
    "FolderSource",
    "Manifest",
    "ManifestObject",
    "MissingDatasetError",
    "MissingManifestError",
    "ReaderError",
    "Result",
    "S3Source",
    "Source",
    "Store",
]
