"""A server that is told to stop finishes what it has begun."""

from __future__ import annotations

import threading

import httpx

from qoe_service.client import QoEClient
from qoe_service.judges.ladder import Ladder
from qoe_service.judges.pixel import PixelJudge
from qoe_service.personas import Registry
from qoe_service.scoring import Scorer
from qoe_service.serving import introduction


def ask(url, pictures):
    with QoEClient(url) as client:
        return client.rewards(pictures, ["a"] * len(pictures))


class HeldJudge(PixelJudge):
    """Begins at once and ends when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.let_go = threading.Event(), threading.Event()

    def opinions(self, cases, panel, deadline):
        self.begun.set()
        assert self.let_go.wait(10)
        return super().opinions(cases, panel, deadline)


def test_a_request_in_flight_is_answered_before_the_end(serve, settings, persona_folder, pictures):
    judge, replies = HeldJudge(), []
    with Scorer(Ladder([judge]), Registry(persona_folder)) as scorer:
        with serve(scorer, settings) as url:
            asking = threading.Thread(target=lambda: replies.append(ask(url, pictures)))
            asking.start()
            assert judge.begun.wait(10)
            threading.Timer(0.2, judge.let_go.set).start()
        asking.join(10)
    assert len(replies) == 1
    assert None not in replies[0].rewards


def test_liveness_is_answered_while_a_judge_is_busy(serve, settings, persona_folder, pictures):
    judge = HeldJudge()
    with (
        Scorer(Ladder([judge]), Registry(persona_folder)) as scorer,
        serve(scorer, settings) as url,
    ):
        asking = threading.Thread(target=ask, args=(url, pictures))
        asking.start()
        assert judge.begun.wait(10)
        assert httpx.get(f"{url}/health/live").status_code == 200
        judge.let_go.set()
        asking.join(10)


def test_the_introduction_tells_judges_cache_and_docs(pixel_scorer, settings):
    text = introduction("http://127.0.0.1:8000", pixel_scorer, settings)
    for word in ("pixel", "in memory", "http://127.0.0.1:8000/docs", "QOE_API_KEYS"):
        assert word in text


def test_the_introduction_tells_who_is_on_a_scale_of_its_own(settings, persona_folder):
    ladder = Ladder([PixelJudge(), PixelJudge()], {"pixel": "not calibrated"})
    with Scorer(ladder, Registry(persona_folder)) as scorer:
        text = introduction("http://127.0.0.1:8000", scorer, settings)
    assert "pixel (pixel-measures) on its own scale" in text
