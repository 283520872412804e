"""Fit the judges to the reference set and write their calibration files.

    python -m qoe_service.judges.reference [--count 3000] [--seed 0]

Run it again whenever tinyworld's CLIP, the evidence, a measure or a drawing changes.
"""

from __future__ import annotations

import argparse
import logging
from importlib.resources.abc import Traversable
from pathlib import Path

from qoe_service.errors import JudgeUnavailable
from qoe_service.judges import pixel_calibration
from qoe_service.judges.calibration import Frozen
from qoe_service.judges.clip_calibration import ClipCalibration, encoder_id, fit_clip_judge
from qoe_service.judges.clip_space import ClipSpace, clip_space
from qoe_service.judges.encoder import Encoder, load_encoder
from qoe_service.judges.evidence import FOLDER
from qoe_service.judges.reference_set import draw_reference_set

logger = logging.getLogger(__name__)

QUICK_COUNT = 128
"""Pictures a CLIP is fitted to when it is used for the first time: a large one takes a while."""

TINYWORLD_FILE = "calibration-tinyworld.json"


def calibration_of(encoder: Encoder, space: ClipSpace, folder: Path | None) -> ClipCalibration:
    """The calibration of an encoder: shipped, found in `folder`, or fitted now and left there."""
    name = f"calibration-{encoder_id(encoder).replace('/', '-')}.json"
    places = [FOLDER / TINYWORLD_FILE, *([] if folder is None else [folder / name])]
    for place in places:
        found = _read(place) if place.is_file() else None
        if found is not None and found.encoder == encoder_id(encoder):
            return found
    logger.info("fitting %s to %d drawn pictures", encoder_id(encoder), QUICK_COUNT)
    fitted = fit(encoder, space, count=QUICK_COUNT, seed=0)
    if folder is not None:
        _write(folder / name, fitted)
    return fitted


def fit(encoder: Encoder, space: ClipSpace, *, count: int, seed: int) -> ClipCalibration:
    """The calibration of an encoder from `count` drawn pictures and half as many held out."""
    held_out = draw_reference_set(max(2, count // 2), seed + 1)
    return fit_clip_judge(encoder, space, draw_reference_set(count, seed), held_out)


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=3000, help="pictures in the reference set")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    folder = Path(str(FOLDER))
    reference = draw_reference_set(options.count, options.seed)
    _write(folder / pixel_calibration.FILE, pixel_calibration.fit_pixel_judge(reference))
    try:
        encoder = load_encoder("tinyworld", "cpu")
    except JudgeUnavailable as error:
        raise SystemExit(f"only the pixel judge was fitted: {error}") from error
    fitted = fit(encoder, clip_space(encoder), count=options.count, seed=options.seed)
    _write(folder / TINYWORLD_FILE, fitted)


def _read(path: Traversable) -> ClipCalibration:
    return ClipCalibration.model_validate_json(path.read_text(encoding="utf-8"))


def _write(path: Path, calibration: Frozen) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(calibration.model_dump_json(indent=1) + "\n", encoding="utf-8")
    logger.info("wrote %s", path.name)


if __name__ == "__main__":
    main()
