"""Where a cell lies in its picture."""

from dataclasses import dataclass


class BoxOutsidePicture(ValueError):
    """A cell's box has no area, or does not lie within its picture."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the upright picture."""

    left: int
    top: int
    width: int
    height: int

    def check_within(self, width: int, height: int) -> None:
        """See to it that the box lies within a picture of this size.

        Raises:
            BoxOutsidePicture: it does not.
        """
        across = 0 <= self.left < self.left + self.width <= width
        down = 0 <= self.top < self.top + self.height <= height
        if not (across and down):
            # untranslated: for the worker's log
            raise BoxOutsidePicture(f"{self} is not within a picture of {width} × {height} pixels")
