"""Where commands print: results on standard output, progress on standard error. Light, for commands without Prefect."""

import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

SCREEN = Console()
MARGIN = Console(stderr=True)


def json_line(value: dict[str, Any]) -> str:
    """A value as one line of JSON in ASCII, which every terminal and pipe takes."""
    return json.dumps(value, allow_nan=False)


def plain_table(*names: str) -> Table:
    """A table without lines: the first column left, the others right."""
    table = Table(*map(escape, names), box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    return table
