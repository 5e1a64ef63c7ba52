"""Which nights a schedule means: a night is a local date, whatever the clock does on it."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

DAY = timedelta(days=1)
# No zone changes its clock by more.
CLOCK_CHANGE = timedelta(hours=2)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def is_cron(text: str) -> bool:
    """True where the text is a cron expression of five fields."""
    return len(text.split()) == 5 and croniter.is_valid(text)


def night_of(start: datetime, cron: str, timezone: str) -> date:
    """The date of the night that a scheduled start belongs to.

    Where the clock skips the hour, a start is moved, in some zones across midnight: the night is
    the date whose nominal start lies nearest. A run started by hand at another hour means its own
    date.

    Args:
        start: the scheduled start, with its offset.
        cron: the schedule.
        timezone: the service's.
    """
    local = start.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    after = croniter(cron, local - timedelta(seconds=1)).get_next(datetime)
    before = croniter(cron, local + timedelta(seconds=1)).get_prev(datetime)
    nearest = min((after, before), key=lambda nominal: (abs(nominal - local), nominal))
    return nearest.date() if abs(nearest - local) <= CLOCK_CHANGE else local.date()


def newest_due(now: datetime, cron: str, timezone: str) -> date:
    """The newest night whose start lies behind."""
    local = now.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    return croniter(cron, local + timedelta(seconds=1)).get_prev(datetime).date()


def nights_between(after: date, until: date, cron: str) -> list[date]:
    """Nights of the schedule after one date and before another, both left out."""
    nights = []
    clock = croniter(
        cron, datetime.combine(after + DAY, datetime.min.time()) - timedelta(seconds=1)
    )
    while (night := clock.get_next(datetime).date()) < until:
        if not nights or nights[-1] != night:
            nights.append(night)
    return nights


def days_due(days: Collection[str | int], first: date, last: date) -> list[date]:
    """Days on which a delivery is due, both ends included.

    Args:
        days: weekdays (mon .. sun) or days of the month; in a shorter month its last day counts.
        first: where to begin.
        last: where to end.
    """
    weekdays = {WEEKDAYS.index(day) for day in days if isinstance(day, str)}
    of_month = {day for day in days if isinstance(day, int)}
    stretch = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [
        day
        for day in stretch
        if day.weekday() in weekdays
        or day.day in of_month
        or (day.day == monthrange(day.year, day.month)[1] and any(n > day.day for n in of_month))
    ]


def night_after(day: date, latest: time | None, cron: str | None) -> date:
    """The first night that starts when a delivery of that day must lie in the inbox.

    Args:
        day: of the delivery.
        latest: hour by which it is due; None: the end of the day.
        cron: schedule of the nights; None: they are run by hand, so that the next day's is meant.
    """
    if cron is None:
        return day + DAY
    due = datetime.combine(day, latest) if latest else datetime.combine(day + DAY, time.min)
    return croniter(cron, due - timedelta(seconds=1)).get_next(datetime).date()
