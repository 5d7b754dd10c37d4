"""HTTP/1.1 on asyncio, as little as a scripted server needs: it shares two cores with the client that it measures."""

import asyncio
import sys
import traceback
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from http import HTTPStatus

LONGEST_HEAD = 64 * 1024
REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came; header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What goes back. `cut_after` closes the connection after so many bytes of the body, -1 before the status line;

    `stall_after` sends so many bytes of the body, waits `stall_seconds`, and sends the rest.
    """

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    stall_after: int | None = None
    stall_seconds: float = 0.0

    def head(self) -> bytes:
        """The status line and headers, which promise the whole body even where it will be cut."""
        lines = [
            f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Overloaded')}",
            f"content-type: {self.content_type}",
        ]
        lines += [f"content-length: {len(self.body)}", *(f"{name}: {value}" for name, value in self.headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Connection(asyncio.Protocol):
    """One connection, kept alive; its requests are handled one after the other.

    The handler is cancelled when the client goes away while it waits. A handler that fails prints its traceback and
    drops the connection.
    """

    def __init__(self, handle: "Handler") -> None:
        self._handle = handle
        self._received = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._next()

    def eof_received(self) -> bool:
        return False  # a client that closes is gone: half-closed connections are not served

    async def send(self, answer: HttpAnswer) -> bool:
        """Hand an answer to the socket; False when it was cut on purpose or the client had gone."""
        if self._transport.is_closing():
            return False
        if answer.cut_after is not None:
            if answer.cut_after >= 0:
                self._transport.write(answer.head() + answer.body[: answer.cut_after])
            self._transport.close()
            return False
        if answer.stall_after is not None:
            self._transport.write(answer.head() + answer.body[: answer.stall_after])
            await asyncio.sleep(answer.stall_seconds)
            self._transport.write(answer.body[answer.stall_after :])
        else:
            self._transport.write(answer.head() + answer.body)
        return not self._transport.is_closing()

    def _next(self) -> None:
        if self._task is not None:
            return
        request = self._parse()
        if request is not None:
            self._task = asyncio.get_running_loop().create_task(self._handle(request, self))
            self._task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            traceback.print_exception(error, file=sys.stderr)
            self._transport.abort()
        elif not self._transport.is_closing():
            self._next()

    def _parse(self) -> HttpRequest | None:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            if len(self._received) > LONGEST_HEAD:
                self._transport.abort()
            return None
        first, *lines = bytes(self._received[:end]).decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length") or 0)
        if len(self._received) < end + 4 + length:
            return None
        body = bytes(self._received[end + 4 : end + 4 + length])
        del self._received[: end + 4 + length]
        method, path, *_ = first.split(" ")
        return HttpRequest(method, path, headers, body)


Handler = Callable[[HttpRequest, Connection], Coroutine[None, None, None]]
