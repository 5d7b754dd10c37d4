"""Turn the dataclasses of rows.py into Arrow schemas and check what is written against them."""

import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.compute as pc

from nl2sql import rows as r
from nl2sql.scoring import rows as s
from nl2sql.training import rows as t

Row = TypeVar("Row")
SCALARS = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


class ContractError(Exception):
    """A table does not hold what its artifact kind promises."""


@dataclass(frozen=True)
class Contract:
    """What an artifact of one kind holds: its row class, the version of that class and the columns that are unique."""

    row: type
    version: int
    primary_key: tuple[str, ...]
    plain: tuple[str, ...] = ()  # columns that are searched in the mapped file (plain_parquet.py)


COLUMN_KEY = ("db_id", "table", "column")
QUESTION_KEY = ("question_id",)
CANDIDATE_KEY = ("question_id", "candidate_id")

# Raise a version when a class changes its meaning: artifacts of the old one are then rebuilt.
CONTRACTS: dict[str, Contract] = {
    "databases": Contract(r.Database, 1, ("db_id",)),
    "questions": Contract(r.Question, 1, QUESTION_KEY),
    "set_aside": Contract(r.SetAside, 1, ("question", "evidence", "stage")),
    "manifests": Contract(r.Step, 1, ("stage", "db_id", "batch")),
    "profiles": Contract(r.Profile, 1, COLUMN_KEY),
    "summaries": Contract(r.Summary, 1, COLUMN_KEY),
    "cells": Contract(r.Cell, 2, (*COLUMN_KEY, "value"), plain=("value", "end")),
    "cell_bands": Contract(r.CellBand, 1, ("band", "row"), plain=("key", "row")),
    "columns": Contract(r.ColumnVector, 1, COLUMN_KEY),
    "examples": Contract(r.Example, 1, QUESTION_KEY),
    "groundings": Contract(r.Grounding, 1, QUESTION_KEY),
    "linkings": Contract(r.Linking, 1, QUESTION_KEY),
    "candidates": Contract(r.Candidate, 1, CANDIDATE_KEY),
    "repairs": Contract(r.Repair, 1, CANDIDATE_KEY),
    "selections": Contract(r.Selection, 1, QUESTION_KEY),
    "model_calls": Contract(r.ModelCall, 1, ("number",)),
    "golds": Contract(r.Gold, 1, QUESTION_KEY),
    "verdicts": Contract(r.Verdict, 1, (*CANDIDATE_KEY, "system")),
    "corrected": Contract(r.Verdict, 1, (*CANDIDATE_KEY, "system")),
    "accuracies": Contract(s.Accuracy, 1, ("generator",)),
    "judgements": Contract(s.JudgedPair, 1, ("database_sha256", "gold_sql", "sql")),
    "recalls": Contract(r.Recall, 1, QUESTION_KEY),
    "leaks": Contract(t.Leak, 1, QUESTION_KEY),
    "solutions": Contract(t.Solution, 1, ("question_id", "solution_id")),
    "chats": Contract(t.Chat, 1, ("chat_id",)),
    "pairs": Contract(t.PairSample, 1, ("pair_id",)),
    "adapters": Contract(t.Adapter, 1, ("name",)),
}


@cache
def arrow_schema(row: type) -> pa.Schema:
    """The Arrow schema of a row class: tuples become lists, dataclasses structs, annotated vectors fixed-size lists."""
    hints = get_type_hints(row, include_extras=True)
    return pa.schema([_field(f.name, hints[f.name]) for f in fields(row)])


def _field(name: str, hint: Any) -> pa.Field:
    if get_origin(hint) in (types.UnionType, Union):
        (inner,) = [a for a in get_args(hint) if a is not type(None)]
        return pa.field(name, _type(inner), nullable=True)
    return pa.field(name, _type(hint), nullable=False)


def _type(hint: Any) -> pa.DataType:
    if get_origin(hint) is Annotated:
        _, element, *width = get_args(hint)
        type_ = getattr(pa, element)()
        return pa.list_(pa.field("item", type_, nullable=False), *width) if width else type_
    if get_origin(hint) is tuple:
        return pa.list_(pa.field("item", _type(get_args(hint)[0]), nullable=False))
    if is_dataclass(hint):
        return pa.struct(list(arrow_schema(hint)))  # type: ignore[arg-type]
    return SCALARS[hint]


def to_table(rows: Iterable[Any], row: type) -> pa.Table:
    """Rows of one class as an Arrow table."""
    schema = arrow_schema(row)
    columns: list[list[Any]] = [[] for _ in schema]
    parts = [(values, name, _flattener(hint)) for values, (name, hint) in zip(columns, _fields(row), strict=True)]
    for item in rows:
        for values, name, flatten in parts:
            values.append(flatten(getattr(item, name)))
    arrays = [pa.array(v, type=f.type) for v, f in zip(columns, schema, strict=True)]
    return pa.table(arrays, schema=schema)


@cache
def _fields(row: type) -> list[tuple[str, Any]]:
    hints = get_type_hints(row, include_extras=True)
    return [(f.name, hints[f.name]) for f in fields(row)]


# Functions by type, made once: to look at the types of each value takes most of the time of reading and writing rows.
@cache
def _flattener(hint: Any) -> Callable[[Any], Any]:
    """What makes a value of a type one that Arrow takes."""
    if get_origin(hint) is Annotated:
        return _listed
    if get_origin(hint) is tuple:
        inner = _flattener(get_args(hint)[0])
        return lambda value: list(map(inner, value))
    if is_dataclass(hint):
        parts = [(name, _flattener(inner)) for name, inner in _fields(hint)]  # type: ignore[arg-type]
        return lambda value: {name: part(getattr(value, name)) for name, part in parts}
    return _text if str in (hint, *get_args(hint)) else _same


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _same(value: Any) -> Any:
    return value


def _text(value: Any) -> Any:
    # Databases and models hand over lone surrogates; UTF-8 has no place for them.
    return value.encode("utf-8", "replace").decode("utf-8") if value and _has_surrogate(value) else value


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text)


def from_table(table: pa.Table, row: type[Row]) -> list[Row]:
    """The rows of a table as dataclasses."""
    columns = []
    for name, hint in _fields(row):
        values = table[name].to_pylist()
        build = _builder(hint)
        columns.append(values if build is _same else map(build, values))
    return [row(*values) for values in zip(*columns, strict=True)]


@cache
def _builder(hint: Any) -> Callable[[Any], Any]:
    """What makes a value of a type from what Arrow gives."""
    if get_origin(hint) is Annotated:
        return lambda value: tuple(value) if isinstance(value, list) else value
    if get_origin(hint) is tuple:
        inner = _builder(get_args(hint)[0])
        return tuple if inner is _same else lambda value: tuple(map(inner, value))
    if is_dataclass(hint):
        parts = [(name, _builder(inner)) for name, inner in _fields(hint)]  # type: ignore[arg-type]
        if all(part is _same for _, part in parts):
            return lambda value: hint(**value)  # type: ignore[operator]
        return lambda value: hint(*[part(value[name]) for name, part in parts])  # type: ignore[operator]
    return _same


def check(table: pa.Table, kind: str) -> pa.Table:
    """The table itself when it keeps the contract of its kind; raises ContractError that says what it breaks."""
    check_batch(table, kind)
    _check_key(table.select(list(CONTRACTS[kind].primary_key)), kind)
    return table


def check_batch(batch: pa.RecordBatch | pa.Table, kind: str) -> None:
    """The same for a part of a table; whether its keys are unique only the whole could tell."""
    expected = arrow_schema(CONTRACTS[kind].row)
    if not batch.schema.equals(expected):
        raise ContractError(f"{kind}: schema is {batch.schema}, should be {expected}")
    for field in expected:
        if not field.nullable and batch.column(field.name).null_count:
            raise ContractError(f"{kind}: column {field.name} holds nulls")


def _check_key(keys: pa.Table, kind: str) -> None:
    counts = keys.group_by(keys.column_names).aggregate([([], "count_all")])
    repeated = counts.filter(pc.field("count_all") > 1)
    if repeated.num_rows:
        raise ContractError(f"{kind}: key {repeated.slice(0, 1).to_pylist()[0]} stands more than once")
