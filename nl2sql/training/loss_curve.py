"""The losses of a training run as a picture: one line of text for a terminal, SVG for a page."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int = 40) -> str:
    """The values in one line, from 0 to the largest, those that share a place averaged; '' for none."""
    if not values:
        return ""
    places = min(width, len(values))
    edges = [len(values) * place // places for place in range(places + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
    top = max(max(means), 1e-9)
    return "".join(BLOCKS[min(len(BLOCKS) - 1, int(len(BLOCKS) * max(mean, 0.0) / top))] for mean in means)


def loss_curve_svg(card: Mapping[str, Any], width: int = 640, height: int = 260) -> str:
    """The losses of an adapter's card: those of training as dots, of validation as a line, the best one marked."""
    points = [(p["step"], p.get("loss"), p.get("valid")) for p in card["curve"]]
    values = [value for _, *pair in points for value in pair if value is not None]
    top, last = max([1e-9, *values]), max([1, *(step for step, *_ in points)])

    def place(step: float, value: float) -> str:
        return f"{40 + (width - 60) * step / last:.1f},{20 + (height - 60) * (1 - value / top):.1f}"

    trained = " ".join(_dot(place(s, v), 1.5) for s, v, _ in points if v is not None)
    judged = [place(s, v) for s, _, v in points if v is not None]
    best = place(card["best_step"], card["best_valid_loss"])
    grid = "".join(_level(place(0, top * n / 4), top * n / 4, width) for n in range(5))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif"'
        f' font-size="11" role="img" aria-label="loss by step">{grid}'
        f'<g fill="#8a8a8a">{trained}</g><polyline points="{" ".join(judged)}" fill="none" stroke="#2b6cb0"'
        f' stroke-width="2"/><g fill="#2b6cb0">{"".join(_dot(p, 2) for p in judged)}{_dot(best, 4.5)}</g>'
        f'<text x="40" y="{height - 24}">step 0</text>'
        f'<text x="{width - 20}" y="{height - 24}" text-anchor="end">step {last:,}</text>'
        f'<text x="40" y="{height - 6}"><tspan fill="#6a6a6a">&#9679; training loss</tspan>'
        f'<tspan dx="16" fill="#2b6cb0">&#9473; validation loss, the best at step {card["best_step"]:,}</tspan></text>'
        "</svg>"
    )


def _dot(place: str, radius: float) -> str:
    x, _, y = place.partition(",")
    return f'<circle cx="{x}" cy="{y}" r="{radius}"/>'


def _level(place: str, value: float, width: int) -> str:
    y = place.partition(",")[2]
    return (
        f'<line x1="40" x2="{width - 20}" y1="{y}" y2="{y}" stroke="#e2e2e2"/>'
        f'<text x="36" y="{float(y) + 4:.1f}" text-anchor="end" fill="#6a6a6a">{value:.2g}</text>'
    )
