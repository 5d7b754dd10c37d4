"""What an evaluation leaves in the Prefect UI: the headline table, a link to the report, the tasks that failed."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from uuid import UUID

from prefect.artifacts import MarkdownArtifact
from prefect.runtime import flow_run

from flows.lineage_table import lineage_markdown
from flows.manifests import artifact, failed_by_itself, name_of_step
from flows.run_names import artifact_key
from nl2sql.reporting.run_summary import RunSummary
from nl2sql.reporting.shares import money
from nl2sql.reporting.terminal import markdown_table, markdown_text
from nl2sql.rows import Step
from tasks.lineage import origins
from tasks.remote_files import is_remote

SHOWN_FAILURES = 50
SHOWN_QUESTIONS = 500
CELL_WIDTH = 72  # characters of a text in a table, whose lines the UI does not wrap
ERROR_WIDTH = 80  # characters: the UI does not wrap code
FENCE = "```"

_collected: ContextVar[list[RunSummary] | None] = ContextVar("collected", default=None)


@contextmanager
def collected() -> Iterator[list[RunSummary]]:
    """Collect the summaries that evaluations inside this block publish."""
    summaries: list[RunSummary] = []
    token = _collected.set(summaries)
    try:
        yield summaries
    finally:
        _collected.reset(token)


def publish_headline(summary: RunSummary, steps: Sequence[Step], artifacts: str) -> None:
    """Create the artifacts of one evaluation; keys are per dataset and preset, so that the UI shows their history.

    They belong to the run that was started, where one looks first: the pipeline's when it runs the evaluation.
    """
    waiting = _collected.get()
    if waiting is not None:
        waiting.append(summary)
    place = (summary.dataset, summary.preset)
    run_id = flow_run.get_parent_flow_run_id() or flow_run.get_id()
    run = UUID(run_id) if run_id else None
    cost = f". Cost {money(summary.cost)}, {summary.cost_note}" if summary.models else ""
    said = f"{headline_sentence(summary)}. {summary.label}{cost}".strip()
    table, link = markdown_table(summary), report_link(summary)
    MarkdownArtifact(key=artifact_key("headline", *place), markdown=table, description=said, flow_run_id=run).create()
    MarkdownArtifact(
        key=artifact_key("report", *place), markdown=link, description=f"Report of {summary.run_id}", flow_run_id=run
    ).create()
    made = [step for step in steps if step.kind]
    MarkdownArtifact(
        key=artifact_key("lineage", *place),
        markdown=lineage_markdown(made, origins(artifacts, map(artifact, made))),
        description=f"Which run made which artifact of {summary.run_id}, from which others",
        flow_run_id=run,
    ).create()
    if summary.wrong:
        MarkdownArtifact(
            key=artifact_key("wrong", *place),
            markdown=wrong_questions(summary),
            description=f"{len(summary.wrong):,} questions without a right answer, and why",
            flow_run_id=run,
        ).create()
    if any(step.error for step in steps):
        MarkdownArtifact(
            key=artifact_key("failed", *place),
            markdown=failed_list(steps),
            description="Tasks without a result. Run the same again: what succeeded is reused",
            flow_run_id=run,
        ).create()


def headline_sentence(summary: RunSummary) -> str:
    """The one number in words."""
    group = summary.overall
    return f"Execution accuracy {group.execution_accuracy:.1f} %, {group.correct:,} of {group.n:,} questions"


def report_link(summary: RunSummary) -> str:
    """Link and path of the report: most browsers do not follow a link from a web page to a file."""
    link = summary.report if is_remote(summary.report) else Path(summary.report).as_uri()
    return (
        f"[Open the report]({link})\n\n"
        "Where the browser does not follow this link to a file, open the path or the address by hand:\n\n"
        f"```\n{summary.report}\n{link}\n```\n"
    )


def wrong_questions(summary: RunSummary) -> str:
    """The questions without a right answer with their reasons, the most frequent reason first."""
    order = {reason: place for place, reason in enumerate(summary.reasons)}
    shown = sorted(summary.wrong, key=lambda w: order.get(w.reason, len(order)))[:SHOWN_QUESTIONS]
    lines = [
        f"| {_cell(w.question_id)} | {_cell(w.db_id)} | {w.reason.replace('_', ' ')} | {_cell(w.question)} |"
        f" {_cell(w.detail)} | {_cell(w.difficulty)} |"
        for w in shown
    ]
    heads = "| id | database | reason | question | what differs | difficulty |\n|---|---|---|---|---|---|"
    rest = len(summary.wrong) - len(shown)
    return "\n".join([heads, *lines, *([f"\n{rest:,} more in the report."] if rest else [])]) + "\n"


def _cell(text: str) -> str:
    return markdown_text(text if len(text) <= CELL_WIDTH else text[: CELL_WIDTH - 1] + "…")


def failed_list(steps: Sequence[Step]) -> str:
    """The tasks that failed with their errors, then the names of those skipped because of them."""
    failed = [s for s in steps if failed_by_itself(s)]
    skipped = [name_of_step(s) for s in steps if s.error and not failed_by_itself(s)]
    parts = [f"**{name_of_step(s)}**\n\n{FENCE}\n{_wrapped(s.error)}\n{FENCE}" for s in failed[:SHOWN_FAILURES]]
    if len(failed) > SHOWN_FAILURES:
        parts.append(f"{len(failed) - SHOWN_FAILURES:,} more failed.")
    if skipped:
        parts.append(f"{len(skipped):,} skipped because a task before them failed:")
        parts.append("\n".join(f"- {name}" for name in skipped[:SHOWN_FAILURES]))
    return "\n\n".join(parts)


def _wrapped(text: str) -> str:
    lines = text.replace(FENCE, "").splitlines()
    return "\n".join(textwrap.fill(line, ERROR_WIDTH, break_on_hyphens=False) for line in lines)
