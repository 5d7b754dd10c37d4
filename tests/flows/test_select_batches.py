"""Selection comes after all candidates of a database, and a lineup of several is weighed by all of them."""

import json
from collections import Counter
from pathlib import Path

import pytest

from flows.manifests import artifact, manifest_of, read_manifest
from flows.options import Options
from flows.progress import watched_by
from nl2sql.rows import Step
from nl2sql.scoring.rows import Accuracy
from tasks.artifact_store import read_rows

pytestmark = [pytest.mark.usefixtures("server"), pytest.mark.xdist_group("prefect")]


def run(dataset: Path, folder: Path, **options) -> list[Step]:
    """Replay two systems over the tiny benchmark in batches of two questions; the lines of the manifest."""
    from flows.run_pipeline import run_pipeline

    lines = [{"question_id": i, "sql": f"SELECT {i}", "model": m} for i in range(5) for m in ("one", "two")]
    (folder / "pool.jsonl").write_text("\n".join(map(json.dumps, lines)))
    state = run_pipeline(
        str(dataset),
        predictions=(str(folder / "pool.jsonl"),),
        artifacts=str(folder / "artifacts"),
        output=str(folder / "report"),
        options=Options(batch_size=2, **options),
        return_state=True,
    )
    return read_manifest(manifest_of(state))


def test_generators_are_weighed_once_per_database_and_only_for_a_choice(tiny, tmp_path):
    steps = run(tiny, tmp_path)
    made = Counter(s.stage for s in steps)
    assert (made["repair_candidates"], made["estimate_accuracies"], made["select_answers"]) == (3, 2, 3)
    estimates = {s.db_id: read_rows(artifact(s), Accuracy) for s in steps if s.stage == "estimate_accuracies"}
    assert {db: [a.generator for a in rows] for db, rows in estimates.items()} == {
        db: ["recorded:one", "recorded:two"] for db in ("zoo", "shop")
    }
    assert estimates["zoo"][0].accuracy > estimates["shop"][0].accuracy > 0.6  # three questions say more than two
    assert all(s.reused for s in run(tiny, tmp_path))
    assert "estimate_accuracies" not in {s.stage for s in run(tiny, tmp_path, without=("selection",))}


def test_selections_are_made_while_other_databases_are_answered(tiny, tmp_path):
    stages = {}
    with watched_by(lambda stage, done, total: stages.update({stage: (done, total)})):
        steps = run(tiny, tmp_path)
    assert stages["answer questions"] == (17, 17)  # four of each batch, two estimates, three selections
    assert "select answers" not in stages
    assert [(s.db_id, s.batch) for s in steps if s.stage == "select_answers"] == [("zoo", 0), ("zoo", 1), ("shop", 0)]


def test_selections_that_fail_early_are_tried_once_more_and_counted_once(tiny, tmp_path):
    obstacle = tmp_path / "artifacts" / "selections"
    obstacle.parent.mkdir()
    obstacle.write_text("a file where the folder should be")
    steps = run(tiny, tmp_path)
    chosen = [s for s in steps if s.stage == "select_answers"]
    assert [(s.db_id, s.batch) for s in chosen] == [("zoo", 0), ("zoo", 1), ("shop", 0)]
    assert all(str(obstacle) in s.error for s in chosen)
    assert Counter(s.stage for s in steps)["estimate_accuracies"] == 2
    obstacle.unlink()
    again = run(tiny, tmp_path)
    scoring = {"score_answers", "measure_recall", "execute_golds"}
    assert {s.stage for s in again if not s.reused} == {"select_answers", *scoring}
    assert not [s for s in again if s.error]
