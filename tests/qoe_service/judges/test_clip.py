"""The CLIP judge with the shipped weights, on drawn pictures whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from qoe_service.batching import MicroBatcher
from qoe_service.cache import VectorCache
from qoe_service.examination.flips import flip_traits
from qoe_service.images import Picture
from qoe_service.judges import Case, Deadline
from qoe_service.judges.clip import ClipJudge
from qoe_service.judges.clip_calibration import ClipReading, encoder_id, look
from qoe_service.judges.clip_space import clip_space
from qoe_service.judges.encoder import Encoder, load_encoder
from qoe_service.judges.evidence import features
from qoe_service.judges.reference import QUICK_COUNT, calibration_of
from qoe_service.judges.reference_set import DRAWN_FEATURES, ReferenceSet, draw_reference_set
from qoe_service.judges.sights import Sights
from qoe_service.personas import Registry
from qoe_service.statistics import effect_budget
from tinyworld.clip import WEIGHTS

pytestmark = pytest.mark.skipif(
    not (WEIGHTS / "clip.safetensors").is_file(), reason="tinyworld's CLIP is not trained yet"
)

COUNT = 240


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("tinyworld", "cpu")


@pytest.fixture(scope="module")
def reading(encoder: Encoder) -> ClipReading:
    space = clip_space(encoder)
    return ClipReading(space, calibration_of(encoder, space, folder=None))


@pytest.fixture(scope="module")
def unseen() -> ReferenceSet:
    """Pictures that no fit has used."""
    return draw_reference_set(COUNT, seed=12_345)


@pytest.fixture(scope="module")
def judge(encoder: Encoder, reading: ClipReading) -> Iterator[ClipJudge]:
    sights = Sights(encoder, VectorCache(None), max_batch=64, window_s=0)
    judge = ClipJudge(encoder, reading, sights)
    yield judge
    judge.close()


@pytest.fixture(scope="module")
def scores(judge: ClipJudge, unseen: ReferenceSet) -> np.ndarray:
    """(COUNT, P) by the authored panel."""
    cases = [Case(p, prompt) for p, prompt in zip(unseen.pictures, unseen.prompts, strict=True)]
    opinions = judge.opinions(cases, Registry().all(), Deadline())
    assert len(opinions.failures) <= 0.01 * COUNT
    good = [row for row in range(COUNT) if row not in opinions.failures]
    return opinions.scores[good]


def test_the_shipped_calibration_is_of_the_shipped_weights(
    encoder: Encoder, reading: ClipReading
) -> None:
    assert reading.fit.encoder == encoder_id(encoder)
    assert reading.fit.name != f"drawn-{QUICK_COUNT}-seed-0", (
        "the weights have changed; run: python -m qoe_service.judges.reference"
    )


def test_personas_make_five_to_fourteen_per_cent_of_the_variance(scores: np.ndarray) -> None:
    share = effect_budget(scores, np.random.default_rng(0)).of_personas
    print(
        f"\nauthored panel, {len(scores)} unseen pictures: personas make {share.point:.3f} "
        f"[{share.low:.3f}, {share.high:.3f}] of the variance"
    )
    assert 0.05 <= share.point <= 0.14


def test_alignment_follows_the_share_of_the_prompt_that_is_shown(
    encoder: Encoder, reading: ClipReading, unseen: ReferenceSet
) -> None:
    sight = look(encoder, unseen)
    prompts = encoder.texts(unseen.prompts).astype(float)
    found = reading.alignment(sight, prompts)
    clean = unseen.untouched
    r = np.corrcoef(found[clean], unseen.alignment[clean])[0, 1]
    print(f"\nalignment against the truth on {clean.sum()} undamaged pictures: r = {r:.3f}")
    assert r > 0.8
    assert np.abs(found - unseen.alignment).mean() < 0.2


def test_what_is_drawn_is_read_off_the_axes(
    encoder: Encoder, reading: ClipReading, unseen: ReferenceSet
) -> None:
    """The chance that a picture with the feature is ranked above one without (AUC)."""
    found = reading.features(look(encoder, unseen))
    for name in ("people", "abstract_art", "nature", "pets", "indoor"):
        has = np.array([DRAWN_FEATURES[name](scene) for scene in unseen.shown])
        column = found[:, features().index(name)]
        auc = float((column[has][:, None] > column[~has]).mean())
        print(f"\n{name}: AUC {auc:.3f}")
        assert auc > 0.8


def test_damage_is_seen(encoder: Encoder, reading: ClipReading, unseen: ReferenceSet) -> None:
    quality = reading.quality(look(encoder, unseen))
    best, worst = quality[unseen.quality == 1], quality[unseen.quality < 0.2]
    print(f"\nquality: untouched {best.mean():.2f}, worst damage {worst.mean():.2f}")
    assert best.mean() > worst.mean() + 0.15


def test_flipping_a_trait_on_drawn_pictures_moves_opinions_as_replicated(
    judge: ClipJudge,
) -> None:
    found = flip_traits(judge, pairs=16, people=4, seconds=60)
    for flip in found.flips:
        if flip.change is not None:
            print(
                f"\n{flip.trait} +2 SD, {flip.feature} {flip.expected}: {flip.change:+.3f} "
                f"[{flip.low:+.3f}, {flip.high:+.3f}], {flip.verdict}"
            )
    print(f"\nhit rate {found.hit_rate:.0%} [{found.low:.0%}, {found.high:.0%}]")
    assert found.asked == 7
    assert found.hit_rate == 1


def test_who_has_less_time_than_the_queue_takes_is_told_at_once(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    sights = Sights(encoder, VectorCache(None), max_batch=64, window_s=0)
    known, unknown = (Picture(np.full((64, 64, 3), grey, np.uint8)) for grey in (80, 160))
    sights.of([known], Deadline())
    monkeypatch.setattr(MicroBatcher, "predicted_wait_s", 9.0)
    seen = sights.of([known, unknown], Deadline.after_ms(5_000))
    assert seen.failures.keys() == {1}
    assert seen.failures[1].retry_after_s == pytest.approx(4.0, abs=1.0)
    assert (seen.cached.tolist(), seen.forwards) == ([True, False], 0)
    assert sights.of([unknown], Deadline.after_ms(20_000)).failures == {}
    sights.close()
