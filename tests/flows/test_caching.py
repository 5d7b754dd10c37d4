"""What runs again after a change, a loss, a kill or a failure: counted in task executions."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from flows.manifests import manifest_of, read_manifest
from flows.options import Options
from nl2sql.benchmarks import load_benchmark
from nl2sql.rows import Step
from tasks.artifact_store import Artifact, ArtifactStore
from tests.flows.conftest import build_benchmark

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.usefixtures("server"), pytest.mark.xdist_group("prefect")]

OFFLINE = {"profile_database": 2, "summarise_fields": 2, "index_cells": 2, "band_cells": 2, "index_columns": 2}
OFFLINE_SHARED = {"store_questions": 1, "index_examples": 1}
BATCHES = 3  # of two questions at most: two of zoo, one of shop
ANSWERING = ("ground_questions", "link_schema", "generate_candidates", "repair_candidates", "select_answers")
SCORING = ("score_answers", "measure_recall", "execute_golds")
ALL = Counter({**OFFLINE, **OFFLINE_SHARED, **dict.fromkeys(ANSWERING + SCORING, BATCHES)})


def run(dataset: Path, artifacts: Path, **options) -> list[Step]:
    """Run the whole pipeline; the lines of its manifest."""
    from flows.run_pipeline import run_pipeline

    state = run_pipeline(
        str(dataset),
        artifacts=str(artifacts),
        output=str(artifacts / "report"),
        options=Options(**{"batch_size": 2, **options}),
        return_state=True,
    )
    return read_manifest(manifest_of(state))


def executed(steps: list[Step]) -> Counter:
    """How often each task ran rather than being taken from the cache, failures included."""
    return Counter(s.stage for s in steps if not s.reused and not s.error.startswith("skipped"))


@pytest.fixture(scope="module")
def first_run(server, tmp_path_factory) -> tuple[Path, list[Step]]:
    """A folder with a dataset and the artifacts of a run over it, made once, and what the run said."""
    folder = tmp_path_factory.mktemp("first_run")
    return folder, run(build_benchmark(folder / "tiny"), folder / "artifacts")


@pytest.fixture
def finished(first_run, tmp_path) -> Path:
    """A copy of its artifacts, as a run over `tiny` leaves them, that a test may change."""
    folder, _ = first_run
    return shutil.copytree(folder / "artifacts", tmp_path / "artifacts")


def file_of(steps: list[Step], artifacts: Path, stage: str, db_id: str) -> Path:
    """Where a folder of artifacts has what a step of the run that filled it wrote."""
    step = next(s for s in steps if (s.stage, s.db_id) == (stage, db_id))
    return artifacts / Path(step.path).relative_to(Path(step.path).parents[1])


def test_a_first_run_executes_everything_and_a_second_nothing(first_run):
    folder, first = first_run
    assert not [s.error for s in first if s.error]
    assert executed(first) == ALL
    assert executed(run(folder / "tiny", folder / "artifacts")) == Counter()


def test_a_changed_option_reruns_only_its_readers(tiny, finished):
    changed = run(tiny, finished, examples=5)
    # There are no examples here: groundings come out the same, so that nothing after them runs.
    assert executed(changed) == Counter({"ground_questions": BATCHES})
    limited = run(tiny, finished, timeout=20.0, examples=5)
    assert executed(limited)["repair_candidates"] == executed(limited)["score_answers"] == BATCHES
    assert not {"ground_questions", "link_schema", "generate_candidates"} & set(executed(limited))


def test_a_changed_gold_reruns_only_scoring_of_its_batch(tiny, finished):
    questions = json.loads((tiny / "dev.json").read_text())
    questions[0]["SQL"] = "SELECT 3"
    (tiny / "dev.json").write_text(json.dumps(questions))
    assert executed(run(tiny, finished)) == Counter(dict.fromkeys(SCORING, 1))


def test_a_moved_dataset_is_the_same_dataset(tiny, tmp_path, finished):
    assert executed(run(tiny.rename(tmp_path / "elsewhere"), finished)) == Counter()


def test_moved_artifacts_are_found_where_they_are(tiny, finished):
    for _ in range(2):
        steps = run(tiny, finished)
        assert executed(steps) == Counter()
        assert {Path(s.path).parents[1] for s in steps} == {finished}


def test_a_deleted_artifact_is_rebuilt_and_nothing_else(tiny, first_run, finished):
    lost = file_of(first_run[1], finished, "index_cells", "zoo")
    lost.unlink()
    assert executed(run(tiny, finished)) == Counter({"index_cells": 1})
    assert lost.is_file()


def test_an_altered_artifact_is_rebuilt(tiny, first_run, finished):
    broken = file_of(first_run[1], finished, "profile_database", "shop")
    assert broken.is_file()
    broken.write_bytes(b"PAR1 nonsense")
    assert executed(run(tiny, finished)) == Counter({"profile_database": 1})


def test_a_failed_task_leaves_the_others_and_is_all_that_runs_again(tiny, tmp_path):
    artifacts = tmp_path / "artifacts"
    blocker = block_cells_of(tiny, "zoo", ArtifactStore(str(artifacts)))
    failed = run(tiny, artifacts)
    (error,) = [s.error for s in failed if s.error and s.stage == "index_cells"]
    assert "cannot write" in error
    assert sum(s.stage == "score_answers" and not s.error for s in failed) == 1  # shop's batch went through
    shutil.rmtree(blocker)
    mended = executed(run(tiny, artifacts))
    assert mended == Counter({"index_cells": 1, "band_cells": 1, **dict.fromkeys(ANSWERING + SCORING, 2)})


def block_cells_of(dataset: Path, db_id: str, store: ArtifactStore) -> Path:
    """Put a folder where the cells of a database are to be written, so that this one task fails."""
    from tasks.index_cells import index_cells
    from tasks.profile_database import profile_database

    (database,) = [d for d in load_benchmark(dataset).databases if d.db_id == db_id]
    scratch = ArtifactStore(str(dataset / "scratch"))
    profiles: Artifact = profile_database.run(scratch, database=database)
    blocker = store.file("cells", index_cells.key({"database": database, "profiles": profiles}))
    (blocker / "in the way").mkdir(parents=True)
    return blocker


PROGRAM = """
import sys
from flows.run_pipeline import run_pipeline
from flows.options import Options
from flows.manifests import manifest_of, read_manifest
dataset, artifacts = sys.argv[1:]
state = run_pipeline(dataset, artifacts=artifacts, output=artifacts + "/report",
                     options=Options(batch_size=2), return_state=True)
for step in read_manifest(manifest_of(state)):
    print(step.stage, step.reused, step.error, sep="\\t")
"""


def start(code: Path, dataset: Path, artifacts: Path, server: str) -> subprocess.Popen:
    environment = {**os.environ, "PREFECT_API_URL": server, "PYTHONPATH": str(code)}
    command = [sys.executable, "-c", PROGRAM, str(dataset), str(artifacts)]
    return subprocess.Popen(
        command, cwd=code, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )


def executed_by(process: subprocess.Popen) -> Counter:
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    lines = [line.split("\t") for line in output.splitlines() if line.count("\t") == 2]
    return Counter(stage for stage, reused, _ in lines if reused == "False")


@pytest.fixture
def code(tmp_path) -> Path:
    """A copy of the source that a test may edit."""
    for name in ("nl2sql", "tasks", "flows", "deployments"):
        shutil.copytree(ROOT / name, tmp_path / "code" / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "code"


def test_an_edited_pure_function_reruns_only_what_depends_on_it(code, tiny, finished, server):
    recall = code / "nl2sql" / "scoring" / "recall.py"
    recall.write_text(recall.read_text() + "\n\ndef never_called() -> None:\n    return None\n")
    assert executed_by(start(code, tiny, finished, server)) == Counter({"measure_recall": BATCHES})
    cells = code / "nl2sql" / "indexes" / "cells.py"
    cells.write_text(cells.read_text() + "\n\ndef never_called() -> None:\n    return None\n")
    after_cells = executed_by(start(code, tiny, finished, server))
    # The rebuilt index has the same bytes, but its code also answers look-ups, so that its readers run again.
    assert after_cells["index_cells"] == 2
    assert not {"profile_database", "summarise_fields", "index_columns", "index_examples"} & set(after_cells)


def test_a_killed_run_continues_from_what_was_finished(tiny, tmp_path, server):
    artifacts = tmp_path / "artifacts"
    process = start(ROOT, tiny, artifacts, server)
    deadline = time.monotonic() + 240
    while len(list(artifacts.glob("*/*.json"))) < 14:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    finished = {card: card.read_text() for card in artifacts.glob("*/*.json")}
    again = run(tiny, artifacts)
    assert not [s.error for s in again if s.error]
    assert {s.stage for s in again} == set(ALL)
    # A card holds the time at which its artifact was written: none was written twice.
    assert {card: card.read_text() for card in finished} == finished
