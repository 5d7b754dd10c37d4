"""What it means when a provider does not answer: try again, wait, give up on the call, or stop asking altogether."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from nl2sql.errors import UserError

# Kinds of failures. A retry helps against the first four only.
LIMIT = "limit"  # too many calls or tokens for now
SERVER = "server"  # the provider's own trouble; it does not charge for these
BROKEN = "broken"  # timeouts, connections cut after sending, answers that nobody can read: may have been charged
UNREACHED = "unreached"  # nothing was sent
INVALID = "invalid"  # this request, and no other, is refused for good
KEY = "key"
QUOTA = "quota"
RETRYABLE = (LIMIT, SERVER, BROKEN, UNREACHED)
STOPPING = (KEY, QUOTA)

# As OpenAI, Anthropic and Google word it: a rate limit passes within a minute, these last for hours or until paid.
SPENT = re.compile(
    r"insufficient_quota|per.?day|\brpd\b|\btpd\b|daily limit|credit balance|credits are depleted|billing",
    re.IGNORECASE,
)
BAD_KEY = re.compile(
    r"api[ _-]?key (?:not valid|expired|not found)|API_KEY_INVALID|invalid (?:x-)?api[ _-]?key", re.IGNORECASE
)
DELAY = re.compile(r'"retryDelay"\s*:\s*"([\d.]+)s"')
NOTHING_LOST = "nothing paid for is lost, and the same command goes on from there"
LONGEST_MESSAGE = 500  # characters of what a provider said that are kept


class ModelsStopped(UserError):
    """Asking on is pointless for all calls. Nothing that was paid for is lost, and the same command goes on later."""


class CallFailed(Exception):
    """One attempt at one call that gave no answer."""

    def __init__(self, kind: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = shorten(message)
        self.retry_after = retry_after  # seconds that the provider asks for, None when it does not say
        # Set by whoever gives up: of all attempts at the call.
        self.uncertain = 0.0  # dollars that they may have cost
        self.attempts = 1

    @property
    def charged(self) -> bool:
        """Whether the provider may have charged for the attempt all the same."""
        return self.kind == BROKEN


def classify(status: int, message: str, headers: Mapping[str, str]) -> CallFailed:
    """Say what an HTTP error means. `message` is the body, or what is left of it."""
    return CallFailed(_kind(status, message), f"{status}: {message}", retry_after(headers, message))


def _kind(status: int, message: str) -> str:
    if status == 402 or (status in (400, 403, 429) and SPENT.search(message)):
        return QUOTA
    if status in (401, 403) or (status == 400 and BAD_KEY.search(message)):
        return KEY
    if status == 429:
        return LIMIT
    if status in (408, 409) or status >= 500:
        return SERVER
    return INVALID


def retry_after(headers: Mapping[str, str], message: str = "") -> float | None:
    """Seconds to wait, from the header (seconds or an HTTP date) or from the RetryInfo of Google's error bodies."""
    for name in ("retry-after", "Retry-After", "llm_provider-retry-after"):
        if name in headers:
            return _seconds(headers[name])
    found = DELAY.search(message)
    return float(found[1]) if found else None


def _seconds(said: str) -> float | None:
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def stop(failure: CallFailed, provider: str, key_name: str) -> ModelsStopped:
    """The one line that a user sees when a key or a quota ends the run."""
    variable = f" in {key_name}" if key_name else ""
    said = {
        KEY: f"{provider} refuses the key{variable} ({failure.message}): set a valid one",
        QUOTA: f"the quota or credit at {provider}{variable} is used up ({failure.message}): raise it or wait",
    }[failure.kind]
    return ModelsStopped(f"{said}; {NOTHING_LOST}")


def shorten(message: str) -> str:
    """One line of at most LONGEST_MESSAGE characters."""
    line = " ".join(message.split())
    return line if len(line) <= LONGEST_MESSAGE else f"{line[: LONGEST_MESSAGE - 1]}…"
