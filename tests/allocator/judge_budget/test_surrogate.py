"""The surrogate against a judge of known taste: right, and sure only where it may be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.catalogue import TOPICS, compose_catalogue, word_embedding
from allocator.judge_budget.sight import Sight, context_of
from allocator.judge_budget.surrogate import fit, slope, squashed, stretched, views_of

PERSONAS, NOISE_SD = 8, 0.03


@pytest.fixture(scope="module")
def sight():
    """Pictures that turn away from their prompt, the more steps are shared or bits flip."""
    rng = np.random.default_rng(0)
    catalogue = compose_catalogue(word_embedding, topics=TOPICS[:2], seeds=(7, 41))
    prompts = unit(rng.standard_normal((len(catalogue.prompts), 16)))
    context = context_of(catalogue)
    away = rng.standard_normal((*catalogue.shape, 16)) / 4
    turned = away * (0.3 + context.sum(axis=-1)[None, None, :, :, None])
    return Sight(unit(prompts[:, None, None, None] + turned), prompts, context, "test")


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@pytest.fixture(scope="module")
def traits():
    return np.random.default_rng(1).standard_normal((PERSONAS, 5))


@pytest.fixture(scope="module")
def truth(sight, traits):
    """(pictures, personas): alignment, seen through a bend, and one trait's taste."""
    cosine = (sight.pictures * sight.prompts[:, None, None, None]).sum(axis=-1).ravel()
    taste = sight.pictures[..., 0].ravel()
    liking = 4 * (cosine[:, None] - 0.7) + 0.8 * taste[:, None] * traits[:, 2] + 0.2 * traits[:, 0]
    return 1 / (1 + np.exp(-liking))


@pytest.fixture(scope="module")
def views(sight, traits):
    return views_of(sight, traits)


def some(truth, count, seed=2):
    """(picture, persona, noisy opinion) of so many different pairs."""
    rng = np.random.default_rng(seed)
    picture, persona = np.divmod(rng.permutation(truth.size)[:count], PERSONAS)
    return picture, persona, truth[picture, persona] + rng.normal(0, NOISE_SD, count)


@pytest.fixture(scope="module")
def taught(views, truth):
    return fit(views, *some(truth, 400))


def test_learns_a_taste_from_few_opinions(views, truth, taught):
    everything = np.divmod(np.arange(truth.size), PERSONAS)
    spread = truth.std()

    def error(surrogate):
        return np.sqrt(((surrogate.predict(*everything).mean - truth.ravel()) ** 2).mean())

    assert error(fit(views, *some(truth, 30))) < 0.7 * spread
    assert error(taught) < 0.25 * spread
    assert error(taught) < 1.5 * NOISE_SD


def test_is_as_sure_as_it_may_be(truth, taught):
    picture, persona, heard = some(truth, 600, seed=3)
    predicted = taught.predict(picture, persona)
    within = np.abs(predicted.mean - heard) <= 1.96 * predicted.sd
    assert 0.9 <= within.mean() <= 0.99
    assert taught.noise_sd(picture, persona).mean() == pytest.approx(NOISE_SD, rel=0.5)


def unknown(surrogate, picture, persona):
    """(N,) variances of what more judgments could tell."""
    noise_sd = surrogate.noise_sd(picture, persona)
    return surrogate.predict(picture, persona).sd ** 2 - noise_sd**2


def test_is_less_sure_of_what_it_has_not_been_taught(views, truth):
    picture, persona, opinion = some(truth, 400)
    first_topic = picture < len(truth) // 2
    surrogate = fit(views, picture[first_topic], persona[first_topic], opinion[first_topic])
    here, there = (
        unknown(surrogate, *np.divmod(places, PERSONAS)).mean()
        for places in np.array_split(np.arange(truth.size), 2)
    )
    assert there > 1.5 * here


def test_the_whole_table_is_what_is_predicted_pair_by_pair(truth, taught):
    pairs = np.divmod(np.arange(truth.size), PERSONAS)
    assert np.allclose(taught.table().ravel(), taught.predict(*pairs).mean)


def test_covariances_tell_the_standard_deviations_less_the_noise(taught):
    pairs = np.arange(40), np.arange(40) % PERSONAS
    covariance = taught.covariance(pairs, pairs)
    assert np.allclose(covariance, covariance.T)
    assert np.linalg.eigvalsh(covariance).min() > -1e-9
    assert (np.sqrt(np.diag(covariance)) <= taught.predict(*pairs).sd).all()


def test_a_null_is_never_taught(views):
    with pytest.raises(ValueError, match="leave nulls out"):
        fit(views, np.array([0, 1]), np.array([0, 1]), np.array([0.5, np.nan]))


@given(st.floats(0, 1), st.floats(-5, 5))
def test_stretching_is_undone_by_squashing(opinion, logit):
    assert squashed(stretched(np.array(opinion))) == pytest.approx(opinion, abs=1e-9)
    step = 1e-4
    rise = squashed(np.array(logit + step)) - squashed(np.array(logit - step))
    inside = squashed(np.array(logit - step)) > 0 and squashed(np.array(logit + step)) < 1
    assert not inside or rise / (2 * step) == pytest.approx(slope(np.array(logit)), rel=1e-3)
