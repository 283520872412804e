import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.catalogue import ERROR_LEVELS, TOPICS, Topic, compose_catalogue, word_embedding
from allocator.plan import Handoff


@pytest.fixture(scope="module")
def catalogue():
    return compose_catalogue(word_embedding)


def test_the_public_prompt_is_the_medoid_of_its_topic():
    """Three vectors at 0, 30 and 90 degrees: the middle one is nearest to the others."""
    angles = np.deg2rad([0.0, 30.0, 90.0])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    topic = Topic("three", TOPICS[0].scenes[:3])
    catalogue = compose_catalogue(lambda prompts: vectors, topics=[topic])
    assert catalogue.public.tolist() == [1]
    assert np.allclose(catalogue.similarity, np.cos(np.deg2rad([30, 0, 60])))


def test_a_public_prompt_is_as_similar_to_itself_as_can_be(catalogue):
    assert np.allclose(catalogue.similarity[catalogue.public], 1.0)
    assert (catalogue.similarity < 1 + 1e-12).all()


def test_alike_topics_come_before_the_unlike_ones(catalogue):
    mean = catalogue.similarity[catalogue.members].mean(axis=1)
    assert mean[:4].min() > mean[4:].max()


def test_topics_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="same number of prompts"):
        compose_catalogue(word_embedding, topics=[TOPICS[0], Topic("short", TOPICS[1].scenes[:2])])


@given(st.floats(0, 0.5))
def test_an_error_rate_goes_to_the_nearest_level(rate):
    level = int(compose_catalogue(word_embedding).error_level(rate))
    distances = np.abs(np.array(ERROR_LEVELS) - rate)
    assert distances[level] <= distances.min() + 1e-12


def test_a_plan_shares_under_the_public_prompt_and_ends_under_the_own(catalogue):
    prompt = int(catalogue.members[5][catalogue.members[5] != catalogue.public[5]][0])
    plan = catalogue.plan(prompt, 1, 4, 1)
    shared, own = plan.segments
    assert (shared.site, shared.steps) == ("edge", 4)
    assert shared.prompt == catalogue.prompts[catalogue.public[5]]
    assert (own.site, own.steps) == ("phone", 6)
    assert own.prompt == catalogue.prompts[prompt]
    assert plan.handoffs == (Handoff(8, 0.1),)
    assert plan.seed == catalogue.seeds[1]


def test_who_branches_at_once_draws_alone_and_receives_nothing(catalogue):
    plan = catalogue.plan(3, 0, 0, 5)
    assert [segment.site for segment in plan.segments] == ["phone"]
    assert plan.handoffs == ()


def test_every_cell_of_the_catalogue_is_a_plan_of_its_length(catalogue):
    for branch in range(catalogue.total_steps):
        assert catalogue.plan(0, 0, branch, 1).total_steps == catalogue.total_steps
