"""A real S3 server (versitygw) whose objects are replaced while they are read, by a plain reader and by this module."""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.config import Config
from support import MemorySource, etag_of, parquet, row

from mlflow_monitor_reader import S3Source, Store

BUCKET, PREFIX = "bucket", "team/monitor"
DAYS = [date(2026, 3, 9) + timedelta(days=day) for day in range(2)]
KEYS = [f"metric_timeseries/{day:%Y/%m/%d}/part-0.parquet" for day in DAYS]
ROWS = 500
REPLACEMENTS = 100
BYTES_PER_SECOND = 100_000


def server_program() -> str:
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mlflow-monitor" / "bin" / "versitygw"
    program = shutil.which("versitygw") or (str(cache) if cache.exists() else None)
    if program is None:
        pytest.fail("versitygw is missing: bash test/support/install-versitygw.sh")
    return program


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("s3")
    (folder / BUCKET).mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [server_program(), "--port", address, "--access", "tester", "--secret", "testing-only", "--quiet"]
    server = subprocess.Popen([*command, "posix", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        made = boto3.client(
            "s3",
            endpoint_url=f"http://{address}",
            aws_access_key_id="tester",
            aws_secret_access_key="testing-only",
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 20}),
        )
        made.list_objects_v2(Bucket=BUCKET)
        yield made
    finally:
        server.terminate()
        server.wait()


def version_of(number: int) -> bytes:
    """A file whose rows have its version in a column near its beginning and in one at its end, with others in between.

    Files of all versions have the same layout.
    """
    version = f"{number:032d}"
    rows = [
        row("metric_timeseries", run_id=version, user_id=os.urandom(32).hex(), value=float(number), unit=version)
        for _ in range(ROWS)
    ]
    return parquet("metric_timeseries", rows, compression="none", use_dictionary=False)


def versions_in(table: pa.Table) -> set[tuple[str, str]]:
    return {(first, last) for first, last in zip(table["run_id"].to_pylist(), table["unit"].to_pylist(), strict=True)}


class Writer:
    """Puts objects, then the manifest that names them, as the service does."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._etags: dict[str, str] = {}

    def put(self, key: str, data: bytes) -> str:
        return str(self._client.put_object(Bucket=BUCKET, Key=f"{PREFIX}/{key}", Body=data)["ETag"])

    def publish(self, data: bytes) -> None:
        source = MemorySource()
        source.publish(dict.fromkeys(KEYS, data))
        for key in KEYS:
            self._etags[key] = self.put(key, data)
        for key, document in source.objects.items():
            if key.startswith("_"):
                text = document.decode()
                for named in KEYS:
                    # The manifest has the ETags of the server, with their quotes.
                    text = text.replace(etag_of(data), self._etags[named].replace('"', '\\"'))
                self.put(key, text.encode())


class SlowBody:
    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self) -> bytes:
        data = b""
        while chunk := self._body.read(10_000):
            time.sleep(len(chunk) / BYTES_PER_SECOND)
            data += chunk
        return data

    def close(self) -> None:
        self._body.close()


class SlowClient:
    """Bodies arrive at 100 kB/s."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def get_object(self, **request: str) -> dict[str, Any]:
        answer = self._client.get_object(**request)
        return {**answer, "Body": SlowBody(answer["Body"])}


class PlainFile(io.RawIOBase):
    """What a plain reader does: one request per range, without a condition."""

    def __init__(self, client: Any, key: str) -> None:
        self._slow, self._key, self._at = SlowClient(client), f"{PREFIX}/{key}", 0
        self._size = int(client.head_object(Bucket=BUCKET, Key=self._key)["ContentLength"])

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._at + size, self._size)
        if end <= self._at:
            return b""
        answer = self._slow.get_object(Bucket=BUCKET, Key=self._key, Range=f"bytes={self._at}-{end - 1}")
        data: bytes = answer["Body"].read()
        self._at += len(data)
        return data


def test_reads_no_wrong_row_while_objects_are_replaced_and_a_plain_reader_does(client: Any) -> None:
    writer = Writer(client)
    writer.publish(version_of(0))
    done = threading.Event()
    torn: list[object] = []
    wrong: list[object] = []
    reads = 0

    def read_plainly() -> None:
        while not done.is_set():
            try:
                found = versions_in(pq.read_table(PlainFile(client, KEYS[0]), columns=["run_id", "unit"]))
                if any(first != last for first, last in found):
                    torn.append(found)
            except Exception as error:
                torn.append(error)

    store = Store(S3Source(BUCKET, PREFIX, SlowClient(client)), sleep=lambda seconds: time.sleep(seconds / 10))

    def read_carefully() -> None:
        nonlocal reads
        while not done.is_set():
            try:
                result = store.read("metric_timeseries")
                by_object = [versions_in(result.table.slice(i * ROWS, ROWS)) for i in range(len(KEYS))]
                is_whole = len(result.table) == ROWS * len(KEYS)
                for found in by_object:
                    is_whole = is_whole and len(found) == 1 and all(first == last for first, last in found)
                if not is_whole or (result.consistent and by_object[0] != by_object[1]):
                    wrong.append((result.consistent, by_object))
                reads += 1
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=work) for work in (read_plainly, read_carefully)]
    for thread in threads:
        thread.start()
    for number in count(1):
        if number > REPLACEMENTS and (reads >= 3 or wrong):
            break
        writer.publish(version_of(number))
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    # docs/datasets.md says so: rows of two versions, without an error.
    assert any(isinstance(each, set) for each in torn)
    print(f"{reads} reads without a wrong row; a plain reader got wrong rows or an error {len(torn)} times")


def test_a_missing_object_and_other_errors_are_told_apart(client: Any) -> None:
    source = S3Source(BUCKET, PREFIX, client)
    assert source.get("nothing.json") is None
    with pytest.raises(client.exceptions.NoSuchBucket):
        S3Source("no-such-bucket", "", client).get("_latest.json", '"etag"')
