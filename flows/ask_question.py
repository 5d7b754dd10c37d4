"""One question to one SQLite file: the steps of the pipeline in a row, in this process.

The same tasks as in the flows, run without a Prefect server, so that an answer does not wait for one to start. What
they write is found by the flows, and the other way round.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

from flows.admission_steps import refuse_uncompared
from flows.model_choices import asking, fixing, judging, lineup_entries, linking_models
from flows.model_settings import check_models, prepare_models, run_access, with_local_models
from flows.options import Options
from flows.policies import selection_policy
from nl2sql.benchmarks import load_benchmark, well_formed
from nl2sql.errors import UserError
from nl2sql.execution import ExecutionResult, Limits, execute_many
from nl2sql.rows import Candidate, Database, Grounding, Linking, ModelCall, Question, Repair, Selection
from tasks.artifact_store import Artifact, ArtifactStore, read_rows
from tasks.band_cells import EarlierBands, band_cells
from tasks.cached_task import calls_of
from tasks.database_context import OfflineArtifacts
from tasks.embedding_store import EmbeddingStore
from tasks.generate_candidates import generate_candidates
from tasks.ground_questions import ground_questions
from tasks.index_cells import index_cells
from tasks.index_columns import index_columns
from tasks.index_examples import index_examples
from tasks.link_schema import link_schema
from tasks.model_access import Access, close_gateway, open_gateway
from tasks.profile_database import profile_database
from tasks.repair_candidates import repair_candidates
from tasks.select_answers import select_answers
from tasks.store_questions import store_questions
from tasks.summarise_fields import summarise_fields

Tell = Callable[[str], None]
TELL_SECONDS = 0.25


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
    calls: tuple[ModelCall, ...] = ()  # that the artifacts of this answer cost, paid now or earlier


def ask_question(database: str, question: str, evidence: str, options: Options, artifacts: str, tell: Tell) -> Answer:
    """Answer one question; profiles and indexes the database when that was not done before.

    `tell` hears of each step, and while models are asked of their calls. Raises UserError for a file that is no
    database or one without tables, for an empty question, and for a preset that cannot run.
    """
    if not question.strip():
        raise UserError('the question is empty: ask something, e.g. nl2sql ask FILE "how many rows are there?"')
    check_models(options, artifacts)
    refuse_uncompared(options, artifacts)
    prepare_models(options)
    options = with_local_models(options, artifacts)
    store = ArtifactStore(artifacts)
    store.prepare()
    (found,) = load_benchmark(database).databases
    access = run_access(options, artifacts, questions=1)
    with telling_of_calls(access, tell) as step:
        offline = index(found, store, options, access, step)
        if not offline.profiles.rows:
            raise UserError(f"{database}: has no tables to ask about")
        asked = Question("1", found.db_id, well_formed(question), well_formed(evidence), "", "", "")
        return answer(asked, offline, store, options, access, step)


def index(
    database: Database, store: ArtifactStore, options: Options, access: Access | None, tell: Tell
) -> OfflineArtifacts:
    """Profile and index one database, or find that done."""
    tell("profiling")
    profiles = profile_database.run(store, database=database)
    summaries = summarise_fields.run(store, profiles=profiles, **asking(options, access, choice="summarise"))
    tell("indexing")
    cells = index_cells.run(store, database=database, profiles=profiles)
    bands = band_cells.run(store, cells=cells, database_id=database.db_id, earlier=EarlierBands(store))
    kept = EmbeddingStore(store)
    columns = index_columns.run(store, summaries=summaries, kept=kept)
    examples = index_examples.run(store, questions=store_questions.run(store, questions=()), kept=kept)
    return OfflineArtifacts(database, profiles, summaries, cells, bands, columns, examples)


def answer(
    question: Question,
    offline: OfflineArtifacts,
    store: ArtifactStore,
    options: Options,
    access: Access | None,
    tell: Tell,
) -> Answer:
    """Ops 5 to 9 for one question, then the chosen SQL once more for its rows."""
    asked, empty_is_wrong = (question,), bool(options.empty_is_wrong)
    tell("grounding")
    reading = asking(options, access, choice="ground")
    groundings = ground_questions.run(store, questions=asked, offline=offline, examples=options.examples, **reading)
    tell("linking")
    choosing = linking_models(options, access)
    linkings = link_schema.run(store, questions=asked, groundings=groundings, offline=offline, **choosing)
    found = {"questions": asked, "groundings": groundings, "linkings": linkings, "offline": offline}
    tell("generating")
    writing = {"access": access} if access else {}
    candidates = generate_candidates.run(store, **found, lineup=lineup_entries(options), predictions=(), **writing)
    tell("executing")
    repairs = repair_candidates.run(
        store,
        **found,
        candidates=candidates,
        timeout=options.timeout,
        empty_is_wrong=empty_is_wrong,
        **fixing(options, access),
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
        **judging(options, access),
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
        calls=tuple(calls_behind(store, (groundings, linkings, candidates, repairs, selections))),
    )


def calls_behind(store: ArtifactStore, artifacts: Iterable[Artifact]) -> Iterator[ModelCall]:
    """The model calls that these artifacts cost, whenever they were made."""
    for made in artifacts:
        if (found := calls_of(store, made)) is not None:
            yield from read_rows(found, ModelCall)


@contextmanager
def telling_of_calls(access: Access | None, tell: Tell) -> Iterator[Tell]:
    """A `tell` that adds to the current step, four times a second, how many calls are answered and what they cost."""
    if access is None:
        yield tell
        return
    gateway, ended = open_gateway(access), Event()
    current = [""]

    def step(name: str) -> None:
        current[0] = name
        tell(name)

    def watch() -> None:
        while not ended.wait(TELL_SECONDS):
            if current[0] and gateway.progress.asked:
                tell(f"{current[0]}: {gateway.progress}")

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield step
    finally:
        ended.set()
        watcher.join()
        close_gateway(access)
