"""Runs that can be disturbed: a copy of the code, a Prefect server of our own, stages as processes."""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.environment import DEFAULTS, QUIET
from flows.serve_deployments import guards
from tests.servers.pipeline_process import KEYS

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("program.py")
SERVER_SECONDS = 120.0  # that a server may take to come up
END_SECONDS = 180.0  # that a run may take
UNLIKE = ("repairs", "golds", "judgements", "model_calls", "adapters", "manifests")  # say how long something took


def copy_code(folder: Path) -> Path:
    """The source as it is now: an edit of it would change every key in the middle of a comparison."""
    for name in ("nl2sql", "tasks", "flows", "deployments"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@dataclass
class PrefectServer:
    """A Prefect server as `nl2sql serve` starts it, that can be killed and started again."""

    home: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def address(self) -> str:
        """Its API."""
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def environment(self) -> dict[str, str]:
        """What its clients need."""
        return {**DEFAULTS, **QUIET, "PREFECT_HOME": str(self.home), "PREFECT_API_URL": self.address}

    def start(self) -> None:
        """Start it and wait until it answers; raises TimeoutError."""
        given = {**os.environ, **self.environment, **guards(self.address)}
        del given["PREFECT_API_URL"]
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self.port)]
        log = (self.home / "server.txt").open("ab")
        self.process = subprocess.Popen(command, env=given, start_new_session=True, stdout=log, stderr=log)
        wait_for(self.answers, SERVER_SECONDS)

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            with urllib.request.urlopen(f"{self.address}/health", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False

    def kill(self) -> None:
        """SIGKILL, with everything that it started."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def ask(self, path: str, body: Mapping[str, Any] | None = None, method: str = "") -> Any:
        """One request to its API; raises HTTPError."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(self._proof() if data is not None else {})}
        request = urllib.request.Request(f"{self.address}{path}", data, headers)
        request.method = method or ("GET" if data is None else "POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            said = answer.read()
        return json.loads(said) if said else None

    def _proof(self) -> dict[str, str]:
        """What shows that no page of another site asks, where the server wants to see it."""
        try:
            token = self.ask("/csrf-token?client=tests")["token"]
        except urllib.error.HTTPError:
            return {}
        return {"Prefect-Csrf-Token": token, "Prefect-Csrf-Client": "tests"}

    def slots(self, name: str) -> int:
        """Slots of a limit that are taken."""
        held = self.ask("/v2/concurrency_limits/filter", {})
        return sum(limit["active_slots"] for limit in held if limit["name"] == name)


@contextmanager
def prefect_server(folder: Path) -> Iterator[PrefectServer]:
    """A server for the length of a with block."""
    folder.mkdir(parents=True, exist_ok=True)
    server = PrefectServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def wait_for(there: Any, seconds: float) -> float:
    """Wait until `there()`; the seconds that took. Raises TimeoutError."""
    start = time.monotonic()
    while not there():
        if time.monotonic() - start > seconds:
            raise TimeoutError(f"not so after {seconds:.0f} s")
        time.sleep(0.02)
    return time.monotonic() - start


@dataclass(frozen=True)
class Outcome:
    """How a run ended: what it said, None where it said nothing, and what it printed."""

    said: dict[str, Any] | None
    output: str
    in_time: bool

    @property
    def completed(self) -> bool:
        """Whether the flow ended well."""
        return bool(self.said and self.said["completed"])

    @property
    def steps(self) -> list[dict[str, Any]]:
        """A line for every task."""
        return self.said["steps"] if self.said else []

    @property
    def made(self) -> int:
        """Tasks that ran rather than being reused."""
        return sum(not s["reused"] for s in self.steps)

    def results(self) -> dict[str, Any]:
        """What must be equal from run to run: digests, verdicts and weights, by task."""
        return {
            f"{s['stage']} {s['db_id']} {s['batch']}": s.get("verdicts") or s.get("weights") or s["sha256"]
            for s in self.steps
            if s["kind"] not in UNLIKE or "weights" in s
        }


@dataclass
class Run:
    """A stage under way, in a process group of its own whose id is that of its first process."""

    pid: int
    output: Path

    def end(self, seconds: float = END_SECONDS) -> Outcome:
        """Wait for it; one that does not end in time is killed with all it started."""
        limit = time.monotonic() + seconds
        while self.runs() and time.monotonic() < limit:
            time.sleep(0.02)
        in_time = not self.runs()
        self.kill()
        text = self.output.read_text(errors="replace")
        lines = [line for line in text.splitlines() if line.startswith('{"completed"')]
        return Outcome(json.loads(lines[-1]) if lines else None, text, in_time)

    def runs(self) -> bool:
        """Whether the process of the flow is there."""
        return _group_of(Path("/proc", str(self.pid))) == self.pid

    def kill(self) -> None:
        """SIGKILL to the whole group."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def kill_worker(self) -> None:
        """SIGKILL to the process of the flow alone."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def leftovers(self) -> bool:
        """Whether any process of the group is there."""
        return any(_group_of(p) == self.pid for p in Path("/proc").iterdir() if p.name.isdigit())


def _group_of(process: Path) -> int:
    """The process group, 0 for a process that is gone or only waits to be collected."""
    try:
        told = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if told[0] == "Z" else int(told[2])


@dataclass
class Launcher:
    """Starts stages over one copy of the code and one Prefect server."""

    code: Path
    server: PrefectServer  # which need not run where no flow does
    more: Mapping[str, str] = field(default_factory=dict)  # variables of the environment
    process: "subprocess.Popen[str] | None" = None

    def start(self, artifacts: Path, **asked: Any) -> Run:
        """Start a stage over a dataset, as a fork of a process that has imported everything.

        What it prints goes to a file beside its artifacts.
        """
        said = {"preset": "", **{k: str(v) if isinstance(v, Path) else v for k, v in asked.items()}}
        said["artifacts"] = str(artifacts)
        output = artifacts.with_name(f"{artifacts.name}.{time.monotonic_ns()}.txt")
        lock = {"NL2SQL_LOCK_FOLDER": str(artifacts.parent / "lock")}
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, str(PROGRAM)],
                cwd=self.code,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self._answer()
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"asked": said, "output": str(output), "environment": lock}) + "\n")
        self.process.stdin.flush()
        run = Run(int(self._answer()), output)
        wait_for(lambda: output.exists(), 30)  # by then it leads a group of its own
        return run

    def run(self, artifacts: Path, **asked: Any) -> Outcome:
        """Start a stage and wait for its end."""
        return self.start(artifacts, **asked).end()

    def close(self) -> None:
        """End the process that forks."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    @property
    def environment(self) -> dict[str, str]:
        alone = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # a process that forks has one thread
        return {**os.environ, **KEYS, **alone, **self.server.environment, "PYTHONPATH": str(self.code), **self.more}

    def _answer(self) -> str:
        assert self.process is not None
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@contextmanager
def launcher(code: Path, server: PrefectServer, more: Mapping[str, str] | None = None) -> Iterator[Launcher]:
    """A launcher for the length of a with block."""
    made = Launcher(code, server, more or {})
    try:
        yield made
    finally:
        made.close()


def finished(artifacts: Path) -> dict[Path, str]:
    """The cards of all artifacts that are finished: a card holds the time at which its artifact was written.

    Incomplete rows, under a key of their own for one run, are none that a later run would look for. Calls are written
    before the rows that they paid for, and belong to them: the answers themselves are in the cache by then.
    """
    cards = [card for card in artifacts.glob("*/*.json") if card.parent.name not in ("runs", "report", "manifests")]
    found = {card: _read(card) for card in cards if "-" not in card.stem}
    whole = {card: text for card, text in found.items() if text and card.with_suffix(".parquet").exists()}
    rows = {card.stem for card in whole if card.parent.name != "model_calls"}
    return {card: text for card, text in whole.items() if card.stem in rows}


def damaged(artifacts: Path) -> list[Path]:
    """Artifacts whose file is not what their card says."""
    wrong = []
    for card, text in finished(artifacts).items():
        held = hashlib.sha256(card.with_suffix(".parquet").read_bytes()).hexdigest()
        if held != json.loads(text)["sha256"]:
            wrong.append(card)
    return wrong


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
