"""What the tasks that make training data read in common. No task itself."""

from dataclasses import dataclass

from nl2sql.rows import Candidate, ColumnName, Database, Grounding, Linking, Profile, Question, Repair, Summary
from nl2sql.schema import schema_from_profiles
from nl2sql.training.augment_schema import Described, as_shown
from nl2sql.training.rebuild_schema import rebuild_schema
from nl2sql.training.rows import Leak
from tasks.artifact_store import Artifact, read_rows

# The functions whose code decides what these readers give: every task that uses them lists them among its calls.
INPUT_CALLS = (schema_from_profiles, rebuild_schema, as_shown)


@dataclass(frozen=True)
class Answered:
    """What the other flows made of one database's training questions, batch by batch."""

    database: Database
    profiles: Artifact
    summaries: Artifact
    groundings: tuple[Artifact, ...]
    linkings: tuple[Artifact, ...]
    candidates: tuple[Artifact, ...]
    repairs: tuple[Artifact, ...]


def describe(answered: Answered | None, questions: tuple[Question, ...]) -> Described:
    """The database as prompts show it; without one what the gold SQL of its questions shows of it."""
    if answered is None:
        db_id = questions[0].db_id if questions else ""
        return Described(rebuild_schema(db_id, [q.gold_sql for q in questions]))
    profiles = tuple(read_rows(answered.profiles, Profile))
    return as_shown(schema_from_profiles(profiles), profiles, read_rows(answered.summaries, Summary))


def read_refused(leaks: Artifact) -> dict[str, str]:
    """Why questions may not be learnt from, by their ids."""
    return {k.question_id: f"leak: {k.kind}: {k.dev_question_id or k.dev_db_id}" for k in read_rows(leaks, Leak)}


def read_linked(answered: Answered) -> dict[str, list[ColumnName]]:
    """The columns that linking found for each question, best first."""
    found = [k for a in answered.linkings for k in read_rows(a, Linking)]
    return {k.question_id: [ColumnName(x.table, x.column) for x in k.links] for k in found}


def read_groundings(answered: Answered) -> dict[str, Grounding]:
    """What grounding found for each question."""
    return {g.question_id: g for a in answered.groundings for g in read_rows(a, Grounding)}


def read_failed(answered: Answered) -> dict[str, list[tuple[str, str]]]:
    """The candidates of each question that gave nothing as they were written: id and SQL."""
    failed: dict[str, list[tuple[str, str]]] = {}
    for artifact in answered.repairs:
        for repair in read_rows(artifact, Repair):
            if repair.outcome_before in ("error", "empty", "all_null"):
                failed.setdefault(repair.question_id, []).append((repair.candidate_id, repair.sql_before))
    return failed


def read_candidates(answered: Answered) -> list[Candidate]:
    """Every candidate as it was written."""
    return [c for a in answered.candidates for c in read_rows(a, Candidate)]
