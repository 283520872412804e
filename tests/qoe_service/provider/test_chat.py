"""Over real HTTP, against the fake provider."""

from __future__ import annotations

import asyncio
import io
import math
from collections.abc import Iterator

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from PIL import Image

from qoe_service.provider import CallFailed, FailureKind, Question
from qoe_service.provider.background import BackgroundLoop
from qoe_service.provider.chat import Chat, messages
from qoe_service.provider.chat_models import chat_model, http_client
from tests.fake_provider import FakeProvider, Misbehaviour, score_of_question


def png(colour: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(file, "PNG")
    return file.getvalue()


ASKED = "How good is it: bad, poor, fair, good or excellent? <wish>a red wall</wish>"
QUESTION = Question("You are calm and curious.", ASKED, (png((200, 80, 80)),))
SCHEMA = (
    '{"title": "opinion", "type": "object", "additionalProperties": false, "required": ["score"],'
    ' "properties": {"score": {"type": "integer", "minimum": 1, "maximum": 5}}}'
)
STRUCTURED = Question(QUESTION.system, ASKED, QUESTION.pictures, schema=SCHEMA)


class Asker:
    """Chats with the fake provider on a background loop."""

    def __init__(self, provider: FakeProvider, loop: BackgroundLoop) -> None:
        self.loop = loop
        self.client = loop.run(self._client()).result(10)
        model = chat_model("fake-vlm", base_url=provider.url, http_client=self.client, seed=1)
        self.chat = Chat(model, seed=1)

    async def _client(self):
        return http_client(longest_reply_bytes=100_000)

    def ask(self, question=QUESTION, timeout_s=30.0):
        async def in_time():
            async with asyncio.timeout(timeout_s):
                return await self.chat.ask(question)

        return self.loop.run(in_time()).result(60)


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        running.behave(huge_bytes=200_000, retry_after_s=17.0)
        yield running


@pytest.fixture(scope="module")
def asker(provider) -> Iterator[Asker]:
    loop = BackgroundLoop()
    asker = Asker(provider, loop)
    yield asker
    loop.run(asker.client.aclose()).result(10)
    loop.close()


@pytest.mark.parametrize("colour", [(200, 80, 80), (10, 10, 10), (250, 250, 250)])
def test_the_probabilities_of_the_levels_say_what_the_judge_has_in_mind(asker, colour):
    question = Question(QUESTION.system, ASKED, (png(colour),))
    answer = asker.ask(question)
    levels = {"bad": 1, "poor": 2, "fair": 3, "good": 4, "excellent": 5}
    weights = {
        choice.token: math.exp(choice.log_probability)
        for choice in answer.choices[0]
        if choice.token.lower() in levels
    }
    total = sum(weights.values())
    score = sum(levels[token.lower()] * weight for token, weight in weights.items()) / total
    in_mind = score_of_question(question.system, question.user, question.pictures)
    assert score == pytest.approx(in_mind, abs=0.02)
    assert total == pytest.approx(0.98, abs=0.01)


def test_everything_of_the_question_arrives(asker, provider):
    two = Question("You are calm.", ASKED, (png((9, 9, 9)), png((200, 200, 200))))
    answer = asker.ask(two)
    reading = provider.readings[-1]
    assert reading.persona_text == "You are calm."
    assert (reading.wish, reading.pictures) == ("a red wall", 2)
    assert reading.sight.brightness == pytest.approx((9 + 200) / 2 / 255, abs=0.01)
    assert answer.input_tokens > 2 * 85
    assert answer.output_tokens >= 1


def test_without_pictures_only_text_is_sent(asker, provider):
    asker.ask(Question("You are calm.", ASKED))
    assert provider.readings[-1].pictures == 0


def test_a_schema_is_answered_in(asker):
    answer = asker.ask(STRUCTURED)
    in_mind = score_of_question(QUESTION.system, ASKED, QUESTION.pictures)
    assert answer.text == f'{{"score":{round(in_mind)}}}'


def test_samples_of_one_question_are_drawn_apart(asker, provider):
    model = chat_model("fake-vlm", base_url=provider.url, http_client=asker.client, temperature=1.0)
    hot = Chat(model, seed=5)

    def draw(sample):
        question = Question(QUESTION.system, ASKED, QUESTION.pictures, sample=sample)
        return asker.loop.run(hot.ask(question)).result(30).text

    assert draw(3) == draw(3)
    assert len({draw(sample) for sample in range(12)}) > 1


FAILURES = [
    (Misbehaviour.BUSY, FailureKind.BUSY),
    (Misbehaviour.BUSY_RETRY_AFTER, FailureKind.BUSY),
    (Misbehaviour.BROKEN, FailureKind.BROKEN),
    (Misbehaviour.UNAVAILABLE, FailureKind.BROKEN),
    (Misbehaviour.BAD_REQUEST, FailureKind.REJECTED),
    (Misbehaviour.UNAUTHORISED, FailureKind.REJECTED),
    (Misbehaviour.CUT, FailureKind.BROKEN),
    (Misbehaviour.TRUNCATED, FailureKind.UNREADABLE),
    (Misbehaviour.WRONG_SCHEMA, FailureKind.UNREADABLE),
    (Misbehaviour.HUGE, FailureKind.UNREADABLE),
    (Misbehaviour.REFUSAL, FailureKind.REFUSED),
    (Misbehaviour.FILTERED, FailureKind.REFUSED),
    (Misbehaviour.EMPTY_CHOICES, FailureKind.UNREADABLE),
    (Misbehaviour.WRONG_LENGTH, FailureKind.UNREADABLE),
]


@pytest.mark.parametrize("question", [QUESTION, STRUCTURED], ids=["plain", "structured"])
@pytest.mark.parametrize(("misbehaviour", "kind"), FAILURES)
def test_every_misbehaviour_has_its_kind_and_is_tried_once(
    asker, provider, misbehaviour, kind, question
):
    provider.forget_traffic()
    provider.script(misbehaviour)
    with pytest.raises(CallFailed) as told:
        asker.ask(question)
    assert told.value.kind is kind
    expected = 17.0 if misbehaviour is Misbehaviour.BUSY_RETRY_AFTER else None
    assert told.value.retry_after_s == expected
    assert provider.traffic.requests == 1


def test_prose_is_no_answer_in_a_schema(asker, provider):
    provider.script(Misbehaviour.PROSE)
    with pytest.raises(CallFailed) as told:
        asker.ask(STRUCTURED)
    assert told.value.kind is FailureKind.UNREADABLE
    assert told.value.usage.output_tokens > 10


def test_missing_probabilities_leave_the_text(asker, provider):
    provider.script(Misbehaviour.NO_LOGPROBS)
    answer = asker.ask()
    assert answer.choices == ()
    assert answer.text in {"bad", "poor", "fair", "good", "excellent"}


@pytest.mark.parametrize("misbehaviour", [Misbehaviour.HANG, Misbehaviour.DRIP])
def test_a_call_that_is_given_up_is_let_go_of(asker, provider, misbehaviour):
    provider.script(misbehaviour)
    with pytest.raises(TimeoutError):
        asker.ask(timeout_s=0.3)
    assert asker.ask().text


def test_a_provider_that_is_gone_is_broken_and_may_come_back(asker, provider):
    provider.stop()
    try:
        with pytest.raises(CallFailed, match="ConnectError") as told:
            asker.ask()
        assert told.value.kind is FailureKind.BROKEN
    finally:
        provider.start()
    assert asker.ask().text


class SchemaModel(GenericFakeChatModel):
    """A model of a provider that answers schemas by tool calls, as Anthropic's do."""

    def bind_tools(self, tools, **options):
        del options
        assert tools[0]["title"] == "opinion"
        return self


def test_models_of_other_providers_answer_schemas_in_their_own_way():
    call = {"name": "opinion", "args": {"score": 4}, "id": "1", "type": "tool_call"}
    model = SchemaModel(messages=iter([AIMessage("", tool_calls=[call]), AIMessage("Well...")]))
    chat = Chat(model)
    assert asyncio.run(chat.ask(STRUCTURED)).text == '{"score":4}'
    with pytest.raises(CallFailed, match="not a JSON object"):
        asyncio.run(chat.ask(STRUCTURED))


def test_pictures_are_langchains_standard_blocks():
    system, user = messages(QUESTION)
    assert system.content == QUESTION.system
    assert [block["type"] for block in user.content_blocks] == ["text", "image"]
    assert user.content_blocks[1]["mime_type"] == "image/png"
