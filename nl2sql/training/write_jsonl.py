"""The files that mlx-lm trains on: train.jsonl, valid.jsonl and test.jsonl for each role, one chat a line."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nl2sql.errors import UserError
from nl2sql.rows import Question
from nl2sql.training.check_leakage import words_of
from nl2sql.training.rows import Chat, PairSample
from nl2sql.training.training_split import PARTS

ROLES = ("generator_a", "generator_b", "reasoner", "selector")
Lines = list[str]
BREAKS = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # what readers of lines, or of UTF-8, stumble over


@dataclass(frozen=True)
class Balance:
    """How many samples of one sort there are in one part. `dropped` is '' for those that are written."""

    role: str
    task: str
    source: str
    schema_source: str
    split: str
    dropped: str
    samples: int


def role_samples(chats: Sequence[Chat], pairs: Sequence[PairSample]) -> dict[str, list[Chat | PairSample]]:
    """Which samples each role is trained on.

    generator_a: all chats in the benchmark's own SQL. generator_b: those with CTEs and window functions, and SQL as it
    is where no such form was proved, so that easy questions keep easy answers. reasoner: sampled solutions, and the
    gold where sampling found none. selector: the pairs.
    """
    rewritten = {_question(c) for c in chats if c.variant == "b"}
    solved = {_question(c) for c in chats if c.variant == "r"}
    return {
        "generator_a": [c for c in chats if c.variant == "a"],
        "generator_b": [c for c in chats if c.variant == "b" or _stands_in(c, rewritten)],
        "reasoner": [c for c in chats if c.variant == "r" or _stands_in(c, solved)],
        "selector": list(pairs),
    }


def jsonl_files(samples: Iterable[Chat | PairSample], seed: int = 0) -> dict[str, Lines]:
    """The lines of each part in an order that the seed decides; samples that were dropped are left out."""
    parts: dict[str, list[tuple[str, str]]] = {part: [] for part in PARTS}
    for sample in samples:
        if not sample.dropped:
            drawn = hashlib.sha256(f"{seed}\x1f{sample_id(sample)}".encode("utf-8", "replace")).hexdigest()
            parts[sample.split].append((drawn, _line(sample)))
    return {part: [line for _, line in sorted(found)] for part, found in parts.items()}


def refuse_leaks(samples: Iterable[Chat | PairSample], dev: Sequence[Question]) -> None:
    """The last look before anything is written: raises UserError when a sample asks a database or a question of dev.

    Its question is searched for as its words, whatever stands around them.
    """
    databases = {q.db_id.casefold() for q in dev}
    asked = {f" {' '.join(words_of(q.question))} ": q.question_id for q in dev if len(words_of(q.question)) > 3}
    for sample in samples:
        if sample.dropped:
            continue
        if sample.db_id.casefold() in databases:
            raise UserError(f"{sample_id(sample)} asks {sample.db_id}, a database of dev: nothing was written")
        text = f" {' '.join(words_of(_last_question(sample)))} "
        if text in asked:
            raise UserError(f"{sample_id(sample)} is dev question {asked[text]}: nothing was written")


def tally(roles: Mapping[str, Sequence[Chat | PairSample]]) -> list[Balance]:
    """How many samples each role has by task, source, part and reason for being dropped."""
    counts: Counter[tuple[str, str, str, str, str, str]] = Counter()
    for role, samples in roles.items():
        for sample in samples:
            counts[(role, *_sort(sample), sample.split, reason(sample.dropped))] += 1
    return [Balance(*key, samples=n) for key, n in sorted(counts.items())]


def reason(dropped: str) -> str:
    """Why samples were dropped, without what differs between them."""
    return ":".join(dropped.split(":")[:2]) if dropped.startswith(("gold:", "leak:")) else dropped.split(":")[0]


def source_kind(source: str) -> str:
    """A source without the candidate that it names."""
    kind, _, rest = source.partition(":")
    return f"{kind}: {rest}" if kind in ("mutation", "rewrite") else kind


def sample_id(sample: Chat | PairSample) -> str:
    """What names a sample."""
    return sample.chat_id if isinstance(sample, Chat) else f"pair/{sample.pair_id}"


def _line(sample: Chat | PairSample) -> str:
    system = [{"role": "system", "content": sample.system}] if sample.system else []
    said = [{"role": "user", "content": sample.user}, {"role": "assistant", "content": sample.assistant}]
    line = json.dumps({"messages": [*system, *said]}, ensure_ascii=False)
    return BREAKS.sub(lambda found: f"\\u{ord(found.group()):04x}", line)


def _sort(sample: Chat | PairSample) -> tuple[str, str, str]:
    if isinstance(sample, Chat):
        return sample.task, source_kind(sample.source), sample.schema_source
    return "pair", source_kind(sample.wrong_source), "database"


def _last_question(sample: Chat | PairSample) -> str:
    """The question that a sample holds: its answer for the task `question`, else what stands between the tags."""
    if isinstance(sample, Chat) and sample.task == "question":
        return sample.assistant
    before, _, after = sample.user.rpartition("<question")
    return after.partition(">")[2].partition("</question")[0] if before or after else ""


def _question(sample: Chat | PairSample) -> tuple[str, str]:
    return sample.db_id, sample.question_id


def _stands_in(chat: Chat, others: set[tuple[str, str]]) -> bool:
    """Whether a chat gives the gold for a question that has no SQL of the other kind."""
    return chat.variant == "a" and chat.task == "sql" and _question(chat) not in others
