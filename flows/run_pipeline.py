"""The whole pipeline, in order: profile, index, answer, evaluate."""

import time

from prefect import flow
from prefect.client.schemas.objects import State

from flows.admission_steps import refuse_uncompared
from flows.answer_questions import answer_questions
from flows.build_indexes import build_indexes
from flows.evaluate_benchmark import evaluate_benchmark
from flows.manifests import log_ending, pass_on
from flows.model_settings import run_access
from flows.options import Options
from flows.parameters import Artifacts, Databases, Dataset, Limit, Output, Predictions, Split
from flows.profile_databases import profile_databases
from flows.run_names import run_name
from flows.task_runner import TASK_RUNNER, task_runner
from tasks.artifact_store import remove_stale_temporaries
from tasks.model_access import close_gateway


@flow(flow_run_name=run_name("pipeline"), persist_result=False, task_runner=TASK_RUNNER)
def run_pipeline(
    dataset: Dataset,
    databases: Databases = (),
    limit: Limit = None,
    split: Split = "dev",
    predictions: Predictions = (),
    artifacts: Artifacts = "artifacts",
    output: Output = "",
    options: Options = Options(),
) -> State:
    """Run everything on one dataset. A failed task leaves the others' results; running again repeats only it."""
    started = time.time()
    refuse_uncompared(options, artifacts)
    remove_stale_temporaries(artifacts)
    data = {"dataset": dataset, "databases": databases, "split": split, "artifacts": artifacts, "options": options}
    asked = {"limit": limit, "predictions": predictions}

    profiled = log_ending("profile databases", profile_databases(**data, return_state=True))
    indexed = log_ending("build indexes", build_indexes(**data, profiled=profiled, return_state=True))
    answering = answer_questions.with_options(task_runner=task_runner(options))
    answered = log_ending("answer questions", answering(**data, **asked, indexed=indexed, return_state=True))
    ending = {"output": output, "answered": answered, "started": started}
    evaluated = evaluate_benchmark(**data, **asked, **ending, return_state=True)
    if (access := run_access(options, artifacts)) is not None:
        close_gateway(access)
    return pass_on(evaluated)
