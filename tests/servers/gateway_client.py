"""Ask many things through a gateway, in a process that can be killed: what is left then is for a test to look at.

python -m tests.servers.gateway_client CACHE_FOLDER ADDRESS CALLS CONCURRENCY
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # read when litellm is imported

from nl2sql.models.budget import Budget
from nl2sql.models.chat import Prompt, Reply, Request
from nl2sql.models.courier import Courier
from nl2sql.models.gateway import Gateway
from nl2sql.models.prices import Prices
from nl2sql.models.rate_limits import ProviderLimits
from nl2sql.models.response_cache import ResponseCache

KEY = "sk-of-the-scripted-provider"
MODELS = ("anthropic/claude-haiku-5-5", "gemini/gemini-3.8-flash")


def make_requests(calls: int, max_tokens: int = 600) -> list[Request]:
    """Different small requests, for two providers in turn."""
    prompts = [Prompt("direct", "You write SQL.", "CREATE TABLE t (a);", f"How many? ({n})") for n in range(calls)]
    return [
        Request(MODELS[n % 2], p, effort="low", max_tokens=max_tokens, role="generate") for n, p in enumerate(prompts)
    ]


@contextmanager
def open_gateway(folder: Path, address: str, concurrency: int, budget: Budget | None = None) -> Iterator[Gateway]:
    """A gateway with its cache in `folder`, half of the concurrency for each provider."""
    bases = {"anthropic": address, "gemini": f"{address}/v1beta"}
    limits = {name: ProviderLimits(name, concurrency // 2, api_base=base, api_key=KEY) for name, base in bases.items()}
    cache = ResponseCache(folder)
    gateway = Gateway(Courier(cache, limits, Prices()), cache, limits, budget=budget)
    try:
        yield gateway
    finally:
        gateway.close()


def ask_all(
    folder: Path, address: str, requests: list[Request], concurrency: int, budget: Budget | None = None
) -> list[Reply]:
    """Ask all at once through a gateway of their own."""
    with open_gateway(folder, address, concurrency, budget) as gateway:
        return gateway.ask(requests)


def main() -> None:
    """Ask; ends with 1 when a call has no answer."""
    folder, address, calls, concurrency = sys.argv[1:]
    replies = ask_all(Path(folder), address, make_requests(int(calls)), int(concurrency))
    sys.exit(any(reply.failure for reply in replies))


if __name__ == "__main__":
    main()
