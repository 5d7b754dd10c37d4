"""Why a result is not the gold result: one reason that a person can act on, found from both results."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, product
from math import isclose, trunc
from typing import Any

from nl2sql.execution import NO_STATEMENT, ExecutionResult

Row = tuple[Any, ...]
REASONS = {
    "missing": "there is no prediction for the question",
    "no_sql": "the prediction is blank, only a comment, or not text",
    "several_statements": "more than one statement",
    "syntax": "SQLite cannot parse it",
    "forbidden": "it would write, attach or load something",
    "error": "it parses but does not run",
    "timeout": "it runs longer than the limit",
    "too_large": "it needs more rows or memory than the limit",
    "gold_error": "the gold SQL itself fails",
    "empty": "it returns nothing where the gold returns rows",
    "extra_column": "it has a column too many, the others are right",
    "missing_column": "it lacks a column, the others are right",
    "columns": "it has another number of columns",
    "column_order": "its columns are right but stand in another order",
    "types": "its values are right but of another type, such as '1' for 1",
    "rounding": "its numbers differ only by rounding",
    "letter_case": "its text differs only in upper and lower case",
    "more_rows": "it has the gold's rows and more",
    "fewer_rows": "it has some of the gold's rows and no others",
    "values": "its rows are others",
}
PERMUTATIONS_TRIED = 720  # of columns: all of six alike
FORBIDDEN = (
    "not authorized",
    "authorization denied",
    "attempt to write a readonly database",
    "table sqlite_master may",
)
SYNTAX = ("syntax error", "incomplete input", "unrecognized token")
RELATIVE_ROUNDING = 1e-6  # two numbers nearer than that differ by the order of additions
SHOWN = 60  # characters of a row in a detail


def explain_failure(result: ExecutionResult) -> tuple[str, str]:
    """The reason and detail for SQL that gave no result."""
    message = result.error
    if message == NO_STATEMENT:
        return "no_sql", message
    if "one statement at a time" in message:
        return "several_statements", message
    if message.startswith(FORBIDDEN):
        return "forbidden", message
    if result.outcome == "error" and any(part in message for part in SYNTAX):
        return "syntax", message
    return result.outcome, message


def explain_difference(result: ExecutionResult, gold: ExecutionResult) -> tuple[str, str]:
    """The reason and detail for a result whose set of rows is not the gold's.

    Looks at the rows that both results kept. Where they kept only a part, the reasons that need all rows (column
    order, types, rounding, letter case, more or fewer rows) are not given, only those that the counts prove.
    """
    if result.row_count == 0:
        return "empty", f"no rows where the gold has {_rows(gold)}"
    if gold.row_count == 0:
        return "more_rows", f"{_rows(result)} where the gold has none"
    if len(result.columns) != len(gold.columns):
        return _explain_columns(result, gold)
    if not (result.is_whole and gold.is_whole):
        return "values", f"{_rows(result)} against {_rows(gold)}, too many to compare one by one"
    return _explain_rows(set(result.rows), set(gold.rows))


def _rows(result: ExecutionResult) -> str:
    distinct = "" if result.distinct_count == result.row_count else f" ({result.distinct_count} distinct)"
    return f"{result.row_count} row{'s' * (result.row_count != 1)}{distinct}"


def _explain_columns(result: ExecutionResult, gold: ExecutionResult) -> tuple[str, str]:
    detail = f"{len(result.columns)} columns ({', '.join(result.columns)}) where the gold has {len(gold.columns)}"
    detail += f" ({', '.join(gold.columns)})"
    if not (result.is_whole and gold.is_whole):
        return "columns", detail
    mine, other = set(result.rows), set(gold.rows)
    if len(result.columns) > len(gold.columns):
        return ("extra_column" if _is_projection(mine, other) else "columns"), detail
    return ("missing_column" if _is_projection(other, mine) else "columns"), detail


def _is_projection(wide: set[Row], narrow: set[Row]) -> bool:
    """Whether some columns of the wide rows, in some order, give the narrow rows."""
    if len(next(iter(wide))) == 1:
        return wide == narrow
    columns = list(zip(*wide, strict=True))
    chosen = ([columns[i] for i in order] for order in _column_orders(wide, narrow))
    return any(set(zip(*taken, strict=True)) == narrow for taken in chosen)


def equal_in_any_column_order(rows: Iterable[Row], gold: Iterable[Row]) -> bool:
    """Whether the sets of rows are equal once the columns are put into some other order, as Spider's rules allow.

    Tries at most PERMUTATIONS_TRIED orders in which each column holds the right values.
    """
    mine, other = set(rows), set(gold)
    if mine == other:
        return True
    same_width = len(next(iter(mine), ())) == len(next(iter(other), ()))
    return same_width and len(mine) == len(other) and _is_projection(mine, other)


def _column_orders(wide: set[Row], narrow: set[Row]) -> Iterator[tuple[int, ...]]:
    columns = [frozenset(column) for column in zip(*wide, strict=True)]
    wanted = [frozenset(column) for column in zip(*narrow, strict=True)]
    places = [[i for i, column in enumerate(columns) if column == values] for values in wanted]
    tried = islice(product(*places), PERMUTATIONS_TRIED)
    return (order for order in tried if len(set(order)) == len(order))


def _explain_rows(mine: set[Row], gold: set[Row]) -> tuple[str, str]:
    if len(mine) == len(gold):
        for reason, holds in SAME_NUMBER.items():
            if holds(mine, gold):
                return reason, _example(mine - gold, gold - mine)
    if mine > gold:
        return "more_rows", f"{len(mine)} distinct rows where the gold has {len(gold)}, such as {_shown(mine - gold)}"
    if mine < gold:
        return "fewer_rows", f"{len(mine)} distinct rows where the gold has {len(gold)}; lacks {_shown(gold - mine)}"
    return "values", f"{len(mine & gold)} of {len(gold)} distinct rows right; {_example(mine - gold, gold - mine)}"


def _mapped(rows: Iterable[Row], change: Any) -> Counter[Row]:
    return Counter(tuple(map(change, row)) for row in rows)


def _as_text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    return repr(int(number) if number.is_integer() else number)


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _differ_by_rounding(mine: set[Row], gold: set[Row]) -> bool:
    pairs = zip(sorted(mine, key=_sort_key), sorted(gold, key=_sort_key), strict=True)
    return all(_is_near(a, b) for left, right in pairs for a, b in zip(left, right, strict=True))


def _sort_key(row: Row) -> list[tuple[bool, str, float]]:
    # Text first, so that rows are paired by what is not a number.
    return sorted((_is_number(v), "" if _is_number(v) else repr(v), v if _is_number(v) else 0) for v in row)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


def _is_near(a: Any, b: Any) -> bool:
    if a == b:
        return True
    if not (_is_number(a) and _is_number(b)) or (isinstance(a, int) and isinstance(b, int)):
        return False
    if isclose(a, b, rel_tol=RELATIVE_ROUNDING):
        return True
    coarse, fine = sorted((a, b), key=_decimals)
    scale = 10 ** _decimals(coarse)
    return round(fine, _decimals(coarse)) == coarse or isclose(trunc(fine * scale) / scale, coarse)


def _decimals(number: float) -> int:
    text = repr(float(number))
    return 0 if "e" in text or text.endswith(".0") or "." not in text else len(text.split(".")[1])


# The reasons that hold between as many distinct rows, the first that does counts.
SAME_NUMBER: dict[str, Callable[[set[Row], set[Row]], bool]] = {
    "column_order": _is_projection,
    "types": lambda mine, gold: _mapped(mine, _as_text) == _mapped(gold, _as_text),
    "letter_case": lambda mine, gold: _mapped(mine, _folded) == _mapped(gold, _folded),
    "rounding": _differ_by_rounding,
}


def _example(mine: set[Row], gold: set[Row]) -> str:
    return f"{_shown(mine)} where the gold has {_shown(gold)}"


def _shown(rows: Iterable[Row]) -> str:
    # The smallest by its text, so that the same two results always show the same row.
    text = min((repr(row) for row in rows), default="nothing")
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
