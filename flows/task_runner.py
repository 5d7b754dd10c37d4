"""Where tasks run: threads of this process."""

import os
from typing import Any

from prefect.task_runners import ThreadPoolTaskRunner

from flows.model_choices import models_of
from flows.options import Options

STEPS_PER_BATCH = 5
# The tasks of a batch wait for one another, each on a thread; one batch per core keeps the cores busy.
TASK_RUNNER: Any = ThreadPoolTaskRunner(max_workers=STEPS_PER_BATCH * (os.cpu_count() or 2))
# Models keep batches waiting: enough of them at once that the providers' limits are what holds a run back.
BATCHES_WITH_MODELS = 16


def task_runner(options: Options) -> Any:
    """The runner for the steps that may ask models."""
    if not models_of(options):
        return TASK_RUNNER
    return ThreadPoolTaskRunner(max_workers=STEPS_PER_BATCH * BATCHES_WITH_MODELS)
