"""The headline table of a run, for the terminal and as Markdown."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from nl2sql.reporting import run_summary as s
from nl2sql.reporting.generator_diversity import plain_name
from nl2sql.reporting.model_costs import ModelCosts
from nl2sql.reporting.shares import money, short_count

BAR_WIDTH = 12  # characters for 100 %
SHOWN_WARNINGS = 8
DASH = "–"


@dataclass(frozen=True)
class Line:
    """A line of the headline table. `share` is a percentage to draw as a bar, None for figures that are none."""

    name: str
    value: str
    note: str
    share: float | None = None
    strong: bool = False


@dataclass(frozen=True)
class ModelTable:
    """A further table, and what is said below it. The first `words` columns hold words, the others figures."""

    heads: tuple[str, ...]
    words: int
    rows: tuple[tuple[str, ...], ...]
    sentences: tuple[str, ...]


def headline(summary: s.RunSummary) -> list[Line]:
    """Give the lines of the table, in order: answers, groups, linking, repair, selection, time."""
    return [*_answers(summary), *_groups(summary), *_steps(summary)]


def terminal_table(summary: s.RunSummary) -> Group:
    """Give the headline table as something that rich prints; coloured only where the console has colours."""
    table = Table(box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column(f"0{'100 %':>{BAR_WIDTH - 1}}", no_wrap=True)
    table.add_column("of n (95 % interval)", style="dim")
    for line in headline(summary):
        style = "bold" if line.strong else ""
        table.add_row(Text(line.name, style), Text(line.value, style), _bar(line), Text(line.note))
    titles = [Text(t, "bold" if n == 0 else "") for n, t in enumerate(_titles(summary))]
    return Group(*titles, table, *map(_model_table, model_tables(summary)), *_warnings(summary))


def terminal_text(summary: s.RunSummary, width: int = 100) -> str:
    """Give the headline table as plain text."""
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(terminal_table(summary))
    return capture.get()


def markdown_table(summary: s.RunSummary) -> str:
    """Give the headline table as Markdown, e.g. for an artifact of a Prefect run."""
    lines = [
        f"| {_cell(line.name, line.strong)} | {_cell(line.value, line.strong)} | {_cell(line.note)} |"
        for line in headline(summary)
    ]
    title, *rest = _titles(summary)
    warnings = [f"- {markdown_text(w.plain[2:])}" for w in _warnings(summary)]
    table = "\n".join(("| figure | value | of n (95 % interval) |", "|---|---:|---|", *lines))
    parts = [
        f"## {markdown_text(title)}",
        *map(markdown_text, rest),
        table,
        *map(_model_markdown, model_tables(summary)),
    ]
    return "\n\n".join([*parts, "\n".join(warnings)] if warnings else parts) + "\n"


def _titles(summary: s.RunSummary) -> list[str]:
    parts = [p for p in (summary.dataset, summary.preset and f"preset {summary.preset}", summary.run_id) if p]
    titles = [" · ".join(parts) or "evaluation"]
    return [*titles, summary.label] if summary.label else titles


def _answers(summary: s.RunSummary) -> Iterator[Line]:
    group = summary.overall
    low, high = group.interval
    yield Line(
        "execution accuracy",
        f"{group.execution_accuracy:.1f}",
        f"{group.correct:,} of {group.n:,} ({low:.1f} to {high:.1f})",
        group.execution_accuracy,
        strong=True,
    )
    if group.corrected is not None:
        by_corrected = f"{group.corrected:,} of {group.n:,}"
        yield Line("  by corrected gold", _share(group.corrected_accuracy), by_corrected, group.corrected_accuracy)
    gained = f"selection +{summary.gained:,} −{summary.lost:,}"
    yield Line("majority vote", f"{group.majority_vote:.1f}", gained, group.majority_vote)
    each = f"{summary.candidates / group.n:.1f} candidates each" if group.n else ""
    yield Line("upper bound", f"{group.upper_bound:.1f}", each, group.upper_bound)


def _groups(summary: s.RunSummary) -> Iterator[Line]:
    for groups in (summary.by_difficulty, summary.by_database):
        for group in groups if len(groups) > 1 else ():
            value = f"{group.execution_accuracy:.1f}"
            corrected = group.corrected_accuracy
            other = "" if corrected is None else f", corrected {corrected:.1f}"
            said = f"{group.correct:,} of {group.n:,}{other}"
            yield Line(f"  {group.name}", value, said, group.execution_accuracy)


def _steps(summary: s.RunSummary) -> Iterator[Line]:
    linking = summary.s2
    if linking.n:
        kept = f"{linking.columns_kept:.1f} of {linking.columns_total:.1f} columns"
        yield Line("linking, strict recall", _share(linking.strict_recall), kept, linking.strict_recall)
        yield Line("linking, recall", _share(linking.recall), "", linking.recall)
        yield Line("linking, precision", _share(linking.precision), "", linking.precision)
    if summary.cell_recall is not None:
        literals = f"{summary.cells:,} gold string literals"
        yield Line("cell recall", _share(summary.cell_recall), literals, summary.cell_recall)
    changed = f"{summary.changed:,} candidates changed"
    yield Line("fixed, broken", f"+{summary.fixed:,} −{summary.broken:,}", changed)
    agree = f"{summary.paths.get('unanimous', 0):,} of {summary.overall.n:,}"
    yield Line("unanimous", f"{summary.unanimous:.1f}", agree, summary.unanimous)
    yield Line("seconds", f"{summary.seconds:.1f}", "" if summary.models else f"cost $0.00: {summary.cost_note}")
    yield from cost_lines(summary)


def cost_lines(summary: s.RunSummary) -> Iterator[Line]:
    """The lines that only a run with models has."""
    costs = summary.models
    if costs is None:
        return
    each = costs.per_question
    yield Line("dollars", money(costs.dollars), f"{money(costs.paid)} paid by this run")
    yield Line("  a question", money(each.mean), f"median {money(each.median)}")
    yield Line("  95 % of them", f"≤ {money(each.p95)}", f"dearest {money(each.most)}")
    yield Line("model calls", f"{costs.calls:,}", f"{costs.earlier:,} paid before")


def model_tables(summary: s.RunSummary) -> list[ModelTable]:
    """Where the money of a run with models went, and what its generators are worth; none without models."""
    if summary.models is None:
        return []
    tables = [_uses_table(summary.models)] if summary.models.uses else []
    return [*tables, _generators_table(summary)] if summary.diversity else tables


def _uses_table(costs: ModelCosts) -> ModelTable:
    heads = ("operation", "model", "calls", "in", "cached", "out", "dollars", "seconds")
    rows = tuple(
        (
            u.role,
            u.model.partition("/")[2] or u.model,
            f"{u.calls:,}",
            short_count(u.input_tokens),
            f"{u.cached_share:.0f} %",
            short_count(u.output_tokens),
            money(u.dollars),
            DASH if u.median_seconds is None else f"{u.median_seconds:.1f}",
        )
        for u in costs.uses
    )
    return ModelTable(heads, 2, rows, ())


def _generators_table(summary: s.RunSummary) -> ModelTable:
    heads = ("generator", "EX", "bound", "only it", "without", "failed", "dollars", "a right one")
    rows = tuple(
        (
            plain_name(g.name),
            f"{g.execution_accuracy:.1f}",
            f"{g.upper_bound:.1f}",
            f"{g.unique:,}",
            f"{g.bound_without:.1f}",
            f"{g.failed:,}",
            money(g.cost),
            DASH if g.cost_per_right is None else money(g.cost_per_right),
        )
        for g in summary.generators
    )
    return ModelTable(heads, 1, rows, summary.diversity.advice if summary.diversity else ())


def _model_table(table: ModelTable) -> Group:
    shown = Table(box=None, pad_edge=False)
    for place, head in enumerate(table.heads):
        shown.add_column(head, justify="left" if place < table.words else "right", overflow="fold")
    for row in table.rows:
        shown.add_row(*map(Text, row))
    return Group(shown, *map(Text, table.sentences), Text(""))


def _model_markdown(table: ModelTable) -> str:
    rule = "|".join("---" if place < table.words else "---:" for place in range(len(table.heads)))
    rows = [f"| {' | '.join(map(_cell, row))} |" for row in (table.heads, *table.rows)]
    return "\n\n".join(["\n".join((rows[0], f"|{rule}|", *rows[1:])), *map(markdown_text, table.sentences)])


def _share(value: float | None) -> str:
    return DASH if value is None else f"{value:.1f}"


def _bar(line: Line) -> Text:
    if line.share is None:
        return Text("")
    full = round(line.share / 100 * BAR_WIDTH)
    return Text.assemble(("━" * full, "green" if line.strong else "cyan"), ("─" * (BAR_WIDTH - full), "dim"))


def _warnings(summary: s.RunSummary) -> list[Text]:
    failed = len(summary.failed_questions)
    found = [f"questions without an answer because a task failed: {failed:,}"] if failed else []
    found += [*summary.failed_tasks, *summary.notes]
    rest = len(found) - SHOWN_WARNINGS
    found = [*found[:SHOWN_WARNINGS], f"{rest:,} more notes in the report"] if rest > 1 else found
    return [Text(f"! {text}", "yellow") for text in found]


def _cell(text: str, strong: bool = False) -> str:
    escaped = markdown_text(text.strip())
    return f"**{escaped}**" if strong and escaped else escaped


def markdown_text(text: str) -> str:
    """A text on one line that Markdown shows as it is: a question may hold a bar, a bracket or a tag."""
    plain = " ".join(text.split())
    for character in "\\`*_[]<>|":
        plain = plain.replace(character, "&lt;" if character == "<" else f"\\{character}")
    return plain
