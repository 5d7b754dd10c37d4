"""Read BIRD's database_description folders: one CSV per table that says what its columns mean."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ENCODINGS = ("utf-8-sig", "cp1252", "latin-1")  # the last one decodes anything
FIELDS = {
    "original_column_name": "column",
    "original column name": "column",
    "column_name": "expanded_name",
    "column name": "expanded_name",
    "column_description": "description",
    "column_desription": "description",
    "column description": "description",
    "description": "description",
    "value_description": "value_description",
    "value description": "value_description",
    "value descriptions": "value_description",
}
# A label that BIRD's authors put before most remarks; it says nothing.
LABEL = re.compile(r"^commonsense (?:evidence|reasoning)\s*:?\s*", re.IGNORECASE)


class Description(NamedTuple):
    """What a description file says of one column; '' where it says nothing."""

    expanded_name: str = ""
    description: str = ""
    value_description: str = ""


Descriptions = Mapping[tuple[str, str], Description]  # by case-folded table and column


def read_descriptions(folder: str) -> Descriptions:
    """The descriptions of a database, by case-folded table and column name; {} when there is no such folder.

    Files may be UTF-8 with or without a mark, Windows-1252 or Latin-1, with any spelling of the headers that occurs
    in BIRD. Rows without a column name and files without a header are passed over.
    """
    if not folder or not Path(folder).is_dir():
        return {}
    found: dict[tuple[str, str], Description] = {}
    for path in sorted(Path(folder).iterdir()):
        if path.suffix.casefold() == ".csv" and not path.name.startswith("."):
            for column, description in _rows(_decoded(path.read_bytes())):
                found.setdefault((path.stem.strip().casefold(), column), description)
    return found


def describe(descriptions: Descriptions, table: str, column: str) -> Description:
    """What is said of a column, an empty description when nothing is."""
    return descriptions.get((table.casefold(), " ".join(column.split()).casefold()), Description())


def _decoded(content: bytes) -> str:
    for encoding in ENCODINGS[:-1]:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode(ENCODINGS[-1])


def _rows(text: str) -> Iterable[tuple[str, Description]]:
    reader = csv.reader(io.StringIO(text.replace("\0", "").replace("\ufffd", ""), newline=""))
    header: list[str] | None = None
    try:
        for row in reader:
            if header is None:
                named = [FIELDS.get(" ".join(cell.split()).casefold(), "") for cell in row]
                header = named if "column" in named else None
            elif row:
                yield from _described(header, row)
    except csv.Error:  # a field beyond csv's size limit: what came before it still counts
        return


def _described(header: Sequence[str], row: Sequence[str]) -> Iterable[tuple[str, Description]]:
    cells: dict[str, str] = {}
    for name, cell in zip(header, row, strict=False):
        if name:
            cells.setdefault(name, LABEL.sub("", " ".join(cell.split())))
    column = cells.pop("column", "")
    if column:
        yield column.casefold(), Description(**cells)
