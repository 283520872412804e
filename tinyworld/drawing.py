"""From a scene to a picture."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from tinyworld.figures import draw_subject
from tinyworld.light import LIGHTS
from tinyworld.pen import Pen
from tinyworld.places import CANVAS, paint_place, scatter_rubbish
from tinyworld.scenes import PICTURE_SIZE, Scene
from tinyworld.styles import INK_WIDTH, apply_backdrop_style, apply_style

POSITIONS: dict[int, tuple[float, ...]] = {0: (), 1: (64.0,), 2: (36.0, 92.0)}
"""Where the subjects stand on the canvas, by how many there are."""


def draw_scene(scene: Scene, rng: np.random.Generator) -> Image.Image:
    """Draw a scene as a 64 x 64 RGB picture; `rng` decides what the scene leaves open."""
    light, ink_width = LIGHTS[scene.time], INK_WIDTH[scene.style]
    backdrop = Image.new("RGB", (CANVAS, CANVAS))
    pen = Pen(ImageDraw.Draw(backdrop), light, ink_width)
    paint_place(backdrop, pen, scene.place, scene.time, rng)
    canvas = apply_backdrop_style(backdrop, scene.style, rng)
    pen = Pen(ImageDraw.Draw(canvas), light.up_close(), ink_width)
    if scene.tidiness == "cluttered":
        scatter_rubbish(pen, rng)
    for subject, x in zip(scene.subjects, POSITIONS[len(scene.subjects)], strict=True):
        assert scene.action is not None
        sway = 10 if len(scene.subjects) == 1 else 3
        foot_y = rng.uniform(114, 120)
        draw_subject(pen, subject, scene.action, x + rng.uniform(-sway, sway), foot_y, rng)
    finished = apply_style(canvas, scene.style, rng)
    return finished.resize((PICTURE_SIZE, PICTURE_SIZE), Image.Resampling.LANCZOS)
