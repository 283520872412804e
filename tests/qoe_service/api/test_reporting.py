"""`POST /v1/report`, through a real server and through the clients."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from qoe_service.client import AsyncQoEClient, ProblemReply, QoEClient
from qoe_service.reports.messages import MosReport, ReportRequest

RATINGS = [
    {"item": item, "rater": rater, "score": score}
    for item, row in {"a": (4, 3.5, 4), "b": (2, 2.5, None), "c": (5, 4, 3), "d": (1, 2, 1)}.items()
    for rater, score in zip(("amelia", "bo", "chidi"), row, strict=True)
]
REQUEST = ReportRequest.model_validate({"ratings": RATINGS, "conditions": "four slopes"})


def post(url: str, body: object, **headers: str) -> httpx.Response:
    return httpx.post(f"{url}/v1/report", json=body, headers=headers, timeout=30)


def told(report: MosReport) -> MosReport:
    """Without when it was made."""
    method = report.method.model_copy(update={"created": REQUEST_TIME})
    return report.model_copy(update={"method": method})


REQUEST_TIME = None


def test_the_service_the_clients_and_the_scorer_say_the_same(service_url, pixel_scorer):
    async def asked() -> MosReport:
        async with AsyncQoEClient(service_url) as client:
            return await client.report(REQUEST)

    with QoEClient(service_url) as client:
        there = client.report(REQUEST)
    assert told(there) == told(asyncio.run(asked())) == told(pixel_scorer.report(REQUEST))
    assert there.method.raters == "3 simulated raters: personas with Big-Five z-scores"
    assert [item.mos.n for item in there.items if item.mos] == [3, 2, 3, 3]
    assert there.effects is not None
    assert there.effects.picture.low is None
    assert any("no interval of the effect budget: 4 pictures" in limit for limit in there.limits)


def test_a_browser_gets_the_page_and_a_program_gets_json(service_url):
    body = {"ratings": RATINGS}
    page = post(service_url, body, accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert page.headers["content-type"].startswith("text/html")
    assert page.text.startswith("<!doctype html>")
    for accept in ("*/*", "application/json", "application/json, text/html"):
        MosReport.model_validate_json(post(service_url, body, accept=accept).content)


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({"ratings": []}, 422, "ratings"),
        ({"ratings": [{"item": "a", "rater": "b", "score": 7}]}, 422, "ratings[0].score"),
        ({"ratings": [{"item": "a", "rater": "b", "score": None}]}, 422, "not one rating"),
        ({"ratings": RATINGS + RATINGS[:1]}, 422, "ratings[12]: amelia has rated a already"),
        ({"ratings": RATINGS, "population": "nobody"}, 422, "nobody"),
        ({"ratings": RATINGS, "human": [RATINGS[0]] * 2}, 422, "human[1]"),
        ([], 422, "body"),
    ],
)
def test_wrong_requests_are_problems_that_say_what_is_wrong(service_url, body, status, detail):
    reply = post(service_url, body)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert detail in reply.json()["detail"]


def test_problems_reach_the_client_and_large_or_strange_bodies_are_refused(service_url, settings):
    with QoEClient(service_url) as client, pytest.raises(ProblemReply) as caught:
        client.report(ReportRequest.model_validate({"ratings": RATINGS + RATINGS}))
    assert caught.value.type.endswith("bad-ratings")
    large = {"ratings": [{"item": "x" * 400, "rater": str(n), "score": 3} for n in range(3000)]}
    assert post(service_url, large).status_code == 413
    text = httpx.post(f"{service_url}/v1/report", content="item,rater,score", timeout=30)
    assert text.status_code == 415
