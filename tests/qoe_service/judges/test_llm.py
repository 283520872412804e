"""The LLM tier: what it is told of a picture it cannot see, and what comes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from qoe_service.images import Picture
from qoe_service.judges import Case, Deadline, Failure
from qoe_service.judges.build import build_ladder
from qoe_service.judges.description import Described
from qoe_service.judges.ladder import Ladder
from qoe_service.judges.parts import Parts
from qoe_service.judges.reference_set import draw_reference_set
from qoe_service.schemas import Status
from qoe_service.settings import Settings
from tests.fake_provider import FakeProvider
from tests.fake_provider.sight import measure
from tests.qoe_service.judges.chatting import (
    IN_TIME_MS,
    PANEL,
    Judging,
    expected_scores,
)
from tinyworld.clip import WEIGHTS
from tinyworld.drawing import draw_scene
from tinyworld.scenes import Scene

pytestmark = pytest.mark.skipif(
    not (WEIGHTS / "clip.safetensors").is_file(), reason="tinyworld's CLIP is not trained yet"
)

STRANGE = Case(Picture(np.zeros((32, 48, 3), dtype=np.uint8)), "a dog in the park")
"""tinyworld's pictures have another size."""


@pytest.fixture(scope="module")
def perception() -> Iterator[Described]:
    parts = Parts(Settings(cache=None))
    described = Described(parts.encoder, parts.reading, parts.sights)
    described.close = lambda: None  # the module's judges share it
    yield described
    parts.sights.close()


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    drawn = draw_reference_set(40, seed=99)
    return [Case(p, prompt) for p, prompt in zip(drawn.pictures, drawn.prompts, strict=True)][:8]


def describe(perception: Described, case: Case) -> str:
    (percept,) = perception.of([case], Deadline())
    return percept.description


def test_the_numbers_are_on_the_scales_that_are_promised(
    perception: Described, cases: list[Case]
) -> None:
    for case, percept in zip(cases, perception.of(cases, Deadline()), strict=True):
        seen = measure(case.picture.pixels)
        for name in ("brightness", "colourfulness", "sharpness"):
            (number,) = re.findall(rf"^{name}: (-?[\d.]+)$", percept.description, re.MULTILINE)
            assert float(number) == pytest.approx(getattr(seen, name), abs=2e-3)


def test_the_subject_is_told_in_words(perception: Described) -> None:
    rng = np.random.default_rng(5)

    def told(subjects: tuple[str, ...], style: str, axis: str) -> int:
        scene = Scene("park", "day", subjects, "sits", style, "tidy")
        picture = Picture(np.asarray(draw_scene(scene, rng)))
        text = describe(perception, Case(picture, "a picture"))
        (share,) = re.findall(rf"^{axis}: (\d+) % likely", text, re.MULTILINE)
        return int(share)

    assert told(("dog",), "photo", "pets") > 50 > told(("man",), "photo", "pets")
    assert told(("man",), "mural", "abstract art") > 50 > told(("man",), "sketch", "abstract art")


def test_how_well_the_wish_was_met_is_told_where_it_can_be_read(
    perception: Described, cases: list[Case]
) -> None:
    assert "fit to the wish: " in describe(perception, cases[0])
    unreadable = Case(cases[0].picture, "an extraordinarily baroque wish")
    assert "fit to the wish" not in describe(perception, unreadable)


def test_what_the_instrument_does_not_know_is_not_described(perception: Described) -> None:
    (failure,) = perception.of([STRANGE], Deadline())
    assert isinstance(failure, Failure)
    assert failure.status is Status.OUT_OF_DOMAIN


def test_scores_follow_the_rule_through_the_description(
    judging: Callable[..., Judging], perception: Described, cases: list[Case]
) -> None:
    asked = judging(perception=perception, template="judge-description").ready
    opinions = asked.opinions(*cases)
    assert opinions.failures == {}
    expected = expected_scores(*cases, template="judge-description")
    assert opinions.scores == pytest.approx(expected, abs=0.03)
    assert not asked.provider.readings[-1].pictures
    assert asked.opinions(*cases).scores.tobytes() == opinions.scores.tobytes()


def test_a_case_that_cannot_be_described_fails_alone(
    judging: Callable[..., Judging], perception: Described, cases: list[Case]
) -> None:
    asked = judging(perception=perception, template="judge-description").ready
    opinions = asked.opinions(STRANGE, cases[0])
    assert opinions.failures[0].status is Status.OUT_OF_DOMAIN
    assert np.isfinite(opinions.scores[1]).all()
    assert not opinions.cached[0]


def test_it_stands_between_the_vlm_and_clip_and_shares_the_clip(provider: FakeProvider) -> None:
    named = {"llm_model": "fake-llm", "llm_base_url": provider.url}
    ladder: Ladder = build_ladder(
        Settings(vlm_model="fake-vlm", vlm_base_url="http://127.0.0.1:9/v1", cache=None, **named)
    )
    assert [judge.tier for judge in ladder.judges] == ["vlm", "llm", "clip", "pixel"]
    drawn = draw_reference_set(20, seed=3)
    case = Case(drawn.pictures[0], drawn.prompts[0])
    deadline = Deadline.after_ms(IN_TIME_MS)
    verdicts = ladder.verdicts([case, STRANGE], PANEL, tier=None, deadline=deadline)
    assert [judge.tier for judge in verdicts.judges] == ["llm", "pixel"]
    ladder.close()
