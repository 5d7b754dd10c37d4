"""One answer on the screen and as JSON."""

from typing import Any

from rich import box
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from flows.ask_question import Answer
from nl2sql.reporting.summarise_run import run_label

SHOWN_ROWS = 20
SHOWN_CELL = 60  # characters


def show_answer(answer: Answer, screen: Console, explain: bool) -> None:
    """Print the SQL, its rows, the confidence, and what was matched and linked; with `explain` every step."""
    label = run_label(answer.candidates)
    screen.print(Syntax(answer.selection.sql or "-- no SQL", "sql", background_color="default", word_wrap=True))
    if answer.result.ran:
        screen.print(_rows_table(answer))
    else:
        screen.print(Text(f"{answer.result.outcome}: {answer.result.error}", "red"))
    selection = answer.selection
    screen.print(f"confidence {selection.confidence:.2f} ({selection.path}); {label}")
    screen.print(Text(f"matched  {_matched(answer)}", "dim"))
    screen.print(Text(f"linked   {_linked(answer, 1)}", "dim"))
    if explain:
        _explain(answer, screen)


def _rows_table(answer: Answer) -> Table:
    result = answer.result
    more = result.row_count - SHOWN_ROWS
    caption = f"{result.row_count:,} rows" + (f", {SHOWN_ROWS} shown" if more > 0 else "")
    table = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left")
    for name in result.columns:
        table.add_column(_cell(name))
    for row in result.rows[:SHOWN_ROWS]:
        table.add_row(*map(_cell, row))
    return table


def _cell(value: object) -> Text:
    """A cell as text: never markup, control characters shown, long values cut."""
    if value is None:
        return Text("NULL", "dim")
    text = f"<{len(value)} bytes>" if isinstance(value, bytes) else str(value)
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return Text(shown if len(shown) <= SHOWN_CELL else shown[: SHOWN_CELL - 1] + "…")


def _matched(answer: Answer) -> str:
    cells = [f"{c.literal!r} = {c.table}.{c.column} {c.value!r}" for c in answer.grounding.cells[:8]]
    return "; ".join(cells) or "no value of the database"


def _linked(answer: Answer, view: int) -> str:
    names = [f"{link.table}.{link.column}" for link in answer.linking.links if link.view == view]
    return ", ".join(names) or "nothing"


def _explain(answer: Answer, screen: Console) -> None:
    grounding = answer.grounding
    screen.rule("grounding", align="left")
    screen.print(Text(f"keywords  {', '.join(grounding.keywords)}"))
    screen.print(Text(f"literals  {', '.join(grounding.literals)}"))
    screen.print(Text(f"skeleton  {grounding.skeleton}"))
    screen.rule("cells", align="left")
    cells = Table("literal", "column", "value", "score", "method", box=None, pad_edge=False)
    for c in grounding.cells:
        cells.add_row(_cell(c.literal), _cell(f"{c.table}.{c.column}"), _cell(c.value), f"{c.score:.2f}", c.method)
    screen.print(cells)
    screen.rule(f"linking: {len(answer.linking.links)} of {answer.linking.columns_total} columns", align="left")
    links = Table("column", "view", "score", "why", box=None, pad_edge=False)
    for link in answer.linking.links:
        links.add_row(
            _cell(f"{link.table}.{link.column}"),
            f"S{link.view}",
            f"{link.score:.2f}",
            ", ".join(link.reasons),
        )
    screen.print(links)
    screen.rule("candidates", align="left")
    candidates = Table("candidate", "pattern", "outcome", "rows", "SQL", box=None, pad_edge=False)
    prompts = {c.candidate_id: c.prompt for c in answer.candidates}
    for r in answer.repairs:
        outcome = r.outcome + (f" ({', '.join(r.actions)})" if r.actions else "")
        candidates.add_row(
            r.candidate_id, _cell(prompts.get(r.candidate_id, "")), outcome, str(r.row_count), Text(r.sql)
        )
    screen.print(candidates)
    screen.rule(f"selection: {answer.selection.path}", align="left")
    for cluster in answer.selection.clusters:
        screen.print(Text(f"weight {cluster.weight:.2f}: {', '.join(cluster.candidate_ids)}"))


def answer_json(answer: Answer) -> dict[str, Any]:
    """The answer as plain data."""
    grounding, result = answer.grounding, answer.result
    return {
        "question": answer.question.question,
        "evidence": answer.question.evidence,
        "sql": answer.selection.sql,
        "columns": list(result.columns),
        "rows": [[_plain(v) for v in row] for row in result.rows],
        "row_count": result.row_count,
        "outcome": result.outcome,
        "error": result.error,
        "confidence": answer.selection.confidence,
        "path": answer.selection.path,
        "label": run_label(answer.candidates),
        "matched": [
            {"literal": c.literal, "column": f"{c.table}.{c.column}", "value": c.value, "score": c.score}
            for c in grounding.cells
        ],
        "linked": [{"column": f"{link.table}.{link.column}", "view": link.view} for link in answer.linking.links],
        "candidates": [{"id": r.candidate_id, "sql": r.sql, "outcome": r.outcome} for r in answer.repairs],
    }


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
