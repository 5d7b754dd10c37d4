"""A request that gave way to another transaction is made again where the reason is known."""

import asyncio
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from flows.repeating_server import repeating

LOCKED = OperationalError("INSERT", {}, Exception("database is locked"))
PARTS = [
    {"type": "http.request", "body": b"a ", "more_body": True},
    {"type": "http.request", "body": b"run", "more_body": False},
]


class Busy:
    """Refuses as Starlette does, with an answer and the exception, then says what it was asked."""

    def __init__(self, refusals: int, status: int = 503):
        self.refusals, self.status, self.asked = refusals, status, 0

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        assert "seen" not in scope  # each attempt has a scope of its own
        scope["seen"] = True
        parts = [await receive()]
        while parts[-1].get("more_body"):
            parts.append(await receive())
        self.asked += 1
        refuses = self.asked <= self.refusals
        await send({"type": "http.response.start", "status": self.status if refuses else 201})
        await send({"type": "http.response.body", "body": b"no" if refuses else b"".join(p["body"] for p in parts)})
        if refuses:
            raise LOCKED


def ask(application: Any, kind: str = "http", repeats: int = 5) -> list[Any]:
    """The statuses and bodies of an answer, and the exception that was raised at its end."""
    parts: Iterator[dict[str, Any]] = iter(PARTS)
    told: list[Any] = []

    async def receive() -> dict[str, Any]:
        return next(parts)

    async def send(message: dict[str, Any]) -> None:
        told.append(message.get("status", message.get("body")))

    async def run() -> None:
        await repeating(application, repeats, seconds=0)({"type": kind}, receive, send)

    try:
        asyncio.run(run())
    except OperationalError as error:
        told.append(error)
    return told


@pytest.mark.parametrize("refusals", [0, 1, 4])
def test_only_the_answer_of_the_attempt_that_succeeds_is_sent(refusals):
    application = Busy(refusals)
    assert ask(application) == [201, b"a run"]
    assert application.asked == refusals + 1


def test_what_is_refused_to_the_end_is_said_and_raised():
    application = Busy(9)
    assert ask(application) == [503, b"no", LOCKED]
    assert application.asked == 5


def test_other_answers_are_not_asked_for_again():
    application = Busy(1, status=500)
    assert ask(application) == [500, b"no", LOCKED]
    assert application.asked == 1


def test_what_is_no_request_passes():
    numbers = count()

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        next(numbers)
        await send({"type": "websocket.close", "status": 503})

    assert ask(application, "websocket") == [503]
    assert next(numbers) == 1
