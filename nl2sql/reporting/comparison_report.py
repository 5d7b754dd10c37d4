"""Render the comparison of two runs: a sentence, JSON figures and one HTML file that needs nothing else."""

from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from nl2sql.scoring.compare_answers import Comparison, Contrast
from nl2sql.scoring.statistics import Interval

SMALLEST_REACH = 5  # points on either side of the plot's zero


def conclusion(comparison: Comparison) -> str:
    """One sentence: the difference, and whether it could be chance."""
    overall = comparison.contrasts[0]
    difference = points(overall.difference)
    sure = overall.test.p_value < 0.05
    which = "no difference" if not overall.difference.value else f"the second is {difference}"
    chance = "unlikely to be chance" if sure else "which could be chance"
    return f"{which[:1].upper()}{which[1:]} points, {chance} (p = {overall.test.p_value:.3g})."


def noise_floor(comparison: Comparison) -> str:
    """What as many questions can show."""
    overall = comparison.contrasts[0]
    return (
        f"With {overall.n} questions, of which {len(comparison.flips)} flipped, a true difference of"
        f" {100 * comparison.resolvable:.1f} points would be seen in four comparisons of five; smaller ones are lost in"
        " the noise more often."
    )


def points(interval: Interval) -> str:
    """A difference in points with its interval: '+1.8 (+0.2 to +3.5)'."""
    return f"{100 * interval.value:+.1f} ({100 * interval.low:+.1f} to {100 * interval.high:+.1f})"


def share(interval: Interval) -> str:
    """A share in percent with its interval."""
    return f"{100 * interval.value:.1f} ({100 * interval.low:.1f} to {100 * interval.high:.1f})"


def comparison_json(comparison: Comparison, first: str, second: str) -> dict[str, Any]:
    """The comparison as plain data; shares are percentages, differences points."""
    return {
        "first": first,
        "second": second,
        "groups": [_contrast_json(c) for c in comparison.contrasts],
        "same_sql": comparison.same_sql,
        "left_out": list(comparison.left_out),
        "resolvable_points": round(100 * comparison.resolvable, 2),
        "flips": [
            {
                "question_id": f.question.question_id,
                "db_id": f.question.db_id,
                "right": "second" if f.second.correct else "first",
                "reason": f.first.reason or f.second.reason,
            }
            for f in comparison.flips
        ],
    }


def _contrast_json(c: Contrast) -> dict[str, Any]:
    return {
        "kind": c.kind,
        "name": c.name,
        "n": c.n,
        **{name: _numbers(getattr(c, name)) for name in ("first", "second", "difference")},
        "only_first": c.test.only_first,
        "only_second": c.test.only_second,
        "p_value": c.test.p_value,
    }


def _numbers(interval: Interval) -> dict[str, float]:
    return {name: round(100 * getattr(interval, name), 2) for name in ("value", "low", "high")}


def render_comparison(comparison: Comparison, first: str, second: str) -> str:
    """The HTML file. Every text of the runs is escaped; no script and no request is allowed on the page."""
    ends = [abs(100 * e) for c in comparison.contrasts for e in (c.difference.low, c.difference.high)]
    reach = max(SMALLEST_REACH, 5 * (int(max(ends)) // 5 + 1))
    folder = files("nl2sql.reporting")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string(folder.joinpath("comparison.html").read_text(encoding="utf-8"))
    page = template.render(
        first=first,
        second=second,
        overall=comparison.contrasts[0],
        verdict=conclusion(comparison),
        note=noise_floor(comparison),
        reach=reach,
        contrasts=[_drawn(c, reach) for c in comparison.contrasts],
        flips=comparison.flips,
        style=Markup(folder.joinpath("report.css").read_text(encoding="utf-8")),
    )
    return page.encode("utf-8", "replace").decode("utf-8")


def _drawn(c: Contrast, reach: int) -> dict[str, Any]:
    at, low, high = (50 + 50 * 100 * getattr(c.difference, name) / reach for name in ("value", "low", "high"))
    return {
        "name": c.name,
        "n": c.n,
        "first": f"{100 * c.first.value:.1f}",
        "second": f"{100 * c.second.value:.1f}",
        "difference": f"{100 * c.difference.value:+.1f}",
        "interval": points(c.difference),
        "tone": "better" if c.difference.low > 0 else "worse" if c.difference.high < 0 else "",
        "at": f"{at:.2f}",
        "low": f"{low:.2f}",
        "high": f"{high:.2f}",
        "only_first": c.test.only_first,
        "only_second": c.test.only_second,
        "p": f"{c.test.p_value:.3f}",
    }
