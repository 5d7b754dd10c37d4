"""How time and memory grow with size: measured in a process of its own for each size, fitted, drawn as SVG."""

import math
import resource
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "#8a8a8a")
WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 170, 28, 40


@dataclass(frozen=True)
class Point:
    """One size (in what the plot says), the seconds that it took and the peak memory of its process in MB."""

    size: float
    seconds: float
    megabytes: float


def peak_megabytes(who: int = resource.RUSAGE_SELF) -> float:
    """The most memory that this process has had resident; with RUSAGE_CHILDREN the largest of its ended children."""
    peak = resource.getrusage(who).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """The exponent e of y = c * x^e by least squares over the logarithms; 1 is linear."""
    xs, ys = [math.log(x) for x, _ in points], [math.log(y) for _, y in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    covariance = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return covariance / sum((x - mean_x) ** 2 for x in xs)


def growth_svg(title: str, across: str, up: str, series: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Lines over two logarithmic axes; each name is followed by its fitted exponent."""
    points = [p for line in series.values() for p in line]
    xs = _decades(x for x, _ in points)
    ys = _decades(y for _, y in points)
    parts = [_grid(xs, ys, across, up), f'<text x="{LEFT}" y="16" font-weight="bold">{escape(title)}</text>']
    for place, (name, line) in enumerate(series.items()):
        colour = COLOURS[place % len(COLOURS)]
        drawn = [(_along(x, xs), _upward(y, ys)) for x, y in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in drawn)
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in drawn)
        label = f"{escape(name)} (n^{exponent(line):.2f})"
        y = TOP + 14 + 18 * place
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}')
        parts.append(f'<text x="{WIDTH - RIGHT + 12}" y="{y}" fill="{colour}">{label}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
    return f'{head} font-size="11"><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>{"".join(parts)}</svg>\n'


def _decades(values: object) -> tuple[int, int]:
    logs = [math.log10(v) for v in values]  # type: ignore[attr-defined]
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    return low, max(high, low + 1)


def _power(decade: int) -> str:
    return f"{10.0**decade:,.{max(0, -decade)}f}"


def _along(x: float, ends: tuple[int, int]) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(x) - ends[0]) / (ends[1] - ends[0])


def _upward(y: float, ends: tuple[int, int]) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (math.log10(y) - ends[0]) / (ends[1] - ends[0])


def _grid(xs: tuple[int, int], ys: tuple[int, int], across: str, up: str) -> str:
    lines = []
    for decade in range(xs[0], xs[1] + 1):
        x = _along(10.0**decade, xs)
        lines.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        lines.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 14}" text-anchor="middle">{_power(decade)}</text>')
    for decade in range(ys[0], ys[1] + 1):
        y = _upward(10.0**decade, ys)
        lines.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_power(decade)}</text>')
    names = f'<text x="{LEFT}" y="{HEIGHT - 8}">{escape(across)}</text><text x="4" y="{TOP - 10}">{escape(up)}</text>'
    return f'<g stroke="#ddd" fill="#444" stroke-width="1">{"".join(lines)}{names}</g>'.replace(
        "<text ", '<text stroke="none" '
    )
