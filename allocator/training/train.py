"""Training one learner as ordered, from the start or from where an earlier call was interrupted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback, CallbackList

from allocator.agents.roster import make_learner
from allocator.experience import Experience
from allocator.experiments.evaluation import as_compared, evaluate, held_out_seeds
from allocator.scenarios.settings import MEMBERS
from allocator.scenarios.shared_denoising import SharedDenoising
from allocator.training.checkpoint import Checkpoint, CheckpointWriter
from allocator.training.fingerprint import fingerprint
from allocator.training.interruption import held_back
from allocator.training.learner_state import Resumption, learner_state
from allocator.training.learning_curve import LearningCurve
from allocator.training.loop_cost import LoopCost
from allocator.training.order import TrainingOrder
from allocator.training.phases import PhaseTimer
from allocator.training.practice import Practice
from allocator.training.run_files import Identity
from allocator.training.trained_run import TrainedRun

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm

Progress = Callable[[int], None]
"""Told how many environment steps were just taken."""

Stop = Callable[[], bool]
"""Asked between two rollouts whether to end there."""

TORCH_THREADS = 1
"""Of each process: networks this small are slower on two threads than on one."""

PREDICTIONS = 200
"""How often a decision is timed; the median does not see the slow first ones."""


class OpenExperience(Protocol):
    """An experience in use, and what using it has cost."""

    @property
    def experience(self) -> Experience: ...

    def cost(self) -> LoopCost: ...

    def judged_by(self) -> tuple[str, ...]: ...

    def practice(self, *, shown: int, seed: int, state: Mapping[str, Any]) -> Practice:
        """What a run learns from that shows so many pictures to users, perhaps under a budget.

        state: that of the practice in a checkpoint; empty for a run that begins.
        """
        ...

    def close(self) -> None: ...


class ExperienceSource(Protocol):
    """How a process gets at rewards. It must survive pickling: every process opens its own."""

    def open(self) -> OpenExperience: ...


def never() -> bool:
    """Nobody wants it to stop."""
    return False


def train(
    order: TrainingOrder, source: OpenExperience, progress: Progress, stop: Stop = never
) -> TrainedRun:
    """Train as ordered and keep the run, the final learner and its TensorBoard log in the folder.

    A finished run is not trained again, an unfinished one goes on: the result is the same to the
    last bit. Nothing is selected: the learner of the last step is the one that is evaluated.

    Raises:
        Interrupted: asked to, by `stop` or a signal; the checkpoint is written.
        OtherOrderError: the folder holds this run under other settings.
    """
    identity = order.identity(experience=who_judges(source))
    done = TrainedRun.load(order, identity)
    if done is not None:
        return done
    with held_back() as asked:
        run = _train(order, source, identity, progress, lambda: stop() or asked.is_set())
        run.save(identity)
        order.unfinished.unlink(missing_ok=True)
    return run


def steps_done(order: TrainingOrder, source: OpenExperience) -> int:
    """How many steps of it earlier calls have trained; all of them if it is finished.

    Raises OtherOrderError if the folder holds it under other settings.
    """
    identity = order.identity(experience=who_judges(source))
    if TrainedRun.load(order, identity) is not None:
        return order.steps
    checkpoint = _checkpoint(order, identity)
    return 0 if checkpoint is None else checkpoint.steps


def who_judges(source: OpenExperience) -> str:
    """Whose rewards are learnt from."""
    return ", ".join([*source.judged_by(), fingerprint(source.experience)])


def _train(
    order: TrainingOrder,
    source: OpenExperience,
    identity: Identity,
    progress: Progress,
    stop: Stop,
) -> TrainedRun:
    import torch

    torch.set_num_threads(TORCH_THREADS)
    before = source.cost()
    begun = _checkpoint(order, identity)
    practice = source.practice(
        shown=order.pictures_shown, seed=order.seed, state={} if begun is None else begun.practice
    )
    scenario = as_compared(practice.compared_by, order.scenario, practice.seen)
    learner = _learner(order, practice)
    timer = PhaseTimer(lambda: source.cost().generating_s + source.cost().judging_s)
    curve = LearningCurve(scenario, held_out_seeds(order.curve_episodes), order.curve_due, timer)
    callbacks: list[BaseCallback] = [timer, curve, ProgressTeller(order.steps, progress)]
    if begun is not None:
        curve.points, timer.seconds = begun.points, begun.seconds
        before -= begun.cost
        callbacks.insert(0, Resumption(begun.learner))

    def write_checkpoint() -> None:
        state, cost = learner_state(learner), source.cost() - before
        now = Checkpoint(state, curve.points, timer.seconds, cost, practice.state())
        now.write(order.unfinished, identity)

    callbacks.append(CheckpointWriter(write_checkpoint, stop, timer))
    learner.learn(
        order.steps,
        callback=CallbackList(callbacks),
        tb_log_name=order.name,
        reset_num_timesteps=begun is None,  # goes on with the same log
    )
    order.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    learner.save(order.checkpoint)
    points, budget = curve.points, practice.finish()
    return TrainedRun(
        order,
        steps=np.array(points.steps),
        updates=np.array(points.updates),
        learning_s=np.array(points.learning_s),
        reward=np.array(points.reward),
        decision_s=decision_seconds(learner),
        played=evaluate(scenario, learner, held_out_seeds(order.held_out_episodes)),
        seconds=timer.seconds,
        cost=source.cost() - before + LoopCost(masked=masked_by(learner)),
        budget=budget,
    )


def _checkpoint(order: TrainingOrder, identity: Identity) -> Checkpoint | None:
    return Checkpoint.read(order.unfinished, identity) if order.unfinished.is_file() else None


def decision_seconds(learner: BaseAlgorithm) -> float:
    """The median wall-clock of one decision for one cell, without exploring."""
    seen = learner.observation_space.sample()
    passed_s = []
    for _ in range(PREDICTIONS):
        started = time.perf_counter()
        learner.predict(seen, deterministic=True)
        passed_s.append(time.perf_counter() - started)
    return float(np.median(passed_s))


def masked_by(learner: BaseAlgorithm) -> int:
    """How many transitions it did not learn from, for their reward was null."""
    buffer = getattr(learner, "replay_buffer", None)  # PPO has none: a null reward ends its run
    return 0 if buffer is None else int(buffer.masked)


def _learner(order: TrainingOrder, practice: Practice) -> BaseAlgorithm:
    from allocator.agents.layout import Layout
    from allocator.scenarios.vector import ScenarioVecEnv

    scenario = SharedDenoising(practice.learnt_from, MEMBERS[order.scenario], seen=practice.seen)
    return make_learner(
        order.learner,
        ScenarioVecEnv(scenario, order.environments, seed=order.seed),
        Layout.of(scenario),
        seed=order.seed,
        settings=order.settings,
        tensorboard=order.folder / "tensorboard",
    )


class ProgressTeller(BaseCallback):
    """Tells the progress of a run at every hundredth of it."""

    def __init__(self, steps: int, progress: Progress) -> None:
        super().__init__()
        self._steps, self._progress = steps, progress

    def _on_training_start(self) -> None:
        self._told = self._done()

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        if self._done() - self._told >= self._steps / 100:
            self._tell()

    def _on_training_end(self) -> None:
        self._tell()

    def _tell(self) -> None:
        done = self._done()
        self._progress(done - self._told)
        self._told = done

    def _done(self) -> int:
        return min(int(self.model.num_timesteps), self._steps)  # the last rollout may go beyond
