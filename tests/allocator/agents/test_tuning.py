"""The search treats all learners alike, and its record is what the code would try again."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

import pytest

from allocator.agents.roster import LEARNERS
from allocator.agents.settings import recorded_trials, tuned
from allocator.agents.tuning import SEARCHED, TRIALS, TUNING_EPISODES, Trial
from allocator.experiments.evaluation import held_out_seeds


def tried(learner: str, number: int) -> dict[str, object]:
    settings = Trial(learner, number, "standard", 1).settings
    told = asdict(settings) | dict(settings.own)
    return {name: told[name] for name in SEARCHED[learner]}


def test_everybody_is_searched() -> None:
    assert set(SEARCHED) == set(LEARNERS)


def test_trials_of_a_number_try_the_same_for_everybody() -> None:
    for number in range(TRIALS):
        ours = tried("gddpg", number)
        assert tried("gddpg-mlp", number) == tried("ddpg", number) == ours
        rivals = tried("td3", number)
        assert {name: rivals[name] for name in ours} == ours
        assert tried("sac", number)["learning_rate"] == ours["learning_rate"]


@pytest.mark.parametrize("learner", SEARCHED)
def test_every_value_is_tried_as_often_as_the_others(learner: str) -> None:
    for name, values in SEARCHED[learner].items():
        count = Counter(tried(learner, number)[name] for number in range(TRIALS))
        assert set(count) == set(values)
        assert max(count.values()) - min(count.values()) <= 1


@pytest.mark.parametrize("learner", SEARCHED)
def test_the_record_holds_all_trials_of_all_learners(learner: str) -> None:
    mine = [trial for trial in recorded_trials() if trial["learner"] == learner]
    assert sorted(trial["number"] for trial in mine) == list(range(TRIALS))
    assert len({trial["steps"] for trial in recorded_trials()}) == 1
    for trial in mine:
        again = asdict(Trial(learner, trial["number"], trial["scenario"], trial["steps"]).settings)
        assert {name: trial[name] for name in again} == again


@pytest.mark.parametrize("learner", SEARCHED)
def test_the_best_trial_is_taken(learner: str) -> None:
    mine = [trial for trial in recorded_trials() if trial["learner"] == learner]
    best = max(mine, key=lambda trial: trial["reward"])
    assert asdict(tuned(learner)) == {name: best[name] for name in asdict(tuned(learner))}


def test_nobody_is_compared_on_what_was_tuned_on() -> None:
    assert not set(held_out_seeds(10_000)) & set(TUNING_EPISODES)
