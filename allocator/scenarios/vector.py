"""A batched scenario as Stable-Baselines3's vector environment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from allocator.arrays import Floats
from allocator.scenarios.episodes import Episodes
from allocator.scenarios.shared_denoising import SharedDenoising

Which = None | int | Iterable[int]


class ScenarioVecEnv(VecEnv):
    """`episodes` episodes side by side, stepped as one batch.

    Follows Stable-Baselines3: an ended episode is replaced by a new one at once, and the last
    observation of the old one is in `info["terminal_observation"]`. All environments draw their
    episodes from one generator, so a seed fixes them for a given number of environments.
    """

    def __init__(self, scenario: SharedDenoising, episodes: int, *, seed: int = 0) -> None:
        self.scenario = scenario
        super().__init__(episodes, scenario.observation_space, scenario.action_space)
        self.seed(seed)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Restart the stream of episodes; takes effect at the next reset."""
        self._rng = np.random.default_rng(seed)
        return [seed] * self.num_envs

    def reset(self) -> NDArray[np.float32]:
        """Start a new episode in every environment."""
        return self.scenario.begin(self.scenario.draw_many(self._rng, self.num_envs))

    def state(self) -> dict[str, Any]:
        """Where the episodes stand, in the midst of them, as arrays, numbers and a text."""
        scenario = self.scenario
        drawn = {part.name: getattr(scenario.episodes, part.name) for part in fields(Episodes)}
        return drawn | {
            "spent_j": scenario.spent_j,
            "slot": scenario.slot,
            "random": json.dumps(self._rng.bit_generator.state),
        }

    def put_back(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` told of an environment like this."""
        drawn = {part.name: state[part.name] for part in fields(Episodes)}
        self.scenario.begin(Episodes(**drawn))
        self.scenario.spent_j, self.scenario.slot = state["spent_j"], state["slot"]
        self._rng.bit_generator.state = json.loads(state["random"])

    def step_async(self, actions: Floats) -> None:
        """Keep the actions for `step_wait`."""
        self._actions = actions

    def step_wait(
        self,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Play one slot everywhere."""
        observations, outcome, done = self.scenario.step(self._actions)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if done.all():
            for info, observation in zip(infos, observations, strict=True):
                info["terminal_observation"] = observation
                info["TimeLimit.truncated"] = False
            observations = self.reset()
        return observations, outcome.reward.astype(np.float32), done, infos

    def close(self) -> None:
        """Nothing is held open."""

    def get_attr(self, attr_name: str, indices: Which = None) -> list[Any]:
        """The scenario's attribute, once an environment: they share it."""
        return [getattr(self.scenario, attr_name)] * self._count(indices)

    def set_attr(self, attr_name: str, value: Any, indices: Which = None) -> None:
        """Environments of one batch cannot differ, so nothing can be set on some of them."""
        raise AttributeError(f"cannot set {attr_name!r}: build a SharedDenoising with it instead")

    def env_method(
        self, method_name: str, *args: Any, indices: Which = None, **kwargs: Any
    ) -> list[Any]:
        """Call the scenario's method once and answer for each environment."""
        answer = getattr(self.scenario, method_name)(*args, **kwargs)
        return [answer] * self._count(indices)

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Which = None) -> list[bool]:
        """Never."""
        return [False] * self._count(indices)

    def _count(self, indices: Which) -> int:
        return len(list(self._get_indices(indices)))
