"""The model server as a process of its own, for tests and benchmarks: start, tell, ask, read the log, stop."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class RunningServer:
    """A server under way at `address`."""

    address: str
    log: Path
    pid: int

    @property
    def bases(self) -> dict[str, str]:
        """What litellm takes as api_base, by provider."""
        return {
            "openai": f"{self.address}/v1",
            "anthropic": self.address,
            "gemini": f"{self.address}/v1beta",
        }

    def control(self, **changes: Any) -> dict[str, Any]:
        """Change how it behaves. Raises ValueError with the server's reason."""
        request = urllib.request.Request(f"{self.address}/control", json.dumps(changes).encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ValueError(error.read().decode()) from error

    def reset(self, **changes: Any) -> None:
        """Forget all calls and the log, behave well but for `changes`."""
        self.control(reset=True, **changes)
        self.log.write_bytes(b"")

    def stats(self) -> dict[str, Any]:
        """Counts, tokens and the bill since the last reset."""
        with urllib.request.urlopen(f"{self.address}/stats", timeout=30) as answer:
            return json.load(answer)

    def calls(self) -> list[dict[str, Any]]:
        """The log: one entry per call that has ended, in the order in which they ended."""
        return [json.loads(line) for line in self.log.read_bytes().splitlines()]

    def idle(self, seconds: float = 5.0) -> bool:
        """Wait until no call is under way; False when some still is after `seconds`."""
        deadline = time.monotonic() + seconds
        while any(self.stats()["under_way"].values()):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


@contextmanager
def run_model_server(
    folder: Path, script: str = "", script_arguments: dict[str, Any] | None = None, bodies: bool = False, **conduct: Any
) -> Iterator[RunningServer]:
    """A server with its log in `folder` for the length of a with block."""
    log = folder / "calls.jsonl"
    command = [sys.executable, "-m", "tests.servers.model_server", "--log", str(log), "--conduct", json.dumps(conduct)]
    command += ["--script", script, "--script-arguments", json.dumps(script_arguments) if script_arguments else ""]
    command += ["--bodies", str(folder / "bodies.jsonl")] if bodies else []
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if not address:
            raise RuntimeError("the model server did not start; its reason is above")
        yield RunningServer(address, log, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=10)
