import asyncio

import pytest

from nl2sql.models.framed_json import BrokenFrame, frame, receive_message

MESSAGE = {"text": "汉字 \x00 \ud800", "number": 0.1}


def received(*blocks):
    async def read():
        reader = asyncio.StreamReader()
        for block in blocks:
            reader.feed_data(block)
        reader.feed_eof()
        return [await receive_message(reader), await receive_message(reader)]

    return asyncio.run(read())


def test_messages_come_back_as_they_were_however_they_are_cut():
    sent = frame(MESSAGE)
    assert received(sent[:2], sent[2:9], sent[9:] + sent) == [MESSAGE, MESSAGE]


@pytest.mark.parametrize("left", [1, 3, 4, 20])
def test_a_message_whose_writer_died_over_it_is_none(left):
    assert received(frame(MESSAGE), frame(MESSAGE)[:left]) == [MESSAGE, None]


@pytest.mark.parametrize("noise", [b"\xff" * 8, b"\x02\0\0\0{]", b"\x02\0\0\0[]"])
def test_noise_is_an_error(noise):
    with pytest.raises(BrokenFrame):
        received(noise)
