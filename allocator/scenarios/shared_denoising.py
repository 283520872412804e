"""SharedDenoising-v0: groups of users share denoising steps, and one energy budget pays for all.

`SharedDenoising` is the scenario itself, many episodes at once in numpy arrays, with an explicit
reset. `SharedDenoisingEnv` is one episode of it as a Gymnasium environment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from allocator.arrays import Floats, Indices
from allocator.experience import Cells, Experience, profile
from allocator.scenarios.actions import ActionLayout, Decision, decide
from allocator.scenarios.budget import Budget, budget_of
from allocator.scenarios.episodes import Episodes, draw_episodes
from allocator.scenarios.observation import (
    BOUND,
    ObservationLayout,
    cell_features,
    fixed_features,
)
from allocator.scenarios.physics import Physics, standard_physics
from allocator.scenarios.settings import SharedDenoisingSettings


@dataclass(frozen=True)
class SlotOutcome:
    """What one slot brought, for B episodes.

    reward: (B,) `qoe - charge`; NaN where nobody could be judged. qoe: (B,) mean of the judged
    users' rewards. charge: (B,) for overspending. judged: (B,) how many users have a reward.
    energy_j: (B,). rewards, latency_s: (B, G, K). decision, error_level: what was really done.
    """

    reward: Floats
    qoe: Floats
    charge: Floats
    judged: Indices
    energy_j: Floats
    overspent_j: Floats
    rewards: Floats
    latency_s: Floats
    decision: Decision
    error_level: Indices

    def info(self, row: int) -> dict[str, float]:
        """One episode's outcome as Gymnasium's info."""
        return {
            "qoe": float(self.qoe[row]),
            "charge": float(self.charge[row]),
            "judged": int(self.judged[row]),
            "energy_j": float(self.energy_j[row]),
            "overspent_j": float(self.overspent_j[row]),
            "latency_s": float(self.latency_s[row].mean()),
        }


class SharedDenoising:
    """The batched scenario. All episodes of a batch start and end together.

        scenario = SharedDenoising(experience)
        observations = scenario.reset(seeds)                       # (B, observation)
        observations, outcome, done = scenario.step(actions)       # actions (B, action) in [-1, 1]

    A step after the last slot is an error until `reset` is called; nothing resets by itself.
    """

    render_mode = None

    def __init__(
        self,
        experience: Experience,
        settings: SharedDenoisingSettings | None = None,
        physics: Physics | None = None,
    ) -> None:
        self.settings = settings or SharedDenoisingSettings()
        if self.settings.total_steps != experience.catalogue.total_steps:
            raise ValueError(
                f"the catalogue draws in {experience.catalogue.total_steps} steps, "
                f"the settings say {self.settings.total_steps}"
            )
        self.experience = experience
        self.physics = physics or standard_physics(self.settings)
        groups, users = self.settings.groups, self.settings.users_per_group
        self.actions = ActionLayout(groups, users)
        self.observations = ObservationLayout(groups, users)

    @property
    def action_space(self) -> spaces.Box:
        """[-1, 1] in every entry; `actions` says which entry is what."""
        return spaces.Box(-1.0, 1.0, (self.actions.size,), np.float32)

    @property
    def observation_space(self) -> spaces.Box:
        """About unit scale; `observations` says which entry is what."""
        return spaces.Box(-BOUND, BOUND, (self.observations.size,), np.float32)

    @cached_property
    def _profile(self) -> Floats:
        return profile(self.experience)

    def draw(self, seeds: Sequence[int]) -> Episodes:
        """The episodes these seeds stand for, without playing them."""
        return draw_episodes(
            seeds,
            self.settings,
            catalogue=self.experience.catalogue,
            personas=len(self.experience.personas),
            phones=len(self.physics.phone_step_j),
        )

    def budget(self, episodes: Episodes) -> Budget:
        """What these episodes may spend."""
        return budget_of(episodes, self.physics, self.settings)

    def reset(self, seeds: Sequence[int]) -> NDArray[np.float32]:
        """Start one episode a seed; the first observations (B, observation)."""
        return self.begin(self.draw(seeds))

    def begin(self, episodes: Episodes) -> NDArray[np.float32]:
        """`reset` for episodes that are already drawn."""
        self.episodes = episodes
        self.allowance = self.budget(episodes)
        self.spent_j = np.zeros(len(episodes))
        self.slot = 0
        fixed = fixed_features(
            self.episodes,
            catalogue=self.experience.catalogue,
            profile=self._profile,
            traits=self.experience.traits,
            physics=self.physics,
        )
        # One more row: the terminal observation shows the last slot's users and what is left.
        self._fixed = np.concatenate([fixed, fixed[:, -1:]], axis=1)
        return self._observe()

    def step(
        self, actions: NDArray[np.floating]
    ) -> tuple[NDArray[np.float32], SlotOutcome, NDArray[np.bool_]]:
        """Play one slot of every episode: next observations, what happened, whether they ended.

        After the last slot an episode has terminated, not been cut off: the budget is for these S
        slots, nothing comes after them, so a learner must not bootstrap beyond.
        """
        return self.carry_out(self.decision(actions))

    def decision(self, actions: NDArray[np.floating]) -> Decision:
        """What these actions (B, action) mean, before anything is done."""
        return decide(actions, self.actions, self.settings)

    def carry_out(
        self, decision: Decision
    ) -> tuple[NDArray[np.float32], SlotOutcome, NDArray[np.bool_]]:
        """`step` for a decision that is already made, such as a solver's."""
        if self.slot >= self.settings.slots:
            raise RuntimeError("the episodes are over: call reset(seeds) first")
        outcome = self._play(decision)
        self.spent_j = self.spent_j + outcome.energy_j
        self.slot += 1
        done = np.full(len(self.spent_j), self.slot == self.settings.slots)
        return self._observe(), outcome, done

    def error_levels(self, decision: Decision) -> Indices:
        """(B, G, K) the catalogue's error level at which each user's latent arrives now."""
        gain_db = self.episodes.gain_db[:, self.slot]
        bit_error_rate = self.physics.bit_error_rate(gain_db, decision.power)
        return self.experience.catalogue.error_level(bit_error_rate)

    def _play(self, decision: Decision) -> SlotOutcome:
        episodes, settings = self.episodes, self.settings
        error_level = self.error_levels(decision)
        seed = np.broadcast_to(episodes.seed[:, self.slot, :, None], decision.branch.shape)
        prompt = episodes.prompt[:, self.slot]
        cells = Cells(prompt, seed, decision.branch, error_level, episodes.persona)
        rewards = self.experience.rewards(cells)
        qoe, judged = mean_of_judged(rewards)
        energy_j = self.physics.joules(decision, episodes.phone, settings.total_steps)
        before, after = self.spent_j, self.spent_j + energy_j
        charge = self.allowance.charge(after) - self.allowance.charge(before)
        return SlotOutcome(
            reward=qoe - charge,
            qoe=qoe,
            charge=charge,
            judged=judged,
            energy_j=energy_j,
            overspent_j=np.maximum(after - np.maximum(before, self.allowance.joules), 0.0),
            rewards=rewards,
            latency_s=self.physics.latency_s(decision, episodes.phone, settings.total_steps),
            decision=decision,
            error_level=error_level,
        )

    def _observe(self) -> NDArray[np.float32]:
        cell = cell_features(self.spent_j, self.allowance, self.slot, self.settings)
        return np.concatenate([self._fixed[:, self.slot], cell], axis=1, dtype=np.float32)


def mean_of_judged(
    rewards: Floats,
) -> tuple[Floats, Indices]:
    """(B, G, K) rewards with NaN to (B,) means over the others, and how many those are.

    The mean is NaN where nobody was judged: a failure is left out, never counted as a zero.
    """
    answered = ~np.isnan(rewards)
    judged = answered.sum(axis=(1, 2))
    total = np.where(answered, rewards, 0.0).sum(axis=(1, 2))
    mean = np.where(judged > 0, total / np.maximum(judged, 1), np.nan)
    return mean, judged


class SharedDenoisingEnv(gym.Env[NDArray[np.float32], NDArray[np.float32]]):
    """
    ## Description

    G groups of K users ask for pictures, slot after slot, and one energy budget pays for an
    episode of S slots. In each slot every group has a topic; its users have prompts of their own
    and the topic has a public prompt, the medoid. The edge runs denoising steps under the public
    prompt, once for the whole group. Each user leaves that path at a step of their own: the
    latent crosses a fading channel, some of its bits flip, and the user's phone runs the remaining
    steps under the user's prompt. Sharing saves the phones' energy and costs likeness to the own
    prompt; transmit power costs energy and saves bits. Pictures are really drawn and personas say
    how good they are.

    ## Action Space

    A `ndarray` of shape `(G + 2GK,)`, by default `(21,)`, in [-1, 1]. A sigmoid maps each entry
    onto its range, then steps are rounded to whole steps and powers to whole dB.

    | Num     | Action (default: G = K = 3)                        | Min     | Max         |
    |---------|----------------------------------------------------|---------|-------------|
    | 0 - 2   | shared steps of each group                         | 0       | T - 1 = 9   |
    | 3 - 11  | how far each user follows, of the shared steps     | 0       | all of them |
    | 12 - 20 | transmit power to each user                        | 3 dBm   | 33 dBm      |

    The edge runs a group's steps as far as its deepest user follows.

    ## Observation Space

    A `ndarray` of shape `(10GK + 3G + 3,)`, by default `(102,)`: everything the reward depends on,
    about unit scale. `allocator.scenarios.observation.ObservationLayout` tells the slices.

    | Num      | Observation                                                            |
    |----------|------------------------------------------------------------------------|
    | 0 - 89   | per user, 10 each: SNR at the highest power (0 is 10 dB, 1 is 30 dB);    |
    |          | similarity to the public prompt; the panel's reward for the prompt drawn |
    |          | alone and most shared; energy of a step on the user's phone; the five    |
    |          | traits (z / 2)                                                           |
    | 90 - 98  | per group, 3 each: size; mean and least similarity                       |
    | 99 - 101 | budget left (share); budget left a slot (1 is enough to draw all alone); |
    |          | slots left (share)                                                       |

    ## Rewards

    *r = mean of the users' rewards in [0, 1] - (charge(spent after) - charge(spent before))*

    where *charge* grows by the budget's price for each joule beyond the budget; see
    `allocator.scenarios.budget`. Users whose judgment failed are left out of the mean. If nobody
    was judged the reward is NaN and `info["judged"]` is 0: leave such a transition out, as
    `allocator.agents.replay.AnsweredReplayBuffer` does.

    ## Starting State

    Distances, shadowing, fading, personas, phones, topics and prompts are drawn from the seed.
    Shadowing and fading are correlated from slot to slot.

    ## Episode End

    The episode terminates after S slots. It is a termination and no truncation: the budget is for
    these slots and nothing of value comes after them.

    ## Arguments

    - `experience`: where rewards come from; by default the recorded table that is shipped.
    - `settings`: a `SharedDenoisingSettings`.

    ## Version History

    * v0: Initial version.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}
    render_mode = None

    def __init__(
        self,
        experience: Experience | None = None,
        settings: SharedDenoisingSettings | None = None,
    ) -> None:
        if experience is None:
            from allocator.scenarios.data import shipped_experience

            experience = shipped_experience()
        self.scenario = SharedDenoising(experience, settings)
        self.action_space = self.scenario.action_space
        self.observation_space = self.scenario.observation_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Start an episode; the same seed is the same episode."""
        super().reset(seed=seed)
        return self.scenario.reset([int(self.np_random.integers(2**63))])[0], {}

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Play one slot."""
        observations, outcome, done = self.scenario.step(np.asarray(action)[None])
        return observations[0], float(outcome.reward[0]), bool(done[0]), False, outcome.info(0)
