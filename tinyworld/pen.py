"""A drawing tool that knows the light: every shape is tinted, and outlined if the style inks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import ImageDraw

from tinyworld.light import Colour, Light

Point = tuple[float, float]


@dataclass(frozen=True)
class Pen:
    """Draws on a 128 x 128 canvas. `ink_width` 0 means no outlines."""

    draw: ImageDraw.ImageDraw
    light: Light
    ink_width: int = 0

    def ellipse(self, x: float, y: float, radius_x: float, radius_y: float, colour: Colour) -> None:
        box = (x - radius_x, y - radius_y, x + radius_x, y + radius_y)
        self.draw.ellipse(box, fill=self.light.on(colour), outline=self._ink, width=self.ink_width)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        self.draw.rectangle(
            (left, top, right, bottom),
            fill=self.light.on(colour),
            outline=self._ink,
            width=self.ink_width,
        )

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        self.draw.polygon(
            list(points), fill=self.light.on(colour), outline=self._ink, width=self.ink_width
        )

    def limb(self, start: Point, end: Point, width: float, colour: Colour) -> None:
        """A thick line, such as an arm, a leg or a tail."""
        if self.ink_width:
            self._line(start, end, width + 2 * self.ink_width, (0, 0, 0))
        self._line(start, end, width, self.light.on(colour))

    def _line(self, start: Point, end: Point, width: float, colour: Colour) -> None:
        self.draw.line((*start, *end), fill=colour, width=round(width))
        radius = width / 2
        self.draw.ellipse(
            (end[0] - radius, end[1] - radius, end[0] + radius, end[1] + radius), fill=colour
        )

    @property
    def _ink(self) -> Colour | None:
        return (20, 18, 24) if self.ink_width else None
