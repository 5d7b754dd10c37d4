"""Chats that teach one model four things about a database's questions, each with where it came from (op 3)."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from nl2sql.execution import ExecutionResult, Limits, execute_many
from nl2sql.models.chat import Prompt
from nl2sql.models.chat_messages import prompt_messages
from nl2sql.rows import ColumnName, Grounding, Question
from nl2sql.sql_edits import Edit, Facts, facts_of
from nl2sql.sql_usage import UnreadableSQL, read_usage
from nl2sql.training.augment_schema import Described, augment_schema, fit_schema, seeded
from nl2sql.training.check_golds import CheckedGold, check_golds, needed_columns
from nl2sql.training.complex_sql import prove_equal, rewrite_complex, thinned_copies
from nl2sql.training.count_tokens import BoundCounter, TokenCounter
from nl2sql.training.failed_sql import edit_to_fail
from nl2sql.training.rows import Chat, Solution
from nl2sql.training.training_prompts import Asking, correction_prompt, evidence_prompt, question_prompt, sql_prompt

DATABASE, REBUILT, NONE = "database", "rebuilt", "none"  # where a prompt's schema is from
FAILURES_TRIED = 8  # edits of one statement that are executed to find some that fail
REWRITINGS = 2  # of one statement
BLANK = ("empty", "all_null")


@dataclass(frozen=True)
class ChatOptions:
    """The knobs of the data. `limit` is in tokens, of a whole chat: what is as long or longer is dropped."""

    limit: int = 1536
    corrections: int = 2  # failed statements a question, those of generators first
    seed: int = 0


@dataclass(frozen=True)
class Material:
    """What chats about one database are made from. `database_path` is '' where the database is not at hand."""

    described: Described
    database_path: str = ""
    schema_source: str = DATABASE
    linked: Mapping[str, Sequence[ColumnName]] = field(default_factory=dict)  # by question, best first
    failed: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)  # by question: candidate id, SQL
    solutions: Sequence[Solution] = ()
    groundings: Mapping[str, Grounding] = field(default_factory=dict)  # by question


@dataclass(frozen=True)
class Sample:
    """One sample before it is a chat."""

    variant: str
    task: str
    gold: CheckedGold
    source: str
    answer: str
    prompt: Callable[[Asking, str], Prompt]  # from the question and the text of the schema
    shows_schema: bool = True
    fault: str = ""


def build_chats(
    questions: Sequence[Question],
    material: Material,
    splits: Mapping[str, str],
    refused: Mapping[str, str],
    options: ChatOptions = ChatOptions(),
    count: TokenCounter | None = None,
    limits: Limits | None = None,
    empty_is_wrong: bool = True,
) -> list[Chat]:
    """All chats about the questions of one database, in their order; equal inputs and seed give equal chats.

    `splits` says of each question what it is for, `refused` of some questions why they may not be used. A question
    that cannot be used leaves one row that says why in `dropped`; so does each sample that is too long. Without a
    database golds stay unverified and nothing that needs execution is made.
    """
    count, limits = count or BoundCounter(), limits or Limits()
    described = material.described
    allowed = [q for q in questions if q.question_id not in refused]
    golds = check_golds(allowed, described.schema, material.database_path, limits, empty_is_wrong)
    sound = [g for g in golds if not g.fault]
    facts = facts_of(described.schema, described.profiles)
    samples = [*_standard(sound, material), *_complex(sound, facts, material, limits)]
    samples += [*_solved(sound, material), *_corrections(sound, facts, material, options, limits)]
    dropped = {g.question.question_id: g.fault for g in golds if g.fault} | dict(refused)
    by_question: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_question[sample.gold.question.question_id].append(sample)
    chats: list[Chat] = []
    for question in questions:
        key = question.question_id
        split = splits[key]
        chats += [_refused(question, split, dropped[key])] if key in dropped else []
        chats += [
            _chat(sample, number, split, material, options, count)
            for number, sample in _numbered(by_question.get(key, ()))
        ]
    return chats


# --- samples --------------------------------------------------------------------------------------------------------


def _standard(golds: Sequence[CheckedGold], material: Material) -> list[Sample]:
    asked = golds if material.schema_source != NONE else []
    forward = {g.question.question_id: _to_sql("a", g, g.sql, "gold", _unshown(g, material)) for g in asked}
    samples = []
    for gold in golds:
        samples += [forward[gold.question.question_id]] if gold.question.question_id in forward else []
        samples += _reversed("a", gold, gold.sql, "gold")
    return samples


def _unshown(gold: CheckedGold, material: Material) -> str:
    """Why a rebuilt schema cannot be shown for a statement, '' when it can: it must have all that this names."""
    if material.schema_source == DATABASE:
        return ""
    try:
        read_usage(gold.sql, material.described.schema)
    except UnreadableSQL:
        return "schema: the one rebuilt from queries lacks what this one names"
    return ""


def _to_sql(variant: str, gold: CheckedGold, sql: str, source: str, fault: str = "") -> Sample:
    return Sample(variant, "sql", gold, source, sql, sql_prompt, fault=fault)


def _reversed(variant: str, gold: CheckedGold, sql: str, source: str) -> list[Sample]:
    """From the SQL back to the question, and to the evidence where there is any: neither needs a schema."""
    q = gold.question
    asks = Sample(variant, "question", gold, source, q.question.strip(), lambda *_: question_prompt(sql), False)
    if not q.evidence.strip():
        return [asks] if q.question.strip() else []
    explains = Sample(
        variant, "evidence", gold, source, q.evidence.strip(), lambda *_: evidence_prompt(q.question, sql), False
    )
    return [asks, explains]


def _complex(golds: Sequence[CheckedGold], facts: Facts, material: Material, limits: Limits) -> list[Sample]:
    """Rewritings that execution proves equal, the first of them also back to its question."""
    if not material.database_path:
        return []
    made = [(g, e) for g in golds for e in rewrite_complex(g.sql, facts)]
    with TemporaryDirectory() as folder:
        paths = [material.database_path, *thinned_copies(material.database_path, Path(folder))]
        proved = prove_equal([g.sql for g, _ in made], [e.sql for _, e in made], paths, limits)
    kept: dict[str, list[tuple[CheckedGold, Edit]]] = defaultdict(list)
    for (gold, edit), equal in zip(made, proved, strict=True):
        if equal and len(kept[gold.question.question_id]) < REWRITINGS:
            kept[gold.question.question_id].append((gold, edit))
    samples = []
    for pairs in kept.values():
        samples += [_to_sql("b", gold, edit.sql, f"rewrite:{edit.name}") for gold, edit in pairs]
        gold, edit = pairs[0]
        samples += _reversed("b", gold, edit.sql, f"rewrite:{edit.name}")[:1]
    return samples


def _solved(golds: Sequence[CheckedGold], material: Material) -> list[Sample]:
    by_id = {g.question.question_id: g for g in golds}
    found = [s for s in material.solutions if s.question_id in by_id]
    return [_to_sql("r", by_id[s.question_id], s.sql, f"solution:{s.candidate_id}") for s in found]


def _corrections(
    golds: Sequence[CheckedGold], facts: Facts, material: Material, options: ChatOptions, limits: Limits
) -> list[Sample]:
    """Statements that fail here and now, those that generators wrote first, then edits of the gold, kinds mixed."""
    if not material.database_path:
        return []
    tried = [(g, *t) for g in golds for t in (*_written(g, material), *_edited(g, facts, options.seed))]
    results = execute_many([(material.database_path, sql) for _, _, sql in tried], limits)
    kept: dict[str, list[Sample]] = defaultdict(list)
    for (gold, source, sql), result in zip(tried, results, strict=True):
        mine = kept[gold.question.question_id]
        if _failed(gold, result) and len(mine) < options.corrections:
            mine.append(_correction(gold, source, sql, result))
    return [s for samples in kept.values() for s in samples]


def _written(gold: CheckedGold, material: Material) -> list[tuple[str, str]]:
    wrote = material.failed.get(gold.question.question_id, ())
    return [(f"candidate:{candidate_id}", sql) for candidate_id, sql in wrote if sql.strip()]


def _edited(gold: CheckedGold, facts: Facts, seed: int) -> list[tuple[str, str]]:
    """Some edits that should fail, each kind as likely as any other that fits the statement."""
    by_kind: dict[str, list[Edit]] = defaultdict(list)
    for edit in edit_to_fail(gold.sql, facts):
        by_kind[edit.name].append(edit)
    rng = seeded(seed, "failed", gold.question.db_id, gold.question.question_id)
    kinds = sorted(by_kind)
    rng.shuffle(kinds)
    return [(f"mutation:{k}", rng.choice(by_kind[k]).sql) for k in kinds[:FAILURES_TRIED]]


def _failed(gold: CheckedGold, result: ExecutionResult) -> bool:
    """Whether a statement fails; nothing is no failure where it is right."""
    if result.outcome in BLANK:
        return gold.result is not None and gold.result.outcome == "ok"
    return result.outcome == "error"


def _correction(gold: CheckedGold, source: str, sql: str, result: ExecutionResult) -> Sample:
    def prompt(asking: Asking, schema: str) -> Prompt:
        return correction_prompt(asking, schema, sql, result)

    return Sample("a", "correction", gold, source, gold.sql, prompt)


# --- chats ----------------------------------------------------------------------------------------------------------


def _numbered(samples: Collection[Sample]) -> list[tuple[int, Sample]]:
    """Each sample with its number among those of its variant and task, from 1."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    numbered = []
    for sample in samples:
        counts[sample.variant, sample.task] += 1
        numbered.append((counts[sample.variant, sample.task], sample))
    return numbered


def _chat(
    sample: Sample, number: int, split: str, material: Material, options: ChatOptions, count: TokenCounter
) -> Chat:
    question = sample.gold.question
    chat_id = f"{sample.variant}/{sample.task}/{question.db_id}/{question.question_id}/{number}"
    prompt = _prompt(sample, chat_id, material, options, count)
    messages = prompt_messages(prompt)
    prompt_tokens = count(messages, answering=True)
    tokens = count([*messages, {"role": "assistant", "content": sample.answer}])
    dropped = sample.fault or too_long(prompt_tokens, tokens, options.limit)
    return Chat(
        chat_id=chat_id,
        variant=sample.variant,
        task=sample.task,
        split=split,
        db_id=question.db_id,
        question_id=question.question_id,
        difficulty=question.difficulty,
        source=sample.source,
        schema_source=material.schema_source if sample.shows_schema else NONE,
        verified=sample.gold.verified,
        prompt=prompt.name,
        system="\n\n".join(m["content"] for m in messages if m["role"] == "system"),
        user=next(m["content"] for m in messages if m["role"] == "user"),
        assistant="" if dropped else sample.answer,
        prompt_tokens=prompt_tokens,
        tokens=tokens,
        dropped=dropped,
    )


def too_long(prompt_tokens: int, tokens: int, limit: int) -> str:
    """Why a chat is too long: a prompt at the limit leaves nothing to learn, and a cut answer teaches to stop short."""
    if prompt_tokens >= limit:
        return f"too long: the prompt has {prompt_tokens} tokens, the limit is {limit}"
    return f"too long: the chat has {tokens} tokens, the limit is {limit}" if tokens >= limit else ""


def _prompt(sample: Sample, chat_id: str, material: Material, options: ChatOptions, count: TokenCounter) -> Prompt:
    """The sample's prompt with a form of the schema of its own, as large as the limit allows."""
    described, question = material.described, sample.gold.question
    asking = Asking(question, material.groundings.get(question.question_id))
    if not sample.shows_schema:
        return sample.prompt(asking, "")
    needed = needed_columns(sample.gold.sql, described.schema)
    linked = [c for c in material.linked.get(question.question_id, ()) if described.schema.column(c.table, c.column)]
    augmented = augment_schema(described, needed, linked, seeded(options.seed, chat_id))
    asking = replace(asking, columns={*augmented.needed, *augmented.order})
    answer = {"role": "assistant", "content": sample.answer}

    def tokens(schema: str) -> int:
        return count([*prompt_messages(sample.prompt(asking, schema)), answer])

    return sample.prompt(asking, fit_schema(augmented, tokens, options.limit))


def _refused(question: Question, split: str, reason: str) -> Chat:
    key = f"a/sql/{question.db_id}/{question.question_id}/0"
    place = (split, question.db_id, question.question_id, question.difficulty)
    return Chat(key, "a", "sql", *place, "gold", NONE, False, "", "", "", "", 0, 0, reason)
