"""Progress reaches the watcher and the server, under names that can be found there."""

import pytest

from flows.run_names import artifact_key, dataset_name, name_of


def test_runs_are_named_after_the_folder_and_what_narrows_them():
    from flows.options import Options

    asked = {"dataset": "/somewhere/deep/bird/", "options": Options(preset="offline")}
    assert name_of("pipeline", asked) == "pipeline bird offline"
    assert name_of("answer", {**asked, "limit": 1000, "split": "train"}) == "answer bird, train, first 1,000"
    assert name_of("index", {**asked, "databases": ("a", "b")}) == "index bird, a, b"
    assert name_of("index", {**asked, "databases": ("a", "b", "c")}) == "index bird, 3 databases"


def test_a_dataset_given_as_a_dot_has_the_name_of_its_folder(tmp_path, monkeypatch):
    (tmp_path / "spider").mkdir()
    monkeypatch.chdir(tmp_path / "spider")
    assert dataset_name({"dataset": "."}) == "spider"


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("headline", "BIRD_dev", "offline"), "headline-bird-dev-offline"),
        (("report", "my data (v1.2)", "a--b"), "report-my-data-v1-2-a-b"),
        (("report", "été"), "report-t"),
        (("数据",), "run"),
    ],
)
def test_keys_are_what_prefect_takes(words, key):
    assert artifact_key(*words) == key


@pytest.mark.usefixtures("server")
@pytest.mark.xdist_group("prefect")
def test_a_stage_is_told_to_the_watcher_and_its_artifact_ends_at_the_total():
    from prefect import flow
    from prefect.artifacts import Artifact

    from flows.progress import Progress, watched_by

    @flow
    def stage(dataset: str) -> None:
        progress = Progress("answer questions", 3)
        for _ in range(3):
            progress.advance(progress.total)
        assert Progress("nothing to do", 0).artifact is None

    told = []
    with watched_by(lambda *what: told.append(what)):
        stage("/data/Tiny Zoo")
    assert told == [("answer questions", done, 3) for done in range(4)] + [("nothing to do", 0, 0)]
    shown = Artifact.get("progress-tiny-zoo")
    assert shown is not None
    assert shown.data == 100
    assert shown.description == "answer questions of Tiny Zoo: 3 of 3 tasks"


def test_failures_come_with_their_errors_and_what_was_skipped_for_them_by_name():
    from flows.headline import failed_list
    from nl2sql.rows import Step

    def step(stage: str, error: str) -> Step:
        return Step(stage, "zoo", 1, "", "", "", 0, 0, 0.0, False, error)

    text = failed_list(
        [
            step("select_answers", "skipped: a task before it failed"),
            step("link_schema", "no `column` ```of``` that name " + "x" * 100),
            step("ground_questions", ""),
        ]
    )
    assert text.index("**link schema: zoo #2**") < text.index("- select answers: zoo #2")
    assert text.count("```") == 2, "an error cannot end its own block"
    assert "ground questions" not in text
