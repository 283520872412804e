"""Interrupted and resumed training equals uninterrupted training bit for bit, across processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from allocator.agents.replay import AnsweredReplayBuffer
from allocator.agents.roster import LEARNERS, load_learner
from allocator.agents.settings import LearnerSettings
from allocator.rlli import RecordedSource
from allocator.scenarios.settings import EASY
from allocator.scenarios.shared_denoising import SharedDenoising
from allocator.scenarios.synthetic import synthetic_experience
from allocator.scenarios.vector import ScenarioVecEnv
from allocator.training.checkpoint import Checkpoint
from allocator.training.interruption import Interrupted
from allocator.training.learning_curve import CurvePoints
from allocator.training.loop_cost import LoopCost
from allocator.training.order import TrainingOrder
from allocator.training.phases import PhaseSeconds
from allocator.training.run_files import OtherOrderError, UnreadableFileError
from allocator.training.train import train

torch.set_num_threads(1)

STEPS, ENVIRONMENTS = 160, 4
STOPS = (28, 116)
"""Steps after which training is interrupted, both in the midst of episodes of 10 slots, the first
while actions are still random; PPO goes on to the end of its rollout."""

SCRIPT = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from tests.allocator.training.test_checkpoint import LEARNERS, interrupted, order, source
folder, stop = Path(sys.argv[1]), int(sys.argv[2])
for learner in LEARNERS:
    interrupted(order(learner, folder), source(folder), stop)
"""


def order(learner: str, folder: Path, **other: Any) -> TrainingOrder:
    own = {"n_steps": 8} if learner == "ppo" else {}
    settings = LearnerSettings(width=16, batch_size=32, warm_up=48, updates_per_step=1, own=own)
    told: dict[str, Any] = {
        "scenario": "easy",
        "environments": ENVIRONMENTS,
        "curve_points": 4,
        "curve_episodes": 4,
        "held_out_episodes": 4,
        "settings": settings,
    }
    return TrainingOrder(learner=learner, seed=5, steps=STEPS, folder=folder, **told | other)


def source(folder: Path) -> RecordedSource:
    return RecordedSource(folder.parent / "table.npz")


def interrupted(order: TrainingOrder, source: RecordedSource, steps: int) -> None:
    """Train until so many steps are done, and leave a checkpoint."""
    done = 0

    def count(newly: int) -> None:
        nonlocal done
        done += newly

    begun = raw(order)["learner"]["counters"]["num_timesteps"] if order.unfinished.exists() else 0
    with pytest.raises(Interrupted):
        train(order, source.open(), count, stop=lambda: begun + done >= steps)


def raw(order: TrainingOrder) -> dict[str, Any]:
    return torch.load(order.unfinished, weights_only=True)


def leaves(tree: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    parts = tree.items() if isinstance(tree, Mapping) else enumerate(tree)
    for key, value in parts:
        if isinstance(value, Mapping | list | tuple):
            yield from leaves(value, f"{name}.{key}")
        else:
            yield f"{name}.{key}", value


def bits(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        value = value.numpy()
    return (value.dtype, value.shape, value.tobytes()) if isinstance(value, np.ndarray) else value


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("resume")
    synthetic_experience(0).save(base / "table.npz")
    return base


@pytest.fixture(scope="module")
def pieces(folder: Path) -> Path:
    """Every learner begun in this process and gone on with in another, to end in this one."""
    into = folder / "pieces"
    for learner in LEARNERS:
        interrupted(order(learner, into), source(into), STOPS[0])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(into), str(STOPS[1])],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr
    return into


@pytest.mark.parametrize("learner", LEARNERS)
def test_what_is_put_back_goes_on_as_what_was_never_taken_apart(
    learner: str, folder: Path, pieces: Path
) -> None:
    """Weights, optimisers, replay buffer, episodes, generators: all of it, far from the start."""
    straight = order(learner, folder / "straight")
    interrupted(straight, source(pieces), STOPS[-1])
    once, twice = raw(straight), raw(order(learner, pieces))
    assert STOPS[-1] <= once["learner"]["counters"]["num_timesteps"] < STEPS
    for part in ("learner", "identity"):
        told, again = dict(leaves(once[part])), dict(leaves(twice[part]))
        assert told.keys() == again.keys()
        for name, value in told.items():
            assert bits(value) == bits(again[name]), name


@pytest.mark.parametrize("learner", LEARNERS)
def test_resumed_training_equals_uninterrupted_training(
    learner: str, folder: Path, pieces: Path
) -> None:
    never, resumed = order(learner, folder / "never"), order(learner, pieces)
    first, last = (train(each, source(pieces).open(), lambda _: None) for each in (never, resumed))
    assert not resumed.unfinished.exists()
    for name in ("steps", "updates", "reward"):
        assert bits(getattr(first, name)) == bits(getattr(last, name)), name
    for name, array in vars(first.played).items():
        assert bits(array) == bits(getattr(last.played, name)), name
    for (name, weights), (_, others) in zip(weights_of(never), weights_of(resumed), strict=True):
        assert bits(weights) == bits(others), name


def weights_of(order: TrainingOrder) -> list[tuple[str, Any]]:
    return sorted(leaves(load_learner(order.learner, order.checkpoint).get_parameters()))


def test_a_finished_run_is_kept_and_not_trained_again(folder: Path, pieces: Path) -> None:
    asked = order("ddpg", folder / "kept")
    told: list[int] = []
    first = train(asked, source(pieces).open(), told.append)
    assert sum(told) == STEPS
    again = train(asked, source(pieces).open(), told.append)
    assert sum(told) == STEPS
    assert again.seconds == first.seconds
    assert again.cost == first.cost
    assert again.decision_s == first.decision_s > 0
    assert bits(again.learning_s) == bits(first.learning_s)


def test_seconds_and_curve_go_on(folder: Path, pieces: Path) -> None:
    asked = order("sac", folder / "seconds")
    interrupted(asked, source(pieces), STOPS[1])
    before = raw(asked)["seconds"]
    run = train(asked, source(pieces).open(), lambda _: None)
    assert 0 < before["collect"] < run.seconds.collect
    assert 0 < before["learn"] < run.seconds.learn
    assert (np.diff(run.learning_s) > 0).all()
    assert run.learning_s[-1] <= run.seconds.total
    assert run.steps.tolist() == [0, 56, 108, 160]
    assert run.updates.tolist() == [0, 2, 15, 28]


def test_checkpoints_of_other_orders_are_refused_by_name(folder: Path, pieces: Path) -> None:
    mine = order("ddpg", folder / "refused")
    interrupted(mine, source(pieces), STOPS[0])
    wider = LearnerSettings(width=17, batch_size=32, warm_up=48, updates_per_step=1)
    other = order("ddpg", folder / "refused", scenario="standard", settings=wider)
    with pytest.raises(OtherOrderError) as refused:
        train(other, source(pieces).open(), lambda _: None)
    assert "scenario was easy and is standard now" in str(refused.value)
    assert "settings.width was 16 and is 17 now" in str(refused.value)
    assert "seed" not in str(refused.value)
    synthetic_experience(1).save(folder / "other.npz")
    with pytest.raises(OtherOrderError, match="experience was recorded opinions"):
        train(mine, RecordedSource(folder / "other.npz").open(), lambda _: None)


def test_a_damaged_checkpoint_is_named(folder: Path, pieces: Path) -> None:
    mine = order("ddpg", folder / "damaged")
    interrupted(mine, source(pieces), STOPS[0])
    whole = mine.unfinished.read_bytes()
    for part in (whole[: len(whole) // 2], b"", b"no checkpoint"):
        mine.unfinished.write_bytes(part)
        with pytest.raises(UnreadableFileError, match=r"ddpg-5\.unfinished cannot be read"):
            train(mine, source(pieces).open(), lambda _: None)


def test_whoever_is_killed_while_writing_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    path = tmp_path / "a.unfinished"
    written(path, 1.0)
    killed = multiprocessing.get_context("fork").Process(target=killed_writing, args=(path, 2.0))
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    assert path.with_name("a.unfinished.part").exists()
    assert Checkpoint.read(path, {"seed": 1}).learner["weight"].tolist() == [1.0] * 9
    written(path, 3.0)
    assert Checkpoint.read(path, {"seed": 1}).learner["weight"].tolist() == [3.0] * 9
    assert not path.with_name("a.unfinished.part").exists()


def killed_writing(path: Path, weight: float) -> None:
    os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)  # all is written, none of it sure
    written(path, weight)


def written(path: Path, weight: float) -> None:
    state = {"weight": torch.full((9,), weight)}
    Checkpoint(state, CurvePoints(), PhaseSeconds(), LoopCost()).write(path, {"seed": 1})


def test_reading_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "hacked"),)

    path = tmp_path / "evil.unfinished"
    torch.save({"identity": Evil()}, path)
    with pytest.raises(UnreadableFileError):
        Checkpoint.read(path, {})
    assert not (tmp_path / "hacked").exists()


def test_only_what_is_filled_is_written(folder: Path, pieces: Path) -> None:
    mine = order("ddpg", folder / "size")
    interrupted(mine, source(pieces), STOPS[0])
    rows = raw(mine)["learner"]["replay"]["observations"]
    assert len(rows) == STOPS[0]
    assert (
        mine.unfinished.stat().st_size < 2_000_000
    )  # the whole buffer has 200,000 rows and 500 MB


def buffer() -> AnsweredReplayBuffer:
    space = SharedDenoising(synthetic_experience(), EASY)
    return AnsweredReplayBuffer(6, space.observation_space, space.action_space, device="cpu")


def test_a_full_replay_buffer_goes_on_where_it_was() -> None:
    ours, theirs, rng = buffer(), buffer(), np.random.default_rng(0)

    def add(to: AnsweredReplayBuffer, value: float, reward: float) -> None:
        seen = np.full((1, *to.obs_shape), value, np.float32)
        action = np.full((1, to.action_dim), value, np.float32)
        to.add(seen, seen + 1, action, np.array([reward]), np.array([False]), [{}])

    for value, reward in enumerate(rng.choice([0.5, np.nan], 14)):
        add(ours, value, reward)
    assert ours.full
    theirs.put_back(ours.state())
    for each in (ours, theirs):
        add(each, 99, 0.1)
    for name, value in ours.state().items():
        assert bits(value) == bits(theirs.state()[name]), name


def test_episodes_go_on_in_the_midst() -> None:
    def made(seed: int) -> ScenarioVecEnv:
        return ScenarioVecEnv(SharedDenoising(synthetic_experience(), EASY), 3, seed=seed)

    ours, theirs = made(1), made(2)
    actions = np.random.default_rng(0).uniform(-1, 1, (16, 3, 21))
    ours.reset()
    for action in actions[:4]:
        ours.step(action)
    theirs.put_back(ours.state())
    for action in actions[4:]:  # beyond the episodes' ends
        seen, reward, done, _ = ours.step(action)
        again, rewarded, ended, _ = theirs.step(action)
        assert bits(seen) == bits(again)
        assert bits(reward) == bits(rewarded)
        assert (done == ended).all()
