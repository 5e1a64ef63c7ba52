"""Therapists compared: what was to be expected, the spread between them, places, lists, sums over time."""

from collections.abc import Mapping, Sequence
from math import erfc, exp, log, sqrt


def expected_of(
    levels: Mapping[str, str], severity: float | None, coefficients: Mapping[str, tuple[float, float]],
    *, is_event: bool,
) -> float:  # fmt: skip
    """What a model expects of one course.

    Args:
        levels: of the course, by intake factor.
        severity: at intake, None not recorded.
        coefficients: by term, the estimate and the mean of the term where it was fitted.
        is_event: whether the model is of an event, whose chance is wanted.
    """
    total = coefficients["intercept"][0]
    if "severity" in coefficients:
        slope, centre = coefficients["severity"]
        total += slope * ((severity or 0.0) - centre)
    for factor in sorted({term.split("=")[0] for term in coefficients if "=" in term}):
        terms = {t: c for t, c in coefficients.items() if t.split("=")[0] == factor and "=" in t}
        average = sum(estimate * share for _, (estimate, share) in sorted(terms.items()))
        for name in (f"{factor}={levels[factor]}", f"{factor}=pooled"):
            if name in terms:
                total += terms[name][0] - average
                break
    return 1 / (1 + exp(-total)) if is_event else total


def byar(observed: int, expected: float, z: float) -> tuple[float, float]:
    """Interval of observed over expected events, by Byar's approximation (Breslow & Day 1987, p. 69)."""
    above = observed + 1
    low = observed * (1 - 1 / (9 * observed) - z / (3 * sqrt(observed))) ** 3 if observed else 0.0
    return low / expected, above * (1 - 1 / (9 * above) + z / (3 * sqrt(above))) ** 3 / expected


def moments(groups: Sequence[tuple[int, float, float]]) -> tuple[float, float]:
    """Variance within and between groups, each given as its size, sum and sum of squares."""
    j, n = len(groups), sum(size for size, _, _ in groups)
    within = sum(square - total * total / size for size, total, square in groups) / (n - j)
    grand = sum(total for _, total, _ in groups) / n
    between = sum(size * (total / size - grand) ** 2 for size, total, _ in groups) / (j - 1)
    size_0 = (n - sum(size * size for size, _, _ in groups) / n) / (j - 1)
    return within, max((between - within) / size_0, 0.0)


def drawn_in(
    deviations: Sequence[float], errors: Sequence[float], within: float,
    literature: float | None, steps: int,
) -> list[tuple[float, float]]:  # fmt: skip
    """Mean and standard deviation of every true deviation, averaged over the spread between them.

    Args:
        deviations: observed less expected.
        errors: their standard errors.
        within: variance of single courses.
        literature: mean of an exponential prior of the share of variance; None a spread counts by its size.
        steps: how many spreads are weighed, up to half the variance.
    """
    told = []
    for step in range(steps):
        spread = sqrt(within) * (step + 0.5) / steps
        variances = [error * error + spread * spread for error in errors]
        precision = sum(1 / v for v in variances)
        centre = sum(y / v for y, v in zip(deviations, variances, strict=True)) / precision
        fit = -0.5 * log(precision)
        for y, v in zip(deviations, variances, strict=True):
            fit -= 0.5 * log(v) + (y - centre) ** 2 / (2 * v)
        fit += log(spread)
        if literature is not None:
            share = spread**2 / (spread**2 + within)
            fit += -share / literature - 2 * log(spread**2 + within)
        told.append((fit, spread, precision, centre))
    best = max(fit for fit, *_ in told)
    weights = [exp(fit - best) for fit, *_ in told]
    found = []
    for y, error in zip(deviations, errors, strict=True):
        mean = square = 0.0
        for weight, (_, spread, precision, centre) in zip(weights, told, strict=True):
            kept = spread**2 / (spread**2 + error**2)
            middle = centre + kept * (y - centre)
            variance = kept * error**2 + (1 - kept) ** 2 / precision
            mean += weight * middle
            square += weight * (variance + middle**2)
        mean, square = mean / sum(weights), square / sum(weights)
        found.append((mean, sqrt(max(square - mean**2, 0.0))))
    return found


def spread_beyond_chance(
    deviations: Sequence[float], errors: Sequence[float], share: float, by_chance: float
) -> tuple[float, float]:
    """Mean square of the drawn-in z-scores over what chance gives, and the variance between units."""
    z = sorted(y / s for y, s in zip(deviations, errors, strict=True))
    j = len(z)
    place = (j - 1) * share
    lower = int(place)
    part = place - lower
    upper = min(lower + (part > 0), j - 1)
    low = z[lower] + part * (z[upper] - z[lower])
    high = z[j - 1 - lower] + part * (z[j - 1 - upper] - z[j - 1 - lower])
    phi = sum(min(max(value, low), high) ** 2 for value in z) / j / by_chance
    weights = [1 / s**2 for s in errors]
    if j * phi <= j - 1:
        return phi, 0.0
    total = sum(weights)
    return phi, (j * phi - (j - 1)) / (total - sum(w * w for w in weights) / total)


def two_sided(z: float) -> float:
    """Probability of a standard normal value as far from 0 as z, or farther."""
    return erfc(abs(z) / sqrt(2))


def listed(p_values: Sequence[float], q: float) -> list[bool]:
    """Whom Benjamini & Hochberg 1995 reject at q: all up to the last p below its share of q."""
    ordered = sorted(p_values)
    last = max((i for i, p in enumerate(ordered, 1) if p <= i * q / len(ordered)), default=0)
    return [last > 0 and p <= ordered[last - 1] for p in p_values]


def cumulative_sum(
    outcomes: Sequence[tuple[int, float]], ratio: float, threshold: float
) -> list[tuple[float, bool]]:
    """The sum after every course and whether it gives an alarm, after which it begins anew."""
    level, found = 0.0, []
    for y, p in outcomes:
        level = max(0.0, level + log((ratio if y else 1.0) / (1 - p + ratio * p)))
        found.append((level, level > threshold))
        if level > threshold:
            level = 0.0
    return found
