"""A verdict is kept for the very judge it is about, and told with all its judgments."""

from __future__ import annotations

import base64
import io
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qoe_service.interview.interviewing import NotToBeInterviewed, judge_to_be
from qoe_service.interview.stored import (
    InterviewFileError,
    Interviews,
    StoredInterview,
    read_interviews,
    store_interview,
)
from qoe_service.judges.build import build_ladder
from qoe_service.judges.tier_map_file import JudgeIdentity
from qoe_service.schemas import Item, ScoreRequest
from qoe_service.scoring import Scorer
from qoe_service.settings import Settings
from tests.fake_provider import FakeProvider


def stored(judge: JudgeIdentity, verdict: str = "fails") -> StoredInterview:
    return StoredInterview(
        judge=judge,
        verdict=verdict,
        reasons=("for a test",),
        instrument="mini-ipip",
        template="interview-item@1.0.0+abc",
        personas=14,
        day=date(2026, 1, 2),
    )


def settings(folder: Path, **changes: object) -> Settings:
    named = {"vlm_model": "fake-vlm", "vlm_base_url": "http://127.0.0.1:9/v1", "cache": None}
    files = {"interviews": folder / "interviews.json", "openai_api_key": "any"}
    return Settings(**{**named, **files, "tiers": ("vlm", "pixel"), **changes})


def test_a_new_interview_replaces_that_of_the_same_judge_alone(tmp_path: Path) -> None:
    judge = judge_to_be(settings(tmp_path), "vlm")
    other = judge.model_copy(update={"name": "another"})
    file = tmp_path / "new" / "interviews.json"
    for one in (stored(judge), stored(other), stored(judge, "holds")):
        store_interview(file, one)
    found = read_interviews(file)
    assert [one.verdict for one in found.interviews] == ["fails", "holds"]
    assert (found.verdict(judge), found.verdict(other)) == ("holds", "fails")
    assert [path.name for path in file.parent.iterdir()] == ["interviews.json"]


@pytest.mark.parametrize("field", ["tier", "name", "revision", "prompt"])
def test_another_model_address_or_template_was_not_interviewed(tmp_path: Path, field: str) -> None:
    judge = judge_to_be(settings(tmp_path), "vlm")
    found = Interviews(interviews=(stored(judge),))
    assert found.verdict(judge.model_copy(update={field: "another"})) is None


def test_no_file_and_no_place_are_no_interviews(tmp_path: Path) -> None:
    assert read_interviews(tmp_path / "none.json") == Interviews() == read_interviews(None)


@pytest.mark.parametrize("content", ['{"version": 2}', "[]", "no JSON", '{"interviews": [{}]}'])
def test_a_damaged_file_is_explained(tmp_path: Path, content: str) -> None:
    file = tmp_path / "interviews.json"
    file.write_text(content)
    with pytest.raises(InterviewFileError, match=r"json is damaged .* interview` again"):
        read_interviews(file)
    with pytest.raises(InterviewFileError):
        build_ladder(settings(tmp_path))


@pytest.mark.parametrize("tier", ["clip", "pixel", "local_vlm", "oracle"])
def test_who_has_no_language_cannot_be_interviewed(tmp_path: Path, tier: str) -> None:
    with pytest.raises(NotToBeInterviewed, match=f"{tier} cannot be interviewed: .*; vlm or llm"):
        judge_to_be(settings(tmp_path), tier)


def test_every_judgment_of_a_judge_that_failed_tells_it(tmp_path: Path) -> None:
    with FakeProvider() as provider:
        served = settings(tmp_path, vlm_base_url=provider.url)
        store_interview(tmp_path / "interviews.json", stored(judge_to_be(served, "vlm")))
        with Scorer.from_settings(served) as scorer:
            vlm, pixel = scorer.judges()
            reply = scorer.score(ScoreRequest(items=(an_item(),), personas=("bo", "maja")))
            below = scorer.score(ScoreRequest(items=(an_item(),), personas=("bo",), tier="pixel"))
        assert (vlm.interview, pixel.interview) == ("fails", None)
        told = [judgment.provenance.interview for judgment in reply.results[0].judgments]
        assert told == ["fails", "fails"]
        assert below.results[0].judgments[0].provenance.interview is None
        with Scorer.from_settings(served.model_copy(update={"interviews": None})) as scorer:
            assert scorer.judges()[0].interview is None


def test_the_llm_is_known_by_its_own_template(tmp_path: Path) -> None:
    named = {"llm_model": "fake-vlm", "llm_base_url": "http://127.0.0.1:9/v1"}
    judge = judge_to_be(settings(tmp_path, **named), "llm")
    assert judge.prompt.startswith("judge-description@")


def an_item() -> Item:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return Item(id="a", image=base64.b64encode(file.getvalue()).decode(), prompt="a cat")
