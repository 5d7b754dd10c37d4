from dataclasses import replace

import pytest

from nl2sql.models.chat import Prompt, Request, Usage
from nl2sql.models.expected_outputs import PRIOR_WEIGHT, PRIORS, ExpectedOutputs

ASKED = Request("m", Prompt("p", "", "", ""), role="generate")


def test_lengths_start_at_the_prior_and_move_to_what_was_seen():
    outputs = ExpectedOutputs()
    assert outputs.tokens(ASKED) == PRIORS["generate"]
    assert outputs.tokens(replace(ASKED, effort="high")) > PRIORS["generate"]
    for _ in range(1000):
        outputs.note(ASKED, Usage(output_tokens=100))
    assert outputs.tokens(ASKED) == pytest.approx(100, abs=PRIORS["generate"] * PRIOR_WEIGHT / 1000)
    assert outputs.tokens(replace(ASKED, model="other")) == PRIORS["generate"]
    assert outputs.tokens(replace(ASKED, max_tokens=16, model="other")) == 16
