"""Workers side by side: they end with whoever hired them, and what they trained is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from allocator.agents.settings import LearnerSettings
from allocator.rlli import RecordedSource
from allocator.scenarios.synthetic import synthetic_experience
from allocator.training.crew import Hire, WorkerLostError, crew
from allocator.training.interruption import Interrupted
from allocator.training.missing import MissingPackageError
from allocator.training.order import TrainingOrder
from allocator.training.ray_crew import ray_crew
from allocator.training.train import train
from tests.allocator.training.process_group import assert_gone

torch.set_num_threads(1)

STEPS = 400


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> RecordedSource:
    path = tmp_path_factory.mktemp("table") / "table.npz"
    synthetic_experience(0).save(path)
    return RecordedSource(path)


def order(folder: Path, seed: int = 1, steps: int = STEPS) -> TrainingOrder:
    return TrainingOrder(
        learner="ddpg",
        seed=seed,
        steps=steps,
        folder=folder,
        scenario="easy",
        environments=4,
        curve_points=2,
        curve_episodes=2,
        held_out_episodes=2,
        settings=LearnerSettings(width=8, batch_size=16, warm_up=40, updates_per_step=1),
    )


def interrupted_after(steps: int) -> Callable[[int], None]:
    """A progress that asks for an end in the midst of training."""
    done = 0

    def progress(newly: int) -> None:
        nonlocal done
        done += newly
        if done >= steps:
            raise Interrupted

    return progress


def check_that_it_goes_on(hire: Hire, source: RecordedSource, tmp_path: Path) -> None:
    """Two runs one after the other: the first is finished when the second is interrupted."""
    orders = [order(tmp_path / "pieces", seed) for seed in (1, 2)]
    with pytest.raises(Interrupted), hire(source, 1) as workers:
        workers.train(orders, interrupted_after(STEPS + STEPS // 4))
    assert orders[0].result.is_file()
    assert orders[1].unfinished.is_file()
    told: list[int] = []
    for each in orders:
        run = train(each, source.open(), told.append)
        elsewhere = replace(each, folder=tmp_path / "straight")
        straight = train(elsewhere, source.open(), lambda _: None)
        assert np.array_equal(run.reward, straight.reward)
        assert np.array_equal(run.played.user_qoe, straight.played.user_qoe)
    assert 0 < sum(told) < STEPS


def test_interrupted_workers_leave_checkpoints_and_others_go_on(
    source: RecordedSource, tmp_path: Path
) -> None:
    check_that_it_goes_on(crew, source, tmp_path)


def test_a_lost_worker_is_said_to_be_lost(source: RecordedSource) -> None:
    with crew(source, 1) as workers, pytest.raises(WorkerLostError, match="same command goes on"):
        workers._do(os._exit, (1,), lambda _: None)


def test_workers_end_with_a_parent_that_is_killed(source: RecordedSource, tmp_path: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from allocator.training.crew import crew
from tests.allocator.training.test_crew import RecordedSource, order

if __name__ == "__main__":
    table, folder = map(Path, sys.argv[1:])
    with crew(RecordedSource(table), 1) as workers:
        workers.train([order(folder, steps=20_000)], lambda _: os.kill(os.getpid(), signal.SIGKILL))
"""
    long = order(tmp_path / "run", steps=20_000)
    (tmp_path / "hire.py").write_text(script)
    killed = subprocess.Popen(
        [sys.executable, tmp_path / "hire.py", str(source.path), str(long.folder)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        start_new_session=True,
    )
    assert killed.wait(120) == -signal.SIGKILL
    assert_gone(killed.pid)
    assert long.unfinished.is_file()


def test_ray_is_asked_for_by_name_if_it_is_missing(
    source: RecordedSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    install = r"pip install 'persona-qoe\[ray\]'"
    with pytest.raises(MissingPackageError, match=install), ray_crew(source, 1):
        pass


def test_ray_trains_the_same(source: RecordedSource, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    check_that_it_goes_on(ray_crew, source, tmp_path)
