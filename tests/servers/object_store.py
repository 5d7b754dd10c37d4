"""An S3 server on loopback in a process of its own, with one bucket, for tests of artifacts on remote storage."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

BUCKET = "bucket"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


@contextmanager
def run_object_store(folder: Path) -> Iterator[dict[str, str]]:
    """Serve until the block ends; yields the variables that lead to the server."""
    log = folder / "object_store.log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with log.open("w") as written:
        server = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        with log.open() as reading:
            address = _address(reading, server)
        variables = {**KEYS, "AWS_ENDPOINT_URL": address, "AWS_EC2_METADATA_DISABLED": "true"}
        subprocess.run([sys.executable, "-c", MAKE_BUCKET], env={**os.environ, **variables}, check=True)
        yield variables
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


MAKE_BUCKET = f"""
import os
from pyarrow.fs import S3FileSystem
host = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
S3FileSystem(endpoint_override=host, scheme="http", allow_bucket_creation=True).create_dir("{BUCKET}")
"""


def _address(log: IO[str], server: subprocess.Popen) -> str:
    said = ""
    while server.poll() is None:
        said += log.read(4096)
        if found := re.search(r"Running on (http://127\.0\.0\.1:\d+)", said):
            return found[1]
        try:
            server.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    raise RuntimeError(f"the S3 server ended: {said}")
