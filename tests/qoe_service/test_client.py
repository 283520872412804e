"""The client is the scorer at a distance: the same answers, and typed errors."""

from __future__ import annotations

import asyncio

import httpx
import numpy as np
import pytest

from qoe_service.api.app import create_app
from qoe_service.client import (
    AsyncQoEClient,
    ProblemReply,
    QoEClient,
    ServiceUnreachable,
    UnreadableReply,
)
from qoe_service.items import make_item
from qoe_service.schemas import RewardItem, RewardsRequest, ScoreRequest

PROMPTS = ["a slope", "", "noise", "a slope"]


@pytest.fixture
def client(service_url):
    with QoEClient(service_url) as client:
        yield client


@pytest.fixture
def score_request(pictures):
    items = [
        make_item(picture, prompt, id=str(index), delay_s=index)
        for index, (picture, prompt) in enumerate(zip(pictures, PROMPTS, strict=True))
    ]
    return ScoreRequest(items=tuple(items), personas=("chidi", "nobody", "amelia"))


@pytest.fixture
def rewards_request(score_request):
    items = [RewardItem(image=item.image, prompt=item.prompt) for item in score_request.items]
    return RewardsRequest(items=tuple(items), panel=2)


def test_score_is_the_scorers(client, pixel_scorer, score_request):
    assert client.score(score_request) == pixel_scorer.score(score_request)


@pytest.mark.parametrize("panel", [{}, {"panel": 2}, {"personas": ["bo", "nobody"]}])
def test_rewards_are_the_scorers(client, pixel_scorer, pictures, panel):
    asked = client.rewards(pictures, PROMPTS, **panel, tier="pixel", deadline_ms=60_000)
    assert asked == pixel_scorer.rewards(pictures, PROMPTS, **panel)
    assert [reward is None for reward in asked.rewards] == [False, True, False, False]


def test_rewards_of_files_are_those_of_their_pixels(
    client, pixel_scorer, pictures, rewards_request
):
    asked = client.rewards_of_files(rewards_request)
    assert asked == pixel_scorer.rewards_of_files(rewards_request)
    assert asked == pixel_scorer.rewards(pictures, PROMPTS, panel=2)


def test_a_view_that_is_not_contiguous_travels_as_it_is_seen(client, pixel_scorer, pictures):
    view = np.asfortranarray(pictures)[::-1, :, ::2]
    assert client.rewards(view, PROMPTS) == pixel_scorer.rewards(view.copy(), PROMPTS)


def test_personas_judges_and_readiness_are_the_scorers(client, pixel_scorer):
    assert client.personas() == pixel_scorer.personas()
    assert client.judges() == pixel_scorer.judges()
    assert client.readiness() == pixel_scorer.readiness()


def test_the_async_client_has_the_same_answers_and_methods(
    pixel_scorer, settings, score_request, rewards_request, pictures
):
    async def ask():
        transport = httpx.ASGITransport(create_app(pixel_scorer, settings))
        async with AsyncQoEClient("http://qoe", transport=transport) as client:
            return await asyncio.gather(
                client.score(score_request),
                client.rewards(pictures, PROMPTS),
                client.rewards_of_files(rewards_request),
                client.personas(),
                client.judges(),
                client.readiness(),
            )

    assert asyncio.run(ask()) == [
        pixel_scorer.score(score_request),
        pixel_scorer.rewards(pictures, PROMPTS),
        pixel_scorer.rewards_of_files(rewards_request),
        pixel_scorer.personas(),
        pixel_scorer.judges(),
        pixel_scorer.readiness(),
    ]


def test_a_problem_becomes_an_exception_that_says_what_to_do(client, score_request):
    twice = score_request.model_copy(update={"items": score_request.items * 2})
    with pytest.raises(ProblemReply) as problem:
        client.score(twice)
    assert problem.value.status == 422
    assert problem.value.title.startswith("Unprocessable")
    assert problem.value.type == "urn:persona-qoe:problem:duplicate-id"
    assert problem.value.detail in str(problem.value)


def test_nobody_there_is_told_as_such():
    with (
        QoEClient("http://127.0.0.1:9") as client,
        pytest.raises(ServiceUnreachable, match="serve"),
    ):
        client.judges()


def answering(handler) -> QoEClient:
    return QoEClient("http://qoe", transport=httpx.MockTransport(handler))


def test_one_call_is_one_request():
    seen = []

    def fail(request):
        seen.append(request)
        raise httpx.ReadTimeout("slow")

    with answering(fail) as client, pytest.raises(ServiceUnreachable, match="in time"):
        client.judges()
    assert len(seen) == 1


@pytest.mark.parametrize("status", [502, 503])
def test_a_proxys_error_page_is_a_problem(status):
    page = httpx.Response(status, html="<h1>Bad gateway</h1>")
    with answering(lambda request: page) as client, pytest.raises(ProblemReply) as problem:
        client.readiness()
    assert problem.value.status == status
    assert "Bad gateway" in problem.value.detail


def test_another_service_is_not_believed():
    page = httpx.Response(200, json={"hello": "world"})
    with answering(lambda request: page) as client, pytest.raises(UnreadableReply):
        client.judges()
