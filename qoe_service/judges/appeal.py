"""How much more, or less, a picture appeals to this person than to people at large.

    liking(i, p) = picture(i) + gain * sum_f x_f(i) sum_t R[f, t] z_t(p) + rater(p) + mood(i, p)

after the design of judging.md 6.5: x are the picture's features, R the evidence, z the traits.
`rater` is a person's constant severity and `mood` an inconsistency, both drawn once from hashes,
so that the same person gives the same picture the same score for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from qoe_service.judges.evidence import effect_matrix
from qoe_service.personas import Persona

Array = NDArray[np.float64]
Keys = NDArray[np.uint64]

SEVERITY_SD = 0.10
"""Spread of raters' constant severity, on the liking."""

INCONSISTENCY_SD = 0.10
"""Spread of one rater's opinion of one picture, on the liking."""

CONNOISSEUR_STRICTNESS = 0.20
"""How much stricter the fully experienced judge is. An assumption: arXiv 2502.20518 finds that
experience in art and photography matters and gives no figure that could be used."""


@dataclass(frozen=True, eq=False)
class Panel:
    """A panel as arrays: what P personas bring to every picture."""

    traits: Array
    """(P, 5) z-scores."""
    severity: Array
    """(P,) constant shift of the liking."""
    keys: Keys
    """(P,) identities, for drawing inconsistency."""


def panel_of(personas: Sequence[Persona]) -> Panel:
    """The arrays of a panel."""
    return _panel(tuple(personas))


@lru_cache(maxsize=256)
def _panel(personas: tuple[Persona, ...]) -> Panel:
    traits = np.array([persona.traits.vector() for persona in personas], dtype=float)
    keys = identities(persona.content_hash for persona in personas)
    experience = np.array(
        [(p.experience.art + p.experience.photography) / 2 for p in personas], dtype=float
    )
    chance = normal(keys, np.array([0], dtype=np.uint64))[0]
    severity = SEVERITY_SD * chance - CONNOISSEUR_STRICTNESS * experience
    return Panel(traits.reshape(-1, 5), severity, keys)


def offsets(features: Array, panel: Panel, pictures: Keys, gain: float) -> Array:
    """What each of P personas adds to the liking of each of N pictures, (N, P).

    Args:
        features: (N, F) standardised, in the order of `evidence.features()`.
        panel: who looks.
        pictures: (N,) identities of picture and prompt.
        gain: how strongly the evidence speaks on the liking; sets the persona share of variance.
    """
    appeal = features @ effect_matrix() @ panel.traits.T
    mood = INCONSISTENCY_SD * normal(panel.keys, pictures)
    shifts: Array = gain * appeal + panel.severity + mood
    return shifts


def identities(hashes: Iterable[str]) -> Keys:
    """The first 64 bits of hexadecimal hashes as identities, (N,)."""
    return np.array([int(text[:16], 16) for text in hashes], dtype=np.uint64)


def normal(columns: Keys, rows: Keys) -> Array:
    """Standard normal numbers (rows, columns), each a pure function of its row and column."""
    mixed = _scrambled(_scrambled(rows)[:, None] ^ columns[None, :])
    uniform = ((mixed >> np.uint64(11)).astype(float) + 0.5) / 2.0**53
    return np.asarray(ndtri(uniform))


def _scrambled(keys: Keys) -> Keys:
    """SplitMix64's finaliser (Steele et al. 2014): every input bit moves every output bit."""
    mixed = keys + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
