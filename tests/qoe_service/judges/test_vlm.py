"""The VLM tier from settings to scores."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from qoe_service import QoEClient, Scorer
from qoe_service.errors import JudgeUnavailable
from qoe_service.images import Picture
from qoe_service.judges.build import build_ladder
from qoe_service.judges.endpoint import ModelAt, model_of
from qoe_service.judges.perception import LONGEST_SIDE, Shown, png
from qoe_service.provider.day_files import read_entries
from qoe_service.provider.spending import by_run
from qoe_service.schemas import Context, Item, ScoreRequest, Status
from qoe_service.settings import Settings
from tests.fake_provider import FakeProvider
from tests.qoe_service.judges.chatting import PANEL, drawn_picture, expected_scores, make_case

NAMES = tuple(persona.id for persona in PANEL)


def settings(provider: FakeProvider, folder: Path, **changes: object) -> Settings:
    named = {"vlm_model": "fake-vlm", "vlm_base_url": provider.url, "cache": folder}
    return Settings(**{**named, "tiers": ("vlm", "pixel"), **changes})


@pytest.fixture
def scorer(provider: FakeProvider, tmp_path: Path) -> Iterator[Scorer]:
    with Scorer.from_settings(settings(provider, tmp_path)) as scorer:
        yield scorer


def test_a_named_model_judges_first_and_its_score_tells_where_it_is_from(scorer: Scorer) -> None:
    case = make_case(1, delay_s=3.0)
    item = Item(
        id="a",
        image=base64.b64encode(png(case.picture)).decode(),
        prompt=case.prompt,
        context=Context(delay_s=3.0),
    )
    reply = scorer.score(ScoreRequest(items=(item,), personas=NAMES, run_id="a-run"))
    judgments = reply.results[0].judgments
    assert [judgment.score for judgment in judgments] == pytest.approx(
        expected_scores(case)[0].tolist(), abs=0.03
    )
    for judgment in judgments:
        assert (judgment.tier, judgment.extraction) == ("vlm", "logprobs")
        assert judgment.provenance.judge == "fake-vlm"
        assert judgment.provenance.prompt.startswith("judge-image@1.1.0+")
    assert reply.usage.provider_calls == len(NAMES) + 1  # and the canary
    assert reply.usage.tokens > 300


def test_what_a_run_spends_is_written_down_and_binding(
    provider: FakeProvider, tmp_path: Path
) -> None:
    limited = settings(
        provider,
        tmp_path,
        budget_cost=0.01,
        vlm_input_price=2.0,
        vlm_output_price=8.0,
        concurrency=1,
        most_concurrency=1,
    )
    pictures = np.stack([drawn_picture(seed).pixels for seed in range(8)])
    wishes = ["a dog"] * len(pictures)
    for _ in range(2):  # a restart does not begin a new budget
        with Scorer.from_settings(limited) as scorer:
            reply = scorer.rewards(pictures, wishes, personas=NAMES, run_id="dear")
    assert Status.OVER_BUDGET in reply.statuses
    assert None in reply.rewards
    runs = by_run(read_entries(tmp_path / "spending"))
    assert 0.005 < runs["dear"].cost <= 0.01
    assert runs["dear"].refused > 0
    assert runs["canary"].calls == 2


def test_a_run_is_charged_for_what_is_asked_over_http(
    scorer: Scorer, serve: Callable[..., Any], tmp_path: Path
) -> None:
    pictures = np.stack([drawn_picture(seed).pixels for seed in range(2)])
    with serve(scorer, Settings(cache=None)) as url, QoEClient(url) as client:
        reply = client.rewards(pictures, ["a dog", "a cat"], personas=NAMES, run_id="far")
    assert set(reply.statuses) == {Status.OK}
    assert by_run(read_entries(tmp_path / "spending"))["far"].calls == 6


def test_a_tier_without_a_model_says_which_setting_is_missing() -> None:
    ladder = build_ladder(Settings(tiers=("vlm", "pixel"), cache=None))
    with pytest.raises(JudgeUnavailable, match="QOE_VLM_MODEL"):
        ladder.judge("vlm").check()
    ladder.close()


def test_a_key_goes_only_where_it_belongs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "openai")

    def key_for(**named: str) -> str | None:
        key = model_of(Settings(**named), "vlm").api_key
        return None if key is None else key.get_secret_value()

    assert key_for(vlm_model="gpt") == "openai"
    assert key_for(vlm_model="openai:gpt") == "openai"
    assert key_for(vlm_model="it", vlm_base_url="http://here/v1") == "openai"
    assert key_for(vlm_model="anthropic:it") is None
    assert key_for(vlm_model="anthropic:it", vlm_api_key="own") == "own"
    assert key_for(vlm_model="gpt", vlm_api_key="own") == "own"


def test_an_address_is_told_without_secrets() -> None:
    model = ModelAt(name="it", base_url="https://me:secret@host:99/v1?key=secret")
    assert model.address == "https://host:99/v1"


def test_a_picture_is_shown_as_it_is_and_prepared_once() -> None:
    cases = [make_case(1), make_case(1), make_case(2)]
    first, again, other = Shown().of(cases, None)
    assert first is again
    assert first.identity != other.identity
    assert first.pictures is first.pictures
    (file,) = first.pictures
    assert (np.asarray(Image.open(io.BytesIO(file))) == cases[0].picture.pixels).all()


def test_a_very_large_picture_is_reduced() -> None:
    wide = Picture(np.zeros((1000, 4000, 3), dtype=np.uint8))
    assert Image.open(io.BytesIO(png(wide))).size == (LONGEST_SIDE, LONGEST_SIDE // 4)
