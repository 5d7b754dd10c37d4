"""Read numbers and dates out of what a question says, and write them as columns do."""

import re
from datetime import date, datetime
from functools import lru_cache

from nl2sql.profiling.value_formats import DAY_FORMATS

NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|[-+]?\.\d+")
ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b|,|\bof\b|\bthe\b", re.IGNORECASE)
SPOKEN_FORMATS = ("%B %d %Y", "%b %d %Y", "%d %B %Y", "%d %b %Y", "%Y %B %d", "%Y %b %d")
CLOCK = re.compile(r"[ T]\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z|\+00:00)?$")


def numbers_in(text: str) -> list[float]:
    """The number that a text is ('1,200.50' is 1200.5), [] when it is none."""
    stripped = text.strip().lstrip("$€£")
    return [float(stripped.replace(",", ""))] if NUMBER.fullmatch(stripped) else []


@lru_cache(maxsize=4096)
def dates_in(text: str) -> tuple[date, ...]:
    """The days that a text may mean, the likelier first: '3/4/2020' is 4 March and 3 April."""
    spoken = " ".join(ORDINAL.sub(" ", CLOCK.sub("", text.strip())).replace(".", ". ").split()).replace(". ", " ")
    found = []
    for form, formats in ((CLOCK.sub("", text.strip()), DAY_FORMATS), (spoken, SPOKEN_FORMATS)):
        found += [day for day in (_parsed(form, f) for f in formats) if day]
    return tuple(dict.fromkeys(found))


def _parsed(text: str, format_: str) -> date | None:
    try:
        return datetime.strptime(text, format_).date()
    except ValueError:
        return None


def date_texts(text: str, format_: str) -> list[str]:
    """How a column of this strftime format writes the days that a text may mean, with and without leading zeros.

    Of a format with a time of day only the day is written, if it comes first.
    """
    if len(text) > 40 or not any(c.isdigit() for c in text):
        return []
    day_format = re.split(r"[ T]?%[HI]", format_)[0]
    if not day_format or "%d" not in day_format:
        return []
    written = []
    for day in dates_in(text):
        full = day.strftime(day_format)
        written += [full, re.sub(r"(?<!\d)0(?=\d)", "", full) if "%Y%m" not in day_format else full]
    return list(dict.fromkeys(w for w in written if w != text))
