"""A command's own Prefect server: there while it is needed, gone with its process, and none where the user has one."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from flows.environment import DEFAULTS

PROGRAM = """
import os, sys
from flows.environment import prepare
from flows.own_server import _OWN, await_server, start_server
prepare()
start_server()
start_server()
print(os.environ.get("PREFECT_API_URL", ""), *[s._process.pid for s in _OWN], flush=True)
if "use" in sys.argv:
    await_server()
    from prefect import flow, task
    @task
    def count():
        return 7
    @flow(log_prints=True)
    def greet():
        print("hello")
        return count()
    print(greet(), flush=True)
if "linger" in sys.argv:
    import time
    time.sleep(600)
"""


def start(folder: Path, *words: str, **settings: str) -> "subprocess.Popen[str]":
    """The program in a folder that has no settings but these."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith("PREFECT") and n not in DEFAULTS}
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=folder,
        env={**kept, "PYTHONPATH": root, "PREFECT_HOME": str(folder / "home"), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ends(pid: int, seconds: float = 60) -> bool:
    """Whether a process ends in time."""
    deadline = time.monotonic() + seconds
    while True:
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
        if not state or state.startswith("Z") or time.monotonic() > deadline:
            return not state or state.startswith("Z")
        time.sleep(0.05)


def test_a_flow_runs_on_it_and_it_ends_with_the_command(tmp_path):
    said, errors = start(tmp_path, "use").communicate(timeout=200)
    (address, pid), result = (line.split() for line in said.splitlines())
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/api", address)
    assert result == ["7"], errors
    assert ends(int(pid), 0)
    with closing(sqlite3.connect(tmp_path / "home" / "prefect.db")) as database:
        kept = database.execute("SELECT f.state_type, t.state_type FROM flow_run f, task_run t").fetchall()
        assert kept == [("COMPLETED", "COMPLETED")], errors
        assert ("hello",) in database.execute("SELECT message FROM log").fetchall()


def test_it_answers_nobody_without_the_password(tmp_path):
    process = start(tmp_path, "use", "linger")
    address = process.stdout.readline().split()[0]
    assert process.stdout.readline() == "7\n"
    with pytest.raises(HTTPError, match="401"):
        urlopen(f"{address}/admin/version", timeout=30)
    process.kill()
    process.wait()


def test_it_ends_when_the_command_is_killed(tmp_path):
    process = start(tmp_path, "use", "linger")
    pid = int(process.stdout.readline().split()[1])
    assert process.stdout.readline() == "7\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert ends(pid)


def test_a_command_that_did_not_use_it_does_not_wait_for_it(tmp_path):
    process = start(tmp_path)
    pid = int(process.stdout.readline().split()[1])
    process.wait(60)
    assert ends(pid, 0)


def test_a_server_that_does_not_start_says_why(tmp_path):
    (tmp_path / "home").write_text("a file where Prefect keeps its folder")
    _, errors = start(tmp_path, "use").communicate(timeout=200)
    assert "UserError: Prefect's server ended with status" in errors
    assert "unable to open database file" in errors.splitlines()[-1]
    assert "see it start: prefect server start" in errors.splitlines()[-1]


FILES = {
    "home/profiles.toml": 'active = "far"\n[profiles.far]\nPREFECT_API_URL = "http://127.0.0.1:1/api"\n',
    ".env": "PREFECT_API_URL=http://127.0.0.1:1/api\n",
    "prefect.toml": '[api]\nurl = "http://127.0.0.1:1/api"\n',
    "pyproject.toml": '[tool.prefect.api]\nurl = "http://127.0.0.1:1/api"\n',
}


@pytest.mark.parametrize("name", FILES)
def test_a_server_that_a_file_names_is_the_one(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(FILES[name])
    assert start(tmp_path).communicate(timeout=60)[0].strip() == ""


def test_no_server_is_started_beside_a_chosen_one_or_where_it_is_forbidden(tmp_path):
    address = "http://127.0.0.1:1/api"
    assert start(tmp_path, PREFECT_API_URL=address).communicate(timeout=60)[0].strip() == address
    forbidden = start(tmp_path, PREFECT_SERVER_ALLOW_EPHEMERAL_MODE="false")
    assert forbidden.communicate(timeout=60)[0].strip() == ""
