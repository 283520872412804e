"""Features of items that are picture files: what can be measured on their pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from qoe_service.errors import BadImage
from qoe_service.images import ImageLimits, Picture, decode
from qoe_service.judges.measures import FEATURES_OF_PIXELS, columns, measure


def features_of_files(items: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
    """The measures that research speaks of, for each item; none unless all are picture files."""
    pictures: list[Picture] = []
    for item in items:
        try:
            pictures.append(decode(Path(item).read_bytes(), ImageLimits()))
        except (OSError, ValueError, BadImage):  # a name that is no path, or no picture
            return {}
    table = columns(measure(pictures), FEATURES_OF_PIXELS).tolist()
    return {
        item: dict(zip(FEATURES_OF_PIXELS, row, strict=True))
        for item, row in zip(items, table, strict=True)
    }
