"""The page on endings: shares by number of sessions beside each other, and what they are counted from."""

from tests.reports.fixture_tables import HOSTILE
from tests.reports.page_reader import PageReader


def test_a_group_and_its_ending_are_one_row_with_a_column_for_each_number_of_sessions(
    read: dict[str, PageReader],
) -> None:
    page = read["endings.html"]
    section = next(e for e in page.all("section") if "By number of sessions" in e.text)
    heads = [e.text.strip() for e in page.all("th", scope="col") if section in e.ancestors]
    assert heads == ["Where", "Ending", "By session 3", "By session 5", "Counted"]
    rows = [e for e in page.all("tr") if section in e.ancestors][1:]
    told = [
        [" ".join(e.text.split()) for e in page.elements if e.ancestors[-1:] == [row]]
        for row in rows
    ]
    begun = ["of 3817 courses begun", "of 812 courses begun"]
    hostile = " ".join(HOSTILE.split())
    assert told == [
        ["Whole service", "Ended early, not agreed", "13 % (11 to 16 %)", "17 % (15 to 18 %)", begun[0]],
        [hostile, "Ended early, not agreed", "9 % (7 to 12 %)", "too few to show (n < 5)", begun[1]],
        [hostile, "Ended as planned", "–", "4 % (3 to 6 %)", begun[1]],
    ]  # fmt: skip
