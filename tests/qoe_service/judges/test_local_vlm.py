"""The tier of models on this machine, from settings to scores, with a tiny real model."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qoe_service import Scorer
from qoe_service.cache import VectorCache
from qoe_service.errors import JudgeUnavailable
from qoe_service.images import Picture
from qoe_service.judges import Case, Deadline, Opinions
from qoe_service.judges.extraction import expected_grade
from qoe_service.judges.local_model import load_local_model
from qoe_service.judges.local_vlm import LocalVlmJudge
from qoe_service.judges.perception import reduced
from qoe_service.judges.questions import WORDS, Asking, judge_prompt
from qoe_service.schemas import Item, ScoreReply, ScoreRequest, Status
from qoe_service.settings import Settings
from tests.qoe_service.judges.chatting import PANEL, make_case
from tests.qoe_service.judges.tiny_vlm import LEAD, WORDS_LEAD, Tiny

NAMES = tuple(persona.id for persona in PANEL)
TEMPLATE = judge_prompt("judge-image")
CASES = [make_case(seed) for seed in range(4)]
SLIVER = Case(Picture(np.full((16, 6_000, 3), 90, dtype=np.uint8)), "a line")
"""Longer than Qwen's processor takes."""

Build = Callable[..., LocalVlmJudge]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Tiny().saved_in(tmp_path_factory.mktemp("tiny-vlm") / "tiny-qwen")


@pytest.fixture
def build(folder: Path) -> Iterator[Build]:
    """`build(folder=..., cache=...)`; what was built is closed afterwards."""
    built: list[LocalVlmJudge] = []

    def judge(folder: Path = folder, cache: VectorCache | None = None) -> LocalVlmJudge:
        model = load_local_model(str(folder), "cpu")
        cache = cache or VectorCache(None)
        built.append(
            LocalVlmJudge(model, template=TEMPLATE, cache=cache, max_batch=8, window_s=0.003)
        )
        return built[-1]

    yield judge
    for one in built:
        one.close()


def opinions(judge: LocalVlmJudge, *cases: Case) -> Opinions:
    return judge.opinions(cases, PANEL, Deadline())


def test_a_panel_judges_by_the_expected_grade_of_each_persona(build: Build, folder: Path) -> None:
    judge = build()
    found = opinions(judge, *CASES)
    assert not found.failures
    assert (found.forwards, found.tokens) == (len(CASES) * len(PANEL), 0)
    assert ((found.scores > 1) & (found.scores < 5)).all()
    model, case = load_local_model(str(folder), "cpu"), CASES[1]
    for column, persona in enumerate(PANEL):
        question = Asking(TEMPLATE).question(persona, wish=case.prompt)
        (shares,) = model.probabilities([(question, reduced(case.picture))])
        expected = expected_grade(shares.tolist(), WORDS)
        assert found.scores[1, column] == pytest.approx(expected.score, abs=1e-4)
        assert found.errors[1, column] == pytest.approx(expected.spread, abs=1e-4)


def test_personas_differ_and_so_do_pictures_wishes_and_waits(build: Build) -> None:
    judge, case = build(), CASES[0]
    others = (
        Case(CASES[1].picture, case.prompt),
        Case(case.picture, "a cat"),
        Case(case.picture, case.prompt, delay_s=60.0),
    )
    scores = opinions(judge, case, *others).scores
    assert np.ptp(scores, axis=1).min() > 0.01
    assert np.abs(scores[1:] - scores[0]).max(axis=1).min() > 1e-3


def test_the_same_alone_in_company_and_in_any_order(build: Build) -> None:
    together = opinions(build(), *CASES).scores
    backwards = opinions(build(), *CASES[::-1]).scores
    alone = np.concatenate([opinions(build(), case).scores for case in CASES])
    assert np.abs(together - backwards[::-1]).max() < 1e-4
    assert np.abs(together - alone).max() < 1e-4


def test_a_model_that_leans_to_a_level_scores_accordingly(build: Build, tmp_path: Path) -> None:
    means = []
    for level in ("Bad", "Fair", "Excellent"):
        leads = WORDS_LEAD | {level: LEAD + 2}
        judge = build(Tiny(leads=leads).saved_in(tmp_path / level))
        means.append(opinions(judge, *CASES).scores.mean())
    assert means == sorted(means)
    assert means[0] < 2 < means[1] < 4 < means[2]


def test_a_poisoned_picture_fails_alone(build: Build) -> None:
    found = opinions(build(), CASES[0], SLIVER, CASES[1])
    assert set(found.failures) == {1}
    assert found.failures[1].status is Status.JUDGE_UNAVAILABLE
    assert "aspect ratio" in found.failures[1].reason
    assert np.isnan(found.scores[1]).all()
    clean = opinions(build(), *CASES[:2]).scores
    assert found.scores[[0, 2]] == pytest.approx(clean, abs=1e-4)


def test_a_model_that_would_rather_say_something_else_is_not_read(
    build: Build, tmp_path: Path
) -> None:
    chatty = Tiny(leads=WORDS_LEAD | {"person": LEAD + 2}).saved_in(tmp_path / "chatty")
    judge = build(chatty)
    failures = opinions(judge, *CASES[:2]).failures
    assert {failure.status for failure in failures.values()} == {Status.UNREADABLE_ANSWER}
    assert "of the probability is on the levels, not 0.8" in failures[0].reason
    with pytest.raises(JudgeUnavailable, match="on the levels"):
        judge.check()


def test_what_was_judged_once_is_known_after_a_restart(build: Build, tmp_path: Path) -> None:
    first = build(cache=VectorCache(tmp_path))
    said = opinions(first, *CASES)
    assert not said.cached.any()
    first.close()
    again = opinions(build(cache=VectorCache(tmp_path)), *CASES)
    assert again.cached.all()
    assert again.forwards == 0
    assert (again.scores == said.scores).all()


def test_other_weights_do_not_meet_old_opinions(build: Build, tmp_path: Path) -> None:
    cache = VectorCache(None)
    same_name = tmp_path / "tiny-qwen"
    said = opinions(build(cache=cache), *CASES)
    other = build(Tiny(seed=1).saved_in(same_name), cache)
    judged = opinions(other, *CASES)
    assert not judged.cached.any()
    assert np.abs(judged.scores - said.scores).max() > 0.01


def test_equal_pictures_and_wishes_are_asked_about_once(build: Build) -> None:
    found = opinions(build(), CASES[0], CASES[1], CASES[0])
    assert found.forwards == 2 * len(PANEL)
    assert (found.scores[0] == found.scores[2]).all()


def test_concurrent_requests_share_forwards_and_get_their_own_opinions(build: Build) -> None:
    judge = build()
    alone = [opinions(build(), case).scores for case in CASES]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda case: opinions(judge, case), CASES * 2))
    assert sum(one.forwards for one in found) == len(CASES) * len(PANEL)
    for one, expected in zip(found, alone * 2, strict=True):
        assert one.scores == pytest.approx(expected, abs=1e-4)


def test_no_time_no_opinion(build: Build) -> None:
    judge = build()
    late = judge.opinions(CASES, PANEL, Deadline.after_ms(0))
    assert {failure.status for failure in late.failures.values()} == {Status.DEADLINE}
    judge.check()


def test_a_closed_judge_says_so(build: Build) -> None:
    judge = build()
    judge.close()
    judge.close()
    failures = opinions(judge, CASES[0]).failures
    assert failures[0].status is Status.JUDGE_UNAVAILABLE
    assert "closed" in failures[0].reason


def settings(model: Path | str, **changes: object) -> Settings:
    given = {"local_vlm_model": str(model), "tiers": ("local_vlm", "pixel"), "cache": None}
    return Settings(**given | changes)


def scored(scorer: Scorer, case: Case) -> ScoreReply:
    file = io.BytesIO()
    Image.fromarray(case.picture.pixels).save(file, "PNG")
    image = base64.b64encode(file.getvalue()).decode()
    item = Item(id="a", image=image, prompt=case.prompt)
    return scorer.score(ScoreRequest(items=(item,), personas=NAMES))


def test_one_setting_makes_a_local_model_judge(folder: Path, build: Build) -> None:
    with Scorer.from_settings(settings(folder)) as scorer:
        reply = scored(scorer, CASES[0])
        judge, _ = scorer.judges()
    judgments = reply.results[0].judgments
    expected = opinions(build(), CASES[0]).scores[0]
    assert [judgment.score for judgment in judgments] == pytest.approx(expected, abs=1e-3)
    assert (judge.tier, judge.judge, judge.ready) == ("local_vlm", "tiny-qwen", True)
    for judgment in judgments:
        assert (judgment.tier, judgment.extraction) == ("local_vlm", "logprobs")
        assert judgment.provenance.judge == "tiny-qwen"
        assert judgment.provenance.revision == judge.revision
        assert judgment.provenance.prompt.startswith("judge-image@1.1.0+")
    assert len(judge.revision) == 64
    assert reply.usage.provider_calls == len(NAMES)


@pytest.mark.parametrize(
    ("model", "advice"),
    [
        ("nobody/nothing-of-the-kind", "`hf download nobody/nothing-of-the-kind`"),
        ("/no/such/folder", "QOE_LOCAL_VLM_MODEL"),
        ("", "QOE_LOCAL_VLM_MODEL"),
    ],
)
def test_without_its_model_the_rung_says_why_and_the_next_tier_judges(
    model: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with Scorer.from_settings(settings(model)) as scorer:
        local, pixel = scorer.judges()
        reply = scored(scorer, CASES[0])
    assert (local.tier, local.ready, pixel.ready) == ("local_vlm", False, True)
    assert advice in local.reason
    for judgment in reply.results[0].judgments:
        assert (judgment.tier, judgment.status) == ("pixel", Status.OK)
        assert advice in judgment.reason


def test_what_the_model_cannot_judge_falls_to_the_next_tier(folder: Path) -> None:
    with Scorer.from_settings(settings(folder)) as scorer:
        (result,) = scored(scorer, SLIVER).results
    assert {judgment.tier for judgment in result.judgments} == {"pixel"}
    assert "aspect ratio" in result.judgments[0].reason
