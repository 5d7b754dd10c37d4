"""Compare each local model of a preset with what it would replace, on dev questions; one that is not worse may stay."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.admission_steps import Change, changed, replaced, start_of, steps_from
from flows.evaluate_benchmark import evaluate_benchmark
from flows.headline import collected
from flows.local_limits import local_folders
from flows.manifests import finish, manifest_of, read_manifest
from flows.model_settings import run_access, with_local_models
from flows.options import Options
from flows.parameters import Artifacts, Databases, Dataset, Limit
from flows.run_names import run_name
from flows.runs import answers_of, read_run
from flows.task_runner import TASK_RUNNER
from nl2sql.errors import UserError
from nl2sql.models.admissions import Admission, add_admission
from nl2sql.rows import Step
from nl2sql.scoring.compare_answers import compare_answers
from tasks.artifact_store import ArtifactStore
from tasks.model_access import close_gateway


@dataclass(frozen=True)
class Evaluated:
    """A run of the evaluation flow: its folder and the lines of its manifest."""

    folder: str
    steps: tuple[Step, ...]

    @property
    def whole(self) -> bool:
        """Whether every task succeeded: half a run is no ground for a comparison."""
        return not any(step.error for step in self.steps)


@flow(flow_run_name=run_name("admit"), persist_result=False, task_runner=TASK_RUNNER)
def admit_models(
    dataset: Dataset,
    databases: Databases = (),
    limit: Limit = None,
    artifacts: Artifacts = "artifacts",
    options: Options = Options(),
    instead: Options | None = None,
) -> State:
    """An evaluation without the local models, then one with each of them more; the result is the last one's manifest.

    Dev questions are held out: `generate_training_data` refuses them. What is not worse is kept for the next step.
    """
    resolved = with_local_models(options, artifacts)
    before = start_of(resolved, instead)
    asked = {"dataset": dataset, "databases": databases, "limit": limit, "artifacts": artifacts}
    runs = [_evaluate(asked, before)]
    base = runs[0]
    for change in steps_from(before, resolved):
        tried = changed(before, change, resolved)
        runs.append(_evaluate(asked, tried))
        if not (base.whole and runs[-1].whole):
            break
        admission = compared(dataset, change, replaced(before, change), base.folder, runs[-1].folder)
        add_admission(local_folders(artifacts).adapters, admission)
        if admission.admitted:
            before, base = tried, runs[-1]
    return finish(ArtifactStore(artifacts), runs[-1].steps)


def _evaluate(asked: dict[str, Any], options: Options) -> Evaluated:
    with collected() as summaries:
        state = evaluate_benchmark(**asked, options=options, return_state=True)
    steps = tuple(read_manifest(manifest_of(state)))
    if (access := run_access(options, asked["artifacts"])) is not None:
        close_gateway(access)  # the next evaluation may reach other models
    return Evaluated(str(Path(summaries[0].report).parent), steps)


def compared(dataset: str, change: Change, instead_of: str, run_before: str, run: str) -> Admission:
    """The comparison of two runs. Raises UserError when they have no question with gold SQL in common."""
    first, second = (answers_of(read_run(folder)) for folder in (run_before, run))
    try:
        overall = compare_answers(first, second).contrasts[0]
    except ValueError as error:
        raise UserError(f"{dataset}: {error}: compare local models on a benchmark with gold SQL") from error
    counts = (overall.n, round(overall.first.value * overall.n), round(overall.second.value * overall.n))
    return Admission(
        change.use, change.model, instead_of, dataset, *counts, overall.test.p_value, run_before, run, time.time()
    )
