"""What training's tests are made of: drawn cells, and augmentation that changes nothing."""

import numpy as np
from PIL import Image, ImageDraw

from training.config import Augmentation

NO_AUGMENTATION = Augmentation(
    scale=0,
    shift=0,
    stretch=0,
    stain=0,
    colour=0,
    exposure=0,
    shading=0,
    fringe=0,
    blur=0,
    resample=0,
    jpeg=0,
    noise=0,
)


def draw_cell(label: int, random: np.random.Generator) -> Image.Image:
    """A disc on a pale field, in one of the eight corners of the colour cube: the class."""
    image = Image.new("RGB", (96, 96), (150, 140, 130))
    radius = random.uniform(25, 35)
    x, y = 48 + random.uniform(-6, 6, 2)
    colour = tuple(int(220 * (label >> bit & 1) + random.integers(30)) for bit in range(3))
    ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return image
