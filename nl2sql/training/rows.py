"""The rows that training writes, one frozen dataclass per artifact; `nl2sql/rows.py` holds those of all other steps."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Leak:
    """A training question that may not be learnt from, and the dev question that it gives away. Artifact kind: leaks.

    Kinds: database (it asks a database of dev), question (the same words), query (the same SQL), paraphrase (close),
    template (the same skeletons of question and SQL, and close enough).
    """

    question_id: str
    db_id: str
    question: str
    kind: str
    dev_question_id: str  # '' for kind database
    dev_db_id: str
    dev_question: str
    similarity: float  # cosine of the two questions


@dataclass(frozen=True, slots=True)
class Solution:
    """A candidate for a training question that gives the gold result (op 2). Artifact kind: solutions."""

    question_id: str
    db_id: str
    difficulty: str
    solution_id: str  # unique within the question: 's1' is the shortest
    sql: str
    generator: str
    model: str  # '' for generators without one
    candidate_id: str
    round: int  # of sampling, from 1
    samples: int  # candidates that the question had in that round
    right: int  # of these, how many gave the gold result


@dataclass(frozen=True, slots=True)
class Chat:
    """One sample of a generator's training data (op 3). Artifact kind: chats.

    Tasks: sql (question to SQL), question (SQL to question), evidence (SQL and question to evidence), correction
    (failed SQL and its error to SQL). A sample that may not be used says why in `dropped` and holds no answer.
    """

    chat_id: str  # unique: 'a/sql/QUESTION_ID/1'
    variant: str  # a: SQL as the benchmark writes it, b: with CTEs and window functions, r: sampled solutions
    task: str
    split: str  # train, valid or test; the three share no database where there is more than one
    db_id: str
    question_id: str
    difficulty: str
    source: str  # gold, solution:CANDIDATE, rewrite:RULES, mutation:EDIT, candidate:CANDIDATE
    schema_source: str  # database, rebuilt (from the training queries of a database that is not here) or none
    verified: bool  # the SQL was executed and gives the gold result
    prompt: str  # its file under nl2sql/prompts
    system: str
    user: str
    assistant: str
    prompt_tokens: int
    tokens: int  # of the whole chat
    dropped: str  # '' for samples to train on


@dataclass(frozen=True, slots=True)
class PairSample:
    """Two statements with different results, one of them right, in one order (op 4). Artifact kind: pairs."""

    pair_id: str  # unique: 'QUESTION_ID/1/right-first'
    split: str
    db_id: str
    question_id: str
    difficulty: str
    right_source: str  # as in Chat
    wrong_source: str
    right_sql: str  # as shown, in normal style
    wrong_sql: str
    prompt: str
    system: str
    user: str
    assistant: str  # A when the right one stands first, else B
    prompt_tokens: int
    tokens: int
    dropped: str


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter that was trained to its end (op 2); its weights and card lie in a folder. Artifact kind: adapters."""

    role: str  # generator_a, generator_b, selector or reasoner
    name: str  # of its folder, unique by content
    path: str
    weights_digest: str
    base: str  # as it was named
    base_digest: str
    recipe: str  # JSON of the options
    chats: int  # in the training split
    tokens: int
    steps: int
    first_valid_loss: float  # before training
    best_valid_loss: float
    planned_bytes: int  # peak that the memory plan predicted
    peak_bytes: int  # measured
    seconds: float
