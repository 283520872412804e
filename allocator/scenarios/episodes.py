"""Episodes: everything that chance decides, drawn at once and before the first action.

Nothing an agent does changes it, so an optimum with hindsight reads the very same arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True)
class Chance:
    """The numbers behind B episodes.

    by_slot: (B, S, G, 2 + members) uniform. by_user: (B, G, K, 3) uniform.
    waves: (B, S, G, K, NORMALS) standard normal, in single precision: half the time to draw.
    """

    by_slot: Floats
    by_user: Floats
    waves: NDArray[np.floating]


def chance_of_seeds(
    seeds: Sequence[int], settings: SharedDenoisingSettings, members: int
) -> Chance:
    """An episode a seed, drawn from it alone: the same in any batch."""
    each = [chance_from(np.random.default_rng(seed), 1, settings, members) for seed in seeds]
    return Chance(
        *(np.concatenate([getattr(one, part.name) for one in each]) for part in fields(Chance))
    )


def chance_from(
    rng: np.random.Generator, count: int, settings: SharedDenoisingSettings, members: int
) -> Chance:
    """So many episodes from one generator, ten times as fast as from seeds of their own."""
    S, G, K = settings.slots, settings.groups, settings.users_per_group
    uniform = rng.random((count, S * G * (2 + members) + 3 * G * K))
    by_slot, by_user = np.split(uniform, [S * G * (2 + members)], axis=1)
    return Chance(
        by_slot.reshape(count, S, G, 2 + members),
        by_user.reshape(count, G, K, 3),
        rng.standard_normal((count, S, G, K, NORMALS), dtype=np.float32),
    )


def episodes_of(
    chance: Chance,
    settings: SharedDenoisingSettings,
    *,
    catalogue: Catalogue,
    personas: Indices,
    phones: int,
) -> Episodes:
    """What chance decides: of topics, prompts, seeds, phones and `personas`, all equally likely."""
    topics, members = catalogue.members.shape
    K, by_slot = settings.users_per_group, chance.by_slot
    topic = _choice(by_slot[..., 0], topics)
    seed = _choice(by_slot[..., 1], len(catalogue.seeds))
    order = by_slot[..., 2:].argsort(axis=-1)
    member = np.take(order, np.arange(K) % members, axis=-1)  # (B, S, G, K) without replacement
    who, phone, area = np.moveaxis(chance.by_user, -1, 0)
    return Episodes(
        topic=topic,
        seed=seed,
        prompt=catalogue.members.take(topic[..., None] * members + member),
        persona=personas[_choice(who, len(personas))],
        phone=_choice(phone, phones),
        gain_db=gain_db(area, chance.waves, settings),
    )


def _choice(uniform: Floats, count: int) -> Indices:
    return (uniform * count).astype(np.intp)
