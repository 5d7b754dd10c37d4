"""Which run made which artifact from which others: as a table in the Prefect UI and in the terminal."""

import time
from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from flows.manifests import name_of_task
from nl2sql.reporting.terminal import markdown_text
from nl2sql.rows import Step
from tasks.lineage import Origin

KEY_WIDTH = 8  # characters of a key that are shown
SHOWN_PARENTS = 2
SHOWN_LINES = 400  # of a run in the UI; `nl2sql lineage` shows all
HEADS = ("step", "artifact", "made by", "from", "rows", "seconds", "when")


def lineage_markdown(steps: Sequence[Step], origins: Sequence[Origin]) -> str:
    """One line for each artifact of a run, with links to the runs that made them."""
    lines = [
        f"| {markdown_text(named)} | `{short(o.name)}` | {_linked(o)} | {_parents(o)} | {o.rows:,} | {o.seconds:.1f} |"
        f" {_moment(o)} |"
        for named, o in _named(steps[:SHOWN_LINES], origins)
    ]
    rest = len(origins) - len(lines)
    more = [f"\n{rest:,} more: `nl2sql lineage` with the run's folder shows all."] if rest > 0 else []
    return "\n".join((f"| {' | '.join(HEADS)} |", "|---|---|---|---|---:|---:|---|", *lines, *more)) + "\n"


def lineage_table(steps: Sequence[Step], origins: Sequence[Origin]) -> Table:
    """The same for the terminal, without the parents: `ancestry` has room for them."""
    table = Table("step", "made by", "rows", "seconds", "when", box=None, pad_edge=False)
    table.add_column("artifact", no_wrap=True)
    for place in (2, 3):
        table.columns[place].justify = "right"
    for named, o in _named(steps, origins):
        cells = (named, _made_by(o), f"{o.rows:,}", f"{o.seconds:.1f}", _moment(o), short(o.name))
        table.add_row(*map(Text, cells))
    return table


def ancestry(found: Iterator[tuple[int, Origin]]) -> Tree:
    """An artifact with what it was made from below it, as a tree for the terminal."""
    _, first = next(found)
    tree = Tree(_branch(first))
    path = [tree]
    for depth, origin in found:
        del path[depth:]
        path.append(path[-1].add(_branch(origin)))
    return tree


def short(name: str) -> str:
    """KIND/KEY with the beginning of the key only."""
    kind, _, key = name.partition("/")
    return f"{kind}/{key[:KEY_WIDTH]}"


def _named(steps: Sequence[Step], origins: Sequence[Origin]) -> Iterator[tuple[str, Origin]]:
    by_key = {o.name: o for o in origins}
    for step in steps:
        origin = by_key.get(f"{step.kind}/{_stem(step.path)}")
        if origin is not None:
            yield name_of_task(step.stage, step.db_id, step.batch), origin


def _stem(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2].removesuffix(".parquet")


def _branch(origin: Origin) -> Text:
    words = f"  {origin.rows:,} rows, {_made_by(origin)}, {_moment(origin)}, {origin.seconds:.1f} s"
    return Text.assemble((short(origin.name), "bold"), (words, "dim"))


def _made_by(origin: Origin) -> str:
    return origin.run or "outside of Prefect"


def _linked(origin: Origin) -> str:
    name = markdown_text(_made_by(origin))
    return f"[{name}](/runs/flow-run/{origin.run_id})" if origin.run_id else name


def _moment(origin: Origin) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(origin.written))


def _parents(origin: Origin) -> str:
    shown = [short(name) for name in origin.parents[:SHOWN_PARENTS]]
    rest = len(origin.parents) - len(shown)
    return ", ".join([*shown, *([f"{rest} more"] if rest else [])])
