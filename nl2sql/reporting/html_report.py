"""Render one evaluation as one HTML file that needs nothing else: no network, no fonts, no other files."""

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files

import jinja2
from markupsafe import Markup

from nl2sql.reporting.model_charts import heat_map, money_chart
from nl2sql.reporting.question_outcomes import STATUSES, question_outcomes
from nl2sql.reporting.question_traces import group_rows, pack_traces
from nl2sql.reporting.run_summary import RunSummary, percent
from nl2sql.reporting.run_tables import RunTables
from nl2sql.reporting.shares import money, short_count
from nl2sql.reporting.summarise_run import RECORDED_LABEL
from nl2sql.scoring.explain_verdict import REASONS

TRACE_BUDGET = 14_000_000  # bytes; beyond that a phone takes seconds to open the file
SHOWN_GENERATORS = 12  # further ones are folded away
SHOWN_NOTES = 6
OUTCOMES = ("ok", "invalid", "refused", "cut", "unavailable", "budget")
SCRIPTS = ("report_sql.js", "report_calls.js", "report.js")
STYLES = ("report.css", "report_models.css")
PATHS = {
    "unanimous": "all results agree",
    "single": "only one candidate has a result",
    "vote": "the largest cluster leads by enough",
    "rank": "the generators' ranks decide",
    "policy": "a policy that was fitted on scored candidates of other databases decides",
    "tournament": "a judge compared pairs",
    "none": "no candidate has a result",
    "first": "the first candidate: selection is switched off",
}


@dataclass(frozen=True)
class Step:
    """A bar of the waterfall, from and to in percent of the questions."""

    name: str
    kind: str  # total, loss, gain
    start: float
    end: float
    text: str
    note: str


def render_report(summary: RunSummary, tables: RunTables, trace_budget: int = TRACE_BUDGET) -> str:
    """Give the HTML of a run's report.

    Without previews of the gold, its result is known only where a candidate is right. Traces are cut harder when they
    would exceed `trace_budget` bytes. Every text of the run reaches the page as text: through autoescape, or as JSON
    that the page's one script puts into text nodes; the content security policy allows no other script and no request.
    """
    traces = pack_traces(tables.questions, question_outcomes(tables), group_rows(tables), trace_budget)
    script, theme = "".join(map(_asset, SCRIPTS)), _asset("theme.js")
    page = _template().render(
        run=summary,
        steps=waterfall(summary),
        statuses=STATUSES,
        recorded_label=RECORDED_LABEL,
        reasons=REASONS,
        paths=PATHS,
        shown_generators=SHOWN_GENERATORS,
        shown_notes=SHOWN_NOTES,
        money_chart=money_chart(summary.models) if summary.models else None,
        heat_map=heat_map(summary.diversity) if summary.diversity else None,
        outcomes=_outcomes_found(summary),
        traces=traces,
        index=Markup(traces.index),
        trace_texts=[Markup(text) for text in traces.questions],
        style=Markup("".join(map(_asset, STYLES))),
        script=Markup(script),
        theme=Markup(theme),
        script_digests=[_digest(script), _digest(theme)],
    )
    # Databases hand over lone surrogates, which no file can hold.
    return page.lstrip().encode("utf-8", "replace").decode("utf-8")


def waterfall(summary: RunSummary) -> list[Step]:
    """From the upper bound through the vote to the selected answers."""
    group, n = summary.overall, summary.overall.n
    vote, top, selected = group.majority_vote, group.upper_bound, group.execution_accuracy
    peak = vote + percent(summary.gained, n)
    steps = [
        Step("Upper bound", "total", 0, top, _share(top), "some candidate is right (pass@k)"),
        _change("lost by voting", vote, top, group.voted - group.available),
        Step("Majority vote", "total", 0, vote, _share(vote), "the largest cluster of equal results"),
        _change("gained by selection", vote, peak, summary.gained),
        _change("lost by selection", peak - percent(summary.lost, n), peak, -summary.lost),
        Step("Selected", "selected", 0, selected, _share(selected), "execution accuracy"),
    ]
    return [s for s in steps if s.kind in ("total", "selected") or s.end > s.start]


def _change(name: str, start: float, end: float, questions: int) -> Step:
    kind, sign = ("gain", "+") if questions >= 0 else ("loss", "−")
    size, unit = abs(questions), "question" if abs(questions) == 1 else "questions"
    return Step(name, kind, min(start, end), max(start, end), f"{sign}{abs(end - start):.1f}", f"{size:,} {unit}")


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _outcomes_found(summary: RunSummary) -> list[str]:
    found = {name for row in (summary.models.outcomes if summary.models else ()) for name in row.outcomes}
    return [name for name in OUTCOMES if name in found] + sorted(found - set(OUTCOMES))


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(_asset),
    )
    environment.filters.update(share=_share, duration=_duration, size=_size, money=money, tokens=short_count)
    environment.filters["count"] = "{:,}".format
    return environment.get_template("report.html")


def _asset(name: str) -> str:
    return files("nl2sql.reporting").joinpath(name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
