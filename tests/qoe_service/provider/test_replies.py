from __future__ import annotations

import math

import pytest
from langchain_core.messages import AIMessage

from qoe_service.provider import CallFailed, TokenChoice, Usage
from qoe_service.provider.replies import read_reply

USAGE = {"input_tokens": 90, "output_tokens": 4, "total_tokens": 94}


def message(text="good", *, finish="stop", logprobs=None, **extra):
    metadata = {"finish_reason": finish, "logprobs": logprobs}
    return AIMessage(text, response_metadata=metadata, usage_metadata=USAGE, **extra)


def read(said, *, structured=False, longest_text=100):
    return read_reply(said, structured=structured, longest_text=longest_text)


def place(token, probability, *others):
    top = [{"token": word, "logprob": math.log(p)} for word, p in others]
    return {"token": token, "logprob": math.log(probability), "top_logprobs": top}


def test_reads_the_text_and_what_it_cost():
    answer = read(message("good"))
    assert (answer.text, answer.choices, answer.usage) == ("good", (), Usage(90, 4))
    assert type(answer.text) is str


def test_reads_the_alternatives_of_every_token():
    logprobs = {
        "content": [
            place("good", 0.6, ("good", 0.6), ("fair", 0.3)),
            place(".", 0.9, ("!", 0.1)),  # the spoken one is not among those listed
            place("\n", 1.0),
        ]
    }
    choices = read(message(logprobs=logprobs)).choices
    assert choices == (
        (TokenChoice("good", math.log(0.6)), TokenChoice("fair", math.log(0.3))),
        (TokenChoice(".", math.log(0.9)), TokenChoice("!", math.log(0.1))),
        (TokenChoice("\n", 0.0),),
    )


@pytest.mark.parametrize("finish", ["content_filter", "SAFETY", "refusal"])
def test_a_filter_refuses(finish):
    with pytest.raises(CallFailed, match="declined") as told:
        read(message("", finish=finish))
    assert (told.value.kind, told.value.usage) == ("refused", Usage(90, 4))


def test_a_model_refuses():
    said = message("", additional_kwargs={"refusal": "I cannot rate people."})
    with pytest.raises(CallFailed, match="I cannot rate people") as told:
        read(said)
    assert told.value.kind == "refused"


@pytest.mark.parametrize(
    ("said", "structured", "reason"),
    [
        (message("  "), False, "empty"),
        (message("", finish="length"), False, r"empty \(finish reason length\)"),
        (message("so " * 50), False, "150 characters, more than 100"),
        (message('{"score": 4', finish="length"), True, "cut off before its end"),
        (message('{"score": 4'), True, "not a JSON object"),
        (message("4"), True, "not a JSON object"),
        (message("I would say 4."), True, "not a JSON object"),
        (message(logprobs={"content": [{"token": "good"}]}), False, "malformed"),
        (message(logprobs={"content": ["good"]}), False, "malformed"),
        (message(logprobs={"content": [{"token": "a", "logprob": None}]}), False, "malformed"),
        (message(logprobs={"content": [{"token": "a", "logprob": 0.7}]}), False, "malformed"),
        (message(logprobs={"content": [{"token": "a", "logprob": math.nan}]}), False, "malformed"),
        (message(logprobs=["good"]), False, "malformed"),
    ],
)
def test_what_no_score_can_be_read_from_is_unreadable(said, structured, reason):
    with pytest.raises(CallFailed, match=reason) as told:
        read(said, structured=structured)
    assert (told.value.kind, told.value.usage) == ("unreadable", Usage(90, 4))


def test_one_word_may_end_for_want_of_tokens():
    assert read(message("good", finish="length")).text == "good"


def test_a_json_object_is_handed_on_as_it_is():
    assert read(message('{"score": 4}'), structured=True).text == '{"score": 4}'


def test_a_model_that_does_not_say_what_it_used_said_nothing():
    assert read(AIMessage("good")).usage == Usage()
