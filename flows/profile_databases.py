"""Op 0: profile every database of a dataset and summarise its fields. Untouched databases cost nothing again."""

from prefect import flow
from prefect.client.schemas.objects import State

from flows.local_limits import ensure_one_local_model
from flows.manifests import Submission, finish, settle, submission
from flows.model_choices import asking, local_tags
from flows.model_settings import run_access, with_local_models
from flows.options import Options
from flows.parameters import Artifacts, Databases, Dataset, Split
from flows.run_names import run_name
from flows.task_runner import TASK_RUNNER
from nl2sql.benchmarks import load_benchmark
from tasks.artifact_store import ArtifactStore
from tasks.profile_database import profile_database
from tasks.summarise_fields import summarise_fields


@flow(flow_run_name=run_name("profile"), persist_result=False, task_runner=TASK_RUNNER)
def profile_databases(
    dataset: Dataset,
    databases: Databases = (),
    split: Split = "dev",
    artifacts: Artifacts = "artifacts",
    options: Options = Options(),
) -> State:
    """Profiles and summaries of every database; the result is a manifest."""
    store, options = ArtifactStore(artifacts), with_local_models(options, artifacts)
    describing = asking(options, run_access(options, artifacts), choice="summarise")
    tags = local_tags(describing)
    if tags:
        ensure_one_local_model()
    benchmark = load_benchmark(dataset, split, databases)
    submitted: list[Submission] = []
    for database in benchmark.databases:
        profiles = submission(profile_database, store, database.db_id, database=database)
        asked = {"profiles": profiles.future, **describing}
        summaries = submission(summarise_fields, store, database.db_id, tags=tags, **asked)
        submitted += [profiles, summaries]
    return finish(store, settle("profile databases", submitted))
