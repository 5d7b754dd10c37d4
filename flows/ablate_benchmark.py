"""What each part of the pipeline is worth: the whole once, then once more without each part."""

import time

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.answer_questions import answer_questions
from flows.build_indexes import build_indexes
from flows.evaluate_benchmark import evaluate_benchmark
from flows.manifests import manifest_of
from flows.options import PARTS, Options
from flows.parameters import Artifacts, Databases, Dataset, Limit, Output, Predictions, Split
from flows.run_names import run_name
from flows.task_runner import TASK_RUNNER, task_runner
from tasks.artifact_store import remove_stale_temporaries

WHOLE = "whole pipeline"


@flow(flow_run_name=run_name("ablate"), persist_result=False, task_runner=TASK_RUNNER)
def ablate_benchmark(
    dataset: Dataset,
    databases: Databases = (),
    limit: Limit = None,
    split: Split = "dev",
    predictions: Predictions = (),
    artifacts: Artifacts = "artifacts",
    output: Output = "artifacts/runs/ablation",
    without: tuple[str, ...] = PARTS,
    options: Options = Options(),
) -> State:
    """Answer and score with all parts and without each; the result is the manifest of each variant, by its name.

    Profiles and indexes are made once, and every later artifact that a variant has in common with another one is
    reused. Each variant leaves its own report in a folder of `output`.
    """
    remove_stale_temporaries(artifacts)
    data = {"dataset": dataset, "databases": databases, "split": split, "artifacts": artifacts}
    asked = {"limit": limit, "predictions": predictions}
    indexed = manifest_of(build_indexes(**data, options=options, return_state=True))
    answering = answer_questions.with_options(task_runner=task_runner(options))
    states: dict[str, State] = {}
    for name, changed in variants_of(options, without).items():
        started = time.time()
        chosen = {**data, **asked, "options": changed}
        answered = manifest_of(answering(**chosen, indexed=indexed, return_state=True))
        ending = {"output": f"{output}/{name.replace(' ', '-')}", "answered": answered, "started": started}
        states[name] = evaluate_benchmark(**chosen, **ending, return_state=True)
    failed = [name for name, state in states.items() if state.is_failed()]
    manifests = {name: manifest_of(state) for name, state in states.items()}
    if failed:
        message = f"tasks failed in {', '.join(failed)}. Run the same again: only these are repeated"
        return Failed(message=message, data=manifests)
    return Completed(message=f"{len(states)} variants", data=manifests)


def variants_of(options: Options, without: tuple[str, ...]) -> dict[str, Options]:
    """The options of the whole pipeline and of one variant for each part, by the variant's name."""
    parts = dict.fromkeys(without)
    off = options.without
    return {
        WHOLE: options,
        **{f"without {part}": options.model_copy(update={"without": (*off, part)}) for part in parts},
    }
