"""The loop with a random model and a real judge: drawn, judged, kept and learned from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from allocator.agents.settings import LearnerSettings
from allocator.catalogue import TOPICS, Catalogue, compose_catalogue, word_embedding
from allocator.experience import Cells, look_up
from allocator.experiments.compare import ComparisonSettings, compare
from allocator.experiments.contender import Contender
from allocator.experiments.references import REFERENCES
from allocator.experiments.standings import standings_of
from allocator.rlli import Loop, RecordedSource, survey_prompt, survey_size
from allocator.scenarios.synthetic import synthetic_experience
from allocator.training.loop_cost import LoopCost
from allocator.training.order import TrainingOrder
from allocator.training.train import train
from qoe_service.judges.ladder import Ladder
from qoe_service.judges.pixel import PixelJudge
from qoe_service.personas import Registry
from qoe_service.scoring import Scorer
from tinyworld.diffusion import random_diffusion

torch.set_num_threads(1)

STEPS = 3


def tiny_catalogue() -> Catalogue:
    return compose_catalogue(
        word_embedding, topics=TOPICS[:1], seeds=(7,), total_steps=STEPS, error_levels=(0.0, 0.5)
    )


@pytest.fixture(scope="module")
def scorer() -> Iterator[Scorer]:
    with Scorer(Ladder([PixelJudge()]), Registry()) as made:
        yield made


@pytest.fixture
def loop(scorer: Scorer) -> Iterator[Loop]:
    made = Loop(random_diffusion(0), tiny_catalogue(), scorer)
    yield made
    made.close()


def test_survey_draws_every_picture_once_and_asks_everyone(loop: Loop) -> None:
    catalogue = loop.experience.catalogue
    seen = sum(survey_prompt(loop.experience, p) for p in range(len(catalogue.prompts)))
    assert seen == survey_size(catalogue) == 4 * (1 + 2 * 2)
    cost = loop.cost()
    assert 0 < cost.pictures <= seen
    assert cost.judgments + cost.failed == seen * len(loop.experience.personas)
    assert cost.denoising_steps_run < cost.denoising_steps_unshared
    survey_prompt(loop.experience, 0)
    assert loop.cost().judgments == cost.judgments


def test_opinions_are_of_the_picture_that_was_drawn(loop: Loop, scorer: Scorer) -> None:
    zero = np.zeros(1, np.intp)
    looked_up = look_up(loop.experience, Cells(zero + 1, zero, zero + 2, zero + 1, zero))
    plan = loop.experience.catalogue.plan(1, 0, 2, 1)
    drawn = loop.generator.run([plan])
    prompt = loop.experience.catalogue.prompts[1]
    asked = scorer.rewards(drawn, [prompt], personas=loop.experience.personas[:1])
    assert looked_up[0] == asked.by_persona[0][0]


def test_the_loop_tells_who_judges(loop: Loop) -> None:
    assert loop.judged_by() == ("pixel: pixel-measures",)


def test_costs_add_and_subtract() -> None:
    one, two = LoopCost(pictures=1, judging_s=0.5), LoopCost(pictures=3, judging_s=2.0)
    assert (one + two) - one == two


class Silence:
    """Stages nobody watches."""

    def __init__(self) -> None:
        self.done = 0

    def begin(self, what: str, total: int) -> None:
        self.total = total

    def advance(self, steps: int) -> None:
        self.done += steps


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> RecordedSource:
    path = tmp_path_factory.mktemp("table") / "table.npz"
    synthetic_experience(0).save(path)
    return RecordedSource(path)


def test_a_run_repeats_itself_and_leaves_its_files(
    recorded: RecordedSource, tmp_path: Path
) -> None:
    order = TrainingOrder(
        learner="gddpg",
        settings=LearnerSettings(),
        seed=3,
        steps=1680,
        folder=tmp_path,
        curve_points=2,
        curve_episodes=4,
        held_out_episodes=4,
    )
    stages = Silence()
    first = train(order, recorded.open(), stages.advance)
    elsewhere = replace(order, folder=tmp_path / "elsewhere")
    again = train(elsewhere, recorded.open(), lambda _: None)
    assert np.array_equal(first.reward, again.reward)
    assert first.steps[0] == 0
    assert first.steps[-1] == stages.done >= 1680
    assert order.checkpoint.is_file()
    assert list((tmp_path / "tensorboard").rglob("events.out.tfevents.*"))


@dataclass(frozen=True)
class Broken:
    """A source whose processes cannot open it."""

    def open(self):
        raise OSError("no such service")


def test_comparison_holds_everyone_against_each_other(
    recorded: RecordedSource, tmp_path: Path
) -> None:
    settings = ComparisonSettings(
        folder=tmp_path / "run",
        contenders=(Contender("ddpg"),),
        seeds=(1, 2),
        steps=32,
        held_out_episodes=4,
        processes=1,
    )
    findings = compare(settings, recorded, Silence())
    assert set(findings.outcomes) == {"ddpg", *REFERENCES}
    best = findings.outcomes["optimum"].reward.mean()
    assert all(outcome.reward.mean() <= best for outcome in findings.outcomes.values())
    assert standings_of(findings).agents["constant"].share_of_way.point < 1
    assert findings.outcomes["ddpg"].reward.shape == (2, 4)
    assert findings.judges == ("recorded opinions",)
    for name in ("report.html", "summary.json", "curves.json", "checkpoints/ddpg-1.zip"):
        assert (tmp_path / "run" / name).is_file()


def test_an_experience_that_cannot_be_opened_ends_the_experiment(tmp_path: Path) -> None:
    settings = ComparisonSettings(folder=tmp_path, steps=32)
    with pytest.raises(OSError, match="no such service"):
        compare(settings, Broken(), Silence())
