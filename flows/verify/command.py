"""`rapport verify`: test vectors and a published night, computed a second time, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from flows.verify.agreement import THOROUGH, Agreement, Verified, agree, verify
from flows.verify.snapshot import night_of, open_snapshot
from flows.verify.vectors import vectors
from schemas.instrument_types import Instrument

# Beyond so many units the list says no more than the number.
LISTED = 50


@dataclass(frozen=True)
class VerifiedNight:
    """What came of verifying a published night."""

    folder: Path
    vectors: list[Agreement]
    night: Verified

    @property
    def is_good(self) -> bool:
        """Whether everything was compared and agrees."""
        return self.night.is_good and all(topic.is_good for topic in self.vectors)

    def lines(self) -> Iterator[str]:
        """Every topic, with the units that disagree; no value of any patient."""
        yield "Test vectors:"
        yield from _topic_lines(self.vectors)
        drawn = f"{self.night.n_patients} of {self.night.n_patients_all} patients"
        yield f"{self.folder}: {drawn}, seed {self.night.seed}:"
        yield from _topic_lines(self.night.topics)
        topics = [*self.vectors, *self.night.topics]
        together = agree(sum(t.n_agree for t in topics), sum(t.n_checked for t in topics))
        unchecked = sum(t.why_not is not None for t in topics)
        yield together + (f"; {unchecked} topics NOT CHECKED" if unchecked else "")


def _topic_lines(topics: list[Agreement]) -> Iterator[str]:
    for topic in topics:
        scope = "" if topic.is_whole or topic.why_not else " (a sample)"
        yield f"  {'' if topic.is_good else 'DISAGREES: ' if topic.wrong else ''}{topic.line()}{scope}"
        for unit in topic.wrong[:LISTED]:
            yield f"    {unit}"
        if len(topic.wrong) > LISTED:
            yield f"    ... and {len(topic.wrong) - LISTED} more"


def verify_night(
    folder: Path, instruments: Mapping[str, Instrument], patients: int, seed: int | None
) -> VerifiedNight:
    """Run the test vectors, and compute the figures of a published night a second time.

    Args:
        folder: of the night; a copy of it will do.
        instruments: whose worked examples are run.
        patients: how many are drawn; all, where there are no more.
        seed: draws them; None is the night's date.

    Raises:
        NothingPublished: when the folder holds no published night.
    """
    seed = int(night_of(folder).strftime("%Y%m%d")) if seed is None else seed
    with open_snapshot(folder) as con:
        night = verify(con, replace(THOROUGH, patients=patients), seed)
    return VerifiedNight(folder, list(vectors(instruments)), night)
