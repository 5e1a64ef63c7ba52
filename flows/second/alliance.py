"""Early alliance of one course."""

from collections.abc import Mapping
from fractions import Fraction

from flows.second.rules import Rules


def early_of(
    ratings: Mapping[int, Fraction], rules: Rules
) -> tuple[Fraction | None, Fraction | None]:
    """Mean and slope of the ratings of the first sessions, by ordinal."""
    points = [(Fraction(n), value) for n, value in ratings.items() if n <= rules.early_sessions]
    n = len(points)
    if n < rules.early_min_rated:
        return None, None
    mean_x = sum((x for x, _ in points), Fraction(0)) / n
    mean_y = sum((y for _, y in points), Fraction(0)) / n
    if n < rules.early_slope_min_rated:
        return mean_y, None
    spread = sum(((x - mean_x) ** 2 for x, _ in points), Fraction(0))
    return mean_y, sum(((x - mean_x) * (y - mean_y) for x, y in points), Fraction(0)) / spread
