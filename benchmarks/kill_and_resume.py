"""Kill a run with API models at random moments, resume it each time, and account for every answer that was paid for.

    python -m benchmarks.kill_and_resume [DATASET] [--preset NAME] [--kills N] [--questions N] [--seed N]

One run is left alone; another is killed (SIGKILL, with its whole process group) after random numbers of answers and
started again. By the provider's own log, which outlives the clients, the table says for each start how many answers
were handed over and how many of them came to the disk, those included that were on their way at the kill. None may be
lost, none asked for again, and the artifacts must equal those of the run that was left alone; exits with 1 when one of
these does not hold.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.servers.kill_and_resume import (
    Account,
    choose_moments,
    kept_answers,
    kill_and_resume,
    predictions,
    results,
)
from tests.servers.pipeline_process import prepare_pipeline
from tests.servers.server_process import run_model_server

SCRIPT = "tests.servers.benchmark_script:build"


def show(account: Account, calls: int, samples: int, equal: bool) -> bool:
    """Print the account; returns whether it is as it must be.

    `samples` of the undisturbed run's `calls` had the same body as another: samples of one request.
    """
    for number, segment in enumerate(account.segments, start=1):
        name = "to the end" if number == len(account.segments) else f"to kill {number}"
        print(f"{name:11s} {segment.delivered:6,} answers handed over, {segment.kept:6,} kept, {segment.lost:3} lost")
    print(
        f"together    {account.delivered:6,} answers handed over, {account.kept:6,} kept, {account.lost:3} lost", end=""
    )
    print(f"; {account.again - samples} asked for again; undisturbed {calls:,}")
    print(f"artifacts and predictions equal those of the undisturbed run: {'yes' if equal else 'NO'}")
    return equal and not any(segment.lost for segment in account.segments) and account.again == samples


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?", type=Path, default=Path("datasets/demo"))
    parser.add_argument("--preset", default="api")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--questions", type=int, default=24, metavar="N", help="only the first N")
    parser.add_argument("--latency", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    command = ("evaluate", options.dataset, "--limit", options.questions)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with run_model_server(folder, SCRIPT, {"dataset": str(options.dataset)}, latency=options.latency) as server:
            alone, killed = (prepare_pipeline(folder / name, server, options.preset) for name in ("alone", "killed"))
            alone.run(*command)
            calls, samples = (server.stats()[name] for name in ("answered", "repeated"))
            server.reset(latency=options.latency)
            moments = choose_moments(calls, options.kills, options.seed)
            account = kill_and_resume(lambda: killed.start(*command), killed.answers, server, moments)
            equal = results(killed) == results(alone) and predictions(killed) == predictions(alone)
            equal = equal and kept_answers(killed.answers) == kept_answers(alone.answers)
    sys.exit(0 if show(account, calls, samples, equal) else 1)


if __name__ == "__main__":
    main()
