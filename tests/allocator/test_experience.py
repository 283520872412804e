import numpy as np
import pytest

from allocator.catalogue import compose_catalogue, word_embedding
from allocator.experience import (
    Cells,
    ExpectedExperience,
    LiveExperience,
    RecordedExperience,
    UnjudgedError,
    look_up,
    profile,
)
from allocator.oracle import Opinions
from allocator.scenarios.synthetic import synthetic_experience
from qoe_service.personas import Persona
from qoe_service.schemas import Traits


class Painter:
    """Draws a grey that says how many steps were shared, and remembers every plan."""

    def __init__(self):
        self.plans = []

    def run(self, plans):
        self.plans += plans
        shared = [0 if len(plan.segments) == 1 else plan.segments[0].steps for plan in plans]
        return np.tile(np.array(shared, np.uint8)[:, None, None, None], (1, 4, 4, 3))


class Panel:
    """One persona likes what is shared little; the other refuses to answer while it sulks."""

    def __init__(self):
        self.sulking = False
        traits = dict.fromkeys(("openness", "extraversion", "agreeableness"), 0.0)
        self.personas = tuple(
            Persona(
                id=name,
                name=name,
                traits=Traits(conscientiousness=1, neuroticism=z, **traits),
                norm="sapa-bfi25-adults",
                about="A judge.",
            )
            for name, z in (("calm", -2.0), ("tense", 2.0))
        )

    def opinions(self, pictures, prompts):
        rewards = 1 - pictures[:, 0, 0, :2] / 10
        if self.sulking:
            rewards[:, 1] = np.nan
        return Opinions(rewards, ("calm", "tense"))


@pytest.fixture
def catalogue():
    return compose_catalogue(word_embedding)


@pytest.fixture
def painter():
    return Painter()


@pytest.fixture
def panel():
    return Panel()


@pytest.fixture
def live(catalogue, painter, panel):
    return LiveExperience(catalogue, painter, panel)


def cells(*rows):
    return Cells(*np.array(rows).T)


def test_rewards_are_the_panels_opinions_of_the_planned_picture(live):
    rewards = look_up(live, cells((0, 0, 0, 0, 0), (5, 1, 4, 2, 1)))
    assert np.allclose(rewards, [1.0, 0.6])
    assert live.personas == ("calm", "tense")
    assert live.traits[:, 4].tolist() == [-2.0, 2.0]


def test_what_has_been_met_is_remembered_for_every_persona(live, painter):
    look_up(live, cells((0, 0, 3, 1, 0)))
    look_up(live, cells((0, 0, 3, 1, 1), (0, 0, 3, 1, 0)))
    assert len(painter.plans) == 1
    assert (live.counts.lookups, live.counts.misses) == (3, 1)


def test_equal_cells_of_one_visit_are_drawn_once(live, painter):
    look_up(live, cells(*[(2, 0, 3, 1, 0)] * 5))
    assert len(painter.plans) == 1


def test_no_bit_error_reaches_who_branches_at_once(live, painter):
    look_up(live, cells((0, 0, 0, 0, 0), (0, 0, 0, 6, 0)))
    assert len(painter.plans) == 1


def test_a_failure_is_nan_asked_again_and_forgets_nothing(live, panel):
    panel.sulking = True
    cell = cells((0, 0, 5, 0, 0), (0, 0, 5, 0, 1))
    assert np.isnan(look_up(live, cell)).tolist() == [False, True]
    panel.sulking = False
    assert np.allclose(look_up(live, cell), 0.5)
    panel.sulking = True
    assert np.allclose(look_up(live, cell), 0.5)


def test_the_profile_is_the_panels_mean_for_each_way_to_draw_a_prompt(live):
    known = profile(live)
    assert known.shape == live.shape[:1] + live.shape[2:4]
    assert np.allclose(known[..., 0], 1 - 0.1 * np.arange(10))
    assert np.allclose(known[:, 0], 1.0)  # nothing crosses the air


def test_in_expectation_rewards_are_means_over_the_seeds_that_answered():
    recorded = synthetic_experience()
    recorded.table[3, 1, 4, 2, 0] = np.nan
    recorded.table[5, :, 4, 2, 0] = np.nan
    rng = np.random.default_rng(0)
    some = Cells(*(rng.integers(n, size=500) for n in recorded.shape))
    errors = np.where(some.branch == 0, 0, some.error_level)
    expected = recorded.table.mean(axis=1)[some.prompt, some.branch, errors, some.persona]
    told = ~np.isnan(expected)
    assert np.allclose(look_up(ExpectedExperience(recorded), some)[told], expected[told])
    gap, nobody = cells((3, 0, 4, 2, 0)), cells((5, 3, 4, 2, 0))
    left = np.nanmean(recorded.table[3, :, 4, 2, 0])
    assert look_up(ExpectedExperience(recorded), gap) == pytest.approx(left)
    assert np.isnan(look_up(ExpectedExperience(recorded), nobody))


def test_a_catalogue_nobody_can_judge_is_an_error(live, panel):
    panel.opinions = lambda pictures, prompts: Opinions(np.full((len(prompts), 2), np.nan), ())
    with pytest.raises(UnjudgedError, match="judged none of the pictures of 1280 ways"):
        profile(live)


def test_a_recorded_table_answers_as_the_live_one_did(live, tmp_path):
    recorded = live.record()
    recorded.save(tmp_path / "table.npz")
    again = RecordedExperience.load(tmp_path / "table.npz")
    rng = np.random.default_rng(0)
    everywhere = Cells(*(rng.integers(n, size=500) for n in again.table.shape))
    assert np.allclose(look_up(again, everywhere), look_up(live, everywhere), atol=1e-6)
    assert again.catalogue.prompts == live.catalogue.prompts
    assert np.array_equal(again.catalogue.similarity, live.catalogue.similarity)
    assert again.personas == live.personas
    assert not np.isnan(again.table).any()


def test_a_table_of_another_shape_is_refused():
    experience = synthetic_experience()
    with pytest.raises(ValueError, match="record it again"):
        RecordedExperience(
            experience.catalogue, experience.personas, experience.traits, experience.table[:5]
        )
