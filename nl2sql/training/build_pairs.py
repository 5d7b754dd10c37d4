"""Pairs of a right and a wrong statement, from which a selector learns to tell them apart (op 4)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nl2sql.execution import ExecutionResult, Limits, execute_many
from nl2sql.models.chat_messages import prompt_messages
from nl2sql.normalise_style import normalise_style
from nl2sql.rows import Candidate, Grounding, Question
from nl2sql.sql_edits import Facts, facts_of
from nl2sql.training.augment_schema import Described, augment_schema, fit_schema, seeded
from nl2sql.training.build_chats import too_long
from nl2sql.training.check_golds import CheckedGold, check_golds, needed_columns
from nl2sql.training.count_tokens import BoundCounter, TokenCounter
from nl2sql.training.hard_negatives import edit_results, really_wrong
from nl2sql.training.rows import PairSample
from nl2sql.training.training_prompts import Asking, compare_prompt, executed

EDITS_TRIED = 24  # of one statement that are executed
RIGHT_FIRST, WRONG_FIRST = "right-first", "wrong-first"
ANSWERS = {RIGHT_FIRST: "A", WRONG_FIRST: "B"}


@dataclass(frozen=True)
class PairOptions:
    """The knobs of the data. `limit` is in tokens, of a whole sample."""

    limit: int = 1536
    from_candidates: int = 2  # wrong clusters of candidates a question
    from_edits: int = 2  # edits of right statements a question
    seed: int = 0


@dataclass(frozen=True)
class Statement:
    """A statement in normal style, where it came from and what it gives."""

    source: str
    sql: str
    result: ExecutionResult


@dataclass(frozen=True)
class Pool:
    """What is known for one question: right statements and wrong ones, those of generators apart from edits."""

    gold: CheckedGold
    right: tuple[Statement, ...]
    wrong: tuple[Statement, ...]
    edited: tuple[Statement, ...]


@dataclass
class Balance:
    """How often each kind of edit was used, and whether right or wrong statements are the longer ones so far."""

    kinds: Counter[str] = field(default_factory=Counter)
    longer_wrong: int = 0  # pairs in which the wrong one is longer, less those in which the right one is

    def take(self, right: Statement, wrong: Statement) -> None:
        """Note a pair that was chosen."""
        self.kinds[wrong.source] += 1
        self.longer_wrong += _sign(len(wrong.sql) - len(right.sql))

    def cost(self, right: Statement, wrong: Statement) -> tuple[int, int, int, str]:
        """What speaks against a pair: it tips the balance of lengths, its kind is common, its result is blank."""
        tips = self.longer_wrong * _sign(len(wrong.sql) - len(right.sql)) > 0
        return int(tips), int(wrong.result.outcome != "ok"), self.kinds[wrong.source], wrong.sql


def build_pairs(
    questions: Sequence[Question],
    candidates: Sequence[Candidate],
    described: Described,
    database_path: str,
    splits: Mapping[str, str],
    refused: Mapping[str, str],
    options: PairOptions = PairOptions(),
    count: TokenCounter | None = None,
    limits: Limits | None = None,
    groundings: Mapping[str, Grounding] | None = None,
) -> list[PairSample]:
    """Pairs about the questions of one database, each in both orders; equal inputs and seed give equal pairs.

    Wrong statements are clusters of real candidates, the largest first, and edits of right ones that run and give
    something else; kinds of edits are used in turn, and lengths are balanced so that neither the longer nor the
    shorter statement is right more often. All are shown in one style, with their first rows. Questions that may not
    be used, whose gold fails or returns nothing, or that have no wrong statement give no pair.
    """
    count, limits = count or BoundCounter(), limits or Limits()
    allowed = [q for q in questions if q.question_id not in refused]
    golds = [g for g in check_golds(allowed, described.schema, database_path, limits, True) if not g.fault]
    pools = _pools(golds, candidates, described, database_path, limits, options)
    balance, pairs = Balance(), []
    for pool in pools:
        for number, (right, wrong) in enumerate(_chosen(pool, balance, options), 1):
            question = pool.gold.question
            asking = Asking(question, (groundings or {}).get(question.question_id))
            split = splits[question.question_id]
            pairs += _both_orders(asking, number, right, wrong, split, described, options, count)
    return pairs


# --- what there is to choose from -----------------------------------------------------------------------------------


def _pools(
    golds: Sequence[CheckedGold],
    candidates: Sequence[Candidate],
    described: Described,
    path: str,
    limits: Limits,
    options: PairOptions,
) -> list[Pool]:
    facts = facts_of(described.schema, described.profiles)
    texts = {g.question.question_id: _statements(g, candidates, facts, options.seed) for g in golds}
    jobs = [(path, sql) for found in texts.values() for _, sql in found]
    results = dict(zip(jobs, execute_many(jobs, limits), strict=True))
    pools = []
    for gold in golds:
        found = [Statement(s, sql, results[path, sql]) for s, sql in texts[gold.question.question_id]]
        if found and found[0].source == "gold" and gold.result and found[0].result.digest == gold.result.digest:
            pools.append(_pool(gold, gold.result, found))
    return pools


def _statements(gold: CheckedGold, candidates: Sequence[Candidate], facts: Facts, seed: int) -> list[tuple[str, str]]:
    """The gold, the candidates and edits of the gold in normal style, each text once, with their sources."""
    mine = [c for c in candidates if c.question_id == gold.question.question_id]
    written = [("gold", gold.sql), *((f"candidate:{c.candidate_id}", c.sql) for c in mine)]
    edits = edit_results(gold.sql, facts)
    seeded(seed, "edits", gold.question.db_id, gold.question.question_id).shuffle(edits)
    kinds: Counter[str] = Counter()
    for edit in edits:
        kinds[edit.name] += 1
        if kinds[edit.name] <= EDITS_TRIED // 6:
            written.append((f"mutation:{edit.name}", edit.sql))
    found: dict[str, str] = {}
    for source, sql in written:
        normal = normalise_style(sql, facts.schema)
        if normal:
            found.setdefault(normal, source)
    return [(source, sql) for sql, source in found.items()]


def _pool(gold: CheckedGold, result: ExecutionResult, found: Sequence[Statement]) -> Pool:
    written = [s for s in found if not s.source.startswith("mutation:")]
    right = [s for s in written if s.result.digest == result.digest]
    clusters: dict[str, list[Statement]] = defaultdict(list)
    for statement in written:
        if really_wrong(statement.result, result):
            clusters[statement.result.digest].append(statement)
    largest = sorted(clusters.values(), key=lambda c: (-len(c), c[0].source))
    wrong = [min(c, key=lambda s: (len(s.sql), s.sql)) for c in largest]
    edited = [s for s in found if s.source.startswith("mutation:") and really_wrong(s.result, result)]
    return Pool(gold, tuple(right), tuple(wrong), tuple(edited))


# --- the choice -----------------------------------------------------------------------------------------------------


def _chosen(pool: Pool, balance: Balance, options: PairOptions) -> Iterable[tuple[Statement, Statement]]:
    """Right and wrong statements to compare; right ones in turn."""
    chosen: list[tuple[Statement, Statement]] = []
    seen: set[str] = set()
    for wrong in pool.wrong[: options.from_candidates]:
        chosen.append((_next_right(pool, len(chosen)), wrong))
        seen.add(wrong.result.digest)
        balance.take(*chosen[-1])
    for _ in range(options.from_edits):
        right = _next_right(pool, len(chosen))
        left = [s for s in pool.edited if s.result.digest not in seen]
        if not left:
            break
        wrong = min(left, key=lambda s: balance.cost(right, s))
        seen.add(wrong.result.digest)
        chosen.append((right, wrong))
        balance.take(right, wrong)
    return chosen


def _next_right(pool: Pool, number: int) -> Statement:
    return pool.right[number % len(pool.right)]


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


# --- samples --------------------------------------------------------------------------------------------------------


def _both_orders(
    asking: Asking,
    number: int,
    right: Statement,
    wrong: Statement,
    split: str,
    described: Described,
    options: PairOptions,
    count: TokenCounter,
) -> list[PairSample]:
    pair_id = f"{asking.question.db_id}/{asking.question.question_id}/{number}"
    text = _schema_text(asking, pair_id, right, wrong, described, options, count)
    made = [_sample(asking, f"{pair_id}/{order}", right, wrong, split, text, options, count) for order in ANSWERS]
    reason = next((p.dropped for p in made if p.dropped), "")  # both or neither, for the balance
    return [p if p.dropped == reason else replace(p, assistant="", dropped=reason) for p in made]


def _schema_text(
    asking: Asking,
    pair_id: str,
    right: Statement,
    wrong: Statement,
    described: Described,
    options: PairOptions,
    count: TokenCounter,
) -> str:
    """One form of the schema for both orders, so that the order is all that differs."""
    needed = [c for s in (right, wrong) for c in needed_columns(s.sql, described.schema)]
    augmented = augment_schema(described, dict.fromkeys(needed), (), seeded(options.seed, pair_id))
    shown = [executed(asking.question, s.sql, s.result) for s in (right, wrong)]
    answer = {"role": "assistant", "content": ANSWERS[RIGHT_FIRST]}

    def tokens(schema: str) -> int:
        return count([*prompt_messages(compare_prompt(asking, schema, *shown)), answer])

    return fit_schema(augmented, tokens, options.limit)


def _sample(
    asking: Asking,
    pair_id: str,
    right: Statement,
    wrong: Statement,
    split: str,
    schema: str,
    options: PairOptions,
    count: TokenCounter,
) -> PairSample:
    order, question = pair_id.rpartition("/")[2], asking.question
    in_order = (right, wrong) if order == RIGHT_FIRST else (wrong, right)
    answer = {"role": "assistant", "content": ANSWERS[order]}
    prompt = compare_prompt(asking, schema, *(executed(question, s.sql, s.result) for s in in_order))
    messages = prompt_messages(prompt)
    prompt_tokens, tokens = count(messages, answering=True), count([*messages, answer])
    dropped = too_long(prompt_tokens, tokens, options.limit)
    return PairSample(
        pair_id=pair_id,
        split=split,
        db_id=question.db_id,
        question_id=question.question_id,
        difficulty=question.difficulty,
        right_source=right.source,
        wrong_source=wrong.source,
        right_sql=right.sql,
        wrong_sql=wrong.sql,
        prompt=prompt.name,
        system="\n\n".join(m["content"] for m in messages if m["role"] == "system"),
        user=next(m["content"] for m in messages if m["role"] == "user"),
        assistant="" if dropped else ANSWERS[order],
        prompt_tokens=prompt_tokens,
        tokens=tokens,
        dropped=dropped,
    )
