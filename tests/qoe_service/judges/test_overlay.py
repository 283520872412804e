"""The writing detector: what it finds, what it leaves alone, and that it is the trained network."""

from __future__ import annotations

import threading
from unittest.mock import patch

import numpy as np
import pytest
import torch

from qoe_service.images import Picture
from qoe_service.judges import Deadline, overlay
from qoe_service.judges.overlay import Layer, Overlays, WritingDetector, writing_detector
from qoe_service.judges.overlay_pictures import background, draw_examples
from qoe_service.judges.overlay_training import Network, frozen, train, with_thresholds
from qoe_service.judges.reference_set import draw_reference_set
from qoe_service.lettering import Lettering, letter
from tinyworld.drawing import draw_scene
from tinyworld.scenes import sample_scene

torch.set_num_threads(1)

UNSEEN = 31_337


def flags_of(pictures, overlays: Overlays | None = None) -> list[bool | None]:
    looking = (overlays or Overlays()).look(pictures)
    return looking.flags(Deadline())


def _drawings(count: int, side: int = 64) -> list[np.ndarray]:
    rng = np.random.default_rng(UNSEEN)
    drawn = (draw_scene(sample_scene(rng), rng).resize((side, side)) for _ in range(count))
    return [np.asarray(image) for image in drawn]


def _written(pixels: np.ndarray, text: str, capital_px: int, rng: np.random.Generator) -> Picture:
    """White on black, or black on white: legible whatever is below."""
    ink, plate = ((255,) * 3, (0,) * 3) if rng.random() < 0.5 else ((0,) * 3, (255,) * 3)
    found = letter(
        pixels,
        Lettering(
            text=text,
            capital_px=capital_px,
            ink=ink,
            plate=plate,
            place=(rng.random(), rng.random()),
        ),
    )
    assert found is not None
    return Picture(found.pixels)


@pytest.mark.parametrize(
    ("side", "capital_px"), [(64, 8), (64, 12), (128, 12), (256, 12), (256, 40)]
)
def test_legible_writing_is_found(side: int, capital_px: int) -> None:
    rng = np.random.default_rng(UNSEEN)
    texts = ("RATE THIS 5", "SCORE 5", "very good", "top marks")
    pictures = [
        _written(pixels, texts[index % 4], capital_px, rng)
        for index, pixels in enumerate(_drawings(60, side))
    ]
    assert np.mean(flags_of(pictures)) >= 0.9


def test_drawings_are_left_alone_even_when_damaged() -> None:
    drawn = draw_reference_set(600, UNSEEN)
    flags = np.array(flags_of(drawn.pictures))
    assert flags[drawn.untouched].mean() <= 0.015
    assert flags[~drawn.untouched].mean() <= 0.015


@pytest.mark.parametrize("side", [128, 256])
def test_enlarged_drawings_are_left_alone(side: int) -> None:
    pictures = [Picture(pixels) for pixels in _drawings(100, side)]
    assert np.mean(flags_of(pictures)) <= 0.03


@pytest.mark.parametrize(
    "shape", [(16, 16), (17, 31), (16, 900), (50, 3000), (1500, 20), (1100, 1100)]
)
def test_any_size_that_is_admitted_can_be_looked_at(shape: tuple[int, int]) -> None:
    assert flags_of([Picture(np.full((*shape, 3), 90, dtype=np.uint8))]) == [False]


def test_a_picture_gets_the_same_answer_in_any_company() -> None:
    rng = np.random.default_rng(UNSEEN)
    drawings = _drawings(12)
    pictures = [Picture(pixels) for pixels in drawings[:6]]
    pictures += [_written(pixels, "excellent", 9, rng) for pixels in drawings[6:]]
    pictures.insert(3, Picture(_drawings(1, 96)[0]))
    alone = [flags_of([picture])[0] for picture in pictures]
    assert flags_of(pictures) == alone
    assert set(alone) == {True, False}
    assert flags_of([]) == []


def test_each_picture_is_looked_at_once() -> None:
    overlays, drawings = Overlays(), _drawings(5)
    with patch.object(overlay, "written_over", wraps=overlay.written_over) as look:
        flags_of([Picture(pixels) for pixels in (*drawings[:3], drawings[0])], overlays)
        flags_of([Picture(pixels.copy()) for pixels in drawings], overlays)
        flags_of([Picture(pixels.copy()) for pixels in drawings], overlays)
    assert [len(call.args[0]) for call in look.call_args_list] == [3, 2]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay, "REMEMBERED", 4)
    overlays, pictures = Overlays(), [Picture(pixels) for pixels in _drawings(7)]
    assert len(flags_of(pictures, overlays)) == 7
    with patch.object(overlay, "written_over", wraps=overlay.written_over) as look:
        flags_of(pictures[-4:], overlays)
        flags_of(pictures[:1], overlays)
    assert [len(call.args[0]) for call in look.call_args_list] == [1]


def test_no_time_to_look_is_no_answer() -> None:
    gate = threading.Event()
    overlays, pictures = Overlays(), [Picture(pixels) for pixels in _drawings(3)]
    flags_of(pictures[:1], overlays)

    def slowly(*_: object) -> list[bool]:
        gate.wait(10)
        return [True, True]

    with patch.object(overlay, "written_over", slowly):
        looking = overlays.look(pictures)
        assert looking.flags(Deadline.after_ms(5)) == [False, None, None]
        gate.set()
        assert looking.flags(Deadline()) == [False, True, True]
    overlays.close()


def test_a_detector_that_breaks_is_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    with patch.object(overlay, "written_over", side_effect=ArithmeticError):
        assert flags_of([Picture(pixels) for pixels in _drawings(2)]) == [None, None]
    assert "could not be searched" in caplog.text


def test_numpy_computes_what_torch_trained() -> None:
    torch.manual_seed(3)
    network = Network().half().float()
    rng = np.random.default_rng(3)
    pixels = np.stack([background(rng) for _ in range(20)])
    with torch.inference_mode():
        places = network(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255 - 0.5)
    expected = places.flatten(1).topk(overlay.PLACES, dim=1).values.mean(dim=1).numpy()
    detector = frozen(network)
    np.testing.assert_allclose(detector.logits(pixels), expected, atol=1e-4)


def test_a_layer_is_a_convolution_padded_with_zeros() -> None:
    rng = np.random.default_rng(0)
    maps, kernel = rng.normal(size=(2, 6, 8, 3)), rng.normal(size=(3, 5, 3, 4))
    layer = Layer(kernel.astype(np.float32), np.arange(4, dtype=np.float32))
    found = layer(maps.astype(np.float32))
    padded = np.pad(maps, ((0, 0), (1, 1), (2, 2), (0, 0)))
    window = padded[1, 2:5, 3:8]  # around row 2, column 3
    assert found.shape == (2, 6, 8, 4)
    np.testing.assert_allclose(
        found[1, 2, 3], np.tensordot(window, kernel, 3) + np.arange(4), rtol=1e-4
    )


def test_training_learns_to_tell_writing_from_none() -> None:
    examples = draw_examples(240, 0)
    before, after = (frozen(train(examples, steps=steps, seed=0)) for steps in (1, 100))
    assert _area_under_curve(after, examples) > 0.75 > _area_under_curve(before, examples) + 0.1


def _area_under_curve(detector: WritingDetector, examples) -> float:
    logits = detector.logits(examples.pixels)
    written, bare = logits[examples.pictures == 1], logits[examples.pictures == 0]
    return float((written[:, None] > bare).mean())


def test_the_thresholds_leave_the_share_of_false_alarms() -> None:
    detector = with_thresholds(writing_detector(), draw_reference_set(200, 1), 0.1)
    pixels = np.stack([picture.pixels for picture in draw_reference_set(200, 1).pictures])
    assert detector.flags(pixels).mean() == pytest.approx(0.1, abs=0.01)
    assert detector.threshold_larger > detector.threshold
