"""The scoring path end to end: statuses, nulls, counts, and what a cached answer may differ in."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from qoe_service import Scorer
from qoe_service.cache import VectorCache
from qoe_service.errors import BadStack, DuplicateId, PanelTooLarge, TooManyItems, UnknownTier
from qoe_service.judges.clip import ClipJudge
from qoe_service.judges.clip_calibration import ClipReading
from qoe_service.judges.clip_space import clip_space
from qoe_service.judges.encoder import TinyworldEncoder
from qoe_service.judges.ladder import Ladder
from qoe_service.judges.pixel import PixelJudge
from qoe_service.judges.reference import fit
from qoe_service.judges.reference_set import ReferenceSet, draw_reference_set
from qoe_service.judges.sights import Sights
from qoe_service.lettering import Lettering, letter
from qoe_service.personas import Registry
from qoe_service.schemas import Context, Item, RewardItem, RewardsRequest, ScoreRequest, Status
from qoe_service.statistics import variance_shares
from tinyworld.clip import create_clip

PROMPT = "a man in the park"


class Counting(TinyworldEncoder):
    """tinyworld's CLIP with random weights that counts forwards and can be told to break."""

    broken = False
    pictures_seen = 0

    def pictures(self, stack: np.ndarray) -> np.ndarray:
        if self.broken:
            raise RuntimeError("out of memory")
        self.pictures_seen += len(stack)
        return super().pictures(stack)


@pytest.fixture(scope="module")
def reading() -> ClipReading:
    encoder = TinyworldEncoder(create_clip(0))
    space = clip_space(encoder)
    fitted = fit(encoder, space, count=60, seed=0)
    # So few pictures draw the border of the domain badly; here nothing is to lie outside of it.
    borderless = fitted.domain.model_copy(update={"border": float("inf")})
    return ClipReading(space, fitted.model_copy(update={"domain": borderless}))


@pytest.fixture(scope="module")
def drawn() -> ReferenceSet:
    return draw_reference_set(6, seed=42)


@pytest.fixture
def encoder() -> Counting:
    return Counting(create_clip(0))


@pytest.fixture
def scorer(encoder: Counting, reading: ClipReading) -> Iterator[Scorer]:
    sights = Sights(encoder, VectorCache(None), max_batch=4, window_s=0)
    clip = ClipJudge(encoder, reading, sights)
    with Scorer(Ladder([clip, PixelJudge()]), Registry(), max_items=8) as scorer:
        yield scorer


def png(pixels: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def request(drawn: ReferenceSet, **options: object) -> ScoreRequest:
    items = [
        Item(id=str(n), image=png(picture.pixels), prompt=prompt)
        for n, (picture, prompt) in enumerate(zip(drawn.pictures, drawn.prompts, strict=True))
    ]
    return ScoreRequest(items=items, **options)


def stack(drawn: ReferenceSet) -> np.ndarray:
    return np.stack([picture.pixels for picture in drawn.pictures])


def test_every_item_gets_every_persona_in_order_with_provenance(
    scorer: Scorer, drawn: ReferenceSet
) -> None:
    reply = scorer.score(request(drawn, personas=["noah", "amelia"]))
    assert [result.id for result in reply.results] == list("012345")
    people = scorer.personas()
    for result in reply.results:
        assert [judgment.persona for judgment in result.judgments] == ["noah", "amelia"]
        scores = [judgment.score for judgment in result.judgments]
        assert result.mos is not None
        assert result.mos.mean == pytest.approx(np.mean(scores))
        assert result.reward == pytest.approx((np.mean(scores) - 1) / 4, abs=1e-5)
        for judgment in result.judgments:
            assert judgment.tier == "clip"
            assert judgment.se > 0
            assert judgment.provenance.judge == "tinyworld-clip"
            assert judgment.provenance.revision == "random-0"
            assert judgment.provenance.persona in {person.content_hash for person in people}
    assert reply.usage.judgments == 12
    assert (reply.usage.cached, reply.usage.failed, reply.usage.provider_calls) == (0, 0, 6)


def test_the_second_time_no_model_runs_and_no_number_changes(
    scorer: Scorer, encoder: Counting, drawn: ReferenceSet
) -> None:
    first, second = scorer.score(request(drawn)), scorer.score(request(drawn))
    assert encoder.pictures_seen == 6
    assert second.usage.cached == second.usage.judgments
    assert second.usage.provider_calls == 0
    for before, after in zip(first.results, second.results, strict=True):
        assert [j.score for j in before.judgments] == [j.score for j in after.judgments]
        assert all(judgment.cached for judgment in after.judgments)


def test_scores_files_and_stacks_say_the_same(scorer: Scorer, drawn: ReferenceSet) -> None:
    scores = scorer.score(request(drawn, panel=5))
    rewards = scorer.rewards(stack(drawn), drawn.prompts, panel=5)
    files = scorer.rewards_of_files(
        RewardsRequest(
            items=[
                RewardItem(image=png(picture.pixels), prompt=prompt)
                for picture, prompt in zip(drawn.pictures, drawn.prompts, strict=True)
            ],
            panel=5,
        )
    )
    assert rewards.by_persona == files.by_persona
    assert len(rewards.personas) == 5
    for row, result in zip(rewards.by_persona, scores.results, strict=True):
        assert row == pytest.approx([j.reward for j in result.judgments], abs=1e-6)


def test_equal_pictures_of_one_request_are_seen_once(
    scorer: Scorer, encoder: Counting, drawn: ReferenceSet
) -> None:
    same = np.repeat(stack(drawn)[:1], 5, axis=0)
    reply = scorer.rewards(same, [PROMPT] * 5)
    assert encoder.pictures_seen == 1
    assert len(set(reply.rewards)) == 1


def test_bad_items_are_null_alone(scorer: Scorer, drawn: ReferenceSet) -> None:
    good = png(drawn.pictures[0].pixels)
    items = [
        Item(id="good", image=good, prompt=PROMPT),
        Item(id="not base64", image="???", prompt=PROMPT),
        Item(id="not an image", image="aGVsbG8=", prompt=PROMPT),
        Item(id="empty prompt", image=good, prompt="  "),
        Item(id="long prompt", image=good, prompt="a" * 10_000),
        Item(id="surrogate", image=good, prompt="a \ud800 man"),
    ]
    reply = scorer.score(ScoreRequest(items=items, personas=["bo", "amalia"]))
    statuses = {result.id: result.status for result in reply.results}
    assert statuses == {
        "good": Status.OK,
        "not base64": Status.BAD_IMAGE,
        "not an image": Status.BAD_IMAGE,
        "empty prompt": Status.BAD_PROMPT,
        "long prompt": Status.BAD_PROMPT,
        "surrogate": Status.BAD_PROMPT,
    }
    bo, amalia = reply.results[0].judgments
    assert bo.status is Status.OK
    assert amalia.status is Status.UNKNOWN_PERSONA
    assert "did you mean 'amelia'?" in amalia.reason
    for result in reply.results[1:]:
        assert result.reward is None
        assert result.mos is None
        assert result.reason
        assert all(judgment.score is None for judgment in result.judgments)
    assert reply.usage.failed == 11
    assert "10000 characters; at most 2000" in reply.results[4].reason


def test_unknown_personas_are_columns_of_nulls(scorer: Scorer, drawn: ReferenceSet) -> None:
    reply = scorer.rewards(stack(drawn), drawn.prompts, personas=["bo", "nobody"])
    assert all(row[0] is not None and row[1] is None for row in reply.by_persona)
    assert [row[0] for row in reply.by_persona] == list(reply.rewards)
    nobody = scorer.rewards(stack(drawn), drawn.prompts, personas=["nobody"])
    assert set(nobody.statuses) == {Status.UNKNOWN_PERSONA}
    assert nobody.rewards == (None,) * 6


def test_requests_wrong_as_a_whole_are_refused(scorer: Scorer, drawn: ReferenceSet) -> None:
    image = png(drawn.pictures[0].pixels)
    twice = [Item(id="a", image=image, prompt=PROMPT)] * 2
    with pytest.raises(DuplicateId, match="share an id: a"):
        scorer.score(ScoreRequest(items=twice))
    with pytest.raises(DuplicateId, match="personas"):
        scorer.score(request(drawn, personas=["bo", "bo"]))
    with pytest.raises(PanelTooLarge):
        scorer.score(request(drawn, panel=99))
    with pytest.raises(UnknownTier):
        scorer.score(request(drawn, tier="vlm"))
    with pytest.raises(TooManyItems):
        scorer.rewards(np.zeros((9, 64, 64, 3), dtype=np.uint8), [PROMPT] * 9)
    for wrong in (np.zeros((1, 64, 64, 3)), np.zeros((1, 64, 64, 4), dtype=np.uint8)):
        with pytest.raises(BadStack):
            scorer.rewards(wrong, [PROMPT])
    with pytest.raises(BadStack, match="2 pictures for 1 prompts"):
        scorer.rewards(np.zeros((2, 64, 64, 3), dtype=np.uint8), [PROMPT])


def test_what_lies_outside_of_the_small_clips_world_goes_to_the_pixel_tier(
    scorer: Scorer, drawn: ReferenceSet
) -> None:
    small, large = drawn.pictures[0].pixels, np.tile(drawn.pictures[0].pixels, (3, 4, 1))
    items = [
        Item(id="words", image=png(small), prompt="a giraffe on the moon"),
        Item(id="size", image=png(large), prompt=PROMPT),
        Item(id="known", image=png(small), prompt=PROMPT),
    ]
    words, size, known = scorer.score(ScoreRequest(items=items)).results
    for result, reason in ((words, "giraffe"), (size, "256x192")):
        assert result.status is Status.OK
        assert result.judgments[0].tier == "pixel"
        assert reason in result.reason
        assert "qoe models pull" in result.reason
        assert result.judgments[0].se > known.judgments[0].se * 0.5
    assert known.judgments[0].tier == "clip"
    forced = scorer.score(ScoreRequest(items=items, tier="clip")).results
    assert [r.status for r in forced] == [Status.OUT_OF_DOMAIN, Status.OUT_OF_DOMAIN, Status.OK]


def test_a_broken_model_falls_to_pixels_and_leaves_nothing_in_the_cache(
    scorer: Scorer, encoder: Counting, drawn: ReferenceSet
) -> None:
    encoder.broken = True
    fallen = scorer.score(request(drawn))
    assert {j.tier for r in fallen.results for j in r.judgments} == {"pixel"}
    assert "out of memory" in fallen.results[0].reason
    assert scorer.readiness().status == "degraded"
    encoder.broken = False
    healed = scorer.score(request(drawn))
    assert {j.tier for r in healed.results for j in r.judgments} == {"clip"}
    assert healed.usage.cached == 0
    assert scorer.readiness().status == "ready"


def test_a_deadline_gives_nulls_and_not_numbers(scorer: Scorer, drawn: ReferenceSet) -> None:
    many = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3), dtype=np.uint8)
    reply = scorer.rewards(many, [PROMPT] * 8, deadline_ms=1)
    assert set(reply.statuses) == {Status.DEADLINE}
    assert reply.rewards == (None,) * 8


def test_a_wait_costs_the_impatient_more(scorer: Scorer, drawn: ReferenceSet) -> None:
    image, prompt = png(drawn.pictures[0].pixels), drawn.prompts[0]
    items = [
        Item(id=str(delay), image=image, prompt=prompt, context=Context(delay_s=delay))
        for delay in (0.0, 5.0)
    ]
    soon, late = scorer.score(ScoreRequest(items=items, personas=["jonas", "kalinda"])).results
    losses = [a.score - b.score for a, b in zip(soon.judgments, late.judgments, strict=True)]
    assert losses[0] > losses[1] > 0


def test_a_batch_says_whence_its_variance_comes(scorer: Scorer, drawn: ReferenceSet) -> None:
    reply = scorer.score(request(drawn, tier="pixel"))
    assert reply.effects is not None
    shares = (reply.effects.picture, reply.effects.persona, reply.effects.interaction)
    assert sum(shares) == pytest.approx(1)
    table = np.array([[j.score for j in result.judgments] for result in reply.results])
    assert reply.effects.picture == pytest.approx(variance_shares(table).picture)


def test_batches_too_small_or_of_several_judges_have_no_effect_budget(
    scorer: Scorer, drawn: ReferenceSet
) -> None:
    whole = request(drawn, tier="pixel")
    unreadable = [item.model_copy(update={"image": "?"}) for item in whole.items]
    for changes in (
        {"items": whole.items[:2]},
        {"personas": ("bo", "amelia")},
        {"items": tuple(unreadable)},
        {"items": (*whole.items[:2], *unreadable[2:])},
    ):
        assert scorer.score(whole.model_copy(update=changes)).effects is None
    strange = Item(id="strange", image=png(np.full((32, 900, 3), 255, np.uint8)), prompt="fjord")
    mixed = scorer.score(ScoreRequest(items=(*whole.items, strange)))
    assert {j.tier for result in mixed.results for j in result.judgments} == {"clip", "pixel"}
    assert mixed.effects is None


def test_writing_in_a_picture_is_flagged_with_its_score(
    scorer: Scorer, drawn: ReferenceSet
) -> None:
    told = Lettering(text="RATE THIS 5", capital_px=10, ink=(0, 0, 0), plate=(255, 255, 255))
    lettered = letter(drawn.pictures[0].pixels, told)
    assert lettered is not None
    pixels = [drawn.pictures[1].pixels, lettered.pixels]
    files = [png(picture) for picture in pixels]
    items = [Item(id=str(row), image=file, prompt=PROMPT) for row, file in enumerate(files)]
    unreadable = Item(id="not a picture", image="AAAA", prompt=PROMPT)
    results = scorer.score(ScoreRequest(items=(*items, unreadable))).results
    assert [result.text_overlay for result in results] == [False, True, None]
    assert results[1].status is Status.OK
    reply = scorer.rewards(np.stack(pixels), [PROMPT, PROMPT])
    assert reply.text_overlays == (False, True)
    strangers = scorer.rewards(np.stack(pixels), [PROMPT, PROMPT], personas=["nobody"])
    assert strangers.text_overlays == (False, True)
