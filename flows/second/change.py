"""Indices of reliable change by several methods, cut-offs a, b and c, and the five classes of change."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import correlation, mean, stdev

from flows.second.rules import Threshold

METHODS = ("JT", "GLN", "EN", "NK", "HLL", "HA")


@dataclass(frozen=True)
class Norm:
    """The reference groups of a questionnaire, and its reliability."""

    mean: float
    sd: float
    reliability: float
    functional_mean: float | None = None
    functional_sd: float | None = None

    @property
    def error(self) -> float:
        """Standard error of measurement."""
        return self.sd * sqrt(1 - self.reliability)


@dataclass(frozen=True)
class Group:
    """First and last scores of a service's own courses."""

    mean_pre: float
    sd_pre: float
    mean_post: float
    sd_post: float
    correlation: float | None


def group_of(pairs: Sequence[tuple[float, float]]) -> Group:
    """Moments of pairs of scores."""
    pre, post = [a for a, _ in pairs], [b for _, b in pairs]
    varies = len(set(pre)) > 1 and len(set(post)) > 1
    return Group(
        mean(pre), stdev(pre), mean(post), stdev(post), correlation(pre, post) if varies else None
    )


def cutoff_a(norm: Norm, direction: int) -> float:
    """Two standard deviations of the clinical group away from it."""
    return norm.mean + 2 * direction * norm.sd


def cutoff_b(norm: Norm, direction: int) -> float | None:
    """Two standard deviations of the functional group away from that group."""
    if norm.functional_mean is None or norm.functional_sd is None:
        return None
    return norm.functional_mean - 2 * direction * norm.functional_sd


def cutoff_c(norm: Norm) -> float | None:
    """Where a score is as far from one group as from the other, in standard deviations."""
    if norm.functional_mean is None or norm.functional_sd is None:
        return None
    share = norm.sd / (norm.sd + norm.functional_sd)
    return norm.mean + share * (norm.functional_mean - norm.mean)


def index_of(
    method: str, pre: float, post: float, norm: Norm | None, group: Group | None
) -> float | None:
    """How far the last score lies from what the method expects, in its standard errors.

    Signed as the scores are; None where norms or group are missing, or nothing varies.
    """
    if norm is None or (method in ("NK", "HLL", "HA") and group is None):
        return None
    r, expected = norm.reliability, norm.mean + norm.reliability * (pre - norm.mean)
    if method == "JT":
        return _over(post - pre, sqrt(2) * norm.error)
    if method == "GLN":
        return _over(post - expected, norm.sd * sqrt(1 - r**2))
    if method == "EN":
        return _over(post - expected, norm.error)
    assert group is not None
    if method == "NK":
        r_post = _reliability(group.sd_post, norm)
        if r_post is None or r_post <= 0:
            return None
        return _over(post - expected, norm.sd * sqrt(r**2 * (1 - r) + (1 - r_post)))
    if method == "HLL":
        likely = group.mean_post + r * (pre - group.mean_pre)
        return _over(post - likely, group.sd_pre * sqrt(1 - r**2))
    return _hageman_arrindell(post - pre, norm, group)


def _hageman_arrindell(change: float, norm: Norm, group: Group) -> float | None:
    r_pre, r_post = _reliability(group.sd_pre, norm), _reliability(group.sd_post, norm)
    if group.correlation is None or r_pre is None or r_post is None:
        return None
    shared = 2 * group.sd_pre * group.sd_post * group.correlation
    variance = group.sd_pre**2 + group.sd_post**2 - shared
    if variance <= 0:
        return None
    r_change = (group.sd_pre**2 * r_pre + group.sd_post**2 * r_post - shared) / variance
    if r_change <= 0:
        return None
    usual = group.mean_post - group.mean_pre
    drawn = change * r_change + usual * (1 - r_change)
    return _over(drawn, sqrt(r_change) * sqrt(2) * norm.error)


def _reliability(sd: float, norm: Norm) -> float | None:
    """Of scores that spread by sd and are measured with the instrument's error."""
    return None if sd == 0 else (sd**2 - norm.error**2) / sd**2


def _over(distance: float, error: float) -> float | None:
    return None if error == 0 else distance / error


@dataclass(frozen=True)
class Range:
    """The clinical range: beyond a computed cut-off, or as a published one says."""

    direction: int
    published: Threshold | None
    computed: float | None

    def is_clinical(self, score: float) -> bool | None:
        """Whether a score lies in the clinical range; None on a computed cut-off, or without one."""
        if self.published is not None:
            return _reached(self.published, score)
        if self.computed is None or score == self.computed:
            return None
        return (score < self.computed) == (self.direction == 1)

    @property
    def is_known(self) -> bool:
        """Whether there is any cut-off."""
        return self.published is not None or self.computed is not None


def _reached(threshold: Threshold, score: float) -> bool:
    value = float(threshold.value)
    return {">=": score >= value, ">": score > value, "<=": score <= value, "<": score < value}[
        threshold.op
    ]


def class_of(change: str | None, pre: float, post: float, clinical: Range) -> str | None:
    """One of the five classes, from reliable change and the ranges of both scores."""
    if change is None or not clinical.is_known:
        return None
    before, after = clinical.is_clinical(pre), clinical.is_clinical(post)
    if change == "improved" and before is True and after is False:
        return "recovered"
    if change == "deteriorated" and before is False and after is True:
        return "deteriorated_into_clinical_range"
    return change
