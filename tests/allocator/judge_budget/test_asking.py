import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from allocator.judge_budget.asking import ROUNDS, Quota, most_telling


def test_of_two_alike_only_one_is_asked_before_something_else():
    # The first two are the same question; the third is independent and a little less uncertain.
    among = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.8]])
    chosen = most_telling(among, among, np.full(3, 0.1), 3)
    assert set(chosen[:2].tolist()) in ({0, 2}, {1, 2})
    assert sorted(chosen.tolist()) == [0, 1, 2]


def test_what_tells_nothing_of_what_matters_is_asked_last():
    among = np.diag([5.0, 1.0, 1.0])
    about = np.array([[0.0], [0.2], [0.9]])  # the most uncertain one matters least
    assert most_telling(among, about, np.full(3, 0.1), 3).tolist() == [2, 1, 0]


def test_choices_are_those_of_recomputing_the_posterior_after_each():
    rng = np.random.default_rng(0)
    factor = rng.standard_normal((12, 6))
    prior, noise = factor @ factor.T, rng.uniform(0.2, 0.6, 12)
    questions, matters = np.arange(8), np.arange(6, 12)
    asked = []
    for _ in range(4):
        known = prior[np.ix_(asked, asked)] + np.diag(noise[asked] ** 2)
        explained = prior[:, asked] @ np.linalg.solve(known, prior[asked]) if asked else 0.0
        left = prior - explained
        gain = (left[np.ix_(questions, matters)] ** 2).sum(axis=1)
        gain = gain / (np.diag(left)[questions] + noise[questions] ** 2)
        gain[asked] = -1
        asked.append(int(gain.argmax()))
    chosen = most_telling(
        prior[np.ix_(questions, questions)],
        prior[np.ix_(questions, matters)],
        noise[questions],
        4,
    )
    assert chosen.tolist() == asked


@given(st.integers(0, 5000))
def test_a_quota_is_the_whole_budget_and_no_more(calls):
    quota = Quota.of(calls)
    parts = [quota.random_audit, quota.survey, *quota.rounds, *quota.policy_audits]
    assert sum(parts) == calls
    assert min(parts) >= 0
    assert (len(quota.rounds), len(quota.policy_audits)) == (ROUNDS, ROUNDS + 1)
    assert max(quota.rounds) - min(quota.rounds) <= 1


def test_asking_for_more_than_there_is_asks_all():
    assert sorted(most_telling(np.eye(2), np.eye(2), np.full(2, 0.1), 5).tolist()) == [0, 1]
    assert most_telling(np.empty((0, 0)), np.empty((0, 1)), np.empty(0), 1).size == 0
