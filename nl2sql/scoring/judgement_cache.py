"""Judgements of earlier runs as an Arrow table, so that what was scored once is never executed again.

A judgement is kept under the digest of the database's content, the gold SQL and the predicted SQL: another database
file, another gold or another prediction is another key. Timeouts and memory failures are not kept.
"""

from collections.abc import Mapping

import pyarrow as pa

from nl2sql.benchmarks import well_formed
from nl2sql.contracts import arrow_schema
from nl2sql.scoring.execution_accuracy import Judgement, Pair
from nl2sql.scoring.rows import JudgedPair


def judgements_to_table(judged: Mapping[Pair, Judgement]) -> pa.Table:
    """The judgements as a table with the columns of JudgedPair. SQL that is not valid Unicode is left out."""
    schema = arrow_schema(JudgedPair)
    kept = {pair: j for pair, j in judged.items() if _is_unicode(pair)}
    columns = {name: [pair[n] for pair in kept] for n, name in enumerate(schema.names[:3])}
    columns |= {name: [getattr(j, name) for j in kept.values()] for name in schema.names[3:]}
    columns["detail"] = list(map(well_formed, columns["detail"]))
    return pa.table([pa.array(columns[f.name], type=f.type) for f in schema], schema=schema)


def judgements_from_table(table: pa.Table) -> dict[Pair, Judgement]:
    """The judgements of a table; none when it was written with other columns."""
    if not table.schema.equals(arrow_schema(JudgedPair)):
        return {}
    database, gold, sql, *judgements = (table[name].to_pylist() for name in table.column_names)
    # Many pairs share one judgement, above all "right": an object for each would take most of the time.
    shared = {row: Judgement(*row) for row in set(zip(*judgements, strict=True))}
    pairs = zip(database, gold, sql, strict=True)
    return dict(zip(pairs, map(shared.__getitem__, zip(*judgements, strict=True)), strict=True))


def _is_unicode(pair: Pair) -> bool:
    text = "".join(pair)
    return text.isascii() or text == well_formed(text)
