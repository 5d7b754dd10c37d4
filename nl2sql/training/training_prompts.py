"""What local models are trained on: the very prompts that they are asked with, and two that only training has."""

from collections.abc import Collection
from dataclasses import dataclass

from nl2sql.execution import ExecutionResult
from nl2sql.models.chat import Prompt
from nl2sql.previews import executed
from nl2sql.prompts.fences import Fenced, fence
from nl2sql.prompts.render import render
from nl2sql.prompts.task_text import NOTHING, asked_values, outcome_text, query_text, result_text
from nl2sql.rows import ColumnName, Grounding, Question, Repair

NOTATION = "markdown"


@dataclass(frozen=True)
class Asking:
    """A question, what grounding found for it, and the columns whose values may be shown (None = all)."""

    question: Question
    grounding: Grounding | None = None
    columns: Collection[ColumnName] | None = None


def sql_prompt(asking: Asking, schema: str) -> Prompt:
    """Ask for the SQL of a question: what local generators are asked with."""
    return render("generate/local", examples=NOTHING, **_values(asking, schema))


def correction_prompt(asking: Asking, schema: str, sql: str, result: ExecutionResult) -> Prompt:
    """Ask for the SQL of a question, given a statement that failed and what happened: what local fixers see."""
    ran = executed(asking.question, sql, result)
    return render("fix/local", query=query_text(sql), outcome=outcome_text(ran), **_values(asking, schema))


def compare_prompt(asking: Asking, schema: str, first: Repair, second: Repair) -> Prompt:
    """Ask which of two statements answers a question, A or B: what local selectors are asked with."""
    return render(
        "compare/letter",
        query_a=query_text(first.sql),
        result_a=result_text(first),
        query_b=query_text(second.sql),
        result_b=result_text(second),
        **_values(asking, schema),
    )


def question_prompt(sql: str) -> Prompt:
    """Ask for the question that a statement answers."""
    return render("train/question", sql=query_text(sql))


def evidence_prompt(question: str, sql: str) -> Prompt:
    """Ask for what one must know to get from the question to the statement."""
    return render("train/evidence", question=fence(question, "question"), sql=query_text(sql))


def _values(asking: Asking, schema: str) -> dict[str, Fenced | int | str]:
    asked = asked_values(asking.question, asking.grounding, asking.columns)
    return {"notation": NOTATION, "schema": fence(schema, "schema", len(schema)), **asked}
