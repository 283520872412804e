"""Fitting the CLIP judge to the reference set, for tinyworld's CLIP or any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qoe_service.images import Picture
from qoe_service.judges.calibration import (
    Degree,
    Frozen,
    Line,
    Standard,
    fit_degree,
    fit_line,
    rounded,
    standard_of,
)
from qoe_service.judges.clip_space import ClipSpace
from qoe_service.judges.domain import Domain, fit_domain
from qoe_service.judges.encoder import Encoder
from qoe_service.judges.evidence import features
from qoe_service.judges.gain import fit_gain
from qoe_service.judges.measures import FEATURES_OF_PIXELS, columns, measure
from qoe_service.judges.reference_set import DRAWN_FEATURES, ReferenceSet
from qoe_service.judges.scale import liking, worth

Array = NDArray[np.float64]

BATCH = 64


class ClipCalibration(Frozen):
    """What the CLIP judge learned from the reference set about one CLIP."""

    name: str
    encoder: str
    """The encoder it was fitted to, as name@revision: it fits no other."""
    picture_mean: tuple[float, ...]
    axes: Standard
    """Of the feature axes, in the order of `prompts/clip-phrases.yaml`."""
    reliability: tuple[float, ...]
    """How well each axis tells what was drawn, as a correlation; 1 for what cannot be drawn."""
    pixels: Standard
    """Of `FEATURES_OF_PIXELS`."""
    domain: Domain
    alignment: Degree
    quality: Degree
    liking: Line
    gain: float


@dataclass(frozen=True, eq=False)
class Sight:
    """What is known of N pictures before any prompt or person comes in."""

    embeddings: Array
    """(N, D) unit vectors."""
    measures: Array
    """(N, len(MEASURES))."""


@dataclass(frozen=True, eq=False)
class ClipReading:
    """A CLIP with its calibration: from sights and prompts to likings and features."""

    space: ClipSpace
    fit: ClipCalibration

    def alignment(self, sight: Sight, prompts: Array) -> Array:
        """Degree (N,) to which pictures show what prompts (N, D) ask for."""
        mean = np.asarray(self.fit.picture_mean)
        raw = self.space.alignment(sight.embeddings, prompts, mean)
        return self.fit.alignment.apply(raw[:, None])

    def quality(self, sight: Sight) -> Array:
        """Technical quality (N,) in [0, 1]."""
        distance = self.fit.domain.distance(sight.embeddings)
        inputs = self.space.quality_inputs(sight.embeddings, sight.measures, distance)
        return self.fit.quality.apply(inputs)

    def shared_liking(self, sight: Sight, prompts: Array) -> Array:
        """The liking (N,) that all agree on."""
        blend = worth(self.alignment(sight, prompts), self.quality(sight))
        return self.fit.liking.apply(liking(blend))

    def features(self, sight: Sight) -> Array:
        """The evidence's features (N, F), standardised; what is not seen stays at its mean.

        An axis is shrunk by its reliability: the best guess of a feature that is seen badly lies
        near the mean, and an axis that tells nothing must not move anybody's opinion.
        """
        found = np.zeros((len(sight.embeddings), len(features())))
        places = self.fit.axes.apply(self.space.features.read(sight.embeddings))
        found[:, _places(self.space.features.names)] = places * self.fit.reliability
        found[:, _places(FEATURES_OF_PIXELS)] = self.fit.pixels.apply(
            columns(sight.measures, FEATURES_OF_PIXELS)
        )
        return found

    def strange(
        self, encoder: Encoder, pictures: Sequence[Picture], sight: Sight
    ) -> dict[int, str]:
        """Which of the pictures, by row, the CLIP cannot judge, and why.

        Only a CLIP of a small world has a border; one trained on the web has seen it all.
        """
        foreign = {row: encoder.foreign(picture) for row, picture in enumerate(pictures)}
        reasons = {row: reason for row, reason in foreign.items() if reason is not None}
        if encoder.vocabulary != "general":
            unlike = f"the picture is unlike anything that {encoder.name} has seen"
            for row in np.flatnonzero(self.fit.domain.outsiders(sight.embeddings)).tolist():
                reasons.setdefault(row, unlike)
        return reasons


def fit_clip_judge(
    encoder: Encoder, space: ClipSpace, reference: ReferenceSet, held_out: ReferenceSet
) -> ClipCalibration:
    """Everything the CLIP judge takes from the reference set.

    The border of the domain comes from `held_out`, since a Gaussian is always kinder to the
    pictures it was fitted to.
    """
    sight, prompts = look(encoder, reference), _embedded(encoder, reference.prompts)
    clean = reference.untouched
    mean = sight.embeddings.mean(axis=0)
    domain = fit_domain(sight.embeddings, look(encoder, held_out).embeddings)
    aligned = space.alignment(sight.embeddings, prompts, mean)[:, None]
    inputs = space.quality_inputs(
        sight.embeddings, sight.measures, domain.distance(sight.embeddings)
    )
    alignment = fit_degree(aligned, reference.alignment)
    quality = fit_degree(inputs, reference.quality)
    seen = liking(worth(alignment.apply(aligned), quality.apply(inputs)))
    draft = ClipCalibration(
        name=reference.name,
        encoder=encoder_id(encoder),
        picture_mean=rounded(mean),
        axes=standard_of(space.features.read(sight.embeddings)[clean]),
        reliability=_reliability(space, sight, reference),
        pixels=standard_of(columns(sight.measures, FEATURES_OF_PIXELS)[clean]),
        domain=domain,
        alignment=alignment,
        quality=quality,
        liking=fit_line(seen, reference.liking),
        gain=0.0,
    )
    found = ClipReading(space, draft).features(sight)
    return draft.model_copy(update={"gain": fit_gain(reference.liking, found, reference.keys)})


def _reliability(space: ClipSpace, sight: Sight, reference: ReferenceSet) -> tuple[float, ...]:
    places = space.features.read(sight.embeddings)
    found = np.ones(len(space.features.names))
    for column, name in enumerate(space.features.names):
        if name in DRAWN_FEATURES:
            truth = [DRAWN_FEATURES[name](scene) for scene in reference.shown]
            found[column] = max(0.0, float(np.corrcoef(places[:, column], truth)[0, 1]))
    return rounded(found)


def encoder_id(encoder: Encoder) -> str:
    """Which model, in which version."""
    return f"{encoder.name}@{encoder.revision}"


def look(encoder: Encoder, reference: ReferenceSet) -> Sight:
    """What the encoder sees in a reference set."""
    stack = np.stack([encoder.prepare(picture) for picture in reference.pictures])
    parts = [encoder.pictures(stack[i : i + BATCH]) for i in range(0, len(stack), BATCH)]
    return Sight(np.concatenate(parts).astype(float), measure(reference.pictures))


def _embedded(encoder: Encoder, texts: tuple[str, ...]) -> Array:
    parts = [encoder.texts(texts[i : i + BATCH]) for i in range(0, len(texts), BATCH)]
    return np.concatenate(parts).astype(float)


def _places(names: tuple[str, ...]) -> list[int]:
    return [features().index(name) for name in names]
