"""Settings leave alone what the user chose, and only a server that speaks our version is used."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import pytest

from flows import environment
from flows.environment import DEFAULTS, QUIET, local_server_runs

PROGRAM = """
import json, os, sys
from flows.environment import prepare
prepare(sys.argv[1:] == ["verbose"])
assert "prefect" not in sys.modules, "settings are read when Prefect is imported"
print(json.dumps(dict(os.environ)))
"""


def prepared(tmp_path, *arguments: str, **chosen: str) -> dict[str, str]:
    """The environment after `prepare` in a process where only these variables were set."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith("PREFECT") and n not in DEFAULTS}
    given = {**kept, "PREFECT_HOME": str(tmp_path), **chosen}
    run = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], env=given, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_what_the_user_set_stays_and_the_rest_is_filled_in(tmp_path):
    after = prepared(tmp_path, PREFECT_SERVER_ANALYTICS_ENABLED="true", PREFECT_API_URL="http://127.0.0.1:1/api")
    assert after["PREFECT_SERVER_ANALYTICS_ENABLED"] == "true"
    assert after["PREFECT_API_URL"] == "http://127.0.0.1:1/api"
    assert {n: after[n] for n in DEFAULTS if n != "PREFECT_SERVER_ANALYTICS_ENABLED"}.items() <= DEFAULTS.items()
    assert QUIET.items() <= after.items()


def test_verbose_leaves_the_log_on(tmp_path):
    assert not set(QUIET) & set(prepared(tmp_path, "verbose"))


def test_a_server_named_in_a_profile_is_the_users_choice(tmp_path):
    (tmp_path / "profiles.toml").write_text(
        'active = "far"\n[profiles.far]\nPREFECT_API_URL = "http://127.0.0.1:1/api"\n'
    )
    assert "PREFECT_API_URL" not in prepared(tmp_path)


END = "import sys; from flows.environment import end_now; sys.stdout.write('said'); end_now(3)"


def test_what_was_said_is_written_before_the_end_and_its_failure_shows():
    ended = subprocess.run([sys.executable, "-c", END], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (3, "said")
    with open("/dev/full", "w") as full:
        buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        assert subprocess.run([sys.executable, "-c", END], stdout=full, env=buffered).returncode == 120


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """The address of a web server that gives this answer to every request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/api"
        finally:
            server.shutdown()


def test_a_server_of_our_version_is_used():
    with answering(200, json.dumps(version("prefect")).encode()) as address:
        assert local_server_runs(address)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b'"2.20.0"'),
        (200, b"<html>something else listens there</html>"),
        (200, b"\xff\xfe"),
        (200, b""),
        (404, b'"3.8.8"'),
        (500, b""),
    ],
)
def test_another_server_is_not_used(status, body):
    with answering(status, body) as address:
        assert not local_server_runs(address)


def test_a_port_where_nothing_listens_is_no_server():
    with answering(200, b"") as address:
        pass
    assert not local_server_runs(address)


def test_heartbeats_are_off_inside_and_as_before_after():
    from prefect.settings import get_current_settings

    before = get_current_settings().flows.heartbeat_frequency
    with environment.without_heartbeats():
        assert get_current_settings().flows.heartbeat_frequency is None
    assert get_current_settings().flows.heartbeat_frequency == before
