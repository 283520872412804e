"""SharedDenoising-v0 as a Gymnasium environment: one episode at a time of the batched scenario."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from allocator.experience import Experience
from allocator.scenarios.settings import EASY, HARD, SharedDenoisingSettings
from allocator.scenarios.shared_denoising import SharedDenoising


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

    A `ndarray` of shape `(G + 2GK,)`, by default `(35,)`, in [-1, 1]. A sigmoid maps each entry
    onto its range, then steps are rounded to whole steps and powers to whole dB.

    | Num     | Action (default: G = 5, K = 3)                     | Min     | Max         |
    |---------|----------------------------------------------------|---------|-------------|
    | 0 - 4   | shared steps of each group                         | 0       | T - 1 = 9   |
    | 5 - 19  | how far each user follows, of the shared steps     | 0       | all of them |
    | 20 - 34 | transmit power to each user                        | 3 dBm   | 33 dBm      |

    The edge runs a group's steps as far as its deepest user follows.

    ## Observation Space

    A `ndarray` of shape `((8 + TE)GK + 3G + 3,)`, by default `(738,)`: everything the reward
    depends on that can be known beforehand, about unit scale. The seeds of the pictures cannot.
    `allocator.scenarios.observation.ObservationLayout` tells the slices.

    | Num       | Observation                                                            |
    |-----------|------------------------------------------------------------------------|
    | 0 - 719   | per user, 48 each: SNR at the highest power (0 is 10 dB, 1 is 30 dB);    |
    |           | similarity to the public prompt; the panel's mean reward for the prompt  |
    |           | with 0, 1, ... T - 1 steps shared, at each of E = 4 error levels; energy |
    |           | of a step on the user's phone; the five traits (z / 2)                   |
    | 720 - 734 | per group, 3 each: size; mean and least similarity                       |
    | 735 - 737 | budget left (share); budget left a slot (1 is enough to draw all alone); |
    |           | slots left (share)                                                       |

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
    - `settings`: a `SharedDenoisingSettings`; by default the standard member of the family.

    `allocator/SharedDenoisingEasy-v0` (3 groups of 3) and `allocator/SharedDenoisingHard-v0` (6
    groups of 4, 20 slots, a smaller budget, faster channels, personas that disagree more) are the
    other members.

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
        info = outcome.info(0)
        info["latency_s"] = float(self.scenario.latency_s(outcome.decision).mean())
        return observations[0], float(outcome.reward[0]), bool(done[0]), False, info


def easy(experience: Experience | None = None) -> SharedDenoisingEnv:
    """The family's easy member."""
    return SharedDenoisingEnv(experience, EASY)


def hard(experience: Experience | None = None) -> SharedDenoisingEnv:
    """The family's hard member."""
    return SharedDenoisingEnv(experience, HARD)
