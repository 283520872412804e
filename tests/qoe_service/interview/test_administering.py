"""Interviews over real HTTP, with a provider that is well, that misbehaves, and that is dear."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from qoe_service.cache import VectorCache
from qoe_service.errors import JudgeUnavailable
from qoe_service.interview.administering import Interviewer
from qoe_service.interview.asking import interview_prompt, manners_of
from qoe_service.interview.instruments import load_instrument
from qoe_service.interview.interviewing import interview
from qoe_service.interview.verdict import Verdict
from qoe_service.judges import Deadline
from qoe_service.judges.endpoint import Endpoint, Gates, ModelAt
from qoe_service.persona import Persona
from qoe_service.personas import Registry
from qoe_service.provider.breaker import Breaker
from qoe_service.provider.budget import Budget
from qoe_service.provider.concurrency import Limiter
from qoe_service.provider.day_files import read_entries
from qoe_service.provider.retrying import Retrying, RetryPolicy
from qoe_service.provider.spending import by_run
from qoe_service.settings import Settings
from tests.fake_provider import Behaviour, FakeProvider, Misbehaviour, Mix, Mood
from tests.qoe_service.interview.interviewees import answers_in, drawn_people

MINI = load_instrument("mini-ipip")
ONE, EIGHT = drawn_people(1, seed=1), drawn_people(8, seed=11)


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProvider]:
    with FakeProvider() as provider:
        yield provider


@pytest.fixture
def provider(running: FakeProvider) -> FakeProvider:
    running.start()
    running.behave(**Behaviour().model_dump())
    running.script()
    running.forget_traffic()
    return running


def interviewer(
    provider: FakeProvider, cache: VectorCache | None = None, *, budget: Budget | None = None, **how
) -> Interviewer:
    candidates = manners_of(MINI)
    gates = Gates(
        budget or Budget(),
        Breaker("the fake provider", failures=1_000, open_s=0.2, patience_s=0.2),
        limiter=Limiter(start=16, most=64),
        retrying=Retrying(RetryPolicy(first_pause_s=0.01, longest_pause_s=0.05)),
        attempt_timeout_s=5.0,
    )
    model = ModelAt(name="fake-vlm", base_url=provider.url)
    return Interviewer(
        Endpoint(model, gates, [manner.decoding for manner in candidates]),
        instrument=MINI,
        template=interview_prompt(),
        cache=cache or VectorCache(None),
        **how,
    )


def administer(one: Interviewer, people: tuple[Persona, ...], run: str = "a-run"):
    try:
        return one.administer(people, run=run, deadline=Deadline.after_ms(20_000))
    finally:
        one.close()


def settings(provider: FakeProvider, folder: Path, **changes: object) -> Settings:
    named = {"vlm_model": "fake-vlm", "vlm_base_url": provider.url, "cache": folder}
    return Settings(**{**named, "tiers": ("vlm",), "openai_api_key": "any", **changes})


def test_answers_are_read_from_the_likelihood_of_the_options(provider: FakeProvider) -> None:
    sheets = administer(interviewer(provider), ONE)
    assert sheets.extraction == "logprobs"
    expected = answers_in(Mood.HONEST, ONE, MINI)
    assert np.abs(sheets.answers - expected).max() < 0.03
    assert (sheets.questions, sheets.cached, sheets.answered) == (40, 0, 1.0)
    assert sheets.calls == 40 + 1  # and the canary
    assert sheets.tokens > 40 * 100


def test_without_log_probabilities_an_option_is_chosen_by_its_words(provider) -> None:
    structured = manners_of(MINI)[1:]
    sheets = administer(interviewer(provider, candidates=structured), ONE)
    assert sheets.extraction == "structured"
    expected = answers_in(Mood.HONEST, ONE, MINI, manner=1)
    assert set(np.unique(sheets.answers)) <= {1, 2, 3, 4, 5}
    assert np.abs(sheets.answers - expected).max() < 0.6


def test_a_model_that_gives_no_probabilities_is_asked_in_the_other_way(provider) -> None:
    provider.script(*[Misbehaviour.NO_LOGPROBS] * 6)
    sheets = administer(interviewer(provider), ONE)
    assert sheets.extraction == "structured"


def test_what_was_answered_is_not_asked_again(provider: FakeProvider, tmp_path: Path) -> None:
    first = administer(interviewer(provider, VectorCache(tmp_path)), ONE)
    provider.forget_traffic()
    again = administer(interviewer(provider, VectorCache(tmp_path)), ONE)
    assert (again.cached, again.calls) == (40, 1)  # the canary
    assert again.answers == pytest.approx(first.answers)
    assert provider.traffic.requests == 1


def test_people_who_are_told_the_same_are_asked_once(provider: FakeProvider) -> None:
    twin = ONE[0].model_copy(update={"patience_s": ONE[0].patience_s})
    sheets = administer(interviewer(provider), (ONE[0], twin))
    assert sheets.questions == 40
    assert sheets.answers[:, 0] == pytest.approx(sheets.answers[:, 1])
    assert provider.traffic.answered_again == 0


def test_what_a_persona_is_told_it_is_not_asked(provider: FakeProvider) -> None:
    bo = Registry().by_id()["bo"]
    sheets = administer(interviewer(provider), (bo,))
    assert sheets.left_out == {"bo": ("Like order.",)}
    assert (sheets.questions, sheets.answered) == (38, 1.0)
    order = [one.text for one in MINI.statements].index("Like order.")
    assert np.isnan(sheets.answers[:, 0, order]).all()
    assert np.isfinite(np.delete(sheets.answers, order, axis=2)).all()
    assert not any("Like order" in reading.statement for reading in provider.readings)


def test_calls_that_go_wrong_cost_calls_and_no_truth(provider: FakeProvider) -> None:
    kinds = (Misbehaviour.BROKEN, Misbehaviour.PROSE, Misbehaviour.CUT)
    provider.behave(mix=Mix.even(0.15, kinds))
    sheets = administer(interviewer(provider), ONE)
    expected = answers_in(Mood.HONEST, ONE, MINI)
    heard = np.isfinite(sheets.answers)
    assert np.abs(sheets.answers - expected)[heard].max() < 0.03
    assert heard.mean() == pytest.approx(sheets.answered)
    assert sheets.answered > 0.9
    assert sum(sheets.failures.values()) == (~heard).sum()
    assert sheets.calls > 40


def test_a_spent_budget_leaves_answers_out_and_says_so(provider: FakeProvider) -> None:
    sheets = administer(interviewer(provider, budget=Budget(limit_tokens=6_000)), ONE)
    assert 0 < sheets.answered < 1
    assert any("a-run" in reason for reason in sheets.failures)


def test_a_provider_that_is_away_is_an_error_and_no_interview(provider: FakeProvider) -> None:
    provider.stop()
    with pytest.raises(JudgeUnavailable, match="how the model must be asked"):
        administer(interviewer(provider), ONE)


def test_progress_counts_what_is_known_and_what_is_asked(provider, tmp_path) -> None:
    for _ in range(2):
        steps: list[int] = []
        one = interviewer(provider, VectorCache(tmp_path))
        one.administer(ONE, run="r", deadline=Deadline.after_ms(20_000), heard=steps.append)
        one.close()
        assert sum(steps) == 40


def test_an_interview_from_settings_to_verdict(provider: FakeProvider, tmp_path: Path) -> None:
    asked = settings(provider, tmp_path)
    found = interview(
        asked, "vlm", EIGHT, MINI, run="interview-1", deadline=Deadline.after_ms(20_000)
    )
    assert found.verdict is Verdict.HOLDS
    assert found.judge.revision == provider.url
    assert found.panel.answered == 1
    spent = by_run(read_entries(tmp_path / "spending"))
    assert spent["interview-1"].calls == found.questions == 320
    assert set(spent) == {"interview-1", "canary"}
