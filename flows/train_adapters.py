"""Op 2: train the adapters of one or more roles, one after the other. What is trained already costs nothing again."""

import time
from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from prefect import flow, get_run_logger
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.client.schemas.objects import State

from flows.local_limits import ensure_one_local_model
from flows.manifests import Submission, finish, settle, submission
from flows.progress import UPDATE_SECONDS
from flows.run_names import artifact_key
from flows.task_runner import TASK_RUNNER
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
    """The same workplace, whose reports go to a progress artifact and to the run's log, too."""
    logger = get_run_logger()
    key = artifact_key("training", training.role)
    progress = cast(UUID, create_progress_artifact(0.0, key, f"{training.name} has not begun"))
    last = [0.0]

    def watch(message: dict[str, Any]) -> None:
        place.watch(message)
        line = report_line(message)
        if message["note"] == "step" and time.monotonic() - last[0] >= UPDATE_SECONDS:
            last[0] = time.monotonic()
            update_progress_artifact(progress, 100.0 * message["step"] / message["steps"], f"{training.name}: {line}")
        elif message["note"] == "done":
            update_progress_artifact(progress, 100.0, f"{training.name}: {line}")
        elif line and message["note"] != "step":
            logger.info("%s: %s", training.name, line)

    return Workplace(place.data, place.folders, place.limit, watch)


def report_line(message: dict[str, Any]) -> str:
    """What a training reports, in one line; '' for what needs no line."""
    note, m = message["note"], message
    if note == "waiting":
        return f"waits for {m['for'] or 'another local model'}"
    if note == "plan":
        return f"needs about {m['bytes'] / 1e9:.2f} GB of {m['limit'] / 1e9:.1f} GB"
    if note == "data":
        return f"{m['train']:,} chats, {m['tokens']:,} tokens, the longest {m['longest']:,}; {m['valid']:,} to validate"
    if note == "step":
        left = time.strftime("%H:%M:%S", time.gmtime(m["left"]))
        rate = f"{m['tokens_per_second']:,.0f} tokens/s, peak {m['peak'] / 1e9:.2f} GB, {left} left"
        return f"step {m['step']:,} of {m['steps']:,}, loss {m['loss']:.3f}, {rate}"
    if note == "valid":
        return f"validation loss {m['loss']:.4f} at step {m['step']:,}{', the best so far' if m['best'] else ''}"
    if note == "done":
        best = f"validation loss {m['best_loss']:.4f} at step {m['best_step']:,}"
        return f"{best}, peak {m['peak'] / 1e9:.2f} GB, {m['seconds']:,.0f} s"
    return ""
