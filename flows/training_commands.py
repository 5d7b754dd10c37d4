"""What the command traindata does: run the flow, then say how much of what there is now."""

import time
from collections import Counter
from typing import Any

from rich.table import Table
from rich.text import Text

from flows.commands import end, failures, run_flow
from flows.generate_training_data import DataOptions, generate_training_data, output_folder
from flows.manifests import manifest_of
from flows.options import Options
from flows.screen import SCREEN, plain_table
from nl2sql.training.count_tokens import token_counter
from nl2sql.training.training_split import PARTS, load_training
from tasks.artifact_store import ArtifactStore
from tasks.write_training_files import read_card, read_solutions


def run_traindata(
    dataset: str,
    databases: tuple[str, ...],
    limit: int | None,
    output: str,
    artifacts: str,
    options: Options,
    data: DataOptions,
    as_json: bool,
) -> int:
    """Make the data and print what it holds."""
    start = time.perf_counter()
    load_training(dataset, databases)  # what is wrong with what was asked for is said before a server starts
    token_counter(data.tokenizer)
    if data.earlier:
        read_solutions(data.earlier)
    folder = output or output_folder(dataset, artifacts)
    ArtifactStore(folder).prepare()
    asked = {"dataset": dataset, "databases": databases, "limit": limit, "artifacts": artifacts, "output": folder}
    state, steps = run_flow(generate_training_data, **asked, options=options, data=data)
    card = read_card(folder)
    dropped = dropped_reasons(card["balance"])
    for table in (role_table(card), balance_table(card), sampling_table(card)):
        SCREEN.print(table)
        SCREEN.print()
    said = "; ".join(f"{n:,} x {reason}" for reason, n in dropped.items()) or "nothing"
    SCREEN.print(Text(f"left out: {said}"), soft_wrap=True)
    SCREEN.print(Text(f"written to {folder}"), soft_wrap=True)
    result = {
        "dataset": dataset,
        "output": folder,
        **card,
        "dropped": dropped,
        "reused": sum(s.reused for s in steps),
        "failed": failures(steps),
        "seconds": round(time.perf_counter() - start, 2),
        "manifest": manifest_of(state).path,
    }
    return end(state, steps, result, as_json)


def dropped_reasons(balance: list[dict[str, Any]]) -> dict[str, int]:
    """How many samples each reason cost, the costliest first; a sample of several roles counts once for each."""
    counts: Counter[str] = Counter()
    for line in balance:
        if line["dropped"]:
            counts[line["dropped"]] += line["samples"]
    return dict(counts.most_common())


def role_table(card: dict[str, Any]) -> Table:
    """Samples of each role and part."""
    table = plain_table("role", *PARTS)
    for role, parts in card["roles"].items():
        table.add_row(role, *(f"{parts[part]:,}" for part in PARTS))
    return table


def balance_table(card: dict[str, Any]) -> Table:
    """Samples of each task and source, kept ones and those left out."""
    kept: Counter[tuple[str, str, str]] = Counter()
    left: Counter[tuple[str, str, str]] = Counter()
    for line in card["balance"]:
        counts = left if line["dropped"] else kept
        counts[line["role"], line["task"], line["source"]] += line["samples"]
    table = plain_table("role", "task", "source", "kept", "left out")
    for key in sorted(kept.keys() | left.keys()):
        table.add_row(*map(Text, key), f"{kept[key]:,}", f"{left[key]:,}")
    return table


def sampling_table(card: dict[str, Any]) -> Table:
    """What rejection sampling gave by difficulty."""
    table = plain_table("difficulty", "questions", "samples", "right", "solved", "kept")
    for line in card["sampling"]:
        counts = (line[name] for name in ("questions", "samples", "right", "solved", "kept"))
        table.add_row(line["difficulty"] or "unknown", *(f"{n:,}" for n in counts))
    return table
