"""Figures of a unit: rates over finished courses, and their intervals."""

from math import sqrt


def wilson(numerator: int, n: int, z: float) -> tuple[float, float]:
    """95 % interval of a rate: the roots of (p - x)^2 = z^2 x (1 - x) / n."""
    p = numerator / n
    a, b, c = 1 + z * z / n, -(2 * p + z * z / n), p * p
    root = sqrt(max(b * b - 4 * a * c, 0))
    return max((-b - root) / (2 * a), 0.0), min((-b + root) / (2 * a), 1.0)
