"""How two raters of the same sessions agree: one course, and many courses pooled."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atanh, sqrt, tanh


@dataclass(frozen=True)
class Agreement:
    """Of one course; ratings from 0 to 100. None where it cannot be said."""

    discrepancy: float
    convergence: float
    congruence: float | None
    tracking: float | None


@dataclass(frozen=True)
class Pooled:
    """Correlation over courses with its interval, and the standard deviation of Fisher's z."""

    congruence: float
    low: float
    high: float
    spread: float


def agreement(
    sessions: Sequence[int], patient: Sequence[float], therapist: Sequence[float]
) -> Agreement:
    """Agreement of one course; the three sequences go by session."""
    n = len(sessions)
    apart = [p - t for p, t in zip(patient, therapist, strict=True)]
    pp, tt = _cross(patient, patient), _cross(therapist, therapist)
    still = pp < 1e-9 or tt < 1e-9
    # ratings with the straight line over sessions taken out of them
    rest_p, rest_t = _off_line(sessions, patient), _off_line(sessions, therapist)
    moves = _cross(rest_p, rest_p)
    return Agreement(
        discrepancy=sum(apart) / n,
        convergence=_slope(sessions, [abs(a) for a in apart]),
        congruence=None if still else _cross(patient, therapist) / sqrt(pp * tt),
        tracking=None if still or moves < 1e-9 else _cross(rest_p, rest_t) / moves,
    )


def pooled(courses: Sequence[tuple[float, int]], z_95: float) -> Pooled:
    """Pool correlations of courses with random effects (DerSimonian & Laird).

    Args:
        courses: correlation and number of sessions of each; none is 1 or -1.
        z_95: quantile of the normal distribution.
    """
    zs = [atanh(r) for r, _ in courses]
    ws = [float(n - 3) for _, n in courses]
    mean = sum(w * z for w, z in zip(ws, zs, strict=True)) / sum(ws)
    q = sum(w * (z - mean) ** 2 for w, z in zip(ws, zs, strict=True))
    scale = sum(ws) - sum(w * w for w in ws) / sum(ws)
    between = max(0.0, (q - (len(ws) - 1)) / scale)
    weights = [1 / (1 / w + between) for w in ws]
    centre = sum(w * z for w, z in zip(weights, zs, strict=True)) / sum(weights)
    half = z_95 / sqrt(sum(weights))
    return Pooled(tanh(centre), tanh(centre - half), tanh(centre + half), sqrt(between))


def drawn_in(
    r: float, n: int, centre: float, error_variance: float, between: float, z_95: float
) -> tuple[float, float, float]:
    """A course's correlation drawn towards the mean of all, with its interval (empirical Bayes).

    Args:
        r: correlation of the course.
        n: its sessions.
        centre: mean of Fisher's z over courses.
        error_variance: its variance.
        between: variance of Fisher's z between courses.
        z_95: quantile of the normal distribution.
    """
    own = 1 / (n - 3)
    kept = between / (between + own)
    middle = kept * atanh(r) + (1 - kept) * centre
    half = z_95 * sqrt(kept * own + (1 - kept) ** 2 * error_variance)
    return tanh(middle), tanh(middle - half), tanh(middle + half)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _cross(xs: Sequence[float], ys: Sequence[float]) -> float:
    mx, my = _mean(xs), _mean(ys)
    return sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True))


def _slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    return _cross(xs, ys) / _cross(xs, xs)


def _off_line(xs: Sequence[float], ys: Sequence[float]) -> list[float]:
    slope, mx, my = _slope(xs, ys), _mean(xs), _mean(ys)
    return [y - my - slope * (x - mx) for x, y in zip(xs, ys, strict=True)]
