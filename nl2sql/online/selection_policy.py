"""A selection policy: how much each feature of a result and each generator's voice counts. Fitted offline."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nl2sql.errors import UserError
from nl2sql.online.candidate_weights import BLANK
from nl2sql.online.selection_features import ACCURACY_FEATURES, FEATURES, Pool, measure

FORMAT = 1
Numbers = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Policy:
    """Coefficients by name. A result's utility is the sum of its features times `features`, plus the voices of the
    generators that gave it; the likeliest result has the highest utility, and the odds between two are exp(difference).
    """

    features: Numbers
    voices: Numbers  # by generator; one that is not here has their mean
    accuracies: Numbers  # by generator, 0..1: the share of right answers where the policy was fitted
    blank_loses: bool  # an empty or all-NULL result loses to any other: where the policy was fitted none was right

    @cached_property
    def _by_name(self) -> tuple[Mapping[str, float], Mapping[str, float], float]:
        voices = dict(self.voices)
        return dict(self.features), voices, float(np.mean(list(voices.values()))) if voices else 0.0

    def probabilities(self, pool: Pool) -> np.ndarray:
        """How likely each result of a pool is, given that one of them is right: (results,), sums to 1."""
        coefficients, voices, usual = self._by_name
        chosen = {n: f for n, f in {**FEATURES, **ACCURACY_FEATURES}.items() if coefficients.get(n)}
        utility = measure(pool, chosen) @ np.array([coefficients[n] for n in chosen])
        for place, members in enumerate(pool.members):
            heard = {pool.candidates[i].generator for i in members}
            utility[place] += sum(voices.get(g, usual) for g in heard)
        if self.blank_loses:
            utility = np.where(losing_blanks(pool), -np.inf, utility)
        odds = np.exp(utility - utility.max(initial=-np.inf)) if len(utility) else utility
        return odds / odds.sum() if len(odds) else odds


def losing_blanks(pool: Pool) -> np.ndarray:
    """Which results are empty or all NULL while another is not, (results,) of bool."""
    blank = np.array([c.outcome in BLANK for c in pool.first], dtype=bool)
    return blank & (not blank.all())


@dataclass(frozen=True)
class Policies:
    """What `calibrate` writes: a policy fitted on all its databases, and for each of these one fitted without it."""

    policy: Policy
    without: Mapping[str, Policy]
    gains: bool  # whether it was surely better than the plain vote on databases that it had not seen

    def for_database(self, db_id: str) -> Policy | None:
        """The policy to use on a database, which has never seen it; None when policies do not gain."""
        return self.without.get(db_id, self.policy) if self.gains else None


def policies_to_json(policies: Policies, facts: Mapping[str, Any]) -> str:
    """The artifact as text: readable, every coefficient by name; `facts` say where it comes from."""
    held = {
        "format": FORMAT,
        "gains": policies.gains,
        **facts,
        "policy": _plain(policies.policy),
        "without": {db_id: _plain(policy) for db_id, policy in policies.without.items()},
    }
    return json.dumps(held, ensure_ascii=False, indent=1)


def policies_from_json(text: str, name: str) -> Policies:
    """Read the artifact; raises UserError, which calls it `name`, when it is none of this version."""
    try:
        held = json.loads(text)
        if held["format"] != FORMAT:
            raise ValueError(f"format {held['format']} is not {FORMAT}")
        without = {db_id: _policy(found) for db_id, found in held["without"].items()}
        return Policies(_policy(held["policy"]), without, held["gains"] is True)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{name} is no selection policy ({error}): make one with nl2sql calibrate RUN") from error


def _plain(policy: Policy) -> dict[str, Any]:
    parts: dict[str, Numbers] = {
        "features": policy.features, "voices": policy.voices, "accuracies": policy.accuracies
    }  # fmt: skip
    rounded = {part: {n: round(v, 6) for n, v in numbers} for part, numbers in parts.items()}
    return {"blank_loses": policy.blank_loses, **rounded}


def _policy(held: Mapping[str, Any]) -> Policy:
    features, voices, accuracies = (
        tuple((str(n), float(v)) for n, v in held[part].items()) for part in ("features", "voices", "accuracies")
    )
    unknown = dict(features).keys() - FEATURES.keys() - ACCURACY_FEATURES.keys()
    if unknown:
        raise ValueError(f"unknown feature {min(unknown)!r}")
    return Policy(features, voices, accuracies, held["blank_loses"] is True)
