"""Daylight, sunset and night: what each does to the sky and to every colour below it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Light:
    """The colours of a time of day; `tint` multiplies whatever the light falls on."""

    sky_top: Colour
    sky_low: Colour
    tint: tuple[float, float, float]

    def on(self, colour: Colour) -> Colour:
        """A surface of this colour, seen in this light."""
        red, green, blue = (
            min(255, round(channel * factor))
            for channel, factor in zip(colour, self.tint, strict=True)
        )
        return red, green, blue

    def up_close(self) -> Light:
        """The light on what stands near: halfway to white, so that subjects show at night."""
        red, green, blue = self.tint
        return replace(self, tint=((1 + red) / 2, (1 + green) / 2, (1 + blue) / 2))


LIGHTS = {
    "day": Light(sky_top=(90, 170, 250), sky_low=(205, 232, 255), tint=(1.0, 1.0, 1.0)),
    "sunset": Light(sky_top=(150, 70, 130), sky_low=(255, 160, 60), tint=(1.02, 0.72, 0.58)),
    "night": Light(sky_top=(8, 10, 38), sky_low=(30, 36, 84), tint=(0.36, 0.42, 0.66)),
}

SUN, LOW_SUN, MOON, STAR = (255, 240, 120), (255, 222, 90), (245, 242, 215), (255, 255, 235)


def paint_sky(image: Image.Image, time: str, box: tuple[int, int, int, int]) -> None:
    """Fill `box` with the sky's gradient and hang the sun, or the moon and stars, in it."""
    left, top, right, bottom = box
    light = LIGHTS[time]
    ramp = np.linspace(0, 1, bottom - top)[:, None, None]
    gradient = np.array(light.sky_top) * (1 - ramp) + np.array(light.sky_low) * ramp
    rows = np.broadcast_to(gradient, (bottom - top, right - left, 3)).astype(np.uint8)
    image.paste(Image.fromarray(np.ascontiguousarray(rows)), (left, top))


def paint_celestial(
    draw: ImageDraw.ImageDraw, time: str, box: tuple[int, int, int, int], rng: np.random.Generator
) -> None:
    """Sun high by day, a large one on the horizon at sunset, moon and stars at night."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    x = left + width * (0.2 if rng.random() < 0.5 else 0.8)
    if time == "day":
        _disc(draw, x, top + 0.22 * height, 0.09 * width, SUN)
    elif time == "sunset":
        _disc(draw, x, bottom - 0.12 * height, 0.15 * width, LOW_SUN)
    else:
        for _ in range(max(4, width // 9)):
            star_x, star_y = left + rng.random() * width, top + rng.random() * height * 0.8
            draw.rectangle((star_x, star_y, star_x + 1, star_y + 1), fill=STAR)
        _disc(draw, x, top + 0.25 * height, 0.09 * width, MOON)
        _disc(draw, x + 0.05 * width, top + 0.22 * height, 0.075 * width, LIGHTS["night"].sky_top)


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: Colour) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
