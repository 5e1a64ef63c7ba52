"""What became of alerts: who was on a list, whether anybody acted in time, and how it went on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from flows.second.measure import Count


@dataclass(frozen=True)
class Alert:
    """A session after which the course was on a worklist.

    Attributes:
        issued_on: first night of it.
        acted_on: days of every action in its course.
        log_on: day the clinic's newest log came; None where there is none.
        outcome: of the session, where it is known and so old that any would be; else None.
    """

    issued_on: date
    acted_on: Sequence[date]
    log_on: date | None
    outcome: str | None

    def is_told(self, days: int) -> bool:
        """Whether a log speaks of all the days in which somebody may act."""
        return self.log_on is not None and self.issued_on + timedelta(days) < self.log_on

    def waited(self, days: int) -> int | None:
        """Days until somebody acted in time; None where nobody did."""
        found = [(day - self.issued_on).days for day in self.acted_on]
        return min((n for n in found if 0 <= n <= days), default=None)


def figures_of(alerts: Iterable[Alert], days: int) -> dict[str, tuple[Count, Fraction]]:
    """By measure: the count, and the sum of its values."""
    listed = list(alerts)
    told = [alert for alert in listed if alert.is_told(days)]
    waits = [n for alert in told if (n := alert.waited(days)) is not None]
    ended = [alert.outcome for alert in listed if alert.outcome is not None]
    left, untold = ended.count("dropout"), ended.count("unknown")
    counts = {
        "alert_acted_on": (Count(len(waits), len(told), len(told)), Fraction(len(waits))),
        "alert_action_days": (Count(0, len(waits), len(waits)), Fraction(sum(waits))),
        "alert_left": (
            Count(left, len(ended) - untold, len(ended), left, left + untold),
            Fraction(left),
        ),
    }
    return {name: found for name, found in counts.items() if found[0].n_eligible}
