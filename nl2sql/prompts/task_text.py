"""What a prompt says besides the schema: question, evidence, matched values, examples, queries and their results."""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from nl2sql.prompts.fences import Fenced, cut, fence
from nl2sql.rows import CellMatch, ColumnHit, ColumnName, ExampleHit, Grounding, Profile, Question, Repair, Summary
from nl2sql.schema_views import quote_text, spell

LONGEST_QUESTION = 4_000  # characters, of the evidence too
LONGEST_VALUE = 200  # characters of a value of the database
LONGEST_QUERY = 8_000
LONGEST_EXAMPLE = 1_500  # of the question, the evidence and the SQL of an example each
LONGEST_RESULT = 2_000
CELLS = 40  # matched values that are shown
CELL_SCORE = 0.6  # below it a match is likelier chance than meaning
HITS = 15  # columns near the question that are shown
TABLE_COLUMNS = 300  # columns of a table that are listed where some of them are summarised

NOTHING = Fenced("")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def asked_values(
    question: Question, grounding: Grounding | None = None, columns: Collection[ColumnName] | None = None
) -> dict[str, Fenced]:
    """What prompts with `question`, `evidence` and `cells` are rendered with; cells of `columns` only (None = all).

    Without a grounding no values are shown.
    """
    cells = grounding.cells if grounding else ()
    return {
        "question": fence(question.question.strip() or "(no question)", "question", LONGEST_QUESTION),
        "evidence": fence(question.evidence, "evidence", LONGEST_QUESTION),
        "cells": cells_text(cells, columns),
    }


def cells_text(cells: Sequence[CellMatch], columns: Collection[ColumnName] | None = None) -> Fenced:
    """A line per column with the values that the question may mean, as SQL spells them, the surest first.

    Where a value is spelled otherwise than in the question the question's words follow it.
    """
    by_column: dict[ColumnName, list[str]] = defaultdict(list)
    fitting = [
        c for c in cells if c.score >= CELL_SCORE and (columns is None or ColumnName(c.table, c.column) in columns)
    ]
    for cell in sorted(fitting, key=lambda c: -c.score)[:CELLS]:
        by_column[ColumnName(cell.table, cell.column)].append(_literal(cell))
    lines = (f"{_spelled(c)}: {', '.join(dict.fromkeys(v))}" for c, v in by_column.items())
    return fence("\n".join(lines), "cells")


def _literal(cell: CellMatch) -> str:
    if cell.method == "number" and _NUMBER.fullmatch(cell.value):
        return cell.value
    shown = quote_text(cell.value[:LONGEST_VALUE])
    more = " and more" if len(cell.value) > LONGEST_VALUE else ""
    other = cell.literal.strip() and cell.literal != cell.value
    return f"{shown}{more} (for {cut(cell.literal.strip(), LONGEST_VALUE)})" if other else f"{shown}{more}"


def hits_text(hits: Sequence[ColumnHit]) -> Fenced:
    """The columns whose meaning is nearest to the question, one per line, nearest first."""
    return columns_text((ColumnName(h.table, h.column) for h in hits[:HITS]), "hits")


def columns_text(columns: Iterable[ColumnName], tag: str = "chosen") -> Fenced:
    """Columns as SQL spells them, one per line."""
    return fence("\n".join(map(_spelled, columns)), tag)


def _spelled(column: ColumnName) -> str:
    return f"{spell(column.table)}.{spell(column.column)}"


def examples_text(examples: Sequence[ExampleHit], most: int) -> Fenced:
    """So many examples with question, evidence and SQL, the nearest last, next to the question that is asked."""
    shown = [_example(e) for e in examples[: max(0, most)]][::-1]
    return fence("\n\n".join(shown), "examples", 4 * LONGEST_EXAMPLE * max(1, most))


def _example(example: ExampleHit) -> str:
    parts = (("Question", example.question), ("Evidence", example.evidence), ("SQL", example.sql))
    return "\n".join(f"{name}: {cut(' '.join(text.split()), LONGEST_EXAMPLE)}" for name, text in parts if text.strip())


def query_text(sql: str) -> Fenced:
    """A query to be corrected or judged."""
    return fence(sql.strip() or "(none)", "query", LONGEST_QUERY)


def outcome_text(repair: Repair) -> Fenced:
    """What happened when a candidate ran: its error, or what is odd about its result."""
    said = {
        "error": f"Error: {repair.error}",
        "timeout": "It was stopped: it took too long.",
        "too_large": "It was stopped: its result is too large.",
        "empty": "It ran and returned no rows.",
        "all_null": f"It ran and returned nothing but NULL in {repair.row_count} rows.",
    }
    return fence(said.get(repair.outcome, f"It ran and returned {repair.row_count} rows."), "outcome", LONGEST_RESULT)


def result_text(repair: Repair) -> Fenced:
    """The number of rows of a candidate's result, its columns and its first rows, as JSON."""
    lines = [f"{repair.row_count} rows, {repair.column_count} columns"]
    if repair.preview:
        preview = json.loads(repair.preview)
        lines += [f"columns: {_json(preview['columns'])}", *map(_json, preview["rows"])]
    return fence("\n".join(lines), "result", LONGEST_RESULT)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def table_text(profiles: Sequence[Profile]) -> Fenced:
    """A table whose columns are to be summarised: its size, and its columns with types and descriptions."""
    first = profiles[0]
    kind = "view" if first.is_view else "table"
    lines = [f"{kind} {spell(first.table)} of database {first.db_id}, {first.rows} rows"]
    lines += [f"- {spell(p.column)} {p.declared_type} {_said(p)}".rstrip() for p in profiles[:TABLE_COLUMNS]]
    if len(profiles) > TABLE_COLUMNS:
        lines.append(f"and {len(profiles) - TABLE_COLUMNS} more columns")
    return fence("\n".join(lines), "table", 40_000)


def _said(profile: Profile) -> str:
    return cut(" ".join((profile.description or profile.expanded_name).split()), LONGEST_VALUE)


def fields_text(summaries: Sequence[Summary]) -> Fenced:
    """Columns to be summarised by a model: under the name of each what its profile says, `long` of the keyless form."""
    parts = (f"### {s.table}.{s.column}\n{cut(' '.join(s.long.split()), LONGEST_QUESTION)}" for s in summaries)
    return fence("\n\n".join(parts), "fields", LONGEST_QUESTION * max(1, len(summaries)))
