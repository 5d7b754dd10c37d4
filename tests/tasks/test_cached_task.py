"""Tasks that ask models: what they leave, what belongs to their key, and what is not kept for good."""

from dataclasses import dataclass
from typing import ClassVar

import pytest

from nl2sql.models.chat import Prompt, Reply, Request
from nl2sql.models.session import Ledger
from nl2sql.rows import Question
from tasks.artifact_store import ArtifactStore, read_rows
from tasks.cached_task import Made, artifact_task, calls_of

MADE: list[str] = []


@dataclass(frozen=True)
class Limits:
    """Decides how something is reached and nothing that comes of it."""

    keyed: ClassVar[bool] = False
    concurrency: int


@pytest.fixture(autouse=True)
def _nothing_made():
    MADE.clear()


def calls(failure: str) -> Ledger:
    ledger = Ledger()
    request = Request("openai/small", Prompt("ground/keywords", "s", "c", "t"), role="ground", question_id="1")
    ledger.record(request, Reply("", "openai/small", dollars=0.25, failure=failure), failure or "ok")
    return ledger


@artifact_task("questions", calls=[])
def name_questions(text: str, failure: str, limits: Limits | None = None) -> Made:
    MADE.append(text)
    ledger = calls(failure)
    return Made([Question("1", "db", text, "", "", "", "")], tuple(ledger.calls), ledger.complete)


def test_calls_become_an_artifact_beside_the_rows(tmp_path):
    store = ArtifactStore(str(tmp_path))
    made = name_questions.run(store, text="how many?", failure="")
    found = calls_of(store, made)
    assert found is not None
    assert found.kind == "model_calls"
    assert found.rows == 1
    assert name_questions.run(store, text="how many?", failure="") == made
    assert MADE == ["how many?"]


def test_what_is_incomplete_serves_this_run_and_is_made_anew_by_the_next(tmp_path):
    store = ArtifactStore(str(tmp_path))
    first = name_questions.run(store, text="how many?", failure="unavailable")
    assert [q.question for q in read_rows(first, Question)] == ["how many?"]
    second = name_questions.run(store, text="how many?", failure="unavailable")
    assert MADE == ["how many?"] * 2
    assert first.path != second.path
    assert calls_of(store, first) is not None


def test_a_refusal_is_an_answer_and_kept(tmp_path):
    store = ArtifactStore(str(tmp_path))
    for _ in range(2):
        name_questions.run(store, text="how many?", failure="refused")
    assert MADE == ["how many?"]


def test_how_models_are_reached_belongs_to_no_key(tmp_path):
    store = ArtifactStore(str(tmp_path))
    name_questions.run(store, text="how many?", failure="", limits=Limits(1))
    name_questions.run(store, text="how many?", failure="", limits=Limits(64))
    name_questions.run(store, text="how many?", failure="")
    assert MADE == ["how many?"]


def test_a_task_without_models_has_no_calls(tmp_path):
    store = ArtifactStore(str(tmp_path))
    plain = artifact_task("questions", calls=[])(lambda: [Question("1", "db", "?", "", "", "", "")])
    assert calls_of(store, plain.run(store)) is None
