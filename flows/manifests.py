"""A run's manifest: every artifact that it made or reused and every task that failed, passed from flow to flow."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.states import Completed, Failed

from flows.progress import Progress
from nl2sql.rows import Step
from tasks.artifact_store import Artifact, ArtifactStore, Provenance, read_rows
from tasks.cached_task import ArtifactTask, calls_of, digest_of


@dataclass(frozen=True)
class Submission:
    """A task that was submitted, and where in the run it belongs."""

    task: ArtifactTask
    store: ArtifactStore
    db_id: str
    batch: int
    future: PrefectFuture
    arguments: Mapping[str, Any]  # artifacts of other tasks among them as futures


Follow = Callable[[Submission], Sequence[Submission]]  # a task that ended in, tasks submitted in answer out


def settle(stage: str, submissions: Iterable[Submission], follow: Follow = lambda _: ()) -> list[Step]:
    """Wait for submitted tasks; one line for each, failed ones with their error. The run's log says the same.

    A task that asked models has a second line, for the artifact of its calls. What `follow` submits is waited for too.
    """
    waiting = list(submissions)
    progress = Progress(stage, len(waiting))
    ended: SimpleQueue[Submission] = SimpleQueue()
    _announce(waiting, ended)
    while progress.done < len(waiting):
        more = follow(ended.get())
        _announce(more, ended)
        waiting += more
        progress.advance(len(waiting))
    steps = [_step(submission) for submission in waiting]
    _log(stage, steps, progress.seconds)
    asked = [pair for pair in zip(waiting, steps, strict=True) if pair[1].kind and _may_ask(pair[0])]
    calls = [_calls(submission.store, step) for submission, step in asked]
    return [*steps, *(step for step in calls if step)]


def _announce(submissions: Iterable[Submission], ended: SimpleQueue[Submission]) -> None:
    for each in submissions:
        each.future.add_done_callback(lambda _, each=each: ended.put(each))


def _log(stage: str, steps: list[Step], seconds: float) -> None:
    logger = get_run_logger()
    for step in steps:
        if failed_by_itself(step):
            logger.error("%s: %s", name_of_step(step), step.error)
    failed = sum(bool(s.error) for s in steps)
    lost = f", {failed:,} without a result" if failed else ""
    reused = sum(s.reused for s in steps)
    logger.info("%s: %d tasks in %.1f s, %d of them reused%s", stage, len(steps), seconds, reused, lost)


def _step(submission: Submission) -> Step:
    submission.future.wait()  # before that, `state` is what the server last heard
    state = submission.future.state
    name, db_id, batch = submission.task.name, submission.db_id, submission.batch
    if not state.is_completed():
        return Step(name, db_id, batch, "", "", "", 0, 0, 0.0, False, _reason(state))
    return _made(submission.future.result(), name, db_id, batch, reused=state.name == "Cached")


def _may_ask(submission: Submission) -> bool:
    """Whether a task had access to models; looking for the calls of one that had none takes a request each on S3."""
    return any(getattr(value, "of_this_process", False) for value in submission.arguments.values())


def _calls(store: ArtifactStore, step: Step) -> Step | None:
    found = calls_of(store, artifact(step))
    place = {"stage": f"{step.stage}, model calls", "db_id": step.db_id, "batch": step.batch}
    return _made(found, reused=step.reused, **place) if found else None


def _made(a: Artifact, stage: str, db_id: str, batch: int, reused: bool) -> Step:
    return Step(stage, db_id, batch, a.kind, a.path, a.sha256, a.rows, a.schema_version, a.seconds, reused, "")


def _reason(state: State) -> str:
    if state.name == "NotReady":
        return "skipped: a task before it failed"
    if not state.is_final():
        return f"the process that ran it ended, or the connection to it (last seen {state.name})"
    message = (state.message or state.name or "failed").removeprefix("Task run encountered an exception ")
    return message.removeprefix("UserError: ")  # its text is written for the user


def finish(store: ArtifactStore, steps: Iterable[Step], headline: str = "") -> State:
    """End a flow: write its manifest; Failed when a task failed, and the manifest is there all the same.

    The state's message begins with `headline`.
    """
    lines = list(steps)
    key = digest_of(tuple(lines))[:32]
    manifest = store.find("manifests", key) or store.write("manifests", key, lines, Provenance("manifest"))
    said = f"{headline}. " if headline else ""
    failed = [s for s in lines if failed_by_itself(s)]
    if not failed:
        reused = sum(s.reused for s in lines)
        return Completed(message=f"{said}{len(lines)} artifacts, {reused} of them reused", data=manifest)
    first = failed[0]
    return Failed(
        message=f"{said}{len(failed)} of {len(lines)} tasks failed; {name_of_step(first)}: {first.error}."
        " Run the same again: what succeeded is reused",
        data=manifest,
    )


def pass_on(state: State) -> State:
    """End a flow as its last flow ended, with the same manifest and message; raises what stopped that flow."""
    ending = Completed if state.is_completed() else Failed
    return ending(message=state.message, data=manifest_of(state))


def failed_by_itself(step: Step) -> bool:
    """Whether a task failed, rather than being skipped because one before it did."""
    return bool(step.error) and not step.error.startswith("skipped")


def name_of_step(step: Step) -> str:
    """What a task does and to what, e.g. 'link schema: zoo #2'."""
    return name_of_task(step.stage, step.db_id, step.batch)


def name_of_task(stage: str, db_id: str, batch: int) -> str:
    """The name of a task run: its function, its database and its batch, counted from 1."""
    return f"{stage.replace('_', ' ')}: {db_id or 'all databases'}" + (f" #{batch + 1}" if batch >= 0 else "")


def manifest_of(state: State) -> Artifact:
    """The manifest that a flow ended with, failed tasks or not; raises what stopped a flow that has none."""
    result = state.result(raise_on_failure=False)
    if isinstance(result, State):  # a flow that ends with the state of its last flow
        return manifest_of(result)
    if not isinstance(result, Artifact):
        state.result()  # raises what stopped the flow
        raise TypeError(f"a flow ended with {result!r} and not with a manifest")
    return result


def log_ending(stage: str, state: State) -> Artifact:
    """The manifest of a flow that ended inside this one, whose log says how; raises as `manifest_of`."""
    logger = get_run_logger()
    say = logger.info if state.is_completed() else logger.error
    say("%s: %s", stage, state.message)
    return manifest_of(state)


def read_manifest(manifest: Artifact) -> list[Step]:
    """The lines of a manifest."""
    return read_rows(manifest, Step)


def artifact(step: Step) -> Artifact:
    """The artifact of a line."""
    return Artifact(step.kind, step.path, step.sha256, step.rows, step.schema_version, step.seconds)


def by_database(steps: Iterable[Step]) -> Iterator[tuple[str, dict[str, Artifact]]]:
    """For each database of which every offline task succeeded, its artifacts by stage."""
    lines = [s for s in steps if s.batch < 0]
    broken = {s.db_id for s in lines if s.error}
    for db_id in dict.fromkeys(s.db_id for s in lines if s.db_id and s.db_id not in broken):
        yield db_id, {s.stage: artifact(s) for s in lines if s.db_id == db_id}


def submission(
    task: ArtifactTask, store: ArtifactStore, db_id: str, batch: int = -1, tags: Sequence[str] = (), **arguments: Any
) -> Submission:
    """Submit a task under a name that says what it does and to what; tags are Prefect's."""
    future = task.submit(store, name_of_task(task.name, db_id, batch), tags, **arguments)
    return Submission(task, store, db_id, batch, future, arguments)
