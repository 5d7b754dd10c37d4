"""What each part of the pipeline is worth: variants without it, against the whole, on the same questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nl2sql.rows import Verdict
from nl2sql.scoring.statistics import Interval, McNemar, bootstrap_interval, difference_interval, mcnemar


@dataclass(frozen=True)
class Variant:
    """One variant's figures as shares of all n questions, 0..1.

    `worth` is the whole minus this variant, above 0 when the part helps; None, as `test`, for the whole itself. In
    `test` the first system is the whole.
    """

    name: str
    n: int
    upper_bound: float  # questions with any right candidate
    vote: float  # questions that the plain vote gets right
    selected: Interval  # execution accuracy
    worth: Interval | None
    test: McNemar | None


def compare_variants(question_ids: Sequence[str], variants: Mapping[str, Sequence[Verdict]]) -> list[Variant]:
    """Compare the verdicts of each variant with those of the first, which is the whole pipeline.

    A question without a verdict, as after a failed task, is wrong. Raises ValueError without a variant.
    """
    if not variants:
        raise ValueError("no variant to compare")
    whole, *_ = (_right(question_ids, verdicts, "selected") for verdicts in variants.values())
    return [
        _figures(name, question_ids, verdicts, None if place == 0 else whole)
        for place, (name, verdicts) in enumerate(variants.items())
    ]


def _right(question_ids: Sequence[str], verdicts: Sequence[Verdict], system: str) -> np.ndarray:
    """Per question, whether any verdict of the system is right."""
    found = {v.question_id for v in verdicts if v.system == system and v.correct}
    return np.array([key in found for key in question_ids], dtype=bool)


def _figures(name: str, question_ids: Sequence[str], verdicts: Sequence[Verdict], whole: np.ndarray | None) -> Variant:
    selected = _right(question_ids, verdicts, "selected")
    bound, vote = (_share(_right(question_ids, verdicts, system)) for system in ("candidate", "vote"))
    return Variant(
        name=name,
        n=len(question_ids),
        upper_bound=bound,
        vote=vote,
        selected=bootstrap_interval(selected),
        worth=None if whole is None else difference_interval(selected, whole),
        test=None if whole is None else mcnemar(whole, selected),
    )


def _share(right: np.ndarray) -> float:
    return float(right.mean()) if len(right) else 0.0
