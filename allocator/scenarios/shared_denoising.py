"""SharedDenoising-v0: groups of users share denoising steps, and one energy budget pays for all.

The scenario itself, many episodes at once in numpy arrays, with an explicit reset. The manual page
is that of its Gymnasium environment, `shared_denoising_env.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from allocator.arrays import Floats, Indices
from allocator.experience import Experience, profile
from allocator.scenarios.actions import ActionLayout, Decision, decide
from allocator.scenarios.budget import Budget, budget_of
from allocator.scenarios.episodes import (
    Chance,
    Episodes,
    chance_from,
    chance_of_seeds,
    episodes_of,
)
from allocator.scenarios.observation import (
    BOUND,
    Known,
    ObservationLayout,
    cell_features,
    known_of,
    observations,
)
from allocator.scenarios.physics import Physics, standard_physics
from allocator.scenarios.settings import SharedDenoisingSettings


@dataclass(frozen=True)
class SlotOutcome:
    """What one slot brought, for B episodes.

    reward: (B,) `qoe - charge`; NaN where nobody could be judged. qoe: (B,) mean of the judged
    users' rewards. charge: (B,) for overspending. judged: (B,) how many users have a reward.
    energy_j: (B,). rewards: (B, G, K). decision, error_level: what was really done.
    """

    reward: Floats
    qoe: Floats
    charge: Floats
    judged: Indices
    energy_j: Floats
    overspent_j: Floats
    rewards: Floats
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
        seen: Experience | None = None,
    ) -> None:
        """`seen` is what the state tells of the catalogue; the experience itself unless given."""
        self.settings = settings or SharedDenoisingSettings()
        if self.settings.total_steps != experience.catalogue.total_steps:
            raise ValueError(
                f"the catalogue draws in {experience.catalogue.total_steps} steps, "
                f"the settings say {self.settings.total_steps}"
            )
        self.experience = experience
        self.seen = seen or experience
        self.physics = physics or standard_physics(self.settings)
        edges_db = self.physics.snr_db_of_bit_error_rate(experience.catalogue.level_edges)
        self.level_edges_db = edges_db[::-1]
        groups, users = self.settings.groups, self.settings.users_per_group
        self.actions = ActionLayout(groups, users)
        self.observations = ObservationLayout(groups, users, *experience.shape[2:4])

    @property
    def action_space(self) -> spaces.Box:
        """[-1, 1] in every entry; `actions` says which entry is what."""
        return spaces.Box(-1.0, 1.0, (self.actions.size,), np.float32)

    @property
    def observation_space(self) -> spaces.Box:
        """About unit scale; `observations` says which entry is what."""
        return spaces.Box(-BOUND, BOUND, (self.observations.size,), np.float32)

    @cached_property
    def _known(self) -> Known:
        seen = self.seen
        return known_of(seen.catalogue, profile(seen), seen.traits, self.physics)

    def draw(self, seeds: Sequence[int]) -> Episodes:
        """The episodes these seeds stand for, without playing them; the same in any batch."""
        return self._episodes(chance_of_seeds(seeds, self.settings, self._members))

    def draw_many(self, rng: np.random.Generator, count: int) -> Episodes:
        """So many episodes from one generator, much faster than from seeds of their own."""
        return self._episodes(chance_from(rng, count, self.settings, self._members))

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
        self._places = self._places_alone()
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

    def error_level(self, gain_db: Floats, power: Indices) -> Indices:
        """The catalogue's error level at which a latent arrives, elementwise."""
        snr_db = self.physics.snr_db(gain_db, power)
        level = np.zeros(np.shape(snr_db), np.intp)
        for edge_db in self.level_edges_db:  # so few that a binary search takes longer
            level += snr_db < edge_db
        return level

    def latency_s(self, decision: Decision) -> Floats:
        """(B, G, K) seconds from the request to each user's finished picture."""
        return self.physics.latency_s(decision, self.episodes.phone, self.settings.total_steps)

    @property
    def _members(self) -> int:
        members: int = self.experience.catalogue.members.shape[1]
        return members

    def _episodes(self, chance: Chance) -> Episodes:
        return episodes_of(
            chance,
            self.settings,
            catalogue=self.experience.catalogue,
            personas=most_extreme(self.experience.traits, self.settings.extreme_share),
            phones=len(self.physics.phone_step_j),
        )

    def _play(self, decision: Decision) -> SlotOutcome:
        error_level = self.error_level(self.episodes.gain_db[:, self.slot], decision.power)
        rewards = self.experience.rewards(self._places_of(decision.branch, error_level))
        qoe, judged = mean_of_judged(rewards)
        energy_j = self.physics.joules(decision, self.episodes.phone, self.settings.total_steps)
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
            decision=decision,
            error_level=error_level,
        )

    def _observe(self) -> NDArray[np.float32]:
        last = min(self.slot, self.settings.slots - 1)  # at the end: the last slot's users
        seen = observations(self.observations, self.episodes, last, self._known, self.physics)
        seen[:, self.observations.cell] = cell_features(
            self.spent_j, self.allowance, self.slot, self.settings
        )
        return seen

    def _places_alone(self) -> Indices:
        """(B, S, G, K) where the table of opinions holds each user's picture drawn alone."""
        episodes, (_, seeds, *ways, personas) = self.episodes, self.experience.shape
        pictures = episodes.prompt * seeds + episodes.seed[..., None]
        places: Indices = pictures * (prod(ways) * personas) + episodes.persona[:, None]
        return places

    def _places_of(self, branch: Indices, error_level: Indices) -> Indices:
        """(B, G, K) where the table holds what was drawn; see `Cells.places`."""
        *_, levels, personas = self.experience.shape
        moved = branch * levels + np.where(branch == 0, 0, error_level)
        return self._places[:, self.slot] + moved * personas


def most_extreme(traits: Floats, share: float) -> Indices:
    """Which personas, of (personas, 5) z-scores, are the share farthest from the average person."""
    count = max(1, round(share * len(traits)))
    far = np.linalg.norm(traits, axis=1).argsort(kind="stable")[-count:]
    return np.sort(far)


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
