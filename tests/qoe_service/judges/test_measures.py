"""Pixel measures on pictures whose answers are known without a computer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qoe_service.images import Picture
from qoe_service.judges.measures import MEASURES, measure, measure_stack


def of(stack: np.ndarray) -> dict[str, float]:
    return dict(zip(MEASURES, measure_stack(stack[None])[0], strict=True))


def plain(*colour: int) -> np.ndarray:
    return np.full((32, 32, 3), colour, dtype=np.uint8)


# Valdez and Mehrabian: pleasure = .69 V + .22 S, arousal = -.31 V + .60 S, here with V and S known.
@pytest.mark.parametrize(
    ("colour", "pleasure", "arousal"),
    [
        ((255, 255, 255), 0.69, -0.31),
        ((0, 0, 0), 0.0, 0.0),
        ((255, 0, 0), 0.91, 0.29),
        ((51, 51, 51), 0.138, -0.062),
    ],
)
def test_pleasure_and_arousal_have_the_published_signs(
    colour: tuple[int, ...], pleasure: float, arousal: float
) -> None:
    found = of(plain(*colour))
    assert found["pleasure"] == pytest.approx(pleasure, abs=1e-4)
    assert found["arousal"] == pytest.approx(arousal, abs=1e-4)


def test_grey_has_no_colour_and_red_has_all_of_it() -> None:
    grey, red = of(plain(128, 128, 128)), of(plain(255, 0, 0))
    assert (grey["saturation"], grey["grayscale"], grey["colourfulness"]) == (0, 1, 0)
    assert (red["saturation"], red["grayscale"]) == (1, 0)
    # Hasler and Suesstrunk: sigma 0; mu of (rg, yb) = (255, 127.5), times 0.3.
    assert red["colourfulness"] == pytest.approx(0.3 * np.hypot(255, 127.5), rel=1e-4)


def test_one_hue_has_no_diversity_and_opposite_hues_have_all() -> None:
    halves = plain(255, 0, 0)
    halves[:, 16:] = (0, 255, 255)
    assert of(plain(255, 0, 0))["hue_diversity"] == pytest.approx(0, abs=1e-6)
    assert of(halves)["hue_diversity"] == pytest.approx(1, abs=1e-3)


def test_noise_is_told_from_a_smooth_gradient() -> None:
    rng = np.random.default_rng(0)
    gradient = np.repeat(np.linspace(60, 200, 64)[None, :, None], 64, axis=0).repeat(3, axis=2)
    noisy = gradient + rng.normal(0, 12, (64, 64, 1))
    # Immerkaer's estimate of the SD, in the measure's logarithm of a fraction of full scale.
    assert np.exp(of(noisy.astype(np.uint8))["noise"]) == pytest.approx(12 / 255, rel=0.15)
    assert of(gradient.astype(np.uint8))["noise"] < of(noisy.astype(np.uint8))["noise"] - 1


def test_blur_lowers_sharpness_and_detail() -> None:
    rng = np.random.default_rng(0)
    sharp = (np.kron(rng.integers(0, 2, (8, 8)), np.ones((8, 8))) * 200).astype(np.uint8)
    blurred = sharp.astype(float)
    for axis in (0, 1):
        blurred = np.mean([np.roll(blurred, shift, axis) for shift in range(-3, 4)], axis=0)
    before, after = of(np.dstack([sharp] * 3)), of(np.dstack([blurred.astype(np.uint8)] * 3))
    assert after["sharpness"] < before["sharpness"]


def test_a_thing_on_a_third_is_told_from_one_in_the_middle() -> None:
    third, middle = plain(0, 0, 0), plain(0, 0, 0)
    third[9:12, 9:12] = 255
    middle[15:18, 15:18] = 255
    assert of(third)["thirds"] > 2 > 0.5 > of(middle)["thirds"]


@given(arrays(np.uint8, st.tuples(st.integers(3, 20), st.integers(3, 20), st.just(3))))
@settings(max_examples=60, deadline=None)
def test_measures_are_always_finite(pixels: np.ndarray) -> None:
    assert np.isfinite(measure_stack(pixels[None])).all()


def test_pictures_of_any_sizes_keep_their_order() -> None:
    rng = np.random.default_rng(3)
    shapes = [(16, 16), (20, 30), (16, 16), (400, 900), (20, 30)]
    pictures = [Picture(rng.integers(0, 256, (*shape, 3), dtype=np.uint8)) for shape in shapes]
    together = measure(pictures)
    alone = np.concatenate([measure([picture]) for picture in pictures])
    assert together == pytest.approx(alone, rel=1e-5)
