"""Which columns' values a question could name: the ones that the cell index holds."""

import re
from collections.abc import Sequence

from nl2sql.profiling.names import name_words
from nl2sql.rows import Profile

SAMPLED = 500  # values that a column is judged by
FEW = 100  # different values that are always kept, whatever they look like, unless they are prose
LONGEST_VALUE = 200  # characters; nobody types more of a value
LONGEST_USUAL = 40  # average length above which texts with many words count as prose
MOST_DATES = 50_000  # different dates of one column that are kept

URL = re.compile(r"^\s*(?:https?|ftp)://|^\s*www\.|^\S+\.(?:jpe?g|png|gif|svg|html?|php)$", re.IGNORECASE)
HEX = re.compile(r"^(?:0x)?[0-9a-fA-F]{16,}$|^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
BASE64 = re.compile(r"^[A-Za-z0-9+/_-]{40,}={0,2}$")
RECORD_ID = re.compile(r"^(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[a-z])(?=[A-Za-z0-9]*[A-Z])[A-Za-z0-9]{10,}$")
NAMES = frozenset(["name", "title", "label"])


def is_candidate(profile: Profile) -> bool:
    """Whether a column can be named at all: only stored text can."""
    return profile.texts > 0


def is_nameable(profile: Profile, values: Sequence[str]) -> bool:
    """Whether a question could name a column's values, judged by a sample of its different texts.

    Left out: urls, hashes, uuids, record ids, keys and references made of digits, and prose. Kept although others
    leave them out: text keys that people use (codes of countries, airports) and references to them, e-mail
    addresses, phone numbers, dates.
    """
    values = [v for v in values if v.strip()]
    if not values:
        return False
    if max(_share(pattern, values) for pattern in (URL, HEX, BASE64, RECORD_ID)) > 0.5:
        return False
    if profile.date_format:
        return profile.distinct <= MOST_DATES
    if (profile.primary_key or profile.references) and profile.numeric_fraction > 0.9:
        return False
    return not _is_prose(profile, values)


def _is_prose(profile: Profile, values: Sequence[str]) -> bool:
    average = sum(map(len, values)) / len(values)
    words = sum(len(v.split()) for v in values) / len(values)
    if average > LONGEST_VALUE or (words > 20 and average > 100):
        return True
    if profile.distinct <= FEW or NAMES & set(name_words(profile.column)):
        return False
    return average > LONGEST_USUAL and words > 7


def _share(pattern: re.Pattern[str], values: Sequence[str]) -> float:
    return sum(bool(pattern.search(v)) for v in values) / len(values)
