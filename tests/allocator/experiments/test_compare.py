"""A comparison goes on where it was interrupted, and says what it will not mix."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from allocator.experiments import compare as compare_module
from allocator.experiments import evaluation
from allocator.experiments.compare import ComparisonSettings, compare
from allocator.experiments.contender import Contender
from allocator.experiments.findings import Findings
from allocator.experiments.spent import Spent, kept_account
from allocator.report import files
from allocator.rlli import RecordedSource
from allocator.scenarios.synthetic import synthetic_experience
from allocator.training.interruption import Interrupted
from allocator.training.loop_cost import LoopCost
from allocator.training.order import TrainingOrder
from allocator.training.run_files import OtherOrderError
from allocator.training.train import OpenExperience, Progress, train
from allocator.training.trained_run import TrainedRun

torch.set_num_threads(1)


@dataclass(frozen=True)
class Here:
    """A crew of nobody but this process."""

    source: OpenExperience

    def train(self, orders: Sequence[TrainingOrder], progress: Progress) -> tuple[TrainedRun, ...]:
        return tuple(train(order, self.source, progress) for order in orders)

    def survey(self, prompts: Sequence[int], progress: Progress) -> LoopCost:
        return LoopCost(pictures=len(prompts))


@contextmanager
def here(source: RecordedSource, _: int) -> Iterator[Here]:
    yield Here(source.open())


class Stages:
    """Remembers what it was told, and asks for an end after so many steps of training."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.told: list[tuple[str, int]] = []
        self.stop_after, self.trained = stop_after, 0

    def begin(self, what: str, total: int) -> None:
        self.told.append((what, total))

    def advance(self, steps: int) -> None:
        if self.told[-1][0].startswith("training"):
            self.trained += steps
            if self.stop_after is not None and self.trained >= self.stop_after:
                raise Interrupted


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> RecordedSource:
    path = tmp_path_factory.mktemp("table") / "table.npz"
    synthetic_experience(0).save(path)
    return RecordedSource(path)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Without the report and the search for a constant action, which take longest."""

    def some(scenario, seeds, *, seed):
        return evaluation.evaluate_random(scenario, seeds, seed=seed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "evaluate_best_constant", some)
        patch.setattr(files, "write_files", lambda *_, **__: None)
        yield


def settings(folder: Path) -> ComparisonSettings:
    return ComparisonSettings(
        folder=folder,
        scenario="easy",
        contenders=(Contender("ddpg"), Contender("td3"), Contender("ddpg", 2)),
        seeds=(1, 2),
        steps=32,
        held_out_episodes=4,
    )


@pytest.fixture(scope="module")
def straight(source: RecordedSource, tmp_path_factory: pytest.TempPathFactory) -> Findings:
    return compare(settings(tmp_path_factory.mktemp("straight")), source, Stages(), here)


def test_an_interrupted_comparison_finds_what_an_uninterrupted_one_does(
    source: RecordedSource,
    straight: Findings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = settings(tmp_path)
    commits = iter(["older", "newer", "newer"])
    surroundings = compare_module.surroundings

    def moving_code() -> dict[str, object]:
        return surroundings() | {"commit": next(commits), "uncommitted_changes": False}

    monkeypatch.setattr(compare_module, "surroundings", moving_code)
    with pytest.raises(Interrupted):
        compare(asked, source, Stages(stop_after=80), here)
    assert [order.result.is_file() for order in asked.orders] == [True] + 5 * [False]
    first = json.loads((tmp_path / "spent.json").read_text())
    assert first["calls"] == 1
    assert first["seconds"] > 0

    monkeypatch.setattr(evaluation, "evaluate_optimum", None)  # it was played before
    stages = Stages()
    findings = compare(asked, source, stages, here)
    assert ("training, 1 of 6 runs done", 2 * 32 + 2 * 32 + 64) in stages.told
    for name, outcome in straight.outcomes.items():
        assert np.array_equal(outcome.reward, findings.outcomes[name].reward), name
        assert np.array_equal(outcome.user_qoe, findings.outcomes[name].user_qoe), name
    assert findings.manifest["calls"] == 2
    assert findings.manifest["commits_of_all_calls"] == ("older", "newer")
    assert findings.seconds.total > first["seconds"]
    assert findings.generator.pictures == 2 * straight.generator.pictures

    again = Stages()
    compare(asked, source, again, here)
    assert again.trained == 0


def test_of_a_call_that_is_killed_is_kept_that_it_was_made(tmp_path: Path) -> None:
    path = tmp_path / "spent.json"
    Spent(1, 10.0, commits=("older",)).write(path)
    with kept_account(path, lambda: Spent(1, 5.0, commits=("newer",))) as spent:
        assert Spent.read(path) == Spent(2, 15.0, commits=("older", "newer"))
        assert spent() == Spent(2, 15.0, commits=("older", "newer"))


def test_contenders_stand_under_their_names(straight: Findings) -> None:
    assert set(straight.curves) == {"ddpg", "td3", "ddpg-x2"} == set(straight.decision_s)
    assert straight.curves["ddpg"].steps[-1] == 32
    assert straight.curves["ddpg-x2"].steps[-1] == 64
    assert all(seconds > 0 for seconds in straight.decision_s.values())


def test_the_dearest_runs_come_first(tmp_path: Path) -> None:
    contenders = [Contender.parse(each) for each in ("ppo", "ddpg", "gddpg", "ddpg:3", "sac")]
    everybody = replace(settings(tmp_path), contenders=tuple(contenders), seeds=(1, 2))
    names = [order.name for order in everybody.orders]
    assert names[:4] == ["ddpg-x3-1", "ddpg-x3-2", "gddpg-1", "gddpg-2"]
    assert names[-2:] == ["ppo-1", "ppo-2"]
    steps = {order.contender: order.steps for order in everybody.orders}
    assert steps["ddpg-x3"] == 3 * steps["ddpg"]


def test_other_settings_are_refused_by_name_before_anything_is_trained(
    source: RecordedSource, tmp_path: Path
) -> None:
    asked = replace(settings(tmp_path), contenders=(Contender("ddpg"),), seeds=(1,))
    compare(asked, source, Stages(), here)
    for other, named in (
        (replace(asked, steps=48), "steps was 32 and is 48 now"),
        (replace(asked, scenario="standard"), "scenario was easy and is standard now"),
        (replace(asked, held_out_episodes=5), "held_out_episodes was 4 and is 5 now"),
    ):
        stages = Stages()
        with pytest.raises(OtherOrderError, match=named):
            compare(other, source, stages, here)
        assert stages.told == []


def test_seeds_and_learners_can_be_added(source: RecordedSource, tmp_path: Path) -> None:
    asked = replace(settings(tmp_path), contenders=(Contender("ddpg"),), seeds=(1,))
    compare(asked, source, Stages(), here)
    stages = Stages()
    findings = compare(replace(asked, seeds=(1, 2)), source, stages, here)
    assert stages.trained == 32
    assert findings.outcomes["ddpg"].reward.shape == (2, 4)
    assert findings.outcomes["random"].reward.shape == (2, 4)


@pytest.mark.parametrize("written", ["", "ddpg:", "ddpg:0", "ddpg:x", "ddpg:2:3", ":2"])
def test_what_is_no_contender_is_quoted(written: str) -> None:
    with pytest.raises(ValueError, match="is no contender"):
        Contender.parse(written)


def test_contenders_are_written_as_they_are_named() -> None:
    assert Contender.parse("gddpg-mlp") == Contender("gddpg-mlp")
    assert Contender.parse("ddpg:3").name == "ddpg-x3"
    assert Contender.parse("ddpg:1").name == "ddpg"
