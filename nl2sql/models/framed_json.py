"""Messages between a process and its child: a length in four bytes, then JSON. Reading one cannot run code."""

import asyncio
import json
from typing import IO, Any

LONGEST = 2**28  # bytes; a longer one is no message of ours


class BrokenFrame(Exception):
    """What arrived is no message."""


def frame(content: dict[str, Any]) -> bytes:
    """One message. Text may hold anything, lone surrogates too: JSON escapes all but ASCII."""
    body = json.dumps(content).encode("ascii")
    return len(body).to_bytes(4, "little") + body


def write_message(stream: IO[bytes], content: dict[str, Any]) -> None:
    """Write one message at once."""
    view = memoryview(frame(content))
    while view:  # an unbuffered pipe may take a part
        view = view[stream.write(view) :]
    stream.flush()


def read_message(stream: IO[bytes]) -> dict[str, Any] | None:
    """The next message, None at the end of the stream. Raises BrokenFrame for anything else."""
    header = _exactly(stream, 4)
    if len(header) < 4:
        return None
    length = _length(header)
    body = _exactly(stream, length)
    return _content(body) if len(body) == length else None


async def receive_message(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """The same from a connection; one that breaks has ended."""
    try:
        length = _length(await reader.readexactly(4))
        return _content(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def _length(header: bytes) -> int:
    length = int.from_bytes(header, "little")
    if length > LONGEST:
        raise BrokenFrame(f"a message of {length} bytes was announced")
    return length


def _content(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError as error:
        raise BrokenFrame(str(error)) from error
    if not isinstance(content, dict):
        raise BrokenFrame(f"a message must be an object, not {type(content).__name__}")
    return content


def _exactly(stream: IO[bytes], count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = stream.read(count - len(parts))
        if not part:
            break
        parts += part
    return bytes(parts)
