"""The part of a picture that the network looks at: its middle.

A picture holds one cell with its surroundings, and a white cell spans about 0.4 of its side, 0.66 at most in
99 of 100. The rest is other cells, which say more about the lab than about the cell in the middle, and as
many pixels to compute. So the network sees the central 5/7: of 224 px, 160, which are 5 of the 7 squares of
32 px to a side that evidence is drawn in.
"""

VIEW = 5
SQUARES = 7


def view_side(side: int) -> int:
    """Pixels to a side of the view of a picture of `side` pixels."""
    return side * VIEW // SQUARES


def view_slice(side: int) -> slice:
    """Rows, or columns, of the view."""
    margin = (side - view_side(side)) // 2
    return slice(margin, margin + view_side(side))
