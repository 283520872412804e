"""Everything that a learner in the midst of training is made of: what a checkpoint holds of it.

Taken between the updates of one rollout and the next rollout, and put back into a learner that
`make_learner` made alike. Stable-Baselines3's own `save` leaves out the replay buffer, the episodes
being played and the state of every generator of random numbers.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm

State = dict[str, Any]
"""Nested dictionaries of tensors, numbers and texts."""

COUNTERS = ("num_timesteps", "_n_updates", "_episode_num", "_current_progress_remaining")
LAST_SEEN = ("_last_obs", "_last_original_obs", "_last_episode_starts")


def learner_state(learner: BaseAlgorithm) -> State:
    """Take it; tensors are the learner's own, so write them before it trains on."""
    buffer = getattr(learner, "replay_buffer", None)  # PPO has none
    return {
        "networks": learner.get_parameters(),
        "tensors": {name: tensor.detach() for name, tensor in _loose_tensors(learner)},
        "counters": {name: getattr(learner, name) for name in COUNTERS},
        "last_seen": {name: _tensor(getattr(learner, name)) for name in LAST_SEEN},
        "replay": None if buffer is None else as_tensors(buffer.state()),
        "episodes": as_tensors(learner.get_env().unwrapped.state()),
        "action_noise": [as_tensors(_numbers(noise)) for noise in _noises(learner)],
        "generators": {name: generator.get_state() for name, generator in _generators(learner)},
        "random": _random_state(learner),
    }


def restore(learner: BaseAlgorithm, state: State) -> None:
    """Put it back, random numbers last: what stands before may draw some."""
    learner.set_parameters(state["networks"], device="cpu")
    for name, tensor in _loose_tensors(learner):
        tensor.data.copy_(state["tensors"][name])
    for name, number in state["counters"].items():
        setattr(learner, name, number)
    for name, seen in state["last_seen"].items():
        setattr(learner, name, None if seen is None else seen.numpy())
    if state["replay"] is not None:
        learner.replay_buffer.put_back(as_arrays(state["replay"]))
    learner.get_env().unwrapped.put_back(as_arrays(state["episodes"]))
    for noise, numbers in zip(_noises(learner), state["action_noise"], strict=True):
        vars(noise).update(as_arrays(numbers))
    for name, generator in _generators(learner):
        generator.set_state(state["generators"][name])
    _put_back_random_state(learner, state["random"])


class Resumption(BaseCallback):
    """Puts a learner back where it was, once `learn` has set up what it sets up."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self._state = state

    def _on_training_start(self) -> None:
        restore(self.model, self._state)

    def _on_step(self) -> bool:
        return True


def _loose_tensors(learner: BaseAlgorithm) -> Iterator[tuple[str, torch.Tensor]]:
    """Those that are in no network, such as SAC's entropy coefficient."""
    for name in learner._get_torch_save_params()[1]:
        yield name, attrgetter(name)(learner)


def _noises(learner: BaseAlgorithm) -> list[Any]:
    noise = getattr(learner, "action_noise", None)
    return [] if noise is None else getattr(noise, "noises", [noise])


def _numbers(noise: Any) -> State:
    return {
        name: value
        for name, value in vars(noise).items()
        if isinstance(value, np.ndarray | float | int)
    }


def _generators(learner: BaseAlgorithm) -> Iterator[tuple[str, torch.Generator]]:
    """Torch generators that the learner or a part of its policy owns, wherever they are."""
    owners = [("learner", learner), *learner.policy.named_modules(prefix="policy")]
    for place, owner in owners:
        for name, value in vars(owner).items():
            if isinstance(value, torch.Generator):
                yield f"{place}.{name}", value


def _random_state(learner: BaseAlgorithm) -> State:
    """Of the generators that Stable-Baselines3 draws from: Python's, numpy's, torch's, the space's.

    As JSON where they hold integers of 128 bits.
    """
    return {
        "python": json.dumps(random.getstate()),
        "numpy": json.dumps(np.random.get_state(legacy=False), default=np.ndarray.tolist),  # noqa: NPY002
        "torch": torch.get_rng_state(),
        "action_space": json.dumps(learner.action_space.np_random.bit_generator.state),
    }


def _put_back_random_state(learner: BaseAlgorithm, state: State) -> None:
    version, numbers, gauss = json.loads(state["python"])
    random.setstate((version, tuple(numbers), gauss))
    np.random.set_state(json.loads(state["numpy"]))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    learner.action_space.np_random.bit_generator.state = json.loads(state["action_space"])


def _tensor(array: Any) -> torch.Tensor | None:
    return None if array is None else torch.from_numpy(np.ascontiguousarray(array))


def as_tensors(state: State) -> State:
    """A flat state of arrays and numbers, for a file that holds no numpy."""
    return {
        name: _tensor(value) if isinstance(value, np.ndarray) else value
        for name, value in state.items()
    }


def as_arrays(state: State) -> State:
    """What `as_tensors` made of a state."""
    return {
        name: value.numpy() if isinstance(value, torch.Tensor) else value
        for name, value in state.items()
    }
