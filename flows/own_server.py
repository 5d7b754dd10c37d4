"""The Prefect server of one command, where no other is there: it starts while the command still imports what it needs.

Prefect starts one, too, but only once all of that is done, and leaves it behind when the command is killed. This one
listens on a socket that it inherits, and ends when its standard input does.
"""

import atexit
import gc
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from base64 import b64encode
from pathlib import Path
from secrets import token_urlsafe
from typing import IO, Any

from flows.environment import end_now, is_chosen
from nl2sql.errors import UserError
from nl2sql.garbage import OBJECTS, no_collections
from nl2sql.models.child_process import reason_of

ROOT = str(Path(__file__).resolve().parents[1])
START = "import sys; sys.path.insert(0, sys.argv[1]); from flows.own_server import serve; serve(int(sys.argv[2]))"
STARTUP = "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"
# What Prefect says to a server that it starts itself: no pages to look at, and one application in its process.
EPHEMERAL = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
LOUD = {"PREFECT_SERVER_LOGGING_LEVEL": "ERROR", "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "ERROR"}  # for the reason
RAISED = re.compile(r"^[\w.]+(?:Error|Exception): .+", re.MULTILINE)
END_SECONDS = 5.0  # as long as Prefect waits for the end of its own


class OwnServer:
    """A server process, started and perhaps not ready yet, the address of its API, and the password that it asks for.

    Without one any page in a browser and any user of the machine could have it run what they like.
    """

    def __init__(self) -> None:
        """Start it. Raises OSError when the system has no room for another process."""
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the child
        self._ready = False
        self.password = f"nl2sql:{token_urlsafe(32)}"
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.address = f"http://127.0.0.1:{listening.getsockname()[1]}/api"
            self._process = _start(listening.fileno(), self._errors, self.password)

    def wait(self) -> None:
        """Return once it answers. Raises UserError when it ended, or is not there in the time that Prefect gives it."""
        deadline = time.monotonic() + float(os.environ.get(STARTUP, "120"))
        while not self._ready:
            left = deadline - time.monotonic()
            if left <= 0 or self._process.poll() is not None:
                raise UserError(
                    f"{self._failure()}. Its database is in PREFECT_HOME; see it start: prefect server start"
                )
            try:  # a connection waits until the server takes it; /health is answered earlier than all else
                urllib.request.urlopen(self._question(), timeout=left).close()
                self._ready = True
            except OSError:
                time.sleep(0.05)

    def _question(self) -> urllib.request.Request:
        known = b64encode(self.password.encode()).decode()
        return urllib.request.Request(f"{self.address}/admin/version", headers={"Authorization": f"Basic {known}"})

    def _failure(self) -> str:
        if self._process.poll() is None:
            return "Prefect's server did not answer in time"
        ended = reason_of(self._process, self._errors)
        self._errors.seek(0)
        raised = RAISED.findall(self._errors.read().decode("utf-8", "replace"))  # uvicorn's last line does not say it
        return f"Prefect's server {ended.partition(':')[0]}: {raised[-1]}" if raised else f"Prefect's server {ended}"

    def end(self) -> None:
        """Let it write what it was told, and end; at once when nobody has used it."""
        assert self._process.stdin is not None
        if not self._ready:
            self._process.kill()
        self._process.stdin.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()


def _start(listening: int, errors: IO[bytes], password: str) -> "subprocess.Popen[Any]":
    # A process group of its own: Ctrl-C is the command's to handle, which still tells the server how its runs ended.
    return subprocess.Popen(
        [sys.executable, "-P", "-c", START, ROOT, str(listening)],
        env={**os.environ, **EPHEMERAL, **LOUD, "PREFECT_SERVER_API_AUTH_STRING": password},
        stdin=subprocess.PIPE,
        stdout=errors,
        stderr=errors,
        pass_fds=[listening],
        process_group=0,
    )


_OWN: list[OwnServer] = []


def start_server() -> None:
    """Start a server and have Prefect use it, unless the user chose one or forbade it; call before Prefect is imported.

    It ends after everything that Prefect still says when the process ends: what is registered first ends last. Raises
    UserError when the system has no room for it.
    """
    allowed = os.environ.get("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "true").lower() not in ("0", "false")
    if _OWN or is_chosen() or not allowed or "prefect" in sys.modules:
        return
    try:
        server = OwnServer()
    except OSError as error:
        raise UserError(f"Prefect's server cannot be started: {error}. Make room, then run the same again") from error
    atexit.register(server.end)
    os.environ |= {"PREFECT_API_URL": server.address, "PREFECT_API_AUTH_STRING": server.password}
    # On a plain connection within this machine there are no certificates; each client would load all known ones.
    os.environ.setdefault("PREFECT_API_TLS_INSECURE_SKIP_VERIFY", "true")
    _OWN.append(server)


def await_server() -> None:
    """Return when the server that was started answers. Raises UserError when it will not."""
    for server in _OWN:
        server.wait()


def serve(listening: int) -> None:
    """Be the server, until the standard input ends."""
    with no_collections():  # a sixth of the time until it answers
        import uvicorn
        from prefect.server.api.server import create_app

        from flows.repeating_server import repeating

    gc.set_threshold(OBJECTS)
    server = uvicorn.Server(uvicorn.Config(repeating(create_app()), log_level="error", lifespan="on"))

    def end_with_parent() -> None:
        os.read(0, 1)  # not through sys.stdin, whose lock a thread may not hold when the interpreter ends
        server.should_exit = True

    threading.Thread(target=end_with_parent, daemon=True).start()
    server.run(sockets=[socket.socket(fileno=listening)])
    end_now(0)
