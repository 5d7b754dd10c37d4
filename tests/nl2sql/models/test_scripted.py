import asyncio
import time
from dataclasses import replace

import pytest

from nl2sql.models.chat import Prompt, Reply, Request, Turn, Usage
from nl2sql.models.refusals import ModelsStopped
from nl2sql.models.scripted import Scripted, count_usage

ASKED = Request("m", Prompt("p", "1234", "12345678", "汉字"))


def test_texts_become_replies_with_usage_and_replies_stay_as_they_are():
    own = Reply("", "m", failure="refused")
    model = Scripted(lambda r: own if r.sample else "12345")
    assert model.ask([ASKED, replace(ASKED, sample=1)]) == [Reply("12345", "m", Usage(5, output_tokens=2)), own]
    assert [r.sample for r in model.asked] == [0, 1]
    assert asyncio.run(model.ask_one(ASKED)).text == "12345"
    assert count_usage(replace(ASKED, turns=(Turn("user", "\ud800"),)), "").input_tokens == 6


def test_calls_of_one_ask_take_their_time_together():
    start = time.monotonic()
    Scripted(lambda r: "", seconds=0.1).ask([ASKED] * 20)
    assert 0.1 <= time.monotonic() - start < 1.5


def test_what_a_script_raises_passes_through():
    def answer(asked):
        raise ModelsStopped("enough")

    with pytest.raises(ModelsStopped, match="enough"):
        Scripted(answer).ask([ASKED])
