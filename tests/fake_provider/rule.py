"""The hidden rule: how much a person likes a picture, as a pure function of what was really sent.

    liking = 0.3                                                    everybody starts here
           + 0.5 b + 0.5 c - 0.4 s^2                                b, c, s: the picture, see below
           + sum over traits t of level(t) * TASTES[t] . (b, c, s)  who looks
           - 1.6 * mean |property - wished|                         what the wish's words ask for
           + 0.3 * wording(wish)                                    every letter of it matters
           - 1.5 * wait / (wait + patience)                         how long this person waited
    score  = 1 + 4 / (1 + exp(-liking))

b, c and s are brightness, colourfulness and sharpness, centred on a middling picture and divided by
`SPREADS`, kept within 2: sharpness is best in the middle, since blur has too little and noise too
much of it. `wording` is in (-1, 1) by a hash: a client that truncates or mixes up prompts is found.

No client may know this rule; a test compares what a client reports with `hidden_score`.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from tests.fake_provider.sight import NOTHING_SEEN, Sight, measure
from tests.fake_provider.traits import patience_s_of, traits_of

SPREADS = (0.2, 0.35, 0.15)
"""One unit of brightness, colourfulness and sharpness."""

TASTES = {
    "openness": (-0.30, 0.40, -0.10),
    "conscientiousness": (0.10, -0.20, 0.40),
    "extraversion": (0.60, 0.30, 0.00),
    "agreeableness": (0.20, 0.40, -0.10),
    "neuroticism": (-0.50, -0.40, 0.10),
}
"""How much a trait at its highest likes one unit more of brightness, colourfulness, sharpness."""

WISHES = {
    "brightness": {
        0.8: "day daylight sunny sun noon morning bright light beach snow white",
        0.55: "sunset dusk dawn evening",
        0.3: "night dark midnight moonlit moon black gloomy",
    },
    "colourfulness": {
        0.9: "colourful colorful vivid mural cartoon rainbow park flowers",
        0.4: "watercolour watercolor pastel pale",
        0.05: "sketch grey gray monochrome pencil charcoal",
    },
    "sharpness": {
        0.5: "photo photograph sharp crisp detailed cluttered",
        0.3: "soft blurred foggy fog misty smooth",
    },
}
"""What a word of the wish asks of the picture."""

_WISHED = {
    word: (name, value)
    for name, values in WISHES.items()
    for value, words in values.items()
    for word in words.split()
}


def hidden_score(
    pixels: NDArray[np.uint8],
    wish: str,
    persona_text: str,
    wait_s: float = 0.0,
    *,
    patience_s: float | None = None,
) -> float:
    """The score, between 1 and 5, of pixels (H, W, 3) by the person of `persona_text`.

    Args:
        wish: the prompt that asked for the picture.
        wait_s: how long the person waited for it.
        patience_s: how long a wait the person bears, if the question says it.
    """
    return score_of_sight(measure(pixels), wish, persona_text, wait_s, patience_s=patience_s)


def score_of_sight(
    sight: Sight,
    wish: str,
    persona_text: str,
    wait_s: float = 0.0,
    *,
    patience_s: float | None = None,
) -> float:
    """The same for a picture that was measured before, or described in these numbers."""
    patience_s = patience_s_of(persona_text) if patience_s is None else patience_s
    liking = (
        0.3
        + _look(sight)
        + _taste(sight, persona_text)
        - 1.6 * _missed(sight, wish)
        + 0.3 * wording(wish)
        - 1.5 * wait_s / (wait_s + patience_s)
    )
    return on_scale(liking)


def on_scale(liking: float) -> float:
    """An unbounded liking as a score from 1 to 5."""
    return 1 + 4 / (1 + math.exp(-liking))


@lru_cache(maxsize=4096)
def wording(wish: str) -> float:
    """A number in (-1, 1) that any other wording changes; blanks and case count for nothing."""
    digest = sha256(" ".join(wish.lower().split()).encode()).digest()
    return (int.from_bytes(digest[:4]) + 0.5) / 2**31 - 1


def _units(sight: Sight) -> tuple[float, float, float]:
    seen = (sight.brightness, sight.colourfulness, sight.sharpness)
    middling = (NOTHING_SEEN.brightness, NOTHING_SEEN.colourfulness, NOTHING_SEEN.sharpness)
    b, c, s = (
        min(2.0, max(-2.0, (value - middle) / spread))
        for value, middle, spread in zip(seen, middling, SPREADS, strict=True)
    )
    return b, c, s


def _look(sight: Sight) -> float:
    b, c, s = _units(sight)
    return 0.5 * b + 0.5 * c - 0.4 * s * s


def _taste(sight: Sight, persona_text: str) -> float:
    units = _units(sight)
    return sum(
        level * sum(weight * unit for weight, unit in zip(TASTES[trait], units, strict=True))
        for trait, level in traits_of(persona_text).items()
    )


def _missed(sight: Sight, wish: str) -> float:
    wished = _wishes_of(wish)
    missed = sum(abs(getattr(sight, name) - value) for name, value in wished)
    return missed / len(wished) if wished else 0.0


@lru_cache(maxsize=4096)
def _wishes_of(wish: str) -> tuple[tuple[str, float], ...]:
    words = re.findall(r"[a-z]+", wish.lower())
    return tuple(_WISHED[word] for word in words if word in _WISHED)
