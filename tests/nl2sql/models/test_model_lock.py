"""One holder at a time, whoever asks and however it ends."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nl2sql.errors import UserError
from nl2sql.models.model_lock import LOG, Holder, holder, holding, overlaps, read_log, wanted

ROOT = Path(__file__).parents[3]
HOLD = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from nl2sql.models.model_lock import holding
with holding(Path(sys.argv[2]), sys.argv[3], "tiny", lambda who: print("waits for", who, flush=True)):
    print("inside", flush=True)
    time.sleep(float(sys.argv[4]))
"""


def start(folder: Path, role: str, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLD, str(ROOT), str(folder), role, str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_processes_take_turns_and_the_log_proves_it(tmp_path):
    started = [start(tmp_path, f"role {number}", 0.15) for number in range(4)]
    assert [process.wait(20) for process in started] == [0] * 4
    log = read_log(tmp_path)
    assert [entry["event"] for entry in log] == ["acquired", "released"] * 4
    assert overlaps(log) == []
    assert holder(tmp_path) is None


def test_a_waiter_says_for_whom_and_the_holder_sees_that_it_is_wanted(tmp_path):
    first = start(tmp_path, "train selector", 30)
    assert line(first) == "inside"
    assert not wanted(tmp_path)
    held = holder(tmp_path)
    assert held is not None
    assert (held.pid, held.role) == (first.pid, "train selector")
    second = start(tmp_path, "generate", 0)
    assert f"waits for process {first.pid} (train selector with tiny) since" in line(second)
    assert wanted(tmp_path)
    first.kill()
    while (said := line(second)) != "inside":
        assert "waits for" in said
    assert second.wait(10) == 0
    first.wait()


def test_a_killed_holder_leaves_at_once_and_the_log_says_that_it_was_dead(tmp_path):
    first = start(tmp_path, "generate", 60)
    assert line(first) == "inside"
    first.send_signal(signal.SIGKILL)
    first.wait()
    begin = time.monotonic()
    with holding(tmp_path, "generate", "tiny"):
        assert time.monotonic() - begin < 1
    log = read_log(tmp_path)
    assert [(e["event"], e.get("alive")) for e in log] == [
        ("acquired", None),
        ("left", False),
        ("acquired", None),
        ("released", None),
    ]
    assert overlaps(log) == []


def test_the_log_would_show_two_holders():
    entered = {"event": "acquired", "pid": 1}
    assert overlaps([entered, {"event": "acquired", "pid": 2}]) == ["2 entered while 1 was inside"]
    assert overlaps([entered, {"event": "left", "pid": 1, "alive": True}]) == ["1 lost the lock while it was alive"]


def test_the_place_is_given_back_after_an_error(tmp_path):
    with pytest.raises(ValueError, match="broken"), holding(tmp_path, "generate", "tiny"):
        raise ValueError("broken")
    with holding(tmp_path, "generate", "tiny"):
        pass
    assert overlaps(read_log(tmp_path)) == []


def test_a_damaged_lock_file_stops_nobody(tmp_path):
    (tmp_path / "model.lock").write_text('{"pid": ')
    assert holder(tmp_path) is None
    with holding(tmp_path, "generate", "tiny"):
        assert isinstance(holder(tmp_path), Holder)
    assert json.loads((tmp_path / LOG).read_text().splitlines()[0])["event"] == "acquired"


def test_a_folder_that_cannot_be_written_is_a_users_mistake(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Local models need a folder"), holding(tmp_path / "file", "generate", "tiny"):
        pass
