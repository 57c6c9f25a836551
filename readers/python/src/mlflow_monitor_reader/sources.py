"""Where objects are read from. Each read is one request, so the bytes are those of one version of an object."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


class Changed(Exception):
    """The object does not have the expected ETag any more, or was deleted."""


@dataclass(frozen=True)
class Body:
    """The bytes of an object and their ETag."""

    data: bytes
    etag: str


class Source(Protocol):
    """A folder or a bucket."""

    def get(self, key: str, etag: str | None = None) -> Body | None:
        """Reads a whole object by one request.

        :param key: relative to the prefix, with `/` between its parts
        :param etag: the only ETag that is wanted, as the store returned it
        :returns: None if there is no such object and no ETag was wanted
        :raises Changed: the object has another ETag, or does not exist
        """
        ...



class FolderSource:
    """A folder. Its ETags are the SHA-256 of the files, which is checked."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)

    def __repr__(self) -> str:
        return f"folder {self._root}"

    def get(self, key: str, etag: str | None = None) -> Body | None:
        try:
            data = (self._root / key).read_bytes()
        except FileNotFoundError:
            if etag is not None:
                raise Changed(key) from None
            return None
        found = hashlib.sha256(data).hexdigest()
        if etag is not None and found != etag:
            raise Changed(key)
        return Body(data, found)



class S3Source:
    """A bucket of Amazon S3 or a compatible store.

    :param client: a `boto3.client("s3")`; by default one with boto3's own settings
    """

    def __init__(self, bucket: str, prefix: str = "", client: Any = None) -> None:
        if client is None:
            import boto3

            client = boto3.client("s3")
        self._client = client
        self._bucket = bucket
        self._root = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    def __repr__(self) -> str:
        return f"s3://{self._bucket}/{self._root}".rstrip("/")

    def get(self, key: str, etag: str | None = None) -> Body | None:
        from botocore.exceptions import ClientError

        condition = {} if etag is None else {"IfMatch": etag}
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._root + key, **condition)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if etag is not None and code in ("PreconditionFailed", "NoSuchKey"):
                raise Changed(key) from None
            if code == "NoSuchKey":
                return None
            raise
        found = str(answer["ETag"])
        # A store that ignores If-Match answers with whatever is current.
        if etag is not None and found.strip('"') != etag.strip('"'):
            answer["Body"].close()
            raise Changed(key)
        return Body(bytes(answer["Body"].read()), found)
