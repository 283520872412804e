"""Training under a budget: never beyond it, and after an interruption as if uninterrupted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from allocator.agents.settings import LearnerSettings
from allocator.catalogue import TOPICS, Catalogue, compose_catalogue, word_embedding
from allocator.diffusion.pictures import PictureStore
from allocator.experience import RecordedExperience
from allocator.judge_budget.sight import Sight, context_of
from allocator.judge_budget.source import BudgetedLoop, BudgetedSource
from allocator.rlli import Loop, Recording
from allocator.scenarios.synthetic import synthetic_experience
from allocator.training.interruption import Interrupted
from allocator.training.loop_cost import LoopCost
from allocator.training.order import TrainingOrder
from allocator.training.practice import Estimates
from allocator.training.train import train
from qoe_service.judges.ladder import Ladder
from qoe_service.judges.pixel import PixelJudge
from qoe_service.personas import Registry
from qoe_service.scoring import Scorer
from tinyworld.diffusion import random_diffusion

torch.set_num_threads(1)

CALLS = 120


def small_catalogue() -> Catalogue:
    return compose_catalogue(word_embedding, topics=TOPICS[:1], seeds=(7,))


def plain_sight(catalogue: Catalogue) -> Sight:
    prompts = np.eye(len(catalogue.prompts))
    pictures = np.broadcast_to(
        prompts[:, None, None, None], (*catalogue.shape, len(catalogue.prompts))
    )
    return Sight(pictures, prompts, context_of(catalogue), "test")


@dataclass(frozen=True)
class Source:
    """A small recorded table with a sight of its own."""

    folder: Path

    def open(self) -> Recording:
        recorded = synthetic_experience(0, small_catalogue())
        seen = self.folder / "table.sight.npz"
        if not seen.is_file():
            plain_sight(recorded.catalogue).save(seen)
        return Recording(recorded, seen)


def order(folder: Path) -> TrainingOrder:
    return TrainingOrder(
        learner="ddpg",
        seed=3,
        steps=160,
        folder=folder,
        scenario="easy",
        environments=4,
        curve_points=2,
        curve_episodes=2,
        held_out_episodes=4,
        settings=LearnerSettings(width=16, batch_size=32, warm_up=48, updates_per_step=1),
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> BudgetedSource:
    return BudgetedSource(Source(tmp_path_factory.mktemp("table")), CALLS)


def test_an_interrupted_run_goes_on_to_the_same_result_and_the_same_calls(
    source: BudgetedSource, tmp_path: Path
) -> None:
    whole = train(order(tmp_path / "whole"), source.open(), lambda _: None)
    for stop_after in (60, 40):
        steps = iter(range(0, 1000, 4))
        with pytest.raises(Interrupted):
            train(
                order(tmp_path / "parts"),
                source.open(),
                lambda _: None,
                lambda steps=steps, last=stop_after: next(steps) >= last,
            )
    first = source.open()
    again = train(order(tmp_path / "parts"), first, lambda _: None)
    assert again.budget == whole.budget
    assert again.budget is not None
    assert again.budget.calls == CALLS
    assert again.cost.judgments == whole.cost.judgments == CALLS
    assert first.cost().judgments < CALLS / 2  # what was asked before was not asked again
    assert np.array_equal(again.reward, whole.reward)
    assert np.array_equal(again.played.qoe, whole.played.qoe)


def test_every_run_has_a_budget_of_its_own(source: BudgetedSource) -> None:
    loop = source.open()
    told = {"shown": 1000, "state": {}}
    one, other = loop.practice(seed=1, **told), loop.practice(seed=2, **told)
    asked = loop.cost().judgments
    assert CALLS / 2 < asked / 2 + 20 < CALLS
    assert asked <= 2 * CALLS
    assert not np.array_equal(
        one.learnt_from.estimates().table, other.learnt_from.estimates().table
    )
    assert loop.judged_by()[-1] == f"at most {CALLS} judge calls a run"


def test_runs_that_estimates_compare_are_told_from_those_that_judges_do(
    source: BudgetedSource,
) -> None:
    by_judges = source.open().judged_by()
    by_estimates = replace(source, compared_by_estimates=True).open().judged_by()
    assert by_judges != by_estimates


def test_runs_are_compared_by_the_judges_unless_that_would_cost_calls(
    source: BudgetedSource,
) -> None:
    judged = source.open()
    practice = judged.practice(shown=1000, seed=1, state={})
    assert practice.compared_by is judged.experience
    assert isinstance(judged.experience, RecordedExperience)
    estimated = BudgetedSource(source.source, CALLS, compared_by_estimates=True).open()
    before = estimated.practice(shown=1000, seed=1, state={})
    spent = estimated.cost()
    assert isinstance(before.compared_by, Estimates)
    places = np.arange(40)
    told = before.compared_by.rewards(places)
    assert np.array_equal(told, before.learnt_from.estimates().table.ravel()[places])
    assert estimated.cost() == spent


class Eyes:
    """Sees the mean colour."""

    revision = "mean"

    def embed_pictures(self, pictures: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(pictures.reshape(len(pictures), -1, 3).mean(axis=1) / 255)

    def embed_texts(self, texts: list[str]) -> torch.Tensor:
        return torch.full((len(texts), 3), 0.5, dtype=torch.float64)


def test_a_live_run_never_asks_beyond_its_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyworld.clip.load_clip", Eyes)
    catalogue = compose_catalogue(
        word_embedding, topics=TOPICS[:1], seeds=(7,), total_steps=3, error_levels=(0.0, 0.5)
    )
    with Scorer(Ladder([PixelJudge()]), Registry()) as scorer:
        live = Loop(random_diffusion(0), catalogue, scorer)
        loop = BudgetedLoop(live, 60, compared_by_estimates=True)
        practice = loop.practice(shown=900, seed=1, state={})
        rng = np.random.default_rng(0)
        places = np.arange(np.prod(practice.learnt_from.shape))
        for _ in range(10):
            practice.learnt_from.rewards(rng.choice(places, 90))
        report = practice.finish()
        cost = loop.cost()
        loop.close()
    assert report.calls == 60 == cost.judgments + cost.failed
    assert live.oracle.counts.requests == 0
    assert isinstance(live.store, PictureStore)
    assert cost - LoopCost(judging_s=cost.judging_s) != LoopCost()
