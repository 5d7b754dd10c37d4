"""What the values of a column look like: their shape, and the date format they share."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache

AGREEMENT = 0.95  # share of the looked-at values that a shape or a format must fit
FEWEST = 2  # different values that must agree before they are said to share a format of digits only
LONGEST_SHAPE = 40

MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
MONTH_NAMES = "January|February|March|April|May|June|July|August|September|October|November|December"
PARTS = {
    "%Y": r"(?:1[0-9]|2[01])\d\d",
    "%y": r"\d\d",
    "%m": r"(?:0?[1-9]|1[0-2])",
    "%d": r"(?:0?[1-9]|[12]\d|3[01])",
    "%b": rf"(?:{MONTHS})",
    "%B": rf"(?:{MONTH_NAMES})",
    "%H": r"(?:[01]?\d|2[0-3])",
    "%I": r"(?:0?[1-9]|1[0-2])",
    "%M": r"[0-5]\d",
    "%S": r"[0-5]\d",
    "%f": r"\d{1,6}",
    "%p": r"(?:AM|PM)",
}
# Where two fit all values the first wins: month before day, as in most English data.
DAY_FORMATS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%Y", "%d.%m.%y"),
    *("%m-%d-%Y", "%d-%m-%Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d %b, %Y"),
    *("%d %B, %Y", "%b-%d-%Y"),
)
TIME_FORMATS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p")
ZONES = ("", "Z", "+00:00", " UTC")
BARE_FORMATS = ("%Y%m%d", "%Y%m%d%H%M%S", "%Y-%m", "%Y/%m")
TIME_NAME = re.compile(r"date|time|stamp|epoch|created|updated|modified|_at$|_ts$|^ts$", re.IGNORECASE)
PLACEHOLDERS = frozenset(["", "null", "none", "n/a", "na", "nan", "-", "--", "?", "unknown", "nil", "tbd", "tba"])
LONGEST_PLACEHOLDER = max(map(len, PLACEHOLDERS))
EPOCH_SECONDS = range(315_532_800, 4_102_444_800)  # 1980 to 2099
NUMBER = r"^\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*$"


def date_format(texts: Sequence[str]) -> str:
    """The strftime format that nearly all of these distinct texts fit, '' when there is none.

    Months, days and hours need no leading zero. Placeholders such as 'N/A' are not counted. Not covered: formats that
    mix languages, two formats in one column, years alone (they read as numbers).
    """
    values = [t for t in map(str.strip, texts) if len(t) > LONGEST_PLACEHOLDER or t.casefold() not in PLACEHOLDERS]
    if not values:
        return ""
    probes = values[:: max(1, len(values) // 8)]
    likely = [f for f in _formats_like(probes) if _fitting(f, probes) >= 0.8 * len(probes)]
    fits = [(_fitting(format_, values), format_) for format_ in likely]
    best, found = max(fits, key=lambda f: f[0], default=(0, ""))
    if best < AGREEMENT * len(values) or (found.replace("%", "").isalpha() and best < FEWEST):
        return ""
    return found


def _fitting(format_: str, values: Sequence[str]) -> int:
    pattern = format_pattern(format_)
    return sum(bool(pattern.fullmatch(v)) for v in values)


def _formats_like(values: Sequence[str]) -> Sequence[str]:
    """The formats with the signs of most of these values: few enough that only their patterns need be made."""
    signs, count = Counter(map(_signs, values)).most_common(1)[0]
    return _formats().get(signs, ()) if count >= 0.8 * len(values) else ()


def _signs(text: str) -> str:
    return "".join(c for c in text if not c.isalnum())


@cache
def _formats() -> dict[str, tuple[str, ...]]:
    """All formats by what stands between their parts, each in order of preference."""
    joined = [f"{d}{s}{t}" for d in DAY_FORMATS for t in TIME_FORMATS for s in (" ", "T")]
    zoned = [f"{f}{z}" for f in joined for z in ZONES]
    found: dict[str, tuple[str, ...]] = {}
    for format_ in (*DAY_FORMATS, *TIME_FORMATS, *BARE_FORMATS, *zoned):
        signs = _signs(re.sub("%[A-Za-z]", "", format_))
        found[signs] = (*found.get(signs, ()), format_)
    return found


@cache
def format_pattern(format_: str) -> re.Pattern[str]:
    """The regular expression of what a strftime format writes, with or without leading zeros."""
    parts = re.split(r"(%[A-Za-z])", format_)
    pattern = "".join(PARTS.get(part, re.escape(part)) for part in parts)
    # Without separators a missing zero would shift everything after it.
    compact = "%Y%m%d" in format_
    return re.compile(pattern.replace("0?", "0").replace("[01]?", "[01]") if compact else pattern, re.IGNORECASE)


def number_date_format(name: str, declared_type: str, smallest: float, largest: float) -> str:
    """The date format of a column of numbers: 'epoch' (seconds or milliseconds), '%Y%m%d', '%J' (Julian day) or ''.

    Numbers alone cannot tell a moment from an amount, so the column's name or type must speak of time.
    """
    if not (TIME_NAME.search(name) or TIME_NAME.search(declared_type)):
        return ""
    low, high = int(smallest), int(largest)
    if low in EPOCH_SECONDS and high in EPOCH_SECONDS:
        return "epoch"
    if low // 1000 in EPOCH_SECONDS and high // 1000 in EPOCH_SECONDS:
        return "epoch"
    if all(re.fullmatch(format_pattern("%Y%m%d"), str(n)) for n in (low, high)) and low == smallest:
        return "%Y%m%d"
    return "%J" if 2_300_000 < smallest <= largest < 2_600_000 and smallest != int(smallest) else ""


def shape(texts: Sequence[str]) -> str:
    """The pattern that nearly all of these distinct texts share, '' when there is none.

    9 is a digit, A an upper and a a lower case letter, x a letter without case; a sign stands for itself and `+` after
    one means one or more of it. A common beginning with no common pattern after it reads 'rec*'.
    """
    values = [t for t in texts if t]
    if not values:
        return ""
    patterns = Counter(_patterns([v[:LONGEST_SHAPE] for v in values]))
    pattern, count = patterns.most_common(1)[0]
    if count >= AGREEMENT * len(values):
        return pattern
    runs: Counter[str] = Counter()
    for each, times in patterns.items():
        runs[re.sub(r"(.)\1+", r"\1+", each)] += times
    # A run of one and a run of many are the same pattern when nothing else tells them apart.
    loose: Counter[str] = Counter()
    for each, times in runs.items():
        loose[re.sub(r"([9Aax])(?!\+)", r"\1+", each)] += times
    pattern, count = loose.most_common(1)[0]
    if count >= AGREEMENT * len(values):
        return pattern
    first, last = min(values), max(values)
    start = first[: next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]
    return f"{start[:LONGEST_SHAPE]}*" if len(start) >= 2 and len(values) > 1 else ""


ASCII_PATTERN = str.maketrans(
    "0123456789" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + "abcdefghijklmnopqrstuvwxyz", "9" * 10 + "A" * 26 + "a" * 26
)


def _patterns(texts: Sequence[str]) -> list[str]:
    joined = "\n".join(texts)
    if joined.isascii() and joined.count("\n") == len(texts) - 1:  # all in one step
        return joined.translate(ASCII_PATTERN).split("\n")
    return [_pattern(text) for text in texts]


def _pattern(text: str) -> str:
    plain = text.translate(ASCII_PATTERN)
    return plain if plain.isascii() else "".join(map(_sign, plain))


def _sign(character: str) -> str:
    if character.isascii():
        return character
    if character.isdigit():
        return "9"
    if character.isalpha():
        return "A" if character.isupper() else "a" if character.islower() else "x"
    return character
