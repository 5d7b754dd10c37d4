"""Everything that the steps of a run wrote, as rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nl2sql.rows import (
    Candidate,
    Grounding,
    Linking,
    ModelCall,
    Question,
    Recall,
    Repair,
    Selection,
    Verdict,
)


@dataclass(frozen=True)
class RunTables:
    """What summaries and reports are made of, in the order of the pipeline. What a run did not write stays empty."""

    questions: Sequence[Question] = ()
    groundings: Sequence[Grounding] = ()
    linkings: Sequence[Linking] = ()
    candidates: Sequence[Candidate] = ()
    repairs: Sequence[Repair] = ()
    selections: Sequence[Selection] = ()
    verdicts: Sequence[Verdict] = ()
    recalls: Sequence[Recall] = ()
    corrected: Sequence[Verdict] = ()  # by a second gold, of the questions that it changes
    model_calls: Sequence[ModelCall] = ()  # of artifacts that this run made
    reused_calls: Sequence[ModelCall] = ()  # of artifacts of earlier runs that it took over
    gold_previews: Mapping[str, str] = field(default_factory=dict)  # question id -> rows, in Repair.preview's form
