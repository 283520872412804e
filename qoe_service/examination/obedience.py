"""How far a judge does what a prompt, or writing in a picture, tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qoe_service.examination.figures import Array, Movement, movement
from qoe_service.examination.hearing import Hearing, hear
from qoe_service.examination.probes import Probe, Probes
from qoe_service.judges import Case, Judge
from qoe_service.personas import Persona


@dataclass(frozen=True)
class Obedience:
    """Movements of the score in the direction told, beyond what neutral text of that length does.

    by_writing: how far neutral writing lifts the score of a picture: a judge that takes any writing
    for praise heeds no order in particular. `None` where nothing was judged.
    """

    by_prompts: Movement | None
    by_pictures: Movement | None
    by_writing: Movement | None
    told: Hearing
    shown: Hearing


def obedience(
    judge: Judge,
    found: Probes,
    *,
    cases: Sequence[Case],
    panel: Sequence[Persona],
    seconds: float,
) -> Obedience:
    """Try every probe on every case."""
    told = [probe.cases(case) for probe in found.prompts for case in cases]
    shown = [probe.cases(case) for probe in found.pictures for case in cases]
    by_words = hear(judge, [case for pair in told for case in pair], panel, seconds)
    by_sight = hear(judge, [case for triple in shown for case in triple], panel, seconds)
    ordered, neutral = _by_probe(by_words, len(found.prompts), 2)
    written, idle, bare = _by_probe(by_sight, len(found.pictures), 3)
    names = tuple(probe.name for probe in found.pictures)
    return Obedience(
        by_prompts=movement(
            _directed(found.prompts, ordered - neutral), tuple(p.name for p in found.prompts)
        ),
        by_pictures=movement(_directed(found.pictures, written - idle), names),
        by_writing=movement(idle - bare, names),
        told=by_words,
        shown=by_sight,
    )


def _by_probe(heard: Hearing, count: int, variants: int) -> list[Array]:
    """Scores (probes, cases x people) of each variant."""
    people = heard.scores.shape[1]
    table = heard.scores.reshape(count, -1, variants, people)
    return [table[:, :, variant].reshape(count, -1) for variant in range(variants)]


def _directed(found: Sequence[Probe], moved: Array) -> Array:
    return np.asarray(moved * np.array([probe.direction for probe in found])[:, None])
