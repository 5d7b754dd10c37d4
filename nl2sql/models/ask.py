"""Ask models and read what they answer: how every step talks to them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from nl2sql.models.chat import Reply, Request, Turn
from nl2sql.models.read_answers import Unreadable
from nl2sql.models.session import Session
from nl2sql.prompts.fences import harmless

Read = TypeVar("Read")

SHOWN_ANSWER = 4_000  # characters of an unreadable answer that the model is shown again
WITHOUT_ANSWER = ("refused", "unavailable", "budget")  # asking once more would change nothing


def ask_models(
    session: Session, requests: Sequence[Request], read: Callable[[Request, str], Read], wanted: str = ""
) -> list[Read | None]:
    """Ask all at once and read each answer; None where nothing readable came: the step then goes without a model.

    `read` is handed the request and the text that answers it and raises Unreadable, with what the model should know.
    Those answers, blank ones and those cut off are asked for once more, all at once, with the answer, what was wrong
    with it and what is `wanted` (a sentence; by default for JSON where there is a schema, else for SQL); refusals and
    failures are not. Every call is a row of the ledger: ok, invalid or the reply's failure. Raises ModelsStopped as the
    model does.
    """
    found, errors = _round(session, requests, read, wanted)
    again = [i for i, error in enumerate(errors) if error]
    if again:
        asked = [replace(requests[i], turns=(*requests[i].turns, *errors[i])) for i in again]
        for i, value in zip(again, _round(session, asked, read, wanted, again=True)[0], strict=True):
            found[i] = value
    return found


def _round(
    session: Session,
    requests: Sequence[Request],
    read: Callable[[Request, str], Read],
    wanted: str,
    again: bool = False,
) -> tuple[list[Read | None], list[tuple[Turn, ...]]]:
    """What could be read, and for what could not the turns to ask once more with, () where that is pointless."""
    found: list[Read | None] = []
    turns: list[tuple[Turn, ...]] = []
    for request, reply in zip(requests, session.model.ask(requests) if requests else (), strict=True):
        value, error = _read(request, reply, read)
        outcome = reply.failure or ("invalid" if error else "ok")
        session.ledger.record(request, replace(reply, error=reply.error or error), outcome, again)
        found.append(value)
        asked_again = error and reply.failure not in WITHOUT_ANSWER
        turns.append(_turns(reply, error, wanted or _wanted(request)) if asked_again else ())
    return found, turns


def _read(request: Request, reply: Reply, read: Callable[[Request, str], Read]) -> tuple[Read | None, str]:
    if reply.failure:
        return None, "it was cut off, as it was too long" if reply.failure == "cut" else reply.failure
    if not reply.text.strip():
        return None, "it was blank"
    try:
        return read(request, reply.text), ""
    except Unreadable as error:
        return None, str(error)


def _turns(reply: Reply, error: str, wanted: str) -> tuple[Turn, Turn]:
    """The answer and what is to be done about it. Providers refuse blank turns, hence the words for nothing."""
    text = harmless(reply.text).strip() or "(nothing)"
    shown = text if len(text) <= SHOWN_ANSWER else f"{text[: SHOWN_ANSWER // 2]}\n…\n{text[-SHOWN_ANSWER // 2 :]}"
    brief = " Be much shorter this time." if reply.failure == "cut" else ""
    return Turn("assistant", shown), Turn("user", f"That answer cannot be used: {error}.{brief} {wanted}")


def _wanted(request: Request) -> str:
    if request.schema:
        return f"Answer with one JSON object that follows this schema, and with nothing else:\n{request.schema}"
    return "Answer with the whole final SQL query in one ```sql block, and with nothing after it."
