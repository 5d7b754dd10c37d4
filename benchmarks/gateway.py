"""How well the gateway alone keeps a provider busy: wall time against calls x latency / concurrency.

    python -m benchmarks.gateway [--calls N] [--latency SECONDS] [--concurrency N]... [--model NAME]

Every call is another one, with a prompt of a usual size of which ten calls share the start, and is written to a
response cache on disk; the scripted provider on loopback (tests/servers) waits before each answer. Each line: wall
time, the ideal, their ratio; processor milliseconds per call of the process that asks, of its courier (but for the
courier's start) and of the provider, which share the machine; what the gateway counted and what the provider billed.
The rival is litellm called directly under a semaphore, without cache, budget, limits or retries.
"""

import argparse
import asyncio
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # read when litellm is imported

from nl2sql.models.budget import Budget
from nl2sql.models.chat import Prompt, Request
from nl2sql.models.courier import Courier
from nl2sql.models.gateway import Gateway
from nl2sql.models.litellm_loading import load_litellm
from nl2sql.models.prices import Prices
from nl2sql.models.rate_limits import ProviderLimits
from nl2sql.models.remote import arguments
from nl2sql.models.response_cache import ResponseCache
from tests.servers.server_process import RunningServer, run_model_server

TABLE = "CREATE TABLE t{} (id INTEGER PRIMARY KEY, name TEXT, amount REAL); -- the things of kind {}\n"
SHARING = 10  # calls with one context
CAP = 1_000.0  # dollars, more than any run here costs
Ask = Callable[[Sequence[Request]], float]  # gives the dollars counted
Way = Callable[[RunningServer, str, int, int, Path], AbstractContextManager[Ask]]


def make_requests(model: str, count: int, start: int = 0) -> list[Request]:
    """Different requests, `SHARING` on each schema."""
    requests = []
    for number in range(start, start + count):
        context = "".join(TABLE.format(i, number // SHARING) for i in range(200))
        prompt = Prompt("direct", "You write SQLite queries. " * 60, context, f"How many of kind {number} are there?")
        requests.append(Request(model, prompt, effort="low", max_tokens=4000, role="generate"))
    return requests


def limits_of(server: RunningServer, model: str, concurrency: int) -> ProviderLimits:
    """The scripted provider, without limits but the one on calls at once."""
    provider = model.partition("/")[0]
    return ProviderLimits(provider, concurrency, api_base=server.bases[provider], api_key="key")


@contextmanager
def through_gateway(server: RunningServer, model: str, calls: int, concurrency: int, folder: Path) -> Iterator[Ask]:
    """All at once."""
    limits = limits_of(server, model, concurrency)
    known, prices, cache = {limits.provider: limits}, Prices(), ResponseCache(folder)
    gateway = Gateway(Courier(cache, known, prices), cache, known, prices, budget=Budget(CAP, questions=calls))

    def ask(requests: Sequence[Request]) -> float:
        replies = gateway.ask(requests)
        assert not [r for r in replies if r.failure]
        return sum(r.dollars for r in replies)

    try:
        yield ask
    finally:
        before = processor_of_children()
        gateway.close()
        while processor_of_children() == before:  # the courier ends
            time.sleep(0.01)


@contextmanager
def through_litellm(server: RunningServer, model: str, calls: int, concurrency: int, folder: Path) -> Iterator[Ask]:
    """The same calls, by litellm alone."""
    litellm, limits = load_litellm(), limits_of(server, model, concurrency)

    async def ask_all(requests: Sequence[Request]) -> float:
        places = asyncio.Semaphore(concurrency)

        async def one(request: Request) -> float:
            async with places:
                answer = await litellm.acompletion(**arguments(request, limits, True))
            return litellm.completion_cost(answer, model=request.model)

        return sum(await asyncio.gather(*(one(r) for r in requests)))

    yield lambda requests: asyncio.run(ask_all(requests))


@dataclass(frozen=True)
class Measured:
    """Some calls: seconds of wall time, of this process's processor time and of its children's, dollars counted."""

    seconds: float
    own: float
    children: float  # their start included
    counted: float


def run(way: Way, server: RunningServer, model: str, calls: int, concurrency: int) -> Measured:
    """Time so many calls, after two that bring in imports and connections."""
    before = processor_of_children()
    with tempfile.TemporaryDirectory() as folder:
        with way(server, model, calls, concurrency, Path(folder)) as ask:
            counted = ask(make_requests(model, 2, 10**6))
            requests = make_requests(model, calls)
            used, start = time.process_time(), time.perf_counter()
            counted += ask(requests)
            seconds, own = time.perf_counter() - start, time.process_time() - used
        return Measured(seconds, own, processor_of_children() - before, counted)


def processor_of_children() -> float:
    """Seconds of the children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(name: str, way: Way, server: RunningServer, model: str, calls: int, concurrency: int) -> None:
    """Print one line."""
    idle = run(way, server, model, 0, concurrency)
    server.control(reset=True, latency=(latency := server.stats()["latency"]))  # forgets prefixes that it has seen
    before = server.stats()
    found, after = run(way, server, model, calls, concurrency), server.stats()
    ideal = calls * latency / concurrency
    used = found.own, found.children - idle.children, after["cpu_seconds"] - before["cpu_seconds"]
    own, courier, provider = (1000 * seconds / calls for seconds in used)
    wall = f"{found.seconds:6.1f} s, ideal {ideal:5.1f}, x {found.seconds / ideal:.2f}"
    print(
        f"{name:8s} {concurrency:3d} at once: {wall}; "
        f"ms a call {own:.1f} + {courier:.1f} + {provider:.1f}; load {os.getloadavg()[0]:.1f}; "
        f"counted ${found.counted:.4f}, billed ${after['dollars'] - before['dollars']:.4f}",
        flush=True,
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--latency", type=float, default=0.3)
    parser.add_argument("--concurrency", type=int, action="append", default=[])
    parser.add_argument("--model", default="gemini/gemini-3.8-flash")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, run_model_server(Path(folder), latency=options.latency) as server:
        for concurrency in options.concurrency or [16, 32, 64]:
            for name, way in (("gateway", through_gateway), ("litellm", through_litellm)):
                measure(name, way, server, options.model, options.calls, concurrency)


if __name__ == "__main__":
    main()
