"""How well the calls of a run overlap: its wall time against calls x latency / concurrency.

    python -m benchmarks.latency [DATASET] [--preset NAME] [--latency SECONDS] [--concurrency N] [--questions N]
        [--server]

Everything runs against a scripted provider on loopback (tests/servers), which waits `--latency` seconds before each
answer and answers with SQL of recorded systems. The databases are profiled and indexed first, that is not measured.
Printed: calls by role; the ideal, which is the calls of the busier provider x latency / the concurrency that it is
given; the wall time from the first call to the last answer, of the pipeline from its first flow to its report, and of
the whole command with the start of Python and Prefect;
processor seconds of the run and of the provider, which share the machine; dollars, by the ledger and by the provider.
With `--server` a Prefect server runs already, as it does for whoever watches runs in its UI; without, the command
starts its own.
"""

import argparse
import os
import re
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.runs import PrefectServer
from tests.servers.pipeline_process import Pipeline, prepare_pipeline
from tests.servers.server_process import RunningServer, run_model_server

BIRD = Path("../shared/data/bird")
RECORDED = Path("../shared/data/predictions/bird_dev.jsonl")
SCRIPT = "tests.servers.benchmark_script:build"


@dataclass(frozen=True)
class Measured:
    """One run: seconds are of wall time unless they say otherwise."""

    calls: tuple[dict[str, Any], ...]  # of the provider's log
    started: float  # when the command began, in seconds since the epoch like the times of the log
    seconds: float  # of the command
    processor_seconds: float  # of the command and all that it started
    provider_seconds: float  # of the provider's processor time
    dollars: float  # by the provider's bill
    pipeline_seconds: float  # as the command prints them

    @property
    def calls_span(self) -> float:
        """From the first call to the last answer."""
        return max(c["ended"] for c in self.calls) - min(c["started"] for c in self.calls)

    @property
    def before_calls(self) -> float:
        """From the start of the command to the first call."""
        return min(c["started"] for c in self.calls) - self.started

    def ideal(self, latency: float, concurrency: int) -> float:
        """What the busiest provider takes when its slots are never idle."""
        return max(Counter(c["wire"] for c in self.calls).values()) * latency / concurrency


def measure(pipeline: Pipeline, server: RunningServer, dataset: Path, questions: int | None) -> Measured:
    """Build what is offline, then time one evaluation from nothing."""
    pipeline.run("index", dataset)
    server.log.write_bytes(b"")
    before, used = server.stats(), _children()
    began, start = time.time(), time.perf_counter()
    pipeline.run("evaluate", dataset, *(["--limit", questions] if questions else []))
    seconds, after = time.perf_counter() - start, server.stats()
    return Measured(
        tuple(server.calls()),
        began,
        seconds,
        _children() - used,
        after["cpu_seconds"] - before["cpu_seconds"],
        after["dollars"] - before["dollars"],
        float(re.findall(r"pipeline ([\d.]+) s", pipeline.output())[-1]),
    )


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def overlap(calls: tuple[dict[str, Any], ...], parts: int = 12) -> list[float]:
    """The mean number of calls under way in each part of the time between the first and the last."""
    first, last = min(c["started"] for c in calls), max(c["ended"] for c in calls)
    width = (last - first) / parts or 1.0
    bounds = [(first + i * width, first + (i + 1) * width) for i in range(parts)]
    return [sum(max(0.0, min(c["ended"], b) - max(c["started"], a)) for c in calls) / width for a, b in bounds]


def show(measured: Measured, latency: float, concurrency: int) -> None:
    """Print what was measured."""
    calls = measured.calls
    ideal = measured.ideal(latency, concurrency)
    roles = ", ".join(f"{role or 'unknown'} {n:,}" for role, n in Counter(c["role"] for c in calls).most_common())
    wires = ", ".join(f"{wire} {n:,}" for wire, n in Counter(c["wire"] for c in calls).most_common())
    failed = sum(c["status"] != 200 or not c["delivered"] for c in calls)
    print(f"{len(calls):,} calls ({roles}); {wires}; {failed} failed; latency {latency:g} s")
    print(f"ideal {ideal:.1f} s at {concurrency} calls at once to each provider")
    print(f"calls {measured.calls_span:.1f} s, {measured.calls_span / ideal:.2f} x ideal")
    print(f"pipeline {measured.pipeline_seconds:.1f} s, {measured.pipeline_seconds / ideal:.2f} x ideal")
    print(f"whole command {measured.seconds:.1f} s, {measured.seconds / ideal:.2f} x ideal:", end=" ")
    after = measured.seconds - measured.before_calls - measured.calls_span
    print(f"{measured.before_calls:.1f} s before the first call, {after:.1f} s after the last answer")
    print(f"processor: run {measured.processor_seconds:.1f} s, provider {measured.provider_seconds:.1f} s", end="")
    print(f", on {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}")
    print("calls under way: " + " ".join(f"{n:.0f}" for n in overlap(calls)))
    print(f"dollars: {measured.dollars:.4f} by the provider's bill")


@contextmanager
def running_prefect(folder: Path) -> Iterator[str]:
    """The address of a Prefect server that keeps its database in a folder."""
    server = PrefectServer(folder)
    server.start()
    try:
        yield server.address
    finally:
        server.kill()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?", type=Path, default=BIRD)
    parser.add_argument("--preset", default="api")
    parser.add_argument("--latency", type=float, default=0.3)
    parser.add_argument("--concurrency", type=int, default=16, help="calls at once to each provider")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--questions", type=int, default=None, metavar="N", help="only the first N")
    parser.add_argument("--server", action="store_true", help="beside a Prefect server that runs already")
    options = parser.parse_args()
    script = {"dataset": str(options.dataset), "predictions": str(RECORDED) if options.dataset == BIRD else ""}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        with run_model_server(folder, SCRIPT, script, latency=options.latency) as server:
            changed = {"concurrency": options.concurrency, "batch_size": options.batch_size}
            prefect = stack.enter_context(running_prefect(folder)) if options.server else ""
            pipeline = prepare_pipeline(folder / "run", server, options.preset, prefect, **changed)
            show(measure(pipeline, server, options.dataset, options.questions), options.latency, options.concurrency)


if __name__ == "__main__":
    main()
