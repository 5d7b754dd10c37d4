"""Where tasks run: threads of this process."""

import os
from typing import Any

from prefect.task_runners import ThreadPoolTaskRunner

# The five tasks of a batch wait for one another, each on a thread; one batch per core keeps the cores busy.
STEPS_PER_BATCH = 5
TASK_RUNNER: Any = ThreadPoolTaskRunner(max_workers=STEPS_PER_BATCH * (os.cpu_count() or 2))
