"""What the resumption of disturbed runs rests on; benchmarks/faults.py disturbs whole runs."""

import fcntl
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.faults import report
from nl2sql.benchmarks import load_benchmark
from nl2sql.errors import UserError
from tasks.under_way import FOLDER, ProcessDied, under_way
from tests.faults.injections import can_mount, clock_environment, clock_library, make_read_only, unmount
from tests.faults.trials import Fault, Result, retold
from tests.flows.conftest import build_benchmark

pytestmark = pytest.mark.xdist_group("faults")
MARK_AND_DIE = """
import os, sys
from tasks.under_way import under_way
with under_way(sys.argv[1], "some-key"):
    os.kill(os.getpid(), 9)
"""
MOVE_AND_SLEEP = """
import json, os, pathlib, time
before, start = time.time(), time.monotonic()
pathlib.Path(os.environ["CLOCK"]).write_text(str(-400 * 86_400))
time.sleep(0.2)
print(json.dumps([time.time() - before, time.monotonic() - start]))
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


def test_a_moved_clock_moves_the_time_and_no_waiting(tmp_path):
    library = clock_library(tmp_path)
    if not library:
        pytest.skip("no C compiler: the clock cannot be moved")
    clock = tmp_path / "clock"
    environment = {**os.environ, **clock_environment(clock, library), "CLOCK": str(clock)}
    said = subprocess.run([sys.executable, "-c", MOVE_AND_SLEEP], env=environment, capture_output=True, check=True)
    moved, slept = json.loads(said.stdout)
    assert moved == pytest.approx(-400 * 86_400, abs=60)
    assert 0.2 <= slept < 60


def test_what_disturbed_nothing_is_no_fault_that_was_survived(capsys):
    told = Result(Fault("clock", "train", 1), True, "completed", 1, 0, True, True, 0, 0, 0, 0.1, 60.0)
    results = [retold(json.loads(json.dumps(r.told()))) for r in (told, replace(told, disturbed=False, missed=4))]
    assert results[0] == told
    report(results)
    said = capsys.readouterr().out
    assert "| together |  | 1 | 1 | 1 |" in said
    assert "1 faults that disturbed a run; 5 more" in said


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
