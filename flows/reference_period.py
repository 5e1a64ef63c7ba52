"""The stretches of time that figures are made for."""

from datetime import date, timedelta

from flows.reference_rows import Row

QUARTERS_SHOWN = 8
WINDOWS = ("window", "window_before")


def periods(as_of: date) -> list[Row]:
    """The twelve months that end at as_of, the eight last complete calendar quarters, two windows.

    A window is twelve months that end with a month: what therapists are compared on stands still
    until another month is over. The two do not overlap.
    """
    leap_day = (as_of.month, as_of.day) == (2, 29)
    year_ago = date(as_of.year - 1, 2, 28) if leap_day else as_of.replace(year=as_of.year - 1)
    label = f"12 months to {as_of.day} {as_of:%B %Y}"
    rows: list[Row] = [("year", "year", year_ago + timedelta(days=1), as_of, label, 0)]
    following = date(as_of.year, 3 * ((as_of.month - 1) // 3) + 1, 1)
    if _next_quarter(following) == as_of + timedelta(days=1):
        following = _next_quarter(following)
    for order in range(1, QUARTERS_SHOWN + 1):
        end = following - timedelta(days=1)
        start = date(end.year, end.month - 2, 1)
        number = (end.month - 1) // 3 + 1
        label = f"{start:%B} to {end:%B %Y}"
        rows.append((f"{end.year}-Q{number}", "quarter", start, end, label, order))
        following = start
    end = (
        as_of if (as_of + timedelta(days=1)).day == 1 else as_of.replace(day=1) - timedelta(days=1)
    )
    for order, period_id in enumerate(WINDOWS, start=QUARTERS_SHOWN + 1):
        start = date(end.year - (end.month < 12), end.month % 12 + 1, 1)
        label = f"12 months to {end.day} {end:%B %Y}"
        rows.append((period_id, "window", start, end, label, order))
        end = start - timedelta(days=1)
    return rows


def _next_quarter(start: date) -> date:
    return date(start.year + (start.month == 10), (start.month + 3) % 12, 1)
