"""What the report draws of model calls and of generators: lengths and shades, computed here and not in the page."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

from nl2sql.reporting.generator_diversity import Diversity, Matrix, plain_name
from nl2sql.reporting.model_costs import ROLES, ModelCosts
from nl2sql.reporting.shares import percent

BINS = 20  # of the histogram, at most
NUMBERED = 14  # generators; a larger heat map has no room for numbers
OTHER = "other"  # colour of an operation that is not a known one
HEADROOM = 1e-9  # of a bin, so that its upper end is its own whatever rounding does


@dataclass(frozen=True)
class Segment:
    """A piece of the stacked bar, from and to in percent."""

    role: str
    colour: str  # a name in report_models.css
    dollars: float
    share: float
    start: float
    end: float


@dataclass(frozen=True)
class Bin:
    """A column of the histogram: questions that cost more than `low` and at most `high` dollars."""

    low: float
    high: float
    count: int
    height: float  # in percent of the highest


@dataclass(frozen=True)
class MoneyChart:
    """Where the money went."""

    segments: tuple[Segment, ...]
    bins: tuple[Bin, ...]
    free: int  # questions without any cost, which are in no bin


@dataclass(frozen=True)
class HeatRow:
    """A line of the heat map."""

    number: int
    name: str
    cells: tuple[tuple[str, str, float, str], ...]  # kind (above, below, none, blank), text, shade 0..1, title


@dataclass(frozen=True)
class HeatMap:
    """Pairs of generators: above the diagonal where results differ, below it where exactly one is right."""

    rows: tuple[HeatRow, ...]
    numbered: bool
    highest: tuple[float, float]  # what the darkest shades stand for, in percent


def money_chart(costs: ModelCosts) -> MoneyChart:
    """Dollars by operation and by question."""
    by_role: dict[str, float] = defaultdict(float)
    for use in costs.uses:
        by_role[use.role] += use.dollars
    segments, at = [], 0.0
    for role, dollars in by_role.items():
        share = percent(dollars, costs.dollars)
        colour = role if role in ROLES else OTHER
        segments.append(Segment(role, colour, dollars, share, at, at + share))
        at += share
    paid = [d for d in costs.by_question if d > 0]
    return MoneyChart(tuple(segments), histogram(paid), len(costs.by_question) - len(paid))


def histogram(values: Sequence[float]) -> tuple[Bin, ...]:
    """Count positive values in at most BINS equal bins from 0, whose width is 1, 2 or 5 times a power of ten."""
    if not values:
        return ()
    width = round_width(max(values) / BINS)
    counts = [0] * (floor(max(values) / width - HEADROOM) + 1)
    for value in values:
        counts[max(0, floor(value / width - HEADROOM))] += 1
    return tuple(Bin(n * width, (n + 1) * width, c, percent(c, max(counts))) for n, c in enumerate(counts))


def round_width(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not below `least`."""
    power = 10.0 ** floor(log10(least))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= least * (1 - HEADROOM))


def heat_map(diversity: Diversity) -> HeatMap:
    """Lay out both matrices as one."""
    highest = _highest(diversity.differ), _highest(diversity.one_right)
    numbered = len(diversity.names) <= NUMBERED
    rows = []
    for i, name in enumerate(diversity.names):
        cells = tuple(_cell(diversity, i, j, highest, numbered) for j in range(len(diversity.names)))
        rows.append(HeatRow(i + 1, plain_name(name), cells))
    return HeatMap(tuple(rows), numbered, highest)


def _highest(matrix: Matrix) -> float:
    return max((value for row in matrix for value in row if value is not None), default=0.0)


def _cell(
    diversity: Diversity, i: int, j: int, highest: tuple[float, ...], numbered: bool
) -> tuple[str, str, float, str]:
    above = j > i
    value = (diversity.differ if above else diversity.one_right)[i][j]
    if i == j:
        return "none", "", 0.0, ""
    pair = f"{plain_name(diversity.names[i])} and {plain_name(diversity.names[j])}"
    if value is None:
        return "blank", "–" if numbered else "", 0.0, f"{pair}: no question in common"
    said = "different results" if above else "exactly one right"
    top = highest[0 if above else 1]
    text = f"{value:.0f}" if numbered else ""
    return "above" if above else "below", text, value / top if top else 0.0, f"{pair}: {said} for {value:.1f} %"
