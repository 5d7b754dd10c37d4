"""A child process that speaks JSON over its pipes and can be ended at any time.

Local models live in one each: importing mlx_lm lowers the file limit of a process for good, and the end of a process
is the one certain way to get its memory back.
"""

import io
import os
import selectors
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from nl2sql.models.framed_json import LONGEST, BrokenFrame, read_message, write_message

START = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    "from nl2sql.models.fast_blas import load_fast_blas; load_fast_blas();"  # before the module imports mlx
    "from {module} import main; main()"
)
ROOT = str(Path(__file__).resolve().parents[2])
LAST_LINES = 4000  # bytes of standard error that are looked at for the reason of an end


class ChildFailed(Exception):
    """The child ended, or was ended because it said nothing for too long. The text says why, in one line."""


class ChildProcess:
    """`python -I` with one function of a module: its `main()` reads messages from fd 0 and writes them to fd 1.

    The child ends by itself when this process does, since its input ends then.
    """

    def __init__(self, module: str) -> None:
        """Start it. Raises ChildFailed when the system has no room for another process."""
        command = [sys.executable, "-I", "-c", START.format(module=module), ROOT]
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the child
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.errors}
        try:
            self.process = subprocess.Popen(command, bufsize=0, **pipes)
        except OSError as error:
            raise ChildFailed(f"could not be started: {error}") from error
        self._buffer = bytearray()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._out, selectors.EVENT_READ)

    @property
    def _out(self) -> int:
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def send(self, message: dict[str, Any]) -> None:
        """Send a message. Raises ChildFailed when the child is gone."""
        assert self.process.stdin is not None
        try:
            write_message(self.process.stdin, message)
        except (BrokenPipeError, ValueError) as error:
            raise ChildFailed(self.reason()) from error

    def receive(self, seconds: float) -> dict[str, Any]:
        """The child's next message. Raises ChildFailed at its end, or when none came in time: it is ended then."""
        deadline = time.monotonic() + seconds
        while (message := self._next_message()) is None:
            if not self._selector.select(max(0.0, deadline - time.monotonic())):
                self.close()
                raise ChildFailed(f"said nothing for {seconds:g} s and was ended")
            block = os.read(self._out, 2**20)
            if not block:
                raise ChildFailed(self.reason())
            self._buffer += block
        return message

    def _next_message(self) -> dict[str, Any] | None:
        if len(self._buffer) < 4:
            return None
        end = 4 + int.from_bytes(self._buffer[:4], "little")
        if end <= 4 + LONGEST and len(self._buffer) < end:
            return None
        try:
            message = read_message(io.BytesIO(self._buffer[:end]))
        except BrokenFrame as error:
            self.close()
            raise ChildFailed(f"sent no message of ours: {error}") from error
        del self._buffer[:end]
        return message

    def reason(self) -> str:
        """Why the child ended: the last line that it wrote to standard error, or its status."""
        return reason_of(self.process, self.errors)

    def finish(self, seconds: float = 2.0) -> None:
        """Let the child end by itself, and end it when it does not in time."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        self.close()

    def close(self) -> None:
        """End the child whatever it is doing, and wait until the system has taken its memory and locks back."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        self._selector.close()
        self.errors.close()

    def __enter__(self) -> "ChildProcess":
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.close()


def reason_of(process: "subprocess.Popen[Any]", errors: IO[bytes]) -> str:
    """Wait for a child that ends; its status and the last line that it wrote to standard error, `errors`."""
    status = process.wait()
    errors.seek(0, os.SEEK_END)
    errors.seek(max(0, errors.tell() - LAST_LINES))
    lines = [line.strip() for line in errors.read().decode("utf-8", "replace").splitlines()]
    said = next((line for line in reversed(lines) if line), "")
    cause = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
    return f"{cause}: {said}" if said else cause
