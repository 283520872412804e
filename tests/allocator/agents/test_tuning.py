"""The search treats all learners alike, and its record is what the code would try again."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

import numpy as np
import pytest

from allocator.agents.roster import LEARNERS
from allocator.agents.settings import recorded_trials, tuned
from allocator.agents.tuning import (
    FINALISTS,
    ROUNDS,
    SEARCHED,
    TRIALS,
    TUNING_EPISODES,
    TUNING_SEEDS,
    Trial,
    finals,
    rewards_in,
    rounds,
)
from allocator.experiments.evaluation import held_out_seeds


def tried(learner: str, number: int) -> dict[str, object]:
    settings = Trial(learner, number, TUNING_SEEDS[0], "standard", 1).settings
    told = asdict(settings) | dict(settings.own)
    return {name: told[name] for name in SEARCHED[learner][0]}


def test_everybody_is_searched() -> None:
    assert all(set(spaces) == set(LEARNERS) for spaces in ROUNDS)


def test_trials_of_a_number_try_the_same_for_everybody() -> None:
    for number in range(TRIALS * len(ROUNDS)):
        ours = tried("gddpg", number)
        assert tried("gddpg-mlp", number) == tried("ddpg", number) == ours
        rivals = tried("td3", number)
        assert {name: rivals[name] for name in ours} == ours
        assert tried("sac", number)["learning_rate"] == ours["learning_rate"]


@pytest.mark.parametrize("learner", SEARCHED)
@pytest.mark.parametrize("searched", range(len(ROUNDS)))
def test_every_value_is_tried_as_often_as_the_others(learner: str, searched: int) -> None:
    for name, values in SEARCHED[learner][searched].items():
        numbers = range(TRIALS * searched, TRIALS * (searched + 1))
        count = Counter(tried(learner, number)[name] for number in numbers)
        assert set(count) == set(values)
        assert max(count.values()) - min(count.values()) <= 1


def test_the_best_of_everybody_meet_in_the_finals() -> None:
    rewards = {trial: float(trial.number) for trial in rounds()}
    expected = [
        (learner, TRIALS * len(ROUNDS) - 1 - rank, seed)
        for learner in SEARCHED
        for rank in range(FINALISTS)
        for seed in TUNING_SEEDS[1:]
    ]
    assert [(each.learner, each.number, each.seed) for each in finals(rewards)] == expected


def recorded(learner: str) -> dict[Trial, float]:
    return rewards_in(each for each in recorded_trials() if each["learner"] == learner)


def test_the_record_holds_all_trials_and_the_finals_of_what_was_found() -> None:
    record = rewards_in(recorded_trials())
    found = {trial: record[trial] for trial in rounds()}
    assert set(record) == {*found, *finals(found)}


@pytest.mark.parametrize("learner", SEARCHED)
def test_the_record_tells_what_would_be_tried_again(learner: str) -> None:
    mine = [each for each in recorded_trials() if each["learner"] == learner]
    for trial, told in zip(recorded(learner), mine, strict=True):
        again = asdict(trial.settings)
        assert {name: told[name] for name in again} == again


@pytest.mark.parametrize("learner", SEARCHED)
def test_the_finalist_of_the_best_mean_is_taken(learner: str) -> None:
    record = recorded(learner)
    finalists = {trial.number for trial in record if trial.seed != TUNING_SEEDS[0]}
    means = {
        number: np.mean([reward for trial, reward in record.items() if trial.number == number])
        for number in finalists
    }
    best = max(means, key=means.__getitem__)
    assert tuned(learner) == Trial(learner, best, TUNING_SEEDS[0], "standard", 1).settings


def test_nobody_is_compared_on_what_was_tuned_on() -> None:
    assert not set(held_out_seeds(10_000)) & set(TUNING_EPISODES)
    assert min(TUNING_SEEDS) > 100
