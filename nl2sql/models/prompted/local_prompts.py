"""Prompts of local fixers and selectors: those that they are trained on, and no longer than these were."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from nl2sql.execution import execute_many
from nl2sql.models.chat import Prompt
from nl2sql.models.choices import ModelChoice
from nl2sql.normalise_style import normalise_style
from nl2sql.online.context import DatabaseContext
from nl2sql.previews import render_preview
from nl2sql.prompts.fences import Fenced
from nl2sql.prompts.schema_text import count_tokens, schema_values
from nl2sql.rows import ColumnName, Repair

LOCAL = "local:"
LEAST_TOKENS = 200  # of the schema, however long the rest of the prompt is

Fill = Callable[[dict[str, Fenced | str]], Prompt]  # from `schema` and `notation` to the prompt


def is_local(choice: ModelChoice) -> bool:
    """Whether a model runs on this machine, and so was trained on short prompts of its own."""
    return choice.model.startswith(LOCAL)


def fitted_prompt(context: DatabaseContext, columns: Sequence[ColumnName] | None, tokens: int, fill: Fill) -> Prompt:
    """A prompt with as much of the schema as leaves it at so many tokens by `count_tokens`, all its parts counted.

    A prompt that is longer without any schema still shows LEAST_TOKENS of it.
    """
    bare = fill({"schema": Fenced(""), "notation": "markdown"})
    around = sum(map(count_tokens, (bare.system, bare.context, bare.task)))
    return fill(schema_values(context, columns, "markdown", max(LEAST_TOKENS, tokens - around)))


def in_one_style(repairs: Sequence[Repair], context: DatabaseContext) -> dict[str, Repair]:
    """By statement: the repair as a selector has learnt to read it, in the one style and with that one's rows.

    Names are resolved by rule, so the restyled statement is executed again; where it cannot be written or gives another
    result the repair stays as it is.
    """
    styled = {r.sql: normalise_style(r.sql, context.schema) or r.sql for r in repairs}
    changed = [r for r in repairs if styled[r.sql] != r.sql]
    results = execute_many([(context.database.path, styled[r.sql]) for r in changed])
    found = {r.sql: r for r in repairs}
    for repair, result in zip(changed, results, strict=True):
        if result.ran and result.digest == repair.result_digest:
            found[repair.sql] = replace(repair, sql=styled[repair.sql], preview=render_preview(result))
    return found
