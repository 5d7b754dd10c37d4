"""What the resumption of disturbed runs rests on; benchmarks/faults.py disturbs whole runs."""

import fcntl
import os
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from nl2sql.benchmarks import load_benchmark
from nl2sql.errors import UserError
from tasks.under_way import FOLDER, ProcessDied, under_way
from tests.faults.injections import can_mount, make_read_only, unmount
from tests.flows.conftest import build_benchmark

pytestmark = pytest.mark.xdist_group("faults")
MARK_AND_DIE = """
import os, sys
from tasks.under_way import under_way
with under_way(sys.argv[1], "some-key"):
    os.kill(os.getpid(), 9)
"""


def test_a_mark_outlives_a_killed_process_and_nothing_else(tmp_path):
    with under_way(str(tmp_path), "some-key") as died:
        assert not died
        with under_way(str(tmp_path), "some-key") as meanwhile:
            assert not meanwhile  # whoever runs the same now is alive
    with pytest.raises(ValueError, match="no rows"), under_way(str(tmp_path), "some-key"):
        raise ValueError("no rows")
    assert not list((tmp_path / FOLDER).iterdir())
    subprocess.run([sys.executable, "-c", MARK_AND_DIE, str(tmp_path)], cwd=Path(__file__).parents[2], check=False)
    with suppress(ProcessDied), under_way(str(tmp_path), "some-key") as died:
        assert died
        raise ProcessDied("again")
    with under_way(str(tmp_path), "some-key") as died:
        assert died  # as long as it ends its process
    assert not list((tmp_path / FOLDER).iterdir())


def test_a_mark_is_locked_only_while_its_task_runs(tmp_path):
    with under_way(str(tmp_path), "some-key"):
        descriptor = os.open(tmp_path / FOLDER / "some-key", os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)


def test_a_mark_that_cannot_be_taken_away_changes_nothing_of_the_result(tmp_path):
    if not can_mount(tmp_path / "probe"):
        pytest.skip("this user may not mount: no read-only folder")
    folder = tmp_path / "artifacts"
    try:
        with under_way(str(folder), "some-key"):
            make_read_only(folder)
    finally:
        unmount(folder)
    with under_way(str(folder), "some-key") as died:
        assert died  # nobody can tell; whoever runs it next does so in a process of its own


def test_a_database_with_a_log_on_a_read_only_medium_is_named_and_left_out(tmp_path):
    if not can_mount(tmp_path / "probe"):
        pytest.skip("this user may not mount: no read-only medium")
    folder = build_benchmark(tmp_path / "tiny")
    path = folder / "dev_databases" / "zoo" / "zoo.sqlite"
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("INSERT INTO keeper VALUES (3, 'Cy', 52)")
    writer.commit()
    log = path.with_name("zoo.sqlite-wal").read_bytes()
    writer.close()
    path.with_name("zoo.sqlite-wal").write_bytes(log)
    make_read_only(folder)
    try:
        benchmark = load_benchmark(folder)
    except UserError as error:
        pytest.fail(f"the other database should be there: {error}")
    finally:
        unmount(folder)
    problems = {Path(p.where).name: p.what for p in benchmark.problems}
    read = {d.db_id for d in benchmark.databases}
    assert read == {"shop", "zoo"} - {Path(name).stem for name in problems}
    assert "zoo.sqlite" not in problems or "-wal" in problems["zoo.sqlite"]
