"""The errors of this module. Those of boto3 and of the file system are passed on."""


class ReaderError(Exception):
    """Base of the errors of this module."""


class MissingManifestError(ReaderError):
    """There is no `_latest.json`, or it cannot be read: a wrong address, or a release of mlflow-monitor that has none."""


class MissingDatasetError(ReaderError):
    """The name is not that of a dataset of the store."""
