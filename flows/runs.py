"""Evaluated runs, read back from the folders that `evaluate` writes."""

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, TypeVar

from flows.manifests import artifact
from nl2sql.errors import UserError
from nl2sql.rows import Grounding, Linking, Question, Repair, Step, Verdict
from nl2sql.scoring.compare_answers import Scored
from nl2sql.scoring.fit_policy import Judged
from tasks.artifact_store import read_rows, read_text

Row = TypeVar("Row")


@dataclass(frozen=True)
class RunFolder:
    """A run: its questions with gold SQL and difficulty, and the manifest that names its artifacts."""

    name: str
    questions: tuple[Question, ...]
    steps: tuple[Step, ...]

    def rows(self, kind: str, row: type[Row]) -> list[Row]:
        """All rows of one kind of artifact; raises UserError when one is gone or altered."""
        return [r for step in self.steps if step.kind == kind for r in read_rows(artifact(step), row)]


def read_run(folder: str) -> RunFolder:
    """Read the manifest.json of a run; raises UserError for a folder without one."""
    path = f"{folder}/manifest.json"
    try:
        held: dict[str, Any] = json.loads(read_text(path))
        questions = tuple(Question(**q) for q in held["questions"])
        return RunFolder(str(held["run_id"]), questions, tuple(Step(**s) for s in held["steps"]))
    except FileNotFoundError as error:
        raise UserError(
            f"{folder} is no run: it has no manifest.json. Make one with nl2sql evaluate DATASET"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is not a run's manifest ({error}): run nl2sql evaluate again") from error


def answers_of(run: RunFolder) -> list[Scored]:
    """One answer per question that has gold SQL, in the run's order; without a verdict it is wrong."""
    verdicts = {v.question_id: v for v in run.rows("verdicts", Verdict) if v.system == "selected"}
    answers = []
    for question in run.questions:
        found = verdicts.get(question.question_id)
        if question.gold_sql.strip():
            told = (found.sql, found.correct, found.reason) if found else ("", False, "not answered")
            answers.append(Scored(question, *told))
    return answers


def judged_of(run: RunFolder) -> list[Judged]:
    """The questions of a run that have gold SQL, with their candidates and which of these are right."""
    candidates: dict[str, list[Repair]] = defaultdict(list)
    for repair in run.rows("repairs", Repair):
        candidates[repair.question_id].append(repair)
    right: dict[str, set[str]] = defaultdict(set)
    for verdict in run.rows("verdicts", Verdict):
        if verdict.system == "candidate" and verdict.correct:
            right[verdict.question_id].add(verdict.candidate_id)
    groundings = {g.question_id: g for g in run.rows("groundings", Grounding)}
    linkings = {k.question_id: k for k in run.rows("linkings", Linking)}
    return [
        Judged(q, tuple(candidates[key]), frozenset(right[key]), groundings.get(key), linkings.get(key))
        for q in run.questions
        if q.gold_sql.strip() and (key := q.question_id)
    ]
