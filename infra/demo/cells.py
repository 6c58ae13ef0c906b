"""Drawn blood cells of the eight classes, as May Grünwald-Giemsa stains them, for demonstrations and tests.

`python -m infra.demo.cells FOLDER --per-class N --seed S` writes one sub-folder for each class. The same seed
draws the same pictures. They are drawings: nothing measured on them says anything about real blood.

Sizes, colours and shapes follow the textbook morphology of a smear at 100x, at the scale of common analyser
crops: 360 x 363 pixels, a neutrophil about 142 across, a red cell about 85.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from infra.demo.drawing import (
    CENTRE,
    HEIGHT,
    WIDTH,
    Colour,
    Field,
    Slide,
    around,
    blob,
    cover,
    join,
    ribbon,
    speckle,
    texture,
)
from infra.language import _, ngettext

Random = np.random.Generator
Point = tuple[float, float]

YELLOWISH: Colour = (253, 228, 203)
BLUISH: Colour = (232, 226, 235)

CHROMATIN: Colour = (74, 28, 130)
CHROMATIN_GAP: Colour = (166, 108, 166)
RED_CELL: Colour = (199, 156, 163)


def draw(label: str, seed: int) -> Image.Image:
    """A picture of one cell of the class `label` among red cells.

    Raises:
        ValueError: there is no such class.
    """
    rng = np.random.default_rng([seed, DRAWN.index(label)])
    slide = Slide(YELLOWISH if rng.random() < 0.75 else BLUISH)
    centre = (CENTRE[0] + rng.normal(0, 4), CENTRE[1] + rng.normal(0, 4))
    usual, draw_cell = _KINDS[label]
    radius = usual * rng.normal(1, 0.06)
    _red_cells(slide, rng, keep_clear=(centre, radius))
    draw_cell(slide, rng, centre, radius)
    return slide.photograph(rng, blur=rng.uniform(0.5, 0.9))


def write(folder: Path, per_class: int, seed: int) -> list[Path]:
    """Draw `per_class` pictures of each class into `folder/<class>/`, unless they are there; returns all."""
    paths = []
    for label in DRAWN:
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in range(per_class):
            path = folder / label / f"{label}_{seed}_{number:04d}.jpg"
            if not path.exists():
                draw(label, seed * 1_000_003 + number).save(path, quality=93)
            paths.append(path)
    return paths


# --- the field ----------------------------------------------------------------------------------------------


def _red_cells(slide: Slide, rng: Random, keep_clear: tuple[Point, float]) -> None:
    """Biconcave discs over the field, some touching or overlapping one another, none on the cell."""
    (cx, cy), clear = keep_clear
    size = rng.normal(43, 3)
    crowding = rng.uniform(0.55, 1.0)
    pallor = rng.uniform(0.3, 0.95)
    placed: list[tuple[float, float, float]] = []
    for _disc in range(int(260 * crowding)):
        r = size * rng.normal(1, 0.08)
        x, y = rng.uniform(-r, WIDTH + r), rng.uniform(-r, HEIGHT + r)
        near = rng.choice([0.75, 1.0], p=[0.06, 0.94])
        if np.hypot(x - cx, y - cy) < clear + r * 0.98:
            continue
        if any(np.hypot(x - px, y - py) < (r + pr) * near for px, py, pr in placed):
            continue
        placed.append((x, y, r))
        _red_cell(slide, rng, (x, y), r, pallor * rng.uniform(0.5, 1.2))


def _red_cell(slide: Slide, rng: Random, centre: Point, radius: float, pallor: float) -> None:
    window = around(centre, radius * 1.5)
    stretch = 1 + abs(rng.normal(0, 0.12))
    disc = blob(rng, centre, radius, uneven=0.035, stretch=stretch, window=window)
    off = (centre[0] + rng.normal(0, radius * 0.06), centre[1] + rng.normal(0, radius * 0.06))
    hollow = blob(rng, off, radius * rng.uniform(0.3, 0.5), uneven=0.06, window=window)
    thickness = 1 - pallor * cover(hollow, radius * rng.uniform(0.12, 0.3))
    rounding = 0.75 + 0.25 * np.clip(disc / (radius * 0.25), 0, 1)
    slide.add(cover(disc, 1.8) * thickness * rounding * rng.normal(1.0, 0.07), RED_CELL, window)


# --- parts of cells -----------------------------------------------------------------------------------------


def _cytoplasm(
    slide: Slide, rng: Random, cell: Field, colour: Colour, *, mottle: float, soft: float = 1.4
) -> None:
    depth = 1 + mottle * (0.6 * texture(rng, 9) + 0.4 * texture(rng, 4))
    slide.paint(cover(cell, soft), colour, np.clip(depth, 0.2, 2))


def _nucleus(
    slide: Slide,
    rng: Random,
    shape: Field,
    *,
    colour: Colour = CHROMATIN,
    clumped: float = 0.08,
    gaps: float = 0.5,
    grain: float = 6.0,
    rim: float = 0.15,
    soft: float = 1.2,
) -> None:
    """A nucleus with clumped chromatin.

    Args:
        clumped: how much denser the clumps are.
        gaps: how pale the seams between clumps are, 0 to 1.
        grain: size of the clumps in pixels.
        rim: how much denser the membrane is.
    """
    clumps = texture(rng, grain)
    seams = np.clip((0.8 * clumps + 0.6 * texture(rng, grain / 1.7) - 0.15) / 1.3, 0, 1)
    edge = np.exp(-np.clip(shape - 0.5, 0, None) / 1.8)
    share = cover(shape, soft)
    slide.paint(share, colour, np.clip(1 - clumped * clumps + rim * edge, 0.5, 1.4))
    slide.paint(share * seams * gaps * (1 - edge), CHROMATIN_GAP)


def _granules(
    slide: Slide, rng: Random, where: Field, count: int, radius: Point, colour: Colour, strength: float = 1.0
) -> None:
    slide.add(speckle(rng, where, count, radius) * strength, colour)


def _toward(centre: Point, away: float, angle: float) -> Point:
    return centre[0] + away * np.cos(angle), centre[1] + away * np.sin(angle)


def _lobes(rng: Random, centre: Point, radius: float, lobes: int) -> Field:
    """A nucleus of lobes on an arc, joined by strands."""
    start, direction = rng.uniform(0, 2 * np.pi), rng.choice([-1, 1])
    span = rng.uniform(0.75, 1.0) * (np.pi * 0.95 if lobes == 2 else np.pi * 1.35)
    angles = start + direction * np.linspace(0, span, lobes) + rng.normal(0, 0.12, lobes)
    orbit = radius * rng.uniform(0.43, 0.52)
    middles = [_toward(centre, orbit * rng.normal(1, 0.08), angle) for angle in angles]
    size = radius * {2: 0.37, 3: 0.31, 4: 0.27}[lobes]
    shapes = [
        blob(rng, middle, size * rng.normal(1, 0.1), uneven=0.07, stretch=rng.uniform(1.05, 1.5))
        for middle in middles
    ]
    strand = ribbon(middles, [size * rng.uniform(0.28, 0.5)] * lobes)
    return join(*shapes, strand, soft=2.5)


def _band(rng: Random, centre: Point, radius: float) -> Field:
    """A nucleus bent like a horseshoe or an S."""
    start, bend = rng.uniform(0, 2 * np.pi), rng.uniform(0.9, 1.45) * np.pi * rng.choice([-1, 1])
    steps = np.linspace(0, 1, 9)
    points = [_toward(centre, radius * rng.normal(0.5, 0.02), start + bend * t) for t in steps]
    widths = radius * (0.2 + 0.06 * np.abs(2 * steps - 1) ** 2)
    return join(ribbon(points, list(widths)), soft=2.0) + 0.9 * texture(rng, 14)


# --- the eight classes --------------------------------------------------------------------------------------


def _neutrophil(slide: Slide, rng: Random, centre: Point, radius: float) -> None:
    cell = blob(rng, centre, radius, uneven=0.03, stretch=1 + abs(rng.normal(0, 0.07)))
    _cytoplasm(slide, rng, cell, (222, 188, 192), mottle=0.45)
    _granules(slide, rng, cell - 2, int(rng.integers(350, 900)), (0.6, 1.5), (176, 122, 172), 0.9)
    if rng.random() < 0.4:
        nucleus = _band(rng, centre, radius)
    else:
        nucleus = _lobes(rng, centre, radius, int(rng.choice([2, 3, 4], p=[0.2, 0.5, 0.3])))
    _nucleus(slide, rng, nucleus, gaps=0.55, grain=5)


def _eosinophil(slide: Slide, rng: Random, centre: Point, radius: float) -> None:
    cell = blob(rng, centre, radius, uneven=0.03, stretch=1 + abs(rng.normal(0, 0.07)))
    _cytoplasm(slide, rng, cell, (178, 100, 132), mottle=0.2)
    slide.paint(0.75 * speckle(rng, cell - 2, 900, (1.4, 2.6), soft=1.2), (214, 140, 138))
    _granules(slide, rng, np.minimum(cell - 1, 8 - cell), 60, (1.6, 2.6), (196, 120, 160), 0.8)
    nucleus = _lobes(rng, centre, radius * 0.98, int(rng.choice([2, 3], p=[0.8, 0.2])))
    _nucleus(slide, rng, nucleus, gaps=0.6, grain=5, colour=(76, 32, 134))


def _basophil(slide: Slide, rng: Random, centre: Point, radius: float) -> None:
    cell = blob(rng, centre, radius, uneven=0.045, stretch=1 + abs(rng.normal(0, 0.08)))
    _cytoplasm(slide, rng, cell, (206, 148, 186), mottle=0.3)
    nucleus = _lobes(rng, centre, radius * 0.98, 2)
    _nucleus(slide, rng, nucleus, colour=(104, 54, 148), gaps=0.4, grain=6, rim=0.0)
    _granules(slide, rng, cell - 1, int(rng.integers(500, 1100)), (1.4, 2.7), (98, 48, 140))


def _lymphocyte(slide: Slide, rng: Random, centre: Point, radius: float) -> None:
    cell = blob(rng, centre, radius, uneven=0.04, stretch=1 + abs(rng.normal(0, 0.12)))
    cell += 1.1 * texture(rng, 5)
    _cytoplasm(slide, rng, cell, (116, 104, 166), mottle=0.4)
    inner = radius * rng.uniform(0.86, 0.97)
    middle = _toward(centre, (radius - inner) * 0.9, rng.uniform(0, 2 * np.pi))
    nucleus = blob(rng, middle, inner, uneven=0.05, stretch=1.06)
    _nucleus(slide, rng, np.minimum(nucleus, cell - 1.5), colour=(74, 31, 126), gaps=0.3, grain=5, rim=0.15)


def _monocyte(slide: Slide, rng: Random, centre: Point, radius: float) -> None:
    cell = blob(rng, centre, radius, uneven=0.09, stretch=1 + abs(rng.normal(0, 0.12)))
    cell += 0.8 * texture(rng, 8)
    _cytoplasm(slide, rng, cell, (178, 152, 184), mottle=0.35)
    slide.add(0.35 * np.exp(-np.square((cell - 2) / 4)), (150, 140, 190))
    _granules(slide, rng, cell - 3, 500, (0.6, 1.3), (184, 136, 188), 0.8)
    _vacuoles(slide, rng, cell - 8, int(rng.choice([0, 4, 14])))
    away = rng.uniform(0, 2 * np.pi)
    middle = _toward(centre, radius * 0.1, away)
    body = blob(rng, middle, radius * 0.7, uneven=0.08, stretch=rng.uniform(1.05, 1.5))
    notch_at = _toward(middle, radius * rng.uniform(0.62, 0.8), away + np.pi + rng.normal(0, 0.4))
    notch = blob(rng, notch_at, radius * rng.uniform(0.18, 0.34), uneven=0.15, stretch=rng.uniform(1, 2))
    nucleus = -join(-body, notch, -(cell - 4), soft=3) + 0.9 * texture(rng, 14)
    _nucleus(slide, rng, nucleus, colour=(90, 36, 134), clumped=0.15, gaps=0.6, grain=4, rim=0.25)
    fold = ribbon([_toward(middle, radius * 0.55, away + turn) for turn in (0.3, 2.6)], [1.2, 0.6])
    slide.add(0.35 * cover(np.minimum(fold, nucleus - 4), 1.5), (120, 70, 160))


def _vacuoles(slide: Slide, rng: Random, where: Field, count: int) -> None:
    slide.clear(0.8 * speckle(rng, where, count, (1.5, 4.0), soft=1.2))


def _immature_granulocyte(slide: Slide, rng: Random, centre: Point, radius: float) -> None:
    """From promyelocyte (large, granules over a round nucleus) to metamyelocyte (a kidney-shaped nucleus)."""
    age = rng.random()
    radius *= 1.2 - 0.3 * age
    cell = blob(rng, centre, radius, uneven=0.03, stretch=1 + abs(rng.normal(0, 0.05)))
    young, old = np.array((150, 122, 190)), np.array((206, 172, 198))
    _cytoplasm(slide, rng, cell, tuple(young + age * (old - young)), mottle=0.35)
    slide.add(0.5 * np.exp(-np.square((cell - 2) / 3)), (150, 140, 195))
    away = rng.uniform(0, 2 * np.pi)
    inner = radius * (0.78 - 0.1 * age)
    nucleus = blob(
        rng, _toward(centre, (radius - inner) * 0.8, away), inner, uneven=0.04, stretch=1 + 0.35 * age
    )
    if age > 0.6:
        bite = blob(rng, _toward(centre, radius * 0.75, away + np.pi), radius * 0.4, uneven=0.05)
        nucleus = np.minimum(nucleus, -bite)
    nucleus = np.minimum(nucleus, cell - 3) + texture(rng, 12)
    _nucleus(slide, rng, nucleus, colour=(102, 46, 160), clumped=0.16, gaps=0.3, grain=5, rim=0.05, soft=2)
    _granules(slide, rng, cell - 2, int(600 * (1 - 0.5 * age)), (0.8, 1.9), (190, 126, 184), 0.8)


def _erythroblast(slide: Slide, rng: Random, centre: Point, radius: float) -> None:
    cell = blob(rng, centre, radius, uneven=0.05, stretch=1 + abs(rng.normal(0, 0.08)))
    blue, pink = np.array((132, 120, 176)), np.array((198, 170, 184))
    _cytoplasm(slide, rng, cell, tuple(blue + rng.random() * (pink - blue)), mottle=0.2)
    away = rng.uniform(0, 2 * np.pi)
    inner = radius * rng.uniform(0.6, 0.72)
    nucleus = blob(rng, _toward(centre, (radius - inner) * 0.6, away), inner, uneven=0.02)
    _nucleus(slide, rng, nucleus, colour=(62, 28, 114), gaps=rng.uniform(0.1, 0.55), grain=7, rim=0.1)


def _platelet(slide: Slide, rng: Random, centre: Point, radius: float) -> None:
    cell = blob(rng, centre, radius, uneven=0.06, stretch=1 + abs(rng.normal(0, 0.15))) + 1.0 * texture(
        rng, 5
    )
    _cytoplasm(slide, rng, cell, (196, 170, 204), mottle=0.3, soft=2.5)
    inside = cell - radius * 0.15
    _granules(slide, rng, inside, int(rng.integers(140, 260)), (0.9, 2.0), (150, 92, 170), 0.9)


# How each class is drawn: its radius in pixels, and what draws it.
_KINDS: dict[str, tuple[float, Callable[[Slide, Random, Point, float], None]]] = {
    "basophil": (60, _basophil),
    "eosinophil": (69, _eosinophil),
    "erythroblast": (42, _erythroblast),
    "immature_granulocyte": (72, _immature_granulocyte),
    "lymphocyte": (52, _lymphocyte),
    "monocyte": (79, _monocyte),
    "neutrophil": (69, _neutrophil),
    "platelet": (28, _platelet),
}
DRAWN = tuple(_KINDS)
"""Classes that somebody has drawn; the demo has no others."""


def main() -> None:
    parser = argparse.ArgumentParser(description=_("Draw stained blood cells, one folder for each class."))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--per-class", type=int, default=12, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    arguments = parser.parse_args()
    paths = write(arguments.folder, arguments.per_class, arguments.seed)
    said = ngettext("%(n)s drawn image in %(folder)s", "%(n)s drawn images in %(folder)s", len(paths))
    print(said % {"n": len(paths), "folder": arguments.folder})  # noqa: T201


if __name__ == "__main__":
    main()
