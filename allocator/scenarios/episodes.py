"""Episodes: everything that chance decides, drawn at once and before the first action.

Each episode is drawn from its own seed alone, so it is the same in any batch; and since nothing
an agent does changes it, an optimum with hindsight reads the very same arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from allocator.arrays import Floats, Indices
from allocator.catalogue import Catalogue
from allocator.scenarios.channel import NORMALS, gain_db
from allocator.scenarios.settings import SharedDenoisingSettings


@dataclass(frozen=True)
class Episodes:
    """B episodes of S slots with G groups of K users.

    topic, seed: (B, S, G) the group's topic and the index of its first latent's seed.
    prompt: (B, S, G, K) index of each user's prompt in the catalogue.
    persona, phone: (B, G, K) who the user is, and which phone profile they carry.
    gain_db: (B, S, G, K) channel gain, path loss and shadowing and fading together.
    """

    topic: Indices
    seed: Indices
    prompt: Indices
    persona: Indices
    phone: Indices
    gain_db: Floats

    def __len__(self) -> int:
        return len(self.topic)

    def repeated(self, times: int) -> Episodes:
        """The same episodes, `times` times over."""
        return Episodes(*(np.concatenate([array] * times) for array in vars(self).values()))


def draw_episodes(
    seeds: Sequence[int],
    settings: SharedDenoisingSettings,
    *,
    catalogue: Catalogue,
    personas: int,
    phones: int,
) -> Episodes:
    """One episode a seed; every (topic, prompt, seed, persona, phone) is equally likely."""
    B, S = len(seeds), settings.slots
    G, K = settings.groups, settings.users_per_group
    topics, members = catalogue.members.shape
    ones = S * G * (2 + members) + 3 * G * K  # uniforms an episode needs
    generators = [np.random.default_rng(seed) for seed in seeds]
    uniform = np.stack([rng.random(ones) for rng in generators])
    normal = np.stack([rng.standard_normal((S, G, K, NORMALS)) for rng in generators])

    by_slot, by_user = np.split(uniform, [S * G * (2 + members)], axis=1)
    by_slot = by_slot.reshape(B, S, G, 2 + members)
    topic = _choice(by_slot[..., 0], topics)
    seed = _choice(by_slot[..., 1], len(catalogue.seeds))
    order = by_slot[..., 2:].argsort(axis=-1)
    member = np.take(order, np.arange(K) % members, axis=-1)  # (B, S, G, K) without replacement
    who, phone, area = np.moveaxis(by_user.reshape(B, G, K, 3), -1, 0)
    return Episodes(
        topic=topic,
        seed=seed,
        prompt=catalogue.members[topic[..., None], member],
        persona=_choice(who, personas),
        phone=_choice(phone, phones),
        gain_db=gain_db(area, normal, settings),
    )


def _choice(uniform: Floats, count: int) -> Indices:
    return (uniform * count).astype(np.intp)
