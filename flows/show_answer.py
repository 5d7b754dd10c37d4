"""One answer on the screen and as JSON."""

import math
from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from flows.ask_question import Answer
from nl2sql.benchmarks import well_formed
from nl2sql.reporting.model_costs import CountedCall, count_calls, finite
from nl2sql.reporting.shares import money
from nl2sql.reporting.summarise_run import run_label
from nl2sql.rows import Repair

SHOWN_ROWS = 20
SHOWN_CELL = 60  # characters
SHOWN_MATCHES = 8
NARROWEST = 10  # characters on the screen below which a column says nothing
JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"  # not printable by themselves, but part of words and emoji


def failure_of(answer: Answer) -> str:
    """Why there is no result, in one line; '' when there is one."""
    if answer.result.ran:
        return ""
    if answer.selection.sql:
        return f"the SQL did not run ({answer.result.outcome}): {answer.result.error}"
    if answer.repairs:
        return f"none of {len(answer.repairs)} candidates runs, the first for: {answer.repairs[0].error}"
    return (
        f"no SQL for {_cut(visible(answer.question.question))!r}: name tables, columns or values of the database"
        " (--explain shows what was matched and linked)"
    )


def show_answer(answer: Answer, screen: Console, explain: bool) -> None:
    """Print the SQL, its rows, the confidence, and what was matched and linked; with `explain` every step."""
    if answer.selection.sql:
        screen.print(_sql(answer.selection.sql), soft_wrap=True)
        if answer.result.ran:
            _show_rows(answer, screen)
        selection, label = answer.selection, run_label(answer.candidates, answer.calls)
        screen.print(_words(f"confidence {selection.confidence:.2f} ({selection.path}); {label}"))
    if answer.calls:
        screen.print(_words(f"cost {cost_of(answer)}"))
    if answer.selection.sql or explain:
        screen.print(_words(f"matched  {_matched(answer)}", "dim"))
        screen.print(_words(f"linked   {_linked(answer, 1)}", "dim"))
    if explain:
        _explain(answer, screen)


def cost_of(answer: Answer) -> str:
    """What the model calls cost in words: '$0.012 in 14 calls (3 from cache, $0.009 paid now)'."""
    counted = count_calls(answer.calls)
    cached = sum(c.earlier for c in counted)
    paid = sum(c.dollars for c in counted if not c.earlier)
    from_cache = f" ({cached:,} from cache, {money(paid)} paid now)" if cached else ""
    return f"{money(sum(c.dollars for c in counted))} in {_count(len(counted), 'call')}{from_cache}"


def _show_rows(answer: Answer, screen: Console) -> None:
    result = answer.result
    columns = result.columns[: max(1, screen.width // NARROWEST)]
    table = Table(box=box.SIMPLE_HEAD)
    for name in columns:
        table.add_column(_cell(name))
    for row in result.rows[:SHOWN_ROWS]:
        table.add_row(*map(_cell, row[: len(columns)]))
    screen.print(table)
    counts = _count(result.row_count, "row")
    if result.row_count > SHOWN_ROWS:
        counts += f", the first {SHOWN_ROWS} shown"
    if len(columns) < len(result.columns):
        counts += f", {len(columns)} of {len(result.columns)} columns shown (all: --json)"
    screen.print(_words(counts))


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def visible(text: str) -> str:
    """Text without characters that would steer a terminal: controls as their pictures, other unprintable as U+FFFD."""
    return "".join(c if c.isprintable() or c in JOINERS else _picture(c) for c in text)


def _picture(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\N{SYMBOL FOR DELETE}" if code == 0x7F else "\N{REPLACEMENT CHARACTER}"


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CELL else text[: SHOWN_CELL - 1] + "…"


def _words(text: str, style: str = "") -> Text:
    return Text(visible(text), style)


def _cell(value: object) -> Text:
    """A cell as text: never markup, control characters shown, long values cut."""
    if value is None:
        return Text("NULL", "dim")
    return Text(_cut(visible(_count(len(value), "byte") if isinstance(value, bytes) else str(value))))


def _sql(sql: str) -> Text:
    lines = "\n".join(map(visible, sql.split("\n")))
    highlighted = Syntax("", "sql", background_color="default", word_wrap=True).highlight(lines)
    highlighted.rstrip()
    return highlighted


def _matched(answer: Answer) -> str:
    cells = answer.grounding.cells
    shown = [f"{c.literal!r} = {c.table}.{c.column} {c.value!r}" for c in cells[:SHOWN_MATCHES]]
    more = [f"{len(cells) - SHOWN_MATCHES} more"] if len(cells) > SHOWN_MATCHES else []
    return "; ".join([*shown, *more]) or "no value of the database"


def _linked(answer: Answer, view: int) -> str:
    names = [f"{link.table}.{link.column}" for link in answer.linking.links if link.view == view]
    return ", ".join(names) or "nothing"


def _explain(answer: Answer, screen: Console) -> None:
    grounding, selection = answer.grounding, answer.selection
    _heading("grounding", screen)
    screen.print(_words(f"keywords  {_listed(grounding.keywords)}"))
    screen.print(_words(f"literals  {_listed(grounding.literals)}"))
    screen.print(_words(f"skeleton  {grounding.skeleton}"))
    _heading(f"matched cells: {len(grounding.cells)}", screen)
    if grounding.cells:
        screen.print(_cells_table(answer))
    _heading(f"linking: {len(answer.linking.links)} of {_count(answer.linking.columns_total, 'column')}", screen)
    if answer.linking.links:
        screen.print(_links_table(answer))
    _heading(f"candidates: {len(answer.repairs)}", screen)
    patterns = {c.candidate_id: c.prompt for c in answer.candidates}
    for repair in answer.repairs:
        _show_candidate(repair, patterns.get(repair.candidate_id, ""), screen)
    _heading(f"selection: {selection.path}", screen)
    for cluster in selection.clusters:
        chosen = " (chosen)" if selection.candidate_id in cluster.candidate_ids else ""
        screen.print(_words(f"weight {cluster.weight:.2f}{chosen}: {_listed(cluster.candidate_ids)}"))

    if answer.calls:
        _heading(f"model calls: {cost_of(answer)}", screen)
        screen.print(_calls_table(answer))


def _heading(title: str, screen: Console) -> None:
    screen.rule(_words(title), align="left")


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words) or "none"


def _cells_table(answer: Answer) -> Table:
    table = Table("literal", "column", "value", "score", "method", box=None, pad_edge=False)
    for c in answer.grounding.cells:
        table.add_row(_cell(c.literal), _cell(f"{c.table}.{c.column}"), _cell(c.value), f"{c.score:.2f}", c.method)
    return table


def _links_table(answer: Answer) -> Table:
    table = Table("column", "view", "score", "why", box=None, pad_edge=False)
    for link in answer.linking.links:
        name = _cell(f"{link.table}.{link.column}")
        table.add_row(name, f"S{link.view}", f"{link.score:.2f}", _words(", ".join(link.reasons)))
    return table


def _calls_table(answer: Answer) -> Table:
    table = Table(
        "operation", "prompt", "model", "in", "out", "dollars", "seconds", "outcome", box=None, pad_edge=False
    )
    for counted in count_calls(answer.calls):
        c = counted.call
        what = " ".join(filter(None, (c.generator, c.prompt, f"#{c.sample + 1}" if c.sample else "")))
        figures = (f"{c.input_tokens:,}", f"{c.output_tokens:,}", money(counted.dollars), f"{finite(c.seconds):.1f}")
        cells = map(_cell, (c.role, what, c.model or c.model_asked, *figures, _outcome(counted)))
        table.add_row(*cells)
    return table


def _outcome(counted: CountedCall) -> str:
    call = counted.call
    marks = (call.outcome, "from cache" if counted.earlier else "", "asked again" if call.again else "", call.error)
    return ", ".join(filter(None, marks))


def _show_candidate(repair: Repair, pattern: str, screen: Console) -> None:
    outcome = f"{repair.outcome} ({repair.error})" if repair.error else repair.outcome
    parts = [repair.candidate_id, pattern, outcome, _count(repair.row_count, "row")]
    if repair.actions:
        parts.append(f"repaired: {', '.join(repair.actions)}")
    screen.print(_words("  ".join(filter(None, parts)), "bold"))
    screen.print(Padding(_sql(repair.sql), (0, 0, 0, 2), expand=False))


def answer_json(answer: Answer) -> dict[str, Any]:
    """The answer as plain data: blobs in hexadecimal, infinities as text; `error` is '' when there is a result."""
    grounding, result = answer.grounding, answer.result
    return {
        "question": answer.question.question,
        "evidence": answer.question.evidence,
        "sql": answer.selection.sql,
        "columns": list(result.columns),
        "rows": [[_plain(v) for v in row] for row in result.rows],
        "row_count": result.row_count,
        "outcome": result.outcome,
        "error": failure_of(answer),
        "confidence": answer.selection.confidence,
        "path": answer.selection.path,
        "label": run_label(answer.candidates, answer.calls),
        "matched": [
            {"literal": c.literal, "column": f"{c.table}.{c.column}", "value": c.value, "score": c.score}
            for c in grounding.cells
        ],
        "linked": [{"column": f"{link.table}.{link.column}", "view": link.view} for link in answer.linking.links],
        "candidates": [{"id": r.candidate_id, "sql": r.sql, "outcome": r.outcome} for r in answer.repairs],
        "cost": round(sum(c.dollars for c in count_calls(answer.calls)), 8),
        "calls": [_call_json(c) for c in count_calls(answer.calls)],
    }


def _call_json(counted: CountedCall) -> dict[str, Any]:
    call = counted.call
    names = ("role", "generator", "prompt", "sample", "model_asked", "model", "input_tokens", "cache_read_tokens")
    more = ("output_tokens", "reasoning_tokens", "attempts", "again", "outcome", "error")
    return {
        **{name: _plain(getattr(call, name)) for name in (*names, *more)},
        "dollars": round(counted.dollars, 8),
        "seconds": round(finite(call.seconds), 3),
        "cached": counted.earlier,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return well_formed(value) if isinstance(value, str) else value
