"""Numbers as a laboratory writes them."""

from django import template

register = template.Library()


@register.filter
def confidence(probability: float) -> str:
    """A probability in whole percent, never rounded up to certainty nor down to none."""
    if probability > 0.99:
        return "> 99 %"
    if probability < 0.01:
        return "< 1 %"
    return f"{100 * probability:.0f} %"


@register.filter
def share(value: float) -> str:
    """A share of 0 to 1 in percent with one decimal, never rounded up to all nor down to none."""
    if 0.9995 <= value < 1:
        return "> 99.9 %"
    if 0 < value < 0.0005:
        return "< 0.1 %"
    return f"{100 * value:.1f} %"


@register.filter
def share_interval(interval: tuple[float, float]) -> str:
    """The bounds of a share, 0 to 1, in percent with one decimal."""
    low, high = interval
    return f"{100 * low:.1f}–{100 * high:.1f} %"


@register.filter
def one_decimal(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


@register.filter
def distance(value: float) -> str:
    """A distance from the training cells with two decimals; one beyond the limit of 1 never reads as 1."""
    return f"{value if value <= 1 else max(value, 1.01):.2f}"


@register.filter
def coordinate(value: float) -> str:
    """A number as SVG reads it, in any language."""
    return f"{value:.2f}"


@register.filter
def tenths(percent: int) -> int:
    """Rounded down to tens, so that a screen reader hears of progress ten times, not every second."""
    return percent // 10 * 10
