"""How a value of the question is written in its column: spelling, numbers, dates and years."""

import re
from dataclasses import dataclass, field
from datetime import date

from sqlglot import exp

from nl2sql.models.rules.lexicon import Lexicon
from nl2sql.models.rules.query import column, number, text
from nl2sql.models.rules.vocabulary import MONTHS
from nl2sql.rows import ColumnName

NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?%?")
ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
AMERICAN = re.compile(r"(\d{1,2})[-/](\d{1,2})[-/](\d{4})")
WORDED = re.compile(
    r"([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})|(\d{1,2})(?:st|nd|rd|th)? ([A-Za-z]{3,9}),? (\d{4})"
)
PARTS = {"year": ("%Y", 1, 4, 4), "month": ("%m", 6, 2, 2), "day": ("%d", 9, 2, 2)}


@dataclass(frozen=True)
class Values:
    """Spells literals for columns: profiles and the matched cells tell how the database writes them."""

    lexicon: Lexicon
    spelled: dict[tuple[ColumnName, str], str] = field(default_factory=dict)  # (column, casefolded) -> the cell

    def literal(self, name: ColumnName, value: str) -> exp.Expr:
        """The value as this column would hold it: a number for numbers, the cell's own spelling, the column's date."""
        profile = self.lexicon.profiles.get(name)
        cell = self.spelled.get((name, value.casefold()))
        if cell is not None and (profile is None or profile.texts):
            return text(cell)
        if self.lexicon.is_numeric(name) and NUMBER.fullmatch(value.strip()):
            return number(value.strip().rstrip("%").replace(",", ""))
        day = parse_date(value)
        if day is not None and profile is not None and profile.date_format.startswith("%"):
            return text(_written(day, _day_part(profile.date_format)))
        known = next((v for v in profile.top_values if v.casefold() == value.casefold()), None) if profile else None
        return text(known or value)

    def compare(self, name: ColumnName, operator: str, value: str) -> exp.Expr:
        """`name operator value`; a day compared with a column of days and times becomes a prefix."""
        profile = self.lexicon.profiles.get(name)
        wanted = self.literal(name, value)
        stamped = profile is not None and profile.date_format.startswith("%") and profile.longest > 10
        if operator == "=" and stamped and parse_date(value) is not None and len(value) <= 18:
            return exp.Like(this=column(name), expression=text(wanted.name + "%"))
        return compared(column(name), operator, wanted)

    def between(self, name: ColumnName, low: str, high: str) -> exp.Expr:
        """`name BETWEEN low AND high`; times of day do not push a row past the last day."""
        profile = self.lexicon.profiles.get(name)
        subject: exp.Expr = column(name)
        if profile is not None and profile.date_format.startswith("%Y-%m-%d") and profile.longest > 10:
            subject = exp.Anonymous(this="SUBSTR", expressions=[subject, number(1), number(10)])
        return exp.Between(this=subject, low=self.literal(name, low), high=self.literal(name, high))

    def date_part(self, name: ColumnName, part: str) -> exp.Expr | None:
        """The year, month or day of a column, None when the column is a plain number of that kind."""
        profile = self.lexicon.profiles.get(name)
        _, begin, size, _ = PARTS[part]
        if profile is None or not profile.date_format.startswith("%Y-%m"):
            if profile is not None and self.lexicon.is_numeric(name) and (profile.longest <= 4):
                return None
            code = PARTS[part][0]
            return exp.Anonymous(this="STRFTIME", expressions=[text(code), column(name)])
        return exp.Anonymous(this="SUBSTR", expressions=[column(name), number(begin), number(size)])

    def in_part(self, name: ColumnName, part: str, operator: str, value: str) -> exp.Expr:
        """A condition on a column's year, month or day."""
        subject = self.date_part(name, part)
        if subject is None:
            return compared(column(name), operator, number(value))
        profile = self.lexicon.profiles.get(name)
        if part == "year" and operator == "=" and profile is not None and _year_last(profile.date_format):
            return exp.Like(this=column(name), expression=text("%" + _short(value, profile.date_format)))
        return compared(subject, operator, text(value.zfill(PARTS[part][3])))


def compared(left: exp.Expr, operator: str, right: exp.Expr) -> exp.Expr:
    """`left operator right` for the six comparison operators."""
    kinds = {
        "=": exp.EQ,
        "!=": exp.NEQ,
        "<>": exp.NEQ,
        "<": exp.LT,
        "<=": exp.LTE,
        ">": exp.GT,
        ">=": exp.GTE,
    }
    return kinds[operator](this=left, expression=right)


def parse_date(value: str) -> date | None:
    """The day that a text names in ISO, American or worded form; None when it names none."""
    if match := ISO.search(value):
        return _day(*(int(g) for g in match.groups()))
    if match := AMERICAN.search(value):
        month, day, year = (int(g) for g in match.groups())
        return _day(year, month, day)
    if match := WORDED.search(value):
        name = (match[1] or match[5]).lower()
        month = next((n for m, n in MONTHS.items() if m.startswith(name[:3])), 0)
        return _day(int(match[3] or match[6]), month, int(match[2] or match[4]))
    return None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _day_part(pattern: str) -> str:
    cut = min((pattern.find(c) for c in ("T", " %H", " %I") if c in pattern), default=len(pattern))
    return pattern[:cut]


def _written(day: date, pattern: str) -> str:
    return day.strftime(pattern)


def _year_last(pattern: str) -> bool:
    return _day_part(pattern).endswith(("%Y", "%y"))


def _short(year: str, pattern: str) -> str:
    return year if _day_part(pattern).endswith("%Y") else year[-2:]
