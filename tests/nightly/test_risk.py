"""Risk answers reach the care team's page whatever becomes of the score or the row."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.nightly.conftest import CANARY, NEXT, drop, form_file, make_service, run

# Line 2: item 9 answered, the form scored. 3: answered, another answer is missing, so no score. 4: out of
# range, refused, item 9 answered. 5: the same, item 9 not answered. 6: item 9 not readable. 7: item 9 is nought.
ANSWERS = (
    "0,0,0,0,0,0,0,0,1",
    "0,0,,0,0,0,0,0,2",
    "7,0,0,0,0,0,0,0,3",
    "7,0,0,0,0,0,0,0,",
    "0,0,0,0,0,0,0,0,often",
    "0,0,0,0,0,0,0,0,0",
)


def risky_forms() -> str:
    return form_file(
        *(
            f"{9000 + n},{CANARY} 1,Canary Therapist,1,{n},2026-03-0{n},x,{answers}"
            for n, answers in enumerate(ANSWERS, start=1)
        )
    )


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two nights: clinic north mends its snapshot on the second, south sends what cannot be read."""
    service = make_service(tmp_path_factory.mktemp("risk") / "service")
    mapping = service.clinics / "north.toml"
    text = mapping.read_text(encoding="utf-8")
    mapping.write_text(text.replace('"append"', '"snapshot"', 1), encoding="utf-8")
    (service.inbox / "north" / "forms_1.csv").unlink()
    drop(service, "north", "forms_risk.csv", risky_forms())
    # one cell more, so nobody knows which answer is whose
    split = risky_forms().replace("7,0,0,0,0,0,0,0,3", "7,,0,0,0,0,0,0,0,3")
    drop(service, "south", "forms_split.csv", split)
    drop(service, "south", "forms_none.csv", b"")
    first = run(service).folder
    mended = risky_forms().replace("7,0,0", "1,0,0").replace("often", "3")
    drop(service, "north", "forms_risk.csv", mended)
    return first, run(service, NEXT).folder


def listed(night: Path, table: str, columns: str, file: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as con:
        path = night / "auditors" / "report" / f"{table}.parquet"
        query = f"select {columns} from '{path}' where file_name = ? order by all"
        return con.execute(query, [file]).fetchall()


def test_answers_are_listed_with_and_without_score_and_refused_rows_by_line(
    nights: tuple[Path, Path],
) -> None:
    night, file = nights[0], "forms_risk.csv"
    assert listed(night, "risk_flag", "line, score_text, age_days", file) == [
        (2, "scored", 9),
        (3, "no score: 1 of 9 items of total is missing", 8),
    ]
    assert listed(night, "refused_risk", "n, lines_text, age_days", file) == [(2, "4, 6", 0)]
    review = (night / "auditors" / "review.html").read_text(encoding="utf-8")
    assert "forms_risk.csv:4, 6" in review and "not an alarm system" in review
    assert "often" not in review and CANARY not in review


def test_what_is_not_looked_at_is_named(nights: tuple[Path, Path]) -> None:
    night = nights[0]
    assert listed(night, "unread_risk", "n, why", "forms_split.csv") == [
        (1, "rows that could not be split into cells, or contradict each other")
    ]
    assert listed(night, "refused_risk", "lines_text", "forms_split.csv") == [("6",)]
    assert listed(night, "unread_risk", "n, why", "forms_none.csv") == [
        (None, "the file was refused as a whole")
    ]


def test_no_page_for_managers_points_to_a_risk_answer(nights: tuple[Path, Path]) -> None:
    for path in sorted((nights[0] / "managers").rglob("*.html")):
        page = path.read_text(encoding="utf-8")
        assert "answer a risk item" not in page and "risk-refused" not in page, path


def test_a_row_that_was_mended_is_no_longer_refused(nights: tuple[Path, Path]) -> None:
    assert listed(nights[1], "refused_risk", "lines_text", "forms_risk.csv") == []
    assert listed(nights[1], "risk_flag", "line", "forms_risk.csv") == [(2,), (3,), (4,), (6,)]
