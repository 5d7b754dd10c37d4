"""Disturb runs at random moments, run the same command again, and account for everything that was finished or paid for.

    python -m benchmarks.faults [--faults N] [--seed N] [--stages A,B] [--kinds A,B] [--folder DIR] [--out FILE]
    python -m benchmarks.faults --sum FILE [FILE ...]

Kinds of fault: SIGKILL of the flow's process, of its whole process group, of the Prefect server, of both groups at once
(machine); a disk that is full; an artifact folder that becomes read-only; a clock that jumps by up to 400 days; a
locked database, response cache or place of the local model. Stages: profile, index, evaluate (rules), models (evaluate
with the preset `api` against the scripted provider), pipeline (evaluate under a Prefect server) and train (a tiny
model). Each trial disturbs one run, mends the machine, and runs the same again; the table says for each kind and stage
what became of it. Exits with 1 when something was lost, damaged, asked again, locked for too long, or came out
otherwise than undisturbed.

Only faults that disturbed their run count: it was under way, and failed, was killed, or came out otherwise; or the
fault passed by (a restarted server, a moved clock, a lock that is held for a while) and something was finished under
it. Where a moment disturbs nothing another one is tried, up to five in all; those are counted apart. --out adds a line
of JSON for each trial to a file, and --sum makes one table of several such files.

Filling a disk and making a folder read-only need root on Linux; moving the clock needs a C compiler. Kinds that
cannot be had are left out, and said so. Not covered: power cuts (what fsync does is the drive's matter).
"""

import argparse
import json
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

from tests.faults.injections import KINDS, can_mount, clock_library
from tests.faults.runs import PrefectServer, copy_code, launcher, prefect_server
from tests.faults.trials import FLOWS, STAGES, TASKS, Fault, Lane, Result, choose_faults, retold
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
    if not clock_library(folder):
        missing |= {"clock"}
    for kind in sorted(missing & set(kinds)):
        print(f"left out, this machine does not allow it: {kind}", flush=True)
    return [kind for kind in kinds if kind not in missing]


@contextmanager
def lanes(folder: Path, stages: Sequence[str]) -> Iterator[list[Lane]]:
    """A lane for the tasks without Prefect, and one for each flow, with a server of its own."""
    code, chats = copy_code(folder / "code"), write_data(folder / "chats")
    wanted = [tuple(s for s in TASKS if s in stages), *((s,) for s in FLOWS if s in stages)]
    wanted = [mine for mine in wanted if mine]
    with ExitStack() as stack, ThreadPoolExecutor(len(wanted)) as pool:

        def make(mine: tuple[str, ...]) -> Lane:
            own = folder / mine[0]
            own.mkdir()
            data = build_benchmark(own / "data")  # of its own: a lock in one lane disturbs no other
            server = stack.enter_context(prefect_server(own / "prefect")) if mine[0] in FLOWS else None
            go = stack.enter_context(launcher(code, server or PrefectServer(own / "prefect")))
            asked, models = dict(ASKED), None
            if "models" in mine:
                models = stack.enter_context(run_model_server(own, SCRIPT, {"dataset": str(data)}, latency=0.02))
                asked["models"] = {**asked["models"], "preset": prepare_pipeline(own / "preset", models).preset}
            if "train" in mine:
                asked["train"] = {**asked["train"], "base": str(tiny_models() / "fp32")}
            datasets = {**dict.fromkeys(STAGES, data), "train": chats}
            lane = Lane(own, go, mine, datasets, asked, models)
            stack.callback(lane.close)
            lane.prepare(mine if mine[0] == "train" else tuple(dict.fromkeys(("profile", "index", *mine))))
            return lane

        yield list(pool.map(make, wanted))


def run_faults(
    folder: Path, faults: Sequence[Fault], stages: Sequence[str], minutes: float = 600.0, out: Path | None = None
) -> list[Result]:
    """All trials, the lanes at once; none is begun when so many minutes are over."""
    limit = time.monotonic() + 60 * minutes
    with lanes(folder, stages) as found, ThreadPoolExecutor(len(found)) as pool:
        done = pool.map(lambda lane: _trials(lane, [f for f in faults if f.stage in lane.stages], limit, out), found)
        return [result for results in done for result in results]


def _trials(lane: Lane, faults: Sequence[Fault], limit: float, out: Path | None) -> list[Result]:
    results = []
    for fault in faults:
        if time.monotonic() > limit:
            break
        started = time.monotonic()
        results.append(result := lane.disturb(fault))
        if out:
            with out.open("a") as file:
                file.write(json.dumps(result.told()) + "\n")
        said = ", ".join(result.problems) or ("fine" if result.disturbed else "disturbed nothing")
        print(
            f"{fault.kind:10s} {fault.stage:9s} {result.ended:9s} {result.saved:3d} saved"
            f" {result.left_over:2d} half-written locks {result.lock_seconds:5.2f} s"
            f" slot {result.slot_seconds:5.1f} s  {said}  ({time.monotonic() - started:.0f} s)",
            flush=True,
        )
    return results


def table(results: Sequence[Result]) -> str:
    """One line per kind and stage, of the faults that disturbed their run or found a problem."""
    head = ("fault", "stage", "injected", "resumed", "results equal", "ended", "saved", "half-written", "made again")
    head += ("asked again", "damaged", "s until locks free", "s until slot free")
    lines = [head, tuple("---" for _ in head)]
    groups: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        groups[result.fault.kind, result.fault.stage].append(result)
    order = sorted(groups, key=lambda pair: (KINDS.index(pair[0]), STAGES.index(pair[1])))
    lines += [(kind, stage, *_figures(groups[kind, stage])) for kind, stage in order]
    for kind in [k for k in KINDS if any(r.fault.kind == k for r in results)]:
        lines.append((kind, "all", *_figures([r for r in results if r.fault.kind == kind])))
    lines.append(("together", "", *_figures(results)))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _figures(results: Sequence[Result]) -> tuple[str, ...]:
    ended = Counter(r.ended for r in results)
    sums: Any = [
        sum(getattr(r, n) for r in results) for n in ("saved", "left_over", "rewritten", "asked_again", "damaged")
    ]
    return (
        f"{len(results):,}",
        f"{sum(r.resumed for r in results):,}",
        f"{sum(r.equal for r in results):,}",
        ", ".join(f"{n} {name}" for name, n in ended.most_common()),
        *(f"{n:,}" for n in sums),
        f"{max(r.lock_seconds for r in results):.1f}",
        f"{max(r.slot_seconds for r in results):.1f}",
    )


def report(results: Sequence[Result]) -> None:
    """Print the table, what disturbed nothing, and each problem with what the runs printed."""
    counted = [r for r in results if r.disturbed or r.problems]
    if counted:
        print(table(counted))
    missed = sum(r.missed for r in results) + len(results) - len(counted)
    print(f"{len(counted)} faults that disturbed a run; {missed} more came at moments where they disturbed nothing")
    for result in counted:
        if result.problems:
            print(f"PROBLEM {result.fault}: {', '.join(result.problems)}\n{result.output}")


def read_results(files: Sequence[Path]) -> list[Result]:
    """What --out wrote."""
    return [retold(json.loads(line)) for file in files for line in file.read_text().splitlines()]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=100, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--minutes", type=float, default=600.0, metavar="M", help="begin no trial after so long")
    parser.add_argument("--folder", type=Path, default=None, help="where to work; by default a temporary folder")
    parser.add_argument("--out", type=Path, default=None, metavar="FILE", help="add a line of JSON for each trial")
    parser.add_argument("--sum", type=Path, nargs="+", default=(), metavar="FILE", help="only report what --out wrote")
    options = parser.parse_args()
    results = read_results(options.sum) if options.sum else _run(options)
    report(results)
    sys.exit(1 if any(r.problems for r in results) else 0)


def _run(options: argparse.Namespace) -> list[Result]:
    stages = options.stages.split(",")
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        os.environ.pop("PREFECT_API_URL", None)
        kinds = possible_kinds(folder, options.kinds.split(","))
        faults = choose_faults(options.faults, options.seed, stages, kinds)
        return run_faults(folder, faults, stages, options.minutes, options.out)


if __name__ == "__main__":
    main()
