"""How shares, dollars and tokens are computed and written in every report."""

from collections.abc import Sequence
from math import ceil, floor, isfinite, log10, sqrt

Z_95 = 1.959964  # standard normal quantile of a two-sided 95 % interval


def percent(part: float, whole: float) -> float:
    """Share in percent; 0 of nothing is 0."""
    return 100.0 * part / whole if whole else 0.0


def wilson_interval(correct: int, n: int) -> tuple[float, float]:
    """95 % Wilson score interval of a share, in percent; (0, 100) when nothing was asked.

    It treats questions as independent draws; questions of one database are not quite.
    """
    if not n:
        return 0.0, 100.0
    share, z2 = correct / n, Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return 100 * max(0.0, centre - half), 100 * min(1.0, centre + half)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered) - 1e-9) - 1)] if ordered else 0.0


def money(dollars: float) -> str:
    """Dollars in cents, small sums with two significant digits: '$1,204.50', '$0.12', '$0.0031'."""
    if not isfinite(dollars):
        return "$?"
    decimals = max(2, 1 - floor(log10(abs(dollars)))) if 0 < abs(dollars) < 1 else 2
    return f"${dollars:,.{min(decimals, 8)}f}"


def short_count(n: int) -> str:
    """A count in three digits or four: '812', '12.3 k', '1.2 M'."""
    for size, letter in ((1_000_000, "M"), (10_000, "k")):
        if n >= size:
            return f"{n / (1000 if letter == 'k' else size):,.1f} {letter}"
    return f"{n:,}"
