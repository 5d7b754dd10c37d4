"""Op 0 by a model: SHORT and LONG texts of columns, a few columns of one table at a time."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from nl2sql.models.ask import ask_models
from nl2sql.models.chat import Request
from nl2sql.models.choices import ModelChoice
from nl2sql.models.prompted.make_request import make_request
from nl2sql.models.prompted.resolve_columns import closest
from nl2sql.models.read_answers import Unreadable, json_schema, read_json
from nl2sql.models.session import Session
from nl2sql.prompts.answers import FieldSummaries
from nl2sql.prompts.fences import cut, harmless
from nl2sql.prompts.render import render
from nl2sql.prompts.task_text import fields_text, table_text
from nl2sql.rows import Profile, Summary

COLUMNS = 8  # a call; fewer where that makes the calls of a table alike in length
LONGEST_SHORT = 300  # characters
LONGEST_LONG = 1_200

Texts = dict[str, tuple[str, str]]  # SHORT and LONG by column


@dataclass(frozen=True)
class SummaryWriter:
    """Fulfils nl2sql.profiling.summarise_fields.Rewrite: every call of a database goes out at once.

    A column that the model leaves out, misnames or says nothing of keeps the text that was made from its profile.
    """

    session: Session
    choice: ModelChoice

    def __call__(self, profiles: Sequence[Profile], summaries: Sequence[Summary]) -> list[Summary]:
        """The summaries in their order, those that were written with the model's name as their source."""
        batches = split_columns(profiles, summaries)
        requests = [self._request(table, batch) for table, batch in batches]
        known = {r.prompt: batch for r, (_, batch) in zip(requests, batches, strict=True)}
        read = ask_models(self.session, requests, lambda r, text: _read(text, known[r.prompt]))
        written: dict[tuple[str, str], tuple[str, str]] = {}
        for (_, batch), texts in zip(batches, read, strict=True):
            written |= {(batch[0].table, column): said for column, said in (texts or {}).items()}
        return [self._rewritten(s, written.get((s.table, s.column))) for s in summaries]

    def _request(self, table: Sequence[Profile], batch: Sequence[Summary]) -> Request:
        prompt = render("summarise/fields", table=table_text(table), count=len(batch), fields=fields_text(batch))
        return make_request(self.choice, prompt, "summarise", batch[0].db_id, schema=json_schema(FieldSummaries))

    def _rewritten(self, summary: Summary, said: tuple[str, str] | None) -> Summary:
        return replace(summary, short=said[0], long=said[1], source=self.choice.model) if said else summary


def split_columns(
    profiles: Sequence[Profile], summaries: Sequence[Summary]
) -> list[tuple[list[Profile], list[Summary]]]:
    """Batches of at most COLUMNS columns of one table, alike in length, each with the table's profiles."""
    tables: dict[str, list[Profile]] = defaultdict(list)
    texts: dict[str, list[Summary]] = defaultdict(list)
    for profile, summary in zip(profiles, summaries, strict=True):
        tables[profile.table].append(profile)
        texts[profile.table].append(summary)
    batches = []
    for table, found in texts.items():
        count = -(-len(found) // COLUMNS)
        bounds = [len(found) * i // count for i in range(count + 1)]
        batches += [(tables[table], found[a:b]) for a, b in pairwise(bounds)]
    return batches


def _read(text: str, batch: Sequence[Summary]) -> Texts:
    """What was written of the columns of this batch; raises Unreadable when that is nothing."""
    names = [s.column for s in batch]
    found: Texts = {}
    for field in read_json(text, FieldSummaries).fields:
        short, long = (" ".join(harmless(t).split()) for t in (field.short, field.long))
        name = closest(field.column.rpartition(".")[2] if field.column not in names else field.column, names)
        if name and short and long and closest(field.table, [batch[0].table]):
            found.setdefault(name, (cut(short, LONGEST_SHORT), cut(long, LONGEST_LONG)))
    if not found:
        raise Unreadable(f"none of the columns that were asked for is in it: {', '.join(names)[:500]}")
    return found
