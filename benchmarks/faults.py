"""Disturb runs at random moments, run the same command again, and account for everything that was finished or paid for.

    python -m benchmarks.faults [--faults N] [--seed N] [--stages A,B] [--kinds A,B] [--folder DIR]

Kinds of fault: SIGKILL of the flow's process, of its whole process group, of the Prefect server; a disk that is full;
an artifact folder that becomes read-only; a clock that jumps by up to 400 days; a locked database, response cache or
place of the local model. Stages: profile, index, evaluate (rules), models (evaluate with the preset `api` against the
scripted provider) and train (a tiny model). Each trial disturbs one run, mends the machine, and runs the same again;
the table says for each kind and stage what became of it. Exits with 1 when something was lost, damaged, asked again,
locked for too long, or came out otherwise than undisturbed.

Filling a disk and making a folder read-only need root on Linux; moving the clock needs Debian's libfaketime. Kinds that
cannot be had are left out, and said so. Not covered: power cuts (what fsync does is the drive's matter).
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.faults.injections import KINDS, can_mount, faketime_library
from tests.faults.runs import PrefectServer, copy_code, launcher, prefect_server
from tests.faults.trials import FLOWS, STAGES, TASKS, Fault, Lane, Result, choose_faults
from tests.flows.conftest import build_benchmark
from tests.nl2sql.training.test_train_adapter import write_data
from tests.servers.pipeline_process import prepare_pipeline
from tests.servers.server_process import run_model_server
from tests.tiny_model import tiny_models

SCRIPT = "tests.servers.benchmark_script:build"
ASKED: dict[str, dict[str, Any]] = {
    "profile": {"stage": "profile"},
    "index": {"stage": "index"},
    "evaluate": {"stage": "evaluate"},
    "models": {"stage": "evaluate"},
    "pipeline": {"stage": "evaluate", "flow": True, "options": {"batch_size": 1}, "databases": ["zoo"], "limit": 2},
    "train": {"stage": "train", "flow": True},
}


def possible_kinds(folder: Path, kinds: Sequence[str]) -> list[str]:
    """Those that this machine allows; says which it does not."""
    missing = set()
    if not can_mount(folder / "mount"):
        missing |= {"full disk", "read-only"}
    if not faketime_library():
        missing |= {"clock"}
    for kind in sorted(missing & set(kinds)):
        print(f"left out, this machine does not allow it: {kind}", flush=True)
    return [kind for kind in kinds if kind not in missing]


@contextmanager
def lanes(folder: Path, stages: Sequence[str]) -> Iterator[list[Lane]]:
    """A lane for the tasks without Prefect, and one for each flow, with a server of its own."""
    code, data = copy_code(folder / "code"), build_benchmark(folder / "data")
    wanted = [tuple(s for s in TASKS if s in stages), *((s,) for s in FLOWS if s in stages)]
    wanted = [mine for mine in wanted if mine]
    with ExitStack() as stack, ThreadPoolExecutor(len(wanted)) as pool:

        def make(mine: tuple[str, ...]) -> Lane:
            own = folder / mine[0]
            own.mkdir()
            server = stack.enter_context(prefect_server(own / "prefect")) if mine[0] in FLOWS else None
            go = stack.enter_context(launcher(code, server or PrefectServer(own / "prefect")))
            asked, models = dict(ASKED), None
            if "models" in mine:
                models = stack.enter_context(run_model_server(own, SCRIPT, {"dataset": str(data)}, latency=0.02))
                asked["models"] = {**asked["models"], "preset": prepare_pipeline(own / "preset", models).preset}
            if "train" in mine:
                asked["train"] = {**asked["train"], "base": str(tiny_models() / "fp32")}
            datasets = {**dict.fromkeys(STAGES, data), "train": write_data(folder / "chats")}
            lane = Lane(own, go, mine, datasets, asked, models)
            stack.callback(lane.close)
            lane.prepare(mine if mine[0] == "train" else tuple(dict.fromkeys(("profile", "index", *mine))))
            return lane

        yield list(pool.map(make, wanted))


def run_faults(folder: Path, faults: Sequence[Fault], stages: Sequence[str], minutes: float = 600.0) -> list[Result]:
    """All trials, the lanes at once; none is begun when so many minutes are over."""
    limit = time.monotonic() + 60 * minutes
    with lanes(folder, stages) as found, ThreadPoolExecutor(len(found)) as pool:
        done = pool.map(lambda lane: _trials(lane, [f for f in faults if f.stage in lane.stages], limit), found)
        return [result for results in done for result in results]


def _trials(lane: Lane, faults: Sequence[Fault], limit: float) -> list[Result]:
    results = []
    for fault in faults:
        if time.monotonic() > limit:
            break
        started = time.monotonic()
        results.append(result := lane.disturb(fault))
        said = ", ".join(result.problems) or "fine"
        print(
            f"{fault.kind:10s} {fault.stage:9s} {result.ended:9s} {result.saved:3d} saved"
            f" {result.left_over:2d} half-written locks {result.lock_seconds:5.2f} s"
            f" slot {result.slot_seconds:5.1f} s  {said}  ({time.monotonic() - started:.0f} s)",
            flush=True,
        )
    return results


def table(results: Sequence[Result]) -> str:
    """One line per kind and stage."""
    head = ("fault", "stage", "injected", "resumed", "results equal", "ended", "saved", "half-written", "made again")
    head += ("asked again", "damaged", "s until locks free")
    lines = [head, tuple("---" for _ in head)]
    groups: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        groups[result.fault.kind, result.fault.stage].append(result)
    order = sorted(groups, key=lambda pair: (KINDS.index(pair[0]), STAGES.index(pair[1])))
    lines += [(kind, stage, *_figures(groups[kind, stage])) for kind, stage in order]
    lines.append(("together", "", *_figures(results)))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _figures(results: Sequence[Result]) -> tuple[str, ...]:
    ended = Counter(r.ended for r in results)
    sums: Any = [
        sum(getattr(r, n) for r in results) for n in ("saved", "left_over", "rewritten", "asked_again", "damaged")
    ]
    slowest = max(max(r.lock_seconds for r in results), max(r.slot_seconds for r in results))
    return (
        f"{len(results):,}",
        f"{sum(r.resumed for r in results):,}",
        f"{sum(r.equal for r in results):,}",
        ", ".join(f"{n} {name}" for name, n in ended.most_common()),
        *(f"{n:,}" for n in sums),
        f"{slowest:.1f}",
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=100, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--minutes", type=float, default=600.0, metavar="M", help="begin no trial after so long")
    parser.add_argument("--folder", type=Path, default=None, help="where to work; by default a temporary folder")
    options = parser.parse_args()
    stages = options.stages.split(",")
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        os.environ.pop("PREFECT_API_URL", None)
        kinds = possible_kinds(folder, options.kinds.split(","))
        results = run_faults(
            folder, choose_faults(options.faults, options.seed, stages, kinds), stages, options.minutes
        )
    print(table(results))
    missed = sum(not r.hit for r in results)
    print(f"{len(results)} faults, seed {options.seed}; {missed} came when the run had just ended")
    for result in results:
        if result.problems:
            print(f"PROBLEM {result.fault}: {', '.join(result.problems)}")
    sys.exit(1 if any(r.problems for r in results) else 0)


if __name__ == "__main__":
    main()
