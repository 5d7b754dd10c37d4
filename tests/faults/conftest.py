"""A Prefect server of our own for the session: these tests kill what a shared one would be needed for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.runs import PrefectServer, prefect_server


@pytest.fixture(scope="session")
def prefect(tmp_path_factory) -> Iterator[PrefectServer]:
    """A server as `nl2sql serve` starts it."""
    with prefect_server(tmp_path_factory.mktemp("prefect")) as server:
        yield server


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory) -> Path:
    """A folder for what several tests share."""
    return tmp_path_factory.mktemp("faults")
