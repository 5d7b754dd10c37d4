"""Op 1: index the cells and columns of every database, and the training questions that serve as examples."""

from prefect import flow
from prefect.client.schemas.objects import State

from flows.manifests import Submission, by_database, finish, manifest_of, read_manifest, settle, submission
from flows.options import Options
from flows.parameters import Artifacts, Before, Databases, Dataset, Split
from flows.profile_databases import profile_databases
from flows.run_names import run_name
from flows.task_runner import TASK_RUNNER
from nl2sql.benchmarks import load_benchmark
from tasks.artifact_store import ArtifactStore
from tasks.band_cells import EarlierBands, band_cells
from tasks.embedding_store import EmbeddingStore
from tasks.index_cells import index_cells
from tasks.index_columns import index_columns
from tasks.index_examples import index_examples
from tasks.store_questions import store_questions


@flow(flow_run_name=run_name("index"), persist_result=False, task_runner=TASK_RUNNER)
def build_indexes(
    dataset: Dataset,
    databases: Databases = (),
    split: Split = "dev",
    artifacts: Artifacts = "artifacts",
    options: Options = Options(),
    profiled: Before = None,
) -> State:
    """Cells and columns of every profiled database, and examples; the result is the manifest, with the profiles."""
    store = ArtifactStore(artifacts)
    before = {"dataset": dataset, "databases": databases, "split": split, "artifacts": artifacts, "options": options}
    profiled = profiled or manifest_of(profile_databases(**before, return_state=True))
    benchmark = load_benchmark(dataset, split, databases)
    steps = read_manifest(profiled)
    made, by_id = dict(by_database(steps)), {d.db_id: d for d in benchmark.databases}
    kept = EmbeddingStore(store)
    questions = submission(store_questions, store, "", questions=benchmark.examples)
    submitted: list[Submission] = [
        questions,
        submission(index_examples, store, "", questions=questions.future, kept=kept),
    ]
    for db_id, artifact in made.items():
        profiles, summaries = artifact["profile_database"], artifact["summarise_fields"]
        cells = submission(index_cells, store, db_id, database=by_id[db_id], profiles=profiles)
        known = {"database_id": db_id, "earlier": EarlierBands(store)}
        submitted += [cells, submission(band_cells, store, db_id, cells=cells.future, **known)]
        submitted.append(submission(index_columns, store, db_id, summaries=summaries, kept=kept))
    return finish(store, [*steps, *settle("build indexes", submitted)])
