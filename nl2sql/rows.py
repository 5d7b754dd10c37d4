"""The nouns of the pipeline, one frozen dataclass per artifact, in the order in which a run writes them.

Read this first. A step is a function from some of these rows to others; `contracts.py` turns each class into an Arrow
schema, so that what is written here is what lies in the Parquet files.
"""

from dataclasses import dataclass
from typing import Annotated

EMBEDDING_WIDTH = 384  # all-MiniLM-L6-v2

# Fixed-size vectors become Arrow fixed-size lists of the named element type.
Vector = Annotated[tuple[float, ...], "float32", EMBEDDING_WIDTH]
UInt32 = Annotated[int, "uint32"]


@dataclass(frozen=True, slots=True)
class ColumnName:
    """A column, spelled as the database spells it."""

    table: str
    column: str


# --- what goes in ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Database:
    """One SQLite file. `error` is empty when it opens; otherwise it says why it does not."""

    db_id: str
    path: str
    sha256: str
    size: int  # bytes
    description_path: str  # folder of BIRD's database_description CSVs, or ''
    description_sha256: str
    error: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a benchmark. `evidence` and `gold_sql` are '' where there are none."""

    question_id: str
    db_id: str
    question: str
    evidence: str
    gold_sql: str
    difficulty: str  # simple, moderate, challenging; for Spider easy, medium, hard, extra; '' when unknown
    split: str  # dev or train


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a run's manifest: what a task made, or why it made nothing. Artifact kind: manifests."""

    stage: str  # name of the task
    db_id: str  # '' for what all databases share
    batch: int  # of the database's questions, from 0; -1 for offline stages
    kind: str  # of the artifact; '' after a failure
    path: str
    sha256: str
    rows: int
    schema_version: int
    seconds: float  # that it took to make, in this run or an earlier one
    reused: bool  # made by an earlier run
    error: str  # '' when the task succeeded


@dataclass(frozen=True, slots=True)
class SetAside:
    """A question that failed unexpectedly on its own again and again: later runs leave it out. Kind: set_aside."""

    question_id: str
    db_id: str
    question: str
    evidence: str
    stage: str  # the task that failed
    error: str
    tries: int  # alone


# --- offline: profile and index -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Profile:
    """What one column holds (op 0). Counts are of rows; lengths are of characters."""

    db_id: str
    table: str
    column: str
    position: int  # of the column in its table, from 0
    is_view: bool
    declared_type: str
    primary_key: int  # place in the primary key from 1; 0 when not a part of it
    references: tuple[ColumnName, ...]  # declared foreign keys
    joins: tuple[ColumnName, ...]  # proposed undeclared ones, best first
    rows: int
    nulls: int
    distinct: int
    integers: int  # values by the type they are stored as
    reals: int
    texts: int
    blobs: int
    minimum: str | None
    maximum: str | None
    shortest: int
    longest: int
    top_values: tuple[str, ...]  # at most 10, most frequent first
    top_counts: tuple[int, ...]
    shape: str  # e.g. '9999-99-99', 'Aaaa', '' when the values share none
    date_format: str  # strftime format of dates kept as text, 'epoch', or ''
    numeric_fraction: float  # of the non-null values that read as numbers
    expanded_name: str  # BIRD's column_name: the name spelled out
    description: str  # BIRD's column_description
    value_description: str  # BIRD's value_description


@dataclass(frozen=True, slots=True)
class Summary:
    """A field in English: SHORT for linking, LONG (adds value formats and codes) for generation."""

    db_id: str
    table: str
    column: str
    short: str
    long: str
    source: str  # 'profile' when rendered mechanically, else the model's name


@dataclass(frozen=True, slots=True)
class Cell:
    """A distinct text value of a column that a question could name."""

    db_id: str
    table: str
    column: str
    value: str
    count: int
    end: int  # bytes of all values up to this one, four more for each: where it ends among them


@dataclass(frozen=True, slots=True)
class CellBand:
    """One hash of a cell: values are found by those that they share. Sorted by band, key and row."""

    band: int  # 0: the text without case and accents; from 1: bands of its MinHash signature
    key: UInt32
    row: UInt32  # of the cell among the database's, from 0


@dataclass(frozen=True, slots=True)
class ColumnVector:
    """The embedding of a column's SHORT summary. Artifact kind: columns."""

    db_id: str
    table: str
    column: str
    text: str
    vector: Vector


@dataclass(frozen=True, slots=True)
class Example:
    """A training question, masked to its skeleton and embedded."""

    question_id: str
    db_id: str
    question: str
    evidence: str
    sql: str
    skeleton: str  # the question with columns, values and entities masked
    sql_skeleton: str
    vector: Vector


# --- online: ground, link, generate, fix, select --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CellMatch:
    """A cell that a literal of the question may mean. `score` is 0..1; `method` is exact, casefold, lsh, number..."""

    literal: str
    table: str
    column: str
    value: str
    score: float
    method: str


@dataclass(frozen=True, slots=True)
class ColumnHit:
    """A column whose summary is near the question."""

    table: str
    column: str
    score: float  # cosine


@dataclass(frozen=True, slots=True)
class ExampleHit:
    """A training question whose skeleton is near the question's."""

    question_id: str
    db_id: str
    question: str
    evidence: str
    sql: str
    score: float  # cosine


@dataclass(frozen=True, slots=True)
class Grounding:
    """What of the question is found in the database (op 5)."""

    question_id: str
    db_id: str
    keywords: tuple[str, ...]
    literals: tuple[str, ...]
    skeleton: str
    cells: tuple[CellMatch, ...]
    columns: tuple[ColumnHit, ...]
    examples: tuple[ExampleHit, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A column kept by schema linking. view 1 = precise (S1), 2 = added for recall (S2 = views 1 and 2)."""

    table: str
    column: str
    view: int
    score: float
    reasons: tuple[str, ...]  # name, embedding, cell, evidence, example, key, path, draft, model


@dataclass(frozen=True, slots=True)
class Linking:
    """The columns that a question needs (op 6), best first. The full schema remains available as a third view."""

    question_id: str
    db_id: str
    links: tuple[Link, ...]
    columns_total: int
    draft_sql: str  # the quick draft of the reversed pass, '' when there was none


@dataclass(frozen=True, slots=True)
class Candidate:
    """One SQL statement that one generator wrote (op 7)."""

    question_id: str
    db_id: str
    candidate_id: str  # unique within the question: 'rules/1', 'recorded:Alpha-SQL/1'
    generator: str  # 'rules', 'recorded:NAME', a lineup entry's name
    model: str  # '' for generators without one
    view: str  # full, s1 or s2
    prompt: str  # prompt variant; for rules the pattern that built it
    sample: int
    sql: str


@dataclass(frozen=True, slots=True)
class Repair:
    """A candidate after execution and fixing (op 8); every candidate has one, changed or not.

    Outcomes: ok, empty (no rows), all_null, error, timeout, too_large (over the row or byte limit).
    """

    question_id: str
    db_id: str
    candidate_id: str
    generator: str
    sql: str  # what is executed from here on
    sql_before: str
    actions: tuple[str, ...]  # the repairs that were kept, in order
    outcome: str
    outcome_before: str
    error: str  # SQLite's message, '' when it runs
    row_count: int
    column_count: int
    seconds: float
    result_digest: str  # equal digests = equal sets of rows; '' without a result
    preview: str  # JSON {"columns": [...], "rows": [[...]]}, at most 10 rows


@dataclass(frozen=True, slots=True)
class Cluster:
    """Candidates with the same result."""

    result_digest: str
    candidate_ids: tuple[str, ...]  # best generator rank first
    weight: float


@dataclass(frozen=True, slots=True)
class Selection:
    """The answer (op 9)."""

    question_id: str
    db_id: str
    candidate_id: str  # '' when no candidate ran
    sql: str
    path: str  # unanimous, single, vote, rank, policy, tournament, none; first when selection is switched off
    confidence: float  # 0..1
    clusters: tuple[Cluster, ...]  # best first
    vote_candidate_id: str  # what the plain majority vote would have chosen
    vote_sql: str
    comparisons: int  # pairs that a judge compared


# --- what was paid for -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call to a model, paid now or earlier; each task that asks models leaves an artifact of them beside its own.

    Outcomes: ok, invalid (could not be read, asked again or given up), refused, cut, unavailable, budget.
    """

    number: int  # within the task, from 0
    key: str  # digest of the request
    role: str  # summarise, ground, link, draft, generate, fix, compare
    generator: str  # lineup entry, '' for other roles
    db_id: str
    question_id: str  # '' for what all questions share
    prompt: str  # its file under nl2sql/prompts
    sample: int
    model_asked: str
    model: str  # that answered
    input_tokens: int  # cache reads and writes included
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int  # thinking included
    reasoning_tokens: int
    dollars: float  # what it cost whoever paid for it
    uncertain_dollars: float  # at most so much more, for attempts that broke off
    seconds: float
    attempts: int
    cached: bool  # paid by an earlier run or task
    again: bool  # asks once more, after an answer that could not be used
    outcome: str
    error: str


# --- what comes out -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gold:
    """What the gold SQL of a question gives."""

    question_id: str
    db_id: str
    sql: str
    outcome: str  # as in Repair
    error: str
    row_count: int
    seconds: float
    preview: str  # as in Repair


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one SQL statement gives the gold result."""

    question_id: str
    db_id: str
    # 'selected', 'vote', 'candidate', 'unrepaired' (sql_before of a candidate that repair changed), or 'prediction'
    # when a file is scored on its own
    system: str
    candidate_id: str
    generator: str
    sql: str
    correct: bool
    reason: str  # '' when correct; error, timeout, gold_error, empty, columns, rows, values, ...
    detail: str


@dataclass(frozen=True, slots=True)
class Recall:
    """What the gold SQL uses against what linking and grounding kept."""

    question_id: str
    db_id: str
    gold_columns: tuple[ColumnName, ...]
    missing_s1: tuple[ColumnName, ...]
    missing_s2: tuple[ColumnName, ...]
    kept_s1: int
    kept_s2: int
    columns_total: int
    gold_cells: tuple[CellMatch, ...]  # string literals of the gold SQL with the column they are compared with
    missing_cells: tuple[CellMatch, ...]
    error: str  # why the gold SQL could not be analysed, '' otherwise
