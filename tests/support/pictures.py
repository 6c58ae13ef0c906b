"""Many pictures at the price of a few."""

from pathlib import Path

from infra.demo import cells


def many_pictures(folder: Path, count: int) -> list[Path]:
    """Pictures with different bytes out of 24 drawn ones: what follows a JPEG's end is not looked at."""
    drawn = cells.write(folder / "drawn", per_class=3, seed=7)
    copies = []
    for number in range(count):
        copy = folder / f"{number:03}.jpg"
        copy.write_bytes(drawn[number % len(drawn)].read_bytes() + number.to_bytes(4, "big"))
        copies.append(copy)
    return copies
