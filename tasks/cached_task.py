"""Make a function from rows to rows a cached Prefect task that passes artifacts.

A task that asks models returns `Made`: its calls become an artifact of their own under the same key.

The key of a task run is: the task's name and code, the digests of its inputs and the options that it reads; never
paths, run ids or times.

`run` finds an artifact of that key or makes it, with or without Prefect; Prefect adds the timeline,
the retries and its own record of results, which is dropped when the artifact behind it is gone.
"""

import hashlib
import importlib
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

from prefect import Task, task
from prefect.cache_policies import NO_CACHE, CachePolicy
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext, TaskRunContext
from prefect.futures import PrefectFuture
from prefect.serializers import JSONSerializer
from prefect.states import Completed

from nl2sql.contracts import CONTRACTS
from nl2sql.rows import Database, ModelCall
from tasks.artifact_store import Artifact, ArtifactStore, Provenance
from tasks.code_digest import code_digest, source_of
from tasks.run_apart import run_apart
from tasks.under_way import under_way

CALLS = "model_calls"
ARTIFACT = f"{Artifact.__module__}.{Artifact.__qualname__}"
RESULTS = ".results"  # Prefect's records of what its tasks returned, beside the artifacts
PARSING = Lock()  # Python 3.11 counts recursion wrongly when two threads parse at once, and raises SystemError
LOCATION_FIELDS = frozenset({"path", "description_path"})  # where a database lies does not change what it is


@dataclass(frozen=True)
class Made:
    """What a task that asks models returns: its rows, the calls that they cost, and whether they can be kept for good.

    Incomplete rows (a model could not be reached, the budget was out) serve the run that made them: their artifact lies
    under a key of its own, and the next run makes it anew, from the answers that are already paid for.
    """

    rows: Any
    calls: tuple[ModelCall, ...]
    complete: bool


@dataclass(frozen=True)
class Input:
    """Stands for an argument that another task returns: the input of that number."""

    number: int


class Sealed:
    """The store and the arguments of a submitted task, in one object that neither Prefect nor Dask looks into."""

    def __init__(self, store: ArtifactStore, arguments: dict[str, Any]):
        """Keep both; artifacts that other tasks return are `Input`s among the arguments."""
        self.store, self.arguments = store, arguments

    @property
    def bound(self) -> bool:
        """Whether only this process can serve an argument: access to models, whoever watches a training."""
        return any(getattr(value, "of_this_process", False) for value in self.arguments.values())


class ArtifactTask:
    """A task of one artifact kind: `run` it here, or `submit` it to Prefect from inside a flow."""

    def __init__(self, kind: str, calls: Sequence[Callable[..., Any]], function: Callable[..., Any], options: dict):
        """Wrap `function`; `calls` are the pure functions whose code belongs to the key."""
        self.kind, self.calls, self.function = kind, tuple(calls), function
        self.name = function.__name__
        self.apart = bool(options.pop("apart", True))
        self._variants: dict[tuple[Any, ...], Task] = {}  # by tags and where Prefect keeps its records
        self.task: Task = task(
            name=self.name,
            task_run_name="{label}",
            cache_policy=ArtifactPolicy(self),
            persist_result=True,
            result_serializer="json",
            **options,
        )(self._body())

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        """By name: a worker of another process runs, and digests, the code that it has itself."""
        return _named, (self.function.__module__, self.name)

    def _body(self) -> Callable[..., State]:
        def body(call: Sealed, inputs: list[Artifact], label: str) -> State:
            store, known = call.store, _with_inputs(call.arguments, inputs)
            found = store.find(self.kind, self.key(known))
            artifact = found or self.run(store, **known)
            said = f"{artifact.rows:,} {self.kind}, made in {artifact.seconds:.1f} s"
            return Completed(name="Cached" if found else "Completed", message=said, data=artifact)

        body.__name__, body.__doc__ = self.name, self.function.__doc__
        return body

    def key(self, arguments: dict[str, Any]) -> str:
        """The content key of this task for these arguments."""
        keyed = {name: value for name, value in sorted(arguments.items()) if getattr(value, "keyed", True)}
        described = {name: digest_of(value) for name, value in keyed.items()}
        parts = [self.name, self.code, CONTRACTS[self.kind].version, described]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    @cached_property
    def code(self) -> str:
        """Digest of the task's own function and of the pure code that it reaches, as this process loaded them."""
        with PARSING:
            return hashlib.sha256((source_of(self.function) + code_digest(self.calls)).encode()).hexdigest()

    def run(self, store: ArtifactStore, **arguments: Any) -> Artifact:
        """Find or make the artifact, in this process and without Prefect."""
        key = self.key(arguments)
        found = store.find(self.kind, key)
        if found is not None:
            return found
        start = time.perf_counter()
        made = self.make(store, key, arguments)
        provenance = self._provenance(arguments, time.perf_counter() - start)
        if not isinstance(made, Made):
            return store.write(self.kind, key, made, provenance)
        key = key if made.complete else f"{key}-{secrets.token_hex(4)}"
        store.write(CALLS, key, made.calls, provenance)  # first: an artifact is never without its calls
        return store.write(self.kind, key, made.rows, provenance)

    def make(self, store: ArtifactStore, key: str, arguments: Mapping[str, Any], apart: bool = False) -> Any:
        """The function's rows, in a process of its own where an earlier process died at the same, or if asked to."""
        if not self.apart:
            return self.function(**arguments)
        if apart:
            return run_apart(self.function, arguments)
        with under_way(store.root, f"{self.kind}-{key}") as died_here:
            return run_apart(self.function, arguments) if died_here else self.function(**arguments)

    def submit(self, store: ArtifactStore, run_name: str, tags: Sequence[str] = (), **arguments: Any):
        """Submit to the task runner of the flow that is running; artifacts may be futures. Returns a future."""
        futures = [v for v in arguments.values() if isinstance(v, PrefectFuture)]
        # Sealed values are not searched for what earlier tasks returned: that takes time, and equal strings anywhere
        # in them would draw edges between tasks that have nothing to do with each other. Prefect's own `quote` is a
        # tuple, which Dask takes apart.
        known = {n: Input(futures.index(v)) if isinstance(v, PrefectFuture) else v for n, v in arguments.items()}
        return self._variant(store, tuple(tags)).submit(call=Sealed(store, known), inputs=futures, label=run_name)

    def _variant(self, store: ArtifactStore, tags: tuple[str, ...]) -> Task:
        """The task with these tags; made once, since Prefect reads the function's source for each."""
        records = _records(store)
        key = (tags, store.root)
        if key not in self._variants:
            self._variants[key] = self.task.with_options(tags=tags, **records)
        return self._variants[key]

    def _provenance(self, arguments: dict[str, Any], seconds: float) -> Provenance:
        options = {n: v for n, v in arguments.items() if isinstance(v, str | int | float | bool | None)}
        inputs = {n: digest_of(v) for n, v in arguments.items() if n not in options and getattr(v, "keyed", True)}
        parents = tuple(dict.fromkeys(name_of(a) for a in artifacts_in(tuple(arguments.values()))))
        return Provenance(self.name, inputs, options, self.code, round(seconds, 4), parents, *_flow_run())


class ArtifactPolicy(CachePolicy):
    """Prefect's cache key is the artifact's with its folder; a record without its artifact is dropped first."""

    def __init__(self, artifact_task: ArtifactTask):
        """Keep the task whose key is computed."""
        super().__init__()
        self.artifact_task = artifact_task

    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """The key of the record of the artifact that this run would write."""
        call: Sealed = inputs["call"]
        store = call.store
        key = self.artifact_task.key(_with_inputs(call.arguments, inputs["inputs"]))
        folder = results_folder(store)
        record = f"{key}-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"  # records hold the artifacts' paths
        if store.find(self.artifact_task.kind, key) is None or not holds_an_artifact(folder / record):
            (folder / record).unlink(missing_ok=True)
        return record

    def configure(self, *args: Any, **kwargs: Any) -> "ArtifactPolicy":
        """Nothing to configure: storage belongs to the task, and records need no locks (equal keys, equal bytes)."""
        return self


def artifact_task(kind: str, calls: Sequence[Callable[..., Any]], **options: Any) -> Callable[..., ArtifactTask]:
    """Decorate a function that returns the rows (or the Arrow table) of one artifact.

    Its arguments are artifacts, row dataclasses, tuples of these, or plain values; those whose class says
    `keyed = False` decide nothing of the rows and belong to no key. Where a process died at a task, the next one runs
    it in a process of its own, unless `apart` is False. Other options go to Prefect's `task`.
    """
    return lambda function: ArtifactTask(kind, calls, function, options)


def _named(module: str, name: str) -> ArtifactTask:
    return getattr(importlib.import_module(module), name)


def calls_of(store: ArtifactStore, artifact: Artifact) -> Artifact | None:
    """The model calls that an artifact cost, None for a task without models."""
    return store.find(CALLS, Path(artifact.path).stem)


def name_of(artifact: Artifact) -> str:
    """KIND/KEY, which is the artifact's name in whatever folder it lies."""
    return f"{artifact.kind}/{Path(artifact.path).stem}"


def artifacts_in(value: Any) -> Iterator[Artifact]:
    """The artifacts among the arguments of a task, those inside tuples and dataclasses too."""
    if isinstance(value, Artifact):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from artifacts_in(each)
    elif is_dataclass(value) and not isinstance(value, type):
        yield from artifacts_in(tuple(getattr(value, f.name) for f in fields(value)))


def _flow_run() -> tuple[str, str]:
    """Name and id of the flow run that this task belongs to; never asks the server."""
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    return (run.name, str(run.id)) if run else ("", "")


def _with_inputs(arguments: dict[str, Any], inputs: Sequence[Artifact]) -> dict[str, Any]:
    return {name: inputs[v.number] if isinstance(v, Input) else v for name, v in arguments.items()}


def _records(store: ArtifactStore) -> dict[str, Any]:
    """Where Prefect keeps its records of a store's tasks. For a remote store it keeps none.

    A record names its own deserialiser, so that whoever may write to a bucket could run code here; and the task finds
    the artifact itself.
    """
    if store.remote:
        return {"persist_result": False, "cache_policy": NO_CACHE}
    return {"result_storage": results_folder(store)}


def holds_an_artifact(record: Path) -> bool:
    """Whether one of Prefect's records is as our tasks write it, or is not there.

    A record names what reads it and the class that is made of it, and Prefect does as it says: one that somebody
    altered could have anything run.
    """
    try:
        held = json.loads(record.read_bytes())
        made = json.loads(held["result"])
        plain = held["metadata"]["serializer"] == JSONSerializer().model_dump()
        values = list(made["data"].values())
    except FileNotFoundError:
        return True
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return False
    ours = made.keys() == {"__class__", "data"} and made["__class__"] == ARTIFACT
    return plain and ours and all(isinstance(v, str | int | float) for v in values)


def results_folder(store: ArtifactStore) -> Path:
    """Prefect's result records for a store, for its user only: a record names its own deserialiser."""
    folder = Path(store.root).absolute() / RESULTS
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def digest_of(value: Any) -> str:
    """A digest of what a value says, whatever file it lies in."""
    if isinstance(value, Artifact):
        return value.sha256
    return hashlib.sha256(json.dumps(value, default=_plain, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Artifact):
        return value.sha256
    if is_dataclass(value) and not isinstance(value, type):
        hidden = LOCATION_FIELDS if isinstance(value, Database) else frozenset()
        return {f.name: getattr(value, f.name) for f in fields(value) if f.name not in hidden}
    raise TypeError(f"{type(value).__name__} cannot be a task's argument: pass artifacts, rows or plain values")
