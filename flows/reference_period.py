"""The stretches of time that figures are made for."""

from datetime import date, timedelta

from flows.reference_rows import Row

QUARTERS_SHOWN = 8
WINDOWS = ("window", "window_before")
# A therapist's month is a handful of courses.
WIDE_LEVELS = ["service", "clinic"]


def periods(as_of: date, first_month: int = 1) -> list[Row]:
    """The twelve months that end at as_of, quarters and their months, two windows, financial years.

    Quarters, months and windows are over; of financial years there are the last one that is over, and
    the quarters so far of the one that goes on. A window is twelve months that end with a month: what
    therapists are compared on stands still until another month is over. The two do not overlap.

    Args:
        as_of: the night.
        first_month: month with which a financial year and its quarters begin.
    """
    leap_day = (as_of.month, as_of.day) == (2, 29)
    year_ago = date(as_of.year - 1, 2, 28) if leap_day else as_of.replace(year=as_of.year - 1)
    label = f"12 months to {as_of.day} {as_of:%B %Y}"
    rows = [_row("year", "year", year_ago + timedelta(days=1), as_of, label)]
    end = (
        as_of if (as_of + timedelta(days=1)).day == 1 else as_of.replace(day=1) - timedelta(days=1)
    )
    following = end + timedelta(days=1)
    quarter = _months_after(following, -((following.month - first_month) % 3))
    for back in range(QUARTERS_SHOWN):
        rows.append(_quarter(_months_after(quarter, -3 * (back + 1)), first_month))
    last = end
    for period_id in WINDOWS:
        start = _months_after(last + timedelta(days=1), -12)
        label = f"12 months to {last.day} {last:%B %Y}"
        rows.append(_row(period_id, "window", start, last, label))
        last = start - timedelta(days=1)
    month = _months_after(quarter, -3 * QUARTERS_SHOWN)
    while month < following:
        rows.append(_month(month, first_month))
        month = _months_after(month, 1)
    rows += _financial_years(quarter, first_month)
    return [(*row, order) for order, row in enumerate(rows)]


def _quarter(start: date, first_month: int) -> Row:
    end = _months_after(start, 3) - timedelta(days=1)
    label = (
        f"{start:%B %Y} to {end:%B %Y}" if start.year < end.year else f"{start:%B} to {end:%B %Y}"
    )
    block = _financial_year_id(_financial_year_start(start, first_month))
    return _row(_quarter_id(end), "quarter", start, end, label, block=block)


def _month(start: date, first_month: int) -> Row:
    end = _months_after(start, 1) - timedelta(days=1)
    block = _quarter_id(
        _months_after(start, 3 - (start.month - first_month) % 3) - timedelta(days=1)
    )
    return _row(f"{start:%Y-%m}", "month", start, end, f"{start:%B %Y}", WIDE_LEVELS, block)


def _financial_years(quarter: date, first_month: int) -> list[Row]:
    """The financial year that goes on, up to its last quarter that is over, and the one before."""
    start = _financial_year_start(quarter, first_month)
    before = _months_after(start, -12)
    over = _row(
        _financial_year_id(before), "financial_year", before, start - timedelta(days=1),
        _financial_year_label(before), WIDE_LEVELS,
    )  # fmt: skip
    if quarter == start:
        return [over]
    end = quarter - timedelta(days=1)
    label = f"{_financial_year_label(start)} so far, to {end.day} {end:%B %Y}"
    so_far = _row(
        _financial_year_id(start), "financial_year", start, end, label, WIDE_LEVELS, is_partial=True
    )
    return [so_far, over]


def _financial_year_start(day: date, first_month: int) -> date:
    return date(day.year - (day.month < first_month), first_month, 1)


def _financial_year_id(start: date) -> str:
    return f"FY{start.year}"


def _financial_year_label(start: date) -> str:
    if start.month == 1:
        return f"financial year {start.year}"
    return f"financial year {start.year}/{(start.year + 1) % 100:02d}"


def _quarter_id(end: date) -> str:
    return f"{end.year}-Q{(end.month - 1) // 3 + 1}"


def _months_after(start: date, months: int) -> date:
    """The first day of a month, so many months from that of another."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _row(
    period_id: str,
    kind: str,
    start: date,
    end: date,
    label: str,
    levels: list[str] | None = None,
    block: str | None = None,
    *,
    is_partial: bool = False,
) -> Row:
    return (period_id, kind, start, end, label, levels, block, is_partial)
