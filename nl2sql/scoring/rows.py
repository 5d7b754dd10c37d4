"""The nouns of scoring and weighing that outlive a run, one frozen dataclass per artifact."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """What came of one predicted statement against one gold statement, kept for later scores. Kind: judgements."""

    database_sha256: str
    gold_sql: str
    sql: str
    correct: bool
    official: bool  # by BIRD's own reading
    reason: str  # as in Verdict
    detail: str
    difference: str  # the rule by which both readings differ, mostly ''


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often one generator is right on one database, estimated without any gold. Kind: accuracies."""

    generator: str
    accuracy: float  # 0..1
