"""The headline table of a run, for the terminal and as Markdown."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from nl2sql.reporting import run_summary as s

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
    return Group(*titles, table, *_warnings(summary))


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
    warnings = [f"- {_escaped(w.plain[2:])}" for w in _warnings(summary)]
    table = "\n".join(("| figure | value | of n (95 % interval) |", "|---|---:|---|", *lines))
    parts = [f"## {_escaped(title)}", *map(_escaped, rest), table]
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
    gained = f"selection +{summary.gained:,} −{summary.lost:,}"
    yield Line("majority vote", f"{group.majority_vote:.1f}", gained, group.majority_vote)
    each = f"{summary.candidates / group.n:.1f} candidates each" if group.n else ""
    yield Line("upper bound", f"{group.upper_bound:.1f}", each, group.upper_bound)


def _groups(summary: s.RunSummary) -> Iterator[Line]:
    for groups in (summary.by_difficulty, summary.by_database):
        for group in groups if len(groups) > 1 else ():
            value = f"{group.execution_accuracy:.1f}"
            yield Line(f"  {group.name}", value, f"{group.correct:,} of {group.n:,}", group.execution_accuracy)


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
    yield Line("seconds", f"{summary.seconds:.1f}", f"cost ${summary.cost:.2f}")


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
    escaped = _escaped(text.strip())
    return f"**{escaped}**" if strong and escaped else escaped


def _escaped(text: str) -> str:
    plain = " ".join(text.split())
    for character in "\\`*_[]<>|":
        plain = plain.replace(character, "&lt;" if character == "<" else f"\\{character}")
    return plain
