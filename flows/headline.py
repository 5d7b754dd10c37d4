"""What an evaluation leaves in the Prefect UI: the headline table, a link to the report, the failed questions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from nl2sql.reporting.run_summary import RunSummary
from nl2sql.reporting.terminal import markdown_table
from nl2sql.rows import Step

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


def publish_headline(summary: RunSummary, steps: Sequence[Step]) -> None:
    """Create the artifacts of one evaluation; keys are per dataset and preset, so that the UI shows their history."""
    waiting = _collected.get()
    if waiting is not None:
        waiting.append(summary)
    key = f"{summary.dataset}-{summary.preset}".lower().replace("_", "-").replace(".", "-")
    create_markdown_artifact(markdown_table(summary), key=f"headline-{key}", description="Execution accuracy")
    link = Path(summary.report).as_uri()
    create_link_artifact(link, key=f"report-{key}", link_text="Open the report", description=summary.report)
    failed = [{"stage": s.stage, "database": s.db_id, "batch": s.batch, "error": s.error} for s in steps if s.error]
    if failed:
        create_table_artifact(failed, key=f"failed-{key}", description="Tasks that failed: run again to repeat them")
