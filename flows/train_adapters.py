"""Op 2: train the adapters of one or more roles, one after the other. What is trained already costs nothing again."""

import time
from collections.abc import Callable, Mapping
from typing import Any, cast
from uuid import UUID

from prefect import flow, get_run_logger
from prefect.artifacts import MarkdownArtifact, create_progress_artifact, update_progress_artifact
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from flows.local_limits import ensure_one_local_model
from flows.manifests import Submission, finish, settle, submission
from flows.progress import UPDATE_SECONDS
from flows.run_names import artifact_key
from flows.task_runner import TASK_RUNNER
from nl2sql.training.loss_curve import sparkline
from nl2sql.training.train_adapter import Training
from tasks.artifact_store import ArtifactStore
from tasks.train_adapter import Workplace, forget_lost, train_adapter

Watch = Callable[[dict[str, Any]], None]


@flow(flow_run_name="train adapters", persist_result=False, task_runner=TASK_RUNNER, validate_parameters=False)
def train_adapters(trainings: list[Training], workplaces: list[Workplace], artifacts: str = "artifacts") -> State:
    """Adapters; the result is a manifest. The progress of each shows in the UI, and in its workplace's `watch`."""
    ensure_one_local_model()
    store = ArtifactStore(artifacts)
    submitted: list[Submission] = []
    for training, place in zip(trainings, workplaces, strict=True):
        forget_lost(store, training, place)
        shown = _also_shown(training, place)
        submitted.append(submission(train_adapter, store, "", training=training, workplace=shown))
    return finish(store, settle("train adapters", submitted))


def _also_shown(training: Training, place: Workplace) -> Workplace:
    """The same workplace, whose reports go to a progress artifact, a loss curve and the run's log, too."""
    logger, run = get_run_logger(), UUID(flow_run.get_id())
    key = artifact_key("training", training.role)
    progress = cast(UUID, create_progress_artifact(0.0, key, f"{training.name} has not begun"))
    last, losses = [0.0], list[float]()

    def watch(message: dict[str, Any]) -> None:
        place.watch(message)
        line, done = report_line(message), message["note"] == "done"
        if message["note"] == "step":
            losses.append(message["loss"])
            if time.monotonic() - last[0] >= UPDATE_SECONDS:
                last[0] = time.monotonic()
                share = 100.0 * message["step"] / message["steps"]
                update_progress_artifact(progress, share, f"{training.name}: {line} {sparkline(losses)}")
        elif line:
            logger.info("%s: %s", training.name, line)
        if done:
            update_progress_artifact(progress, 100.0, f"{training.name}: {line} {sparkline(losses)}")
            curve = curve_markdown(training.name, message)
            MarkdownArtifact(
                key=artifact_key("loss", training.role), markdown=curve, description=line, flow_run_id=run
            ).create()

    return Workplace(place.data, place.folders, place.limit, watch)


def curve_markdown(name: str, done: Mapping[str, Any]) -> str:
    """The losses of a finished training: a line of blocks, and a row for each evaluation."""
    losses = [point["loss"] for point in done["curve"] if "loss" in point]
    rows = [f"| {point['step']:,} | {point['valid']:.4f} |" for point in done["curve"] if "valid" in point]
    head = f"{name}: training loss over {done['steps']:,} steps\n\n`{sparkline(losses, 60)}`"
    return "\n".join([head, "", "| step | validation loss |", "|---:|---:|", *rows]) + "\n"


def in_memory(size: int) -> str:
    """Bytes in words."""
    return f"{size / 1e9:.2f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"


def report_line(message: dict[str, Any]) -> str:
    """What a training reports, in one line; '' for what needs no line."""
    note, m = message["note"], message
    if note == "waiting":
        return f"waits for {m['for'] or 'another local model'}"
    if note == "plan":
        return f"needs about {in_memory(m['bytes'])} of {in_memory(m['limit'])}"
    if note == "data":
        return f"{m['train']:,} chats, {m['tokens']:,} tokens, the longest {m['longest']:,}; {m['valid']:,} to validate"
    if note == "step":
        left = time.strftime("%H:%M:%S", time.gmtime(m["left"]))
        rate = f"{m['tokens_per_second']:,.0f} answer tokens/s, peak {in_memory(m['peak'])}, {left} left"
        return f"step {m['step']:,} of {m['steps']:,}, loss {m['loss']:.3f}, {rate}"
    if note == "valid":
        return f"validation loss {m['loss']:.4f} at step {m['step']:,}{', the best so far' if m['best'] else ''}"
    if note == "done":
        best = f"validation loss {m['best_loss']:.4f} at step {m['best_step']:,}"
        return f"{best}, peak {in_memory(m['peak'])}, {m['seconds']:,.0f} s"
    return ""
