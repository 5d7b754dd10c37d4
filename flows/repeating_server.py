"""A Prefect server that asks itself again where SQLite had one of its transactions give way to another."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

BUSY = 503
REPEATS, REPEAT_SECONDS = 40, 0.05
Message = MutableMapping[str, Any]  # of ASGI
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


def repeating(application: Application, repeats: int = REPEATS, seconds: float = REPEAT_SECONDS) -> Application:
    """An ASGI application that answers for another, and asks it again after a 503.

    Prefect says 503 where a transaction on SQLite met a newer one: nothing is written, and the next attempt succeeds.
    Its client waits two seconds and longer before it makes one.
    """

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        body = [await receive()]
        while body[-1].get("more_body"):
            body.append(await receive())
        for left in reversed(range(repeats)):
            if await _attempt(application, scope, (body, receive), send, last=not left):
                break
            await asyncio.sleep(seconds)

    return answer


async def _attempt(
    application: Application, scope: Message, asked: tuple[list[Message], Receive], send: Send, last: bool
) -> bool:
    """Whether the answer was sent on: any but a 503, and that too from the last attempt."""
    body, receive = asked
    left, refused = iter(body), False

    async def hear() -> Message:
        return next(left, None) or await receive()

    async def say(message: Message) -> None:
        nonlocal refused
        refused = refused or (message.get("status") == BUSY and not last)
        if not refused:
            await send(message)

    try:
        await application(dict(scope), hear, say)
    except SQLAlchemyError:  # Starlette passes on what it has just answered
        if not refused:
            raise
    return not refused
