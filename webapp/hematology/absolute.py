"""Absolute values: how many cells of a class a litre of blood holds, in 10^9/L."""

from decimal import ROUND_HALF_UP, Decimal

NRBC_CORRECTION_FROM = 5
"""Erythroblasts per 100 white cells from which on laboratories usually take them off an analyser's count."""

HUNDREDTH = Decimal("0.01")
TENTH = Decimal("0.1")


def per_100(count: int, wbc_count: int) -> Decimal | None:
    """How many of a class come to 100 white cells; of white cells themselves that is their per cent.

    None: there are no white cells to divide by.
    """
    return Decimal(100 * count) / Decimal(wbc_count) if wbc_count else None


def corrected_wbc(
    wbc: Decimal,
    nrbc_per_100: Decimal | None,
    *,
    is_corrected: bool | None,
    correct_from: Decimal = Decimal(NRBC_CORRECTION_FROM),
) -> Decimal | None:
    """The white cells of an analyser's count without the erythroblasts that it counted among them.

    Args:
        nrbc_per_100: erythroblasts per 100 white cells; None: none were looked for.
        is_corrected: whether the analyser took them off already; None: nobody has said.
        correct_from: erythroblasts per 100 white cells from which on the laboratory takes them off.

    Returns:
        None: erythroblasts were counted, and nobody has said whether the analyser took them off.
    """
    if is_corrected or not nrbc_per_100:
        return wbc
    if is_corrected is None:
        return None
    if nrbc_per_100 < correct_from:
        return wbc
    return wbc * 100 / (100 + nrbc_per_100)


def absolute(wbc: Decimal, percent: Decimal | float) -> Decimal:
    """`percent` of the white cells, in 10^9/L, as it is reported: two places."""
    return rounded(wbc * Decimal(percent) / 100, HUNDREDTH)


def rounded(value: Decimal, step: Decimal) -> Decimal:
    """As it is printed; and what is printed is what limits judge, so that a value and its flag agree."""
    return value.quantize(step, ROUND_HALF_UP)
