"""A surrogate of the judges: from what can be seen of a picture, and who looks, to an opinion.

    opinion(i, p) = squashed(phi(i) . a + x(i) . b + c_p + z_p . d + sum_t z_pt x(i) . e_t + noise)

phi: RBF features of what is seen of picture i, x: its leading features themselves, z: the traits of
persona p, c: a constant a persona. Opinions end at 0 and 1, so all of this is added up on the scale
of logits, where a taste counts alike for good and bad pictures. The weights have normal priors, one
scale for each of the five terms; the scales and the noise are those of the highest evidence (MacKay
1992), so nothing is tuned by hand and the answer comes with its standard deviation. An ensemble of
three, with different lengths and landmarks of phi, averages what a single choice would get wrong.

It was chosen by its error on held-out opinions, and by how well it knows that error, from among
ensembles of small networks and of bootstrapped ridge regressions: `benchmarks/llm_budget.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np

from allocator.arrays import Floats, Indices
from allocator.judge_budget.sight import Sight

LENGTHS = (2.0, 3.5, 5.0)
"""Of the RBF kernels, in units of the widest direction in which pictures differ."""

LANDMARKS = 400
PICTURE_DIRECTIONS, PROMPT_DIRECTIONS, MATCH_DIRECTIONS = 24, 16, 16
EVIDENCE_ROUNDS = 12
FIRST_PRECISIONS = (1.0, 2.0, 16.0, 16.0, 80.0)
FIRST_NOISE_SD = 0.25
WIDEST_NOISE_SD, NARROWEST_NOISE_SD = 2.0, 0.05
LARGEST_PRECISION = 1e6
CHUNK = 8192

MARGIN = 0.02
"""How far opinions are kept from where their logits would be infinite."""


@dataclass(frozen=True)
class Prediction:
    """(N,) what judges would say, in [0, 1], and the standard deviation of what they do say."""

    mean: Floats
    sd: Floats


@dataclass(frozen=True)
class Views:
    """All pictures as one member of the ensemble sees them, and all personas.

    rbf: (pictures, R). plain: (pictures, L) without a constant. traits: (personas, 5).
    """

    rbf: Floats
    plain: Floats
    traits: Floats

    def rows(self, picture: Indices, persona: Indices) -> Floats:
        """(N, D) one row a pair of a picture and a persona."""
        plain, traits = self.plain[picture], self.traits[persona]
        who = np.eye(len(self.traits))[persona]
        tastes = traits[:, :, None] * plain[:, None, :]
        tastes = tastes.reshape(len(picture), traits.shape[1] * plain.shape[1])
        return np.concatenate([self.rbf[picture], plain, who, traits, tastes], axis=1)

    @property
    def terms(self) -> Indices:
        """(D,) to which term of the model each column belongs."""
        personas, traits = self.traits.shape
        plain = self.plain.shape[1]
        return np.repeat(np.arange(5), [self.rbf.shape[1], plain, personas, traits, traits * plain])


@dataclass(frozen=True)
class Member:
    """One Bayesian regression after the judgments it was fitted to.

    weights: (D,). covariance: (D, D) of the weights. noise_sd: of an opinion about its expectation.
    All on the stretched scale.
    """

    views: Views
    offset: float
    weights: Floats
    covariance: Floats
    noise_sd: float

    def predict(self, picture: Indices, persona: Indices) -> tuple[Floats, Floats]:
        """(N,) expectations, and variances of opinions."""
        rows = self.views.rows(picture, persona)
        variance = ((rows @ self.covariance) * rows).sum(axis=1)
        return rows @ self.weights + self.offset, variance + self.noise_sd**2

    def table(self) -> Floats:
        """(pictures, personas) all expectations at once, without a row for each."""
        views = self.views
        ends = np.searchsorted(views.terms, np.arange(1, 5))
        rbf, plain, who, trait, taste = np.split(self.weights, ends)
        tastes = views.plain @ taste.reshape(views.traits.shape[1], -1).T  # (pictures, traits)
        shared = views.rbf @ rbf + views.plain @ plain
        mine = who + views.traits @ trait + self.offset
        expected: Floats = shared[:, None] + mine + tastes @ views.traits.T
        return expected


@dataclass(frozen=True)
class Surrogate:
    """The ensemble. Pairs are given as the numbers of pictures (N,) and of personas (N,)."""

    members: tuple[Member, ...]

    def noise_sd(self, picture: Indices, persona: Indices) -> Floats:
        """(N,) how far opinions scatter about what could be predicted at best."""
        noise = float(np.sqrt(np.mean([member.noise_sd**2 for member in self.members])))
        return noise * slope(self._predict(picture, persona)[0])

    def predict(self, picture: Indices, persona: Indices) -> Prediction:
        """What judges would say of these pairs."""
        parts = [
            self._predict(picture[start : start + CHUNK], persona[start : start + CHUNK])
            for start in range(0, max(len(picture), 1), CHUNK)
        ]
        mean, sd = (np.concatenate(each) for each in zip(*parts, strict=True))
        return Prediction(squashed(mean), sd * slope(mean))

    def table(self) -> Floats:
        """(pictures, personas) what they would say of everything, without saying how surely."""
        return squashed(np.mean([member.table() for member in self.members], axis=0))

    def covariance(self, some: tuple[Indices, Indices], others: tuple[Indices, Indices]) -> Floats:
        """(N, M) covariances of what is not known yet of two sets of pairs; noise left out."""
        each = [
            member.views.rows(*some) @ member.covariance @ member.views.rows(*others).T
            for member in self.members
        ]
        here, there = (slope(self._predict(*pairs)[0]) for pairs in (some, others))
        mean: Floats = reduce(np.add, each) / len(each)
        return here[:, None] * mean * there

    def _predict(self, picture: Indices, persona: Indices) -> tuple[Floats, Floats]:
        each = [member.predict(picture, persona) for member in self.members]
        means, variances = (np.stack(part) for part in zip(*each, strict=True))
        return means.mean(axis=0), np.sqrt(variances.mean(axis=0) + means.var(axis=0))


def views_of(sight: Sight, traits: Floats) -> tuple[Views, ...]:
    """How each member sees all pictures of a catalogue, in the order of its flattened table."""
    seen = seen_of(sight)
    return tuple(
        Views(
            rbf=_rbf_features(seen, length, np.random.default_rng((0, number))),
            plain=_plain(seen, sight),
            traits=traits,
        )
        for number, length in enumerate(LENGTHS)
    )


def fit(views: tuple[Views, ...], picture: Indices, persona: Indices, opinion: Floats) -> Surrogate:
    """The ensemble after these opinions (N,), all of them numbers."""
    if not len(opinion) or not np.isfinite(opinion).all():
        raise ValueError("a surrogate is taught by opinions that were given: leave nulls out")
    logits = stretched(opinion)
    return Surrogate(tuple(_fit(each, picture, persona, logits) for each in views))


def stretched(opinion: Floats) -> Floats:
    """Opinions in [0, 1] as logits, elementwise."""
    inside = MARGIN + (1 - 2 * MARGIN) * np.clip(opinion, 0.0, 1.0)
    logit: Floats = np.log(inside / (1 - inside))
    return logit


def squashed(logit: Floats) -> Floats:
    """What `stretched` stretched, kept within [0, 1]."""
    inside = 1 / (1 + np.exp(-logit))
    return np.clip((inside - MARGIN) / (1 - 2 * MARGIN), 0.0, 1.0)


def slope(logit: Floats) -> Floats:
    """How much `squashed` gives for a little more of it, elementwise."""
    inside = 1 / (1 + np.exp(-logit))
    steepness: Floats = inside * (1 - inside) / (1 - 2 * MARGIN)
    return steepness


def _fit(views: Views, picture: Indices, persona: Indices, opinion: Floats) -> Member:
    rows, terms = views.rows(picture, persona), views.terms
    offset = float(opinion.mean())
    target = opinion - offset
    gram, moment = rows.T @ rows, rows.T @ target
    precision, noise = np.array(FIRST_PRECISIONS), FIRST_NOISE_SD**-2
    for _ in range(EVIDENCE_ROUNDS):
        covariance = _inverse(noise * gram + np.diag(precision[terms]))
        weights = noise * covariance @ moment
        # How many of a term's weights the data have determined, MacKay's gamma.
        determined = 1 - precision[terms] * np.diag(covariance)
        by_term = np.bincount(terms, determined, minlength=5)
        size = np.bincount(terms, weights**2, minlength=5)
        np.clip((by_term + 1e-3) / (size + 1e-6), 1e-3, LARGEST_PRECISION, out=precision)
        left = float(((target - rows @ weights) ** 2).sum())
        freedom = max(len(target) - float(determined.sum()), 1.0)
        noise = float(np.clip(freedom / (left + 1e-9), WIDEST_NOISE_SD**-2, NARROWEST_NOISE_SD**-2))
    covariance = _inverse(noise * gram + np.diag(precision[terms]))
    return Member(
        views=views,
        offset=offset,
        weights=noise * covariance @ moment,
        covariance=covariance,
        noise_sd=float(noise**-0.5),
    )


def _inverse(matrix: Floats) -> Floats:
    inverse = np.asarray(np.linalg.inv(matrix), np.float64)
    return (inverse + inverse.T) / 2


def seen_of(sight: Sight) -> Floats:
    """(pictures, F) the picture, its prompt, how they match and the context, each of unit width."""
    prompts = np.broadcast_to(sight.prompts[:, None, None, None], sight.pictures.shape)
    picture, prompt = _flat(sight.pictures), _flat(prompts)
    return np.concatenate(
        [
            _directions(picture, PICTURE_DIRECTIONS),
            _directions(prompt, PROMPT_DIRECTIONS),
            _directions(picture * prompt, MATCH_DIRECTIONS),
            _alignment_and_context(sight),
        ],
        axis=1,
    )


def _plain(seen: Floats, sight: Sight) -> Floats:
    return np.concatenate([seen[:, :PICTURE_DIRECTIONS], _alignment_and_context(sight)], axis=1)


def _alignment_and_context(sight: Sight) -> Floats:
    """(pictures, 3) cosine of picture and prompt, share of shared steps, bit error rate."""
    cosine = (sight.pictures * sight.prompts[:, None, None, None]).sum(axis=-1, keepdims=True)
    context = np.broadcast_to(sight.context, (*sight.shape, sight.context.shape[-1]))
    both = np.concatenate([_flat(cosine), _flat(context)], axis=1)
    scaled: Floats = (both - both.mean(axis=0)) / np.maximum(both.std(axis=0), 1e-9)
    return scaled


def _flat(array: Floats) -> Floats:
    return array.reshape(-1, array.shape[-1])


def _directions(vectors: Floats, count: int) -> Floats:
    """Principal components (N, count), the widest with a standard deviation of 1."""
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)  # narrowest first
    along = centred @ axes[:, ::-1][:, :count]
    scaled: Floats = along / max(float(along[:, 0].std()), 1e-9)
    return scaled


def _rbf_features(seen: Floats, length: float, rng: np.random.Generator) -> Floats:
    """(pictures, R) whose products are about exp(-d^2 / 2 length^2): Nystroem's approximation."""
    landmarks = seen[rng.permutation(len(seen))[:LANDMARKS]]
    width, axes = np.linalg.eigh(_rbf(landmarks, landmarks, length))
    kept = width > 1e-6 * width[-1]
    features: Floats = _rbf(seen, landmarks, length) @ (axes[:, kept] / np.sqrt(width[kept]))
    return features


def _rbf(some: Floats, others: Floats, length: float) -> Floats:
    squared = (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * some @ others.T
    kernel: Floats = np.exp(-np.maximum(squared, 0.0) / (2 * length**2))
    return kernel
