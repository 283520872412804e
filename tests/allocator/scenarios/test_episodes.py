import numpy as np
import pytest

from allocator.scenarios.channel import autoregressive


def arrays_of(episodes):
    return (
        episodes.topic,
        episodes.seed,
        episodes.prompt,
        episodes.persona,
        episodes.phone,
        episodes.gain_db,
    )


def test_an_episode_is_the_same_in_any_batch(scenario):
    batch = scenario.draw([5, 6, 7])
    alone = scenario.draw([6])
    for many, one in zip(arrays_of(batch), arrays_of(alone), strict=True):
        assert np.array_equal(many[1], one[0])


def test_other_seeds_are_other_episodes(scenario):
    episodes = scenario.draw([1, 2])
    assert all(not np.array_equal(array[0], array[1]) for array in arrays_of(episodes))


def test_the_users_of_a_group_ask_for_different_prompts_of_its_topic(scenario):
    episodes = scenario.draw(range(40))
    members = scenario.experience.catalogue.members[episodes.topic]  # (B, S, G, members)
    assert (episodes.prompt[..., None] == members[..., None, :]).any(axis=-1).all()
    ordered = np.sort(episodes.prompt, axis=-1)
    assert (np.diff(ordered, axis=-1) > 0).all()


def test_topics_personas_phones_and_seeds_are_all_met(scenario):
    episodes = scenario.draw(range(100))
    assert len(np.unique(episodes.prompt)) == len(scenario.experience.catalogue.prompts)
    assert len(np.unique(episodes.persona)) == len(scenario.experience.personas)
    assert len(np.unique(episodes.phone)) == 2
    assert len(np.unique(episodes.seed)) == 4


def test_the_channel_remembers_from_slot_to_slot(scenario):
    """Shadowing of 7.82 dB keeps exp(-3/13); two antennas' fading (3.5 dB) keeps nothing.

    A user's own distance is taken out, which shrinks the estimate by about 1/S.
    """
    gain_db = scenario.draw(range(1000)).gain_db
    steps = np.diff(gain_db, axis=1)
    keeps = np.exp(-3 / 13)
    expected = 2 * 7.82**2 * (1 - keeps) + 2 * (10 / np.log(10)) ** 2 * (np.pi**2 / 6 - 1)
    assert steps.var() == pytest.approx(expected, rel=0.05)
    independent = 2 * (expected - 2 * 7.82**2 * (1 - keeps)) / 2 + 2 * 7.82**2
    assert steps.var() < 0.6 * independent


def test_users_differ_by_far_more_than_their_channels_move(scenario):
    gain_db = scenario.draw(range(500)).gain_db.mean(axis=1)
    assert gain_db.std() > 6


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.95, -0.2])
def test_a_gauss_markov_sequence_keeps_its_variance_and_its_correlation(correlation):
    normal = np.random.default_rng(0).standard_normal((40_000, 6))
    sequence = autoregressive(normal, correlation)
    assert np.allclose(sequence.var(axis=0), 1.0, atol=0.03)
    neighbours = (sequence[:, :-1] * sequence[:, 1:]).mean()
    assert neighbours == pytest.approx(correlation, abs=0.02)
