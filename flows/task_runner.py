"""Where tasks run: on threads of this process, or on Dask's workers where the preset says so."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from prefect.context import FlowRunContext
from prefect.futures import PrefectConcurrentFuture, PrefectFuture
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.dask_cluster import dask_task_runner
from flows.model_choices import models_of
from flows.options import Options
from tasks.cached_task import Sealed

STEPS_PER_BATCH = 5
# Models keep batches waiting: enough of them at once that the providers' limits are what holds a run back.
BATCHES_WITH_MODELS = 16


class PresetTaskRunner(TaskRunner[PrefectFuture[Any]]):
    """Runs the tasks of a flow where the options of its run say, which its decorator cannot know.

    With Dask, tasks that ask models stay in the process of the flow, where all calls share their limits, the cap in
    dollars and the keys; so does a task that waits for one of them.
    """

    def __init__(self, threads: int):
        """Have that many threads in this process."""
        super().__init__()
        self.threads = threads
        self._stack = ExitStack()
        self._here: Any = None
        self._there: Any = None

    def duplicate(self) -> "PresetTaskRunner":
        """The same, not started."""
        return PresetTaskRunner(self.threads)

    def submit(self, task: Any, parameters: dict[str, Any], wait_for: Any = None, dependencies: Any = None) -> Any:
        """Submit to the threads or to Dask; raises UserError where the cluster of the preset cannot be used."""
        run = FlowRunContext.get()
        options = run.parameters.get("options") if run and run.parameters else None
        if run and isinstance(options, Options) and options.task_runner == "dask" and may_leave(parameters):
            there = self._there or self._reach_dask(options, str(run.client.api_url))
            return there.submit(task, parameters, wait_for, dependencies)
        return self._here.submit(task, parameters, wait_for, dependencies)

    def _reach_dask(self, options: Options, api: str) -> Any:
        self._there = self._stack.enter_context(dask_task_runner(options))
        # Settings travel with each task; without this one every worker starts a Prefect server of its own.
        self._stack.enter_context(temporary_settings({PREFECT_API_URL: api}))
        return self._there

    def __enter__(self) -> "PresetTaskRunner":
        """Start the threads; a cluster is reached when the first task goes there."""
        super().__enter__()
        self._here = self._stack.enter_context(ThreadPoolTaskRunner(max_workers=self.threads))
        return self

    def __exit__(self, *args: Any) -> None:
        """End the threads and the connection to the cluster."""
        self._stack.__exit__(*args)
        super().__exit__(*args)


def may_leave(parameters: Mapping[str, Any]) -> bool:
    """Whether another process can run a submitted task: nothing in it, or that it waits for, belongs to this one."""
    call, inputs = parameters.get("call"), parameters.get("inputs", ())
    return (
        isinstance(call, Sealed) and not call.bound and not any(isinstance(f, PrefectConcurrentFuture) for f in inputs)
    )


# The tasks of a batch wait for one another, each on a thread; one batch per core keeps the cores busy.
TASK_RUNNER: Any = PresetTaskRunner(STEPS_PER_BATCH * (os.cpu_count() or 2))


def task_runner(options: Options) -> Any:
    """The runner for the steps that may ask models."""
    return PresetTaskRunner(STEPS_PER_BATCH * BATCHES_WITH_MODELS) if models_of(options) else TASK_RUNNER
