"""One question to one SQLite file: the steps of the pipeline in a row, in this process.

The same tasks as in the flows, run without a Prefect server, so that an answer does not wait for one to start. What
they write is found by the flows, and the other way round.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flows.options import Options
from flows.policies import selection_policy
from nl2sql.benchmarks import load_benchmark, well_formed
from nl2sql.errors import UserError
from nl2sql.execution import ExecutionResult, Limits, execute_many
from nl2sql.rows import Candidate, Database, Grounding, Linking, Question, Repair, Selection
from tasks.artifact_store import ArtifactStore, read_rows
from tasks.database_context import OfflineArtifacts
from tasks.generate_candidates import generate_candidates
from tasks.ground_questions import ground_questions
from tasks.index_cells import index_cells
from tasks.index_columns import index_columns
from tasks.index_examples import index_examples
from tasks.link_schema import link_schema
from tasks.profile_database import profile_database
from tasks.repair_candidates import repair_candidates
from tasks.select_answers import select_answers
from tasks.store_questions import store_questions
from tasks.summarise_fields import summarise_fields

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Answer:
    """The answer to a question with everything that led to it."""

    question: Question
    grounding: Grounding
    linking: Linking
    candidates: tuple[Candidate, ...]
    repairs: tuple[Repair, ...]
    selection: Selection
    result: ExecutionResult


def ask_question(database: str, question: str, evidence: str, options: Options, artifacts: str, tell: Tell) -> Answer:
    """Answer one question; profiles and indexes the database when that was not done before.

    Raises UserError for a file that is no database or one without tables, and for an empty question.
    """
    if not question.strip():
        raise UserError('the question is empty: ask something, e.g. nl2sql ask FILE "how many rows are there?"')
    store = ArtifactStore(artifacts)
    store.prepare()
    (found,) = load_benchmark(database).databases
    offline = index(found, store, tell)
    if not offline.profiles.rows:
        raise UserError(f"{database}: has no tables to ask about")
    asked = Question("1", found.db_id, well_formed(question), well_formed(evidence), "", "", "")
    return answer(asked, offline, store, options, tell)


def index(database: Database, store: ArtifactStore, tell: Tell) -> OfflineArtifacts:
    """Profile and index one database, or find that done."""
    tell("profiling")
    profiles = profile_database.run(store, database=database)
    summaries = summarise_fields.run(store, profiles=profiles)
    tell("indexing")
    cells = index_cells.run(store, database=database, profiles=profiles)
    columns = index_columns.run(store, summaries=summaries)
    examples = index_examples.run(store, questions=store_questions.run(store, questions=()))
    return OfflineArtifacts(database, profiles, summaries, cells, columns, examples)


def answer(question: Question, offline: OfflineArtifacts, store: ArtifactStore, options: Options, tell: Tell) -> Answer:
    """Ops 5 to 9 for one question, then the chosen SQL once more for its rows."""
    asked, empty_is_wrong = (question,), bool(options.empty_is_wrong)
    tell("grounding")
    groundings = ground_questions.run(store, questions=asked, offline=offline, examples=options.examples)
    tell("linking")
    linkings = link_schema.run(store, questions=asked, groundings=groundings, offline=offline)
    found = {"questions": asked, "groundings": groundings, "linkings": linkings, "offline": offline}
    tell("generating")
    candidates = generate_candidates.run(store, **found, lineup=options.lineup, predictions=())
    tell("executing")
    repairs = repair_candidates.run(
        store, **found, candidates=candidates, timeout=options.timeout, empty_is_wrong=empty_is_wrong
    )
    tell("selecting")
    selections = select_answers.run(
        store,
        questions=asked,
        repairs=repairs,
        offline=offline,
        margin=options.margin,
        empty_is_wrong=empty_is_wrong,
        **selection_policy(options.policy, offline.database.db_id, groundings=groundings, linkings=linkings),
    )
    (selection,) = read_rows(selections, Selection)
    (result,) = execute_many(
        [(offline.database.path, selection.sql)], Limits(seconds=options.timeout, keep_rows=1000), workers=1
    )
    return Answer(
        question,
        read_rows(groundings, Grounding)[0],
        read_rows(linkings, Linking)[0],
        tuple(read_rows(candidates, Candidate)),
        tuple(read_rows(repairs, Repair)),
        selection,
        result,
    )
