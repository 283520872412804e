"""A replay buffer that never learns from an answer the service did not give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.buffers import ReplayBuffer

ROWS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")
COUNTERS = ("pos", "full", "masked")


class AnsweredReplayBuffer(ReplayBuffer):
    """Keeps only transitions whose reward is a number: a NaN reward was a failed judgment.

    Stable-Baselines3 stores one row for all environments of a vector; here every environment has
    its own row, so that one missing answer costs one transition and not those beside it.
    `masked` counts what was left out. Any off-policy algorithm takes it as `replay_buffer_class`.
    """

    def __init__(
        self,
        buffer_size: int,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        device: Any = "auto",
        n_envs: int = 1,
        **options: Any,
    ) -> None:
        super().__init__(buffer_size, observation_space, action_space, device, n_envs=1, **options)
        self.masked = 0

    def state(self) -> dict[str, Any]:
        """All it holds: arrays as far as they are filled, and numbers. Arrays are not copied."""
        rows = {name: getattr(self, name)[: self.size()] for name in ROWS}
        return rows | {name: getattr(self, name) for name in COUNTERS}

    def put_back(self, state: Mapping[str, Any]) -> None:
        """Hold what `state` told of a buffer like this."""
        for name in COUNTERS:
            setattr(self, name, state[name])
        for name in ROWS:
            getattr(self, name)[: self.size()] = state[name]

    def add(
        self,
        obs: NDArray[Any],
        next_obs: NDArray[Any],
        action: NDArray[Any],
        reward: NDArray[Any],
        done: NDArray[Any],
        infos: list[dict[str, Any]],
    ) -> None:
        """Store the transitions (one per environment) whose reward is not NaN."""
        answered = np.flatnonzero(~np.isnan(reward))
        self.masked += len(reward) - len(answered)
        for i in answered:
            row = slice(i, i + 1)
            super().add(obs[row], next_obs[row], action[row], reward[row], done[row], [infos[i]])
